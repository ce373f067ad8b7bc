// `bulkhead erase THREAD`: erases what was recorded of a thread and of all that was derived from it, for good.

import type { Command } from "commander";
import { CommandError, UsageError } from "../exit.js";
import type { OpenedJournal } from "../journal.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { count, shellWord } from "../text.js";

interface EraseOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

export const eraseCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("erase", "erase what was recorded of a thread", [
        "bulkhead erase THREAD",
        'bulkhead erase THREAD --reason "the customer asked for it" --yes',
      ]),
    ),
  )
    .argument("<thread>", "the thread, as `bulkhead threads` lists it; what was derived from it goes with it")
    .option("--reason <text>", "why; it stays in the record, for anybody to read", "no reason given")
    .option("--yes", "do not ask")
    .addHelpText("after", "\nWhat stays is the chain of events, which says that, when and by whom.")
    .action((thread: string, options: EraseOptions) => eraseThread(thread, options, terminal));

async function eraseThread(
  thread: string,
  { json = false, reason = "", yes = false, ...flags }: EraseOptions,
  terminal: Terminal,
): Promise<void> {
  const { requireThread, withJournal } = await import("../journal.js");
  const { eraseFamily, familiesOf } = await import("../family.js");
  const { redactUrl } = await import("../../checkpoints/index.js");
  if (!yes && !terminal.interactive) throw new UsageError("erase asks first. Where there is no terminal, add --yes.");
  await withJournal(terminal, flags, async (opened) => {
    const { root } = await requireThread(opened, thread, terminal);
    const base = flags.db === undefined ? "" : ` --db ${shellWord(redactUrl(flags.db))}`;
    if (root !== thread) {
      const next = `${terminal.program} erase ${shellWord(root)}${base}`;
      throw new CommandError(`thread ${thread} was derived from ${root}. Erase that, and with it all of them: ${next}`);
    }
    const families = await familiesOf(opened.journal);
    const derived = (families.find((family) => family.root === root)?.members.length ?? 1) - 1;
    if (!yes && !(await isMeant(thread, derived, opened, terminal))) return terminal.out("Nothing was erased.");
    const { threads, events, by } = await eraseFamily(opened, root, reason, terminal, "erase");
    const next = `${terminal.program} verify ${shellWord(thread)}${base}`;
    if (json) return terminal.out(JSON.stringify({ thread, threads, events, by, reason, next }));
    terminal.out(`Erased ${count(events, "event")} of ${named(thread, threads.length - 1)}, with their checkpoints.`);
    terminal.out("The chain stays, and says by whom. Bundles, backups and memories are not erased: see to them.");
    terminal.out(`Next:\n  ${next}`);
  });
}

const named = (thread: string, derived: number): string =>
  derived === 0 ? `thread ${thread}` : `thread ${thread} and of ${count(derived, "thread")} derived from it`;

async function isMeant(thread: string, derived: number, { journal }: OpenedJournal, terminal: Terminal) {
  const events = await journal.events({ thread });
  terminal.err(`${named(thread, derived)}: ${count(events.length, "event")}. This cannot be undone.`);
  const stop = new AbortController();
  const forget = terminal.onInterrupt(() => stop.abort());
  try {
    return /^y(es)?$/i.test((await terminal.ask("Erase it? [y/N] ", stop.signal)).trim());
  } catch (error) {
    if (stop.signal.aborted) return false; // Ctrl-C at the question.
    throw error;
  } finally {
    forget();
  }
}
