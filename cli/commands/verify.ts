// `bulkhead verify THREAD|BUNDLE`: recomputes the chain of a recording and checks its seals. Says where it is broken.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Verification } from "../../checkpoints/index.js";
import { EXIT } from "../exit.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { count, shellWord } from "../text.js";

interface VerifyOptions {
  readonly db?: string;
  readonly json?: boolean;
}

/** What was verified, and what is to be said of it. */
interface Verified {
  readonly thread: string;
  readonly found: Verification;
  /** Names the key that was missing. */
  readonly missingKey: string | undefined;
  readonly next: string;
}

export const verifyCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withJson(
    withDatabase(
      command("verify", "check that a recording is what was recorded", [
        "bulkhead verify THREAD",
        "bulkhead verify ./evidence --json",
      ]),
    ),
  )
    .argument("<thread-or-bundle>", "a thread, or a folder that `bulkhead export` made")
    .addHelpText("after", "\nExit codes: 0 it is what was recorded, 1 it is not.")
    .action(async (subject: string, { json = false, ...flags }: VerifyOptions) => {
      const { MANIFEST } = await import("../../checkpoints/index.js");
      const folder = resolve(terminal.cwd, subject);
      const isBundle = existsSync(join(folder, MANIFEST));
      const verified = isBundle
        ? await ofBundle(subject, folder, flags, terminal)
        : await ofThread(subject, flags, terminal);
      if (json) terminal.out(JSON.stringify(listingOf(verified), null, 2));
      else report(verified, terminal);
      finish(verified.found.ok ? EXIT.finished : EXIT.failed);
    });

async function ofThread(thread: string, flags: { readonly db?: string }, terminal: Terminal): Promise<Verified> {
  const { redactUrl, verifyThread } = await import("../../checkpoints/index.js");
  const { requireThread, withJournal } = await import("../journal.js");
  return withJournal(terminal, flags, async (opened) => {
    const found = await verifyThread(opened.journal, thread);
    // Somebody may have deleted the thread, and left its events or the heads kept outside.
    if (found.ok && found.events === 0) await requireThread(opened, thread, terminal);
    const name = shellWord(thread);
    const database = flags.db === undefined ? "" : ` --db ${shellWord(redactUrl(flags.db))}`;
    const next = found.ok ? `export ${name} --out DIR` : `show ${name}`;
    return { thread, found, missingKey: undefined, next: `${terminal.program} ${next}${database}` };
  });
}

async function ofBundle(
  subject: string,
  folder: string,
  flags: { readonly db?: string },
  terminal: Terminal,
): Promise<Verified> {
  const { keyAtHand, readBundle, verifyBundle } = await import("../../checkpoints/index.js");
  const { configure, findProject } = await import("../project.js");
  const { database, keyFile } = await configure(terminal, findProject(terminal.cwd), flags);
  const bundle = await readBundle(folder);
  const seal = keyAtHand(database, keyFile, terminal.cwd);
  const { key, thread } = bundle.manifest;
  const next = `${terminal.program} import ${shellWord(subject)}`;
  return { thread, found: verifyBundle(bundle, seal), missingKey: seal?.key === key ? undefined : key, next };
}

const listingOf = ({ thread, found, missingKey }: Verified) => {
  if (!found.ok) return { thread, ok: false, at: found.at ?? null, problem: found.problem };
  const { completeFrom, ...rest } = found;
  return {
    thread,
    ...rest,
    sealsChecked: missingKey === undefined,
    missingKey: missingKey ?? null,
    completeFrom: completeFrom ?? null,
  };
};

function report({ thread, found, missingKey, next }: Verified, terminal: Terminal): void {
  const { good, bad } = terminal.outStyle;
  if (!found.ok) {
    terminal.out(`${bad("Broken:")} ${found.problem}.`);
    terminal.out(`Do not rely on the recording of thread ${thread} from there on; compare it with a copy.`);
    terminal.out(`Next:\n  ${next}`);
    return;
  }
  const { events, runs, heads, kept, unreadable, completeFrom, erased, texts } = found;
  const named = texts === 0 ? "" : `, with ${count(texts, "text")}`;
  terminal.out(`${good("Intact:")} ${count(events, "event")} in ${count(runs, "run")} of thread ${thread}${named}.`);
  if (erased > 0) {
    terminal.out(`The contents of ${count(erased, "event")} of them were erased, and the chain says so.`);
  }
  if (missingKey !== undefined) {
    terminal.out(
      `Its seals were not checked: key ${missingKey} is not here, and without it whoever wrote the bundle could have written all of it. Name its file with BULKHEAD_KEY_FILE.`,
    );
  } else {
    terminal.out(`${count(heads, "sealed head")} and ${count(kept, "head")} kept outside the database fit.`);
  }
  if (unreadable > 0) {
    terminal.out(
      `${count(unreadable, "line")} of the heads kept outside the database cannot be used: torn, changed, or of another key.`,
    );
  }
  if (completeFrom === undefined && events > 0) {
    terminal.out("All of it was recorded by an earlier version: runs are not linked, and no head is sealed.");
  } else if (completeFrom !== undefined && heads < runs && missingKey === undefined) {
    terminal.out(
      `What was recorded before run ${completeFrom.run} is from an earlier version: not linked, not sealed.`,
    );
  }
  terminal.out(`Next:\n  ${next}`);
}
