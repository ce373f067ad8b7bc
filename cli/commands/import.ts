// `bulkhead import DIR`: takes the recording of a thread over from another database, if it verifies.

import { resolve } from "node:path";
import type { Command } from "commander";
import { CommandError } from "../exit.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { count, shellWord } from "../text.js";

interface ImportOptions {
  readonly db?: string;
  readonly json?: boolean;
}

export const importCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("import", "take over a thread that `bulkhead export` wrote", [
        "bulkhead import ./evidence",
        "bulkhead import ./evidence --db sqlite:archive.db",
      ]),
    ),
  )
    .argument("<bundle>", "a folder that `bulkhead export` made")
    .action((bundle: string, options: ImportOptions) => importBundle(bundle, options, terminal));

async function importBundle(
  bundle: string,
  { json = false, ...flags }: ImportOptions,
  terminal: Terminal,
): Promise<void> {
  const { keyAtHand, readBundle, redactUrl, verifyBundle } = await import("../../checkpoints/index.js");
  const { withJournal } = await import("../journal.js");
  const { manifest, recording, damage } = await readBundle(resolve(terminal.cwd, bundle));
  await withJournal(terminal, flags, async ({ journal, settings }) => {
    const { thread, key } = manifest;
    const own = keyAtHand(settings.database, settings.keyFile, terminal.cwd)?.key;
    if (own !== key) {
      const found = own === undefined ? "none yet" : own;
      throw new CommandError(
        `${bundle} was sealed with key ${key}; the key of ${redactUrl(settings.database)} is ${found}. Name the file of key ${key} with BULKHEAD_KEY_FILE, and with --db a database that is used with it.`,
      );
    }
    const found = verifyBundle({ manifest, recording, damage }, journal.seal);
    if (!found.ok) throw new CommandError(`${bundle} does not verify: ${found.problem}. Export the thread again.`);
    if (!(await journal.adopt(recording))) {
      throw new CommandError(
        `thread ${thread}, or one of its runs, is in ${redactUrl(settings.database)} already. Name another database with --db.`,
      );
    }
    const { events, runs } = found;
    const base = `${terminal.program} verify ${shellWord(thread)}`;
    const next = flags.db === undefined ? base : `${base} --db ${shellWord(redactUrl(flags.db))}`;
    if (json) return terminal.out(JSON.stringify({ thread, events, runs, next }));
    terminal.out(
      `Imported ${count(events, "event")} in ${count(runs, "run")} of thread ${thread}: to read, not to resume.`,
    );
    terminal.out(`Next:\n  ${next}`);
  });
}
