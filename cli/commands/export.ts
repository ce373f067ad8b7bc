// `bulkhead export THREAD --out DIR`: the recording of a thread as a folder that verifies without the database.

import { resolve } from "node:path";
import type { Command } from "commander";
import { CommandError } from "../exit.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { count, shellWord } from "../text.js";

interface ExportOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly out: string;
}

export const exportCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("export", "write the recording of a thread into a folder", [
        "bulkhead export THREAD --out ./evidence",
        "bulkhead verify ./evidence",
      ]),
    ),
  )
    .argument("<thread>", "the thread, as `bulkhead threads` lists it")
    .requiredOption("--out <folder>", "where to; it must be empty or not exist")
    .action((thread: string, options: ExportOptions) => exportThread(thread, options, terminal));

async function exportThread(
  thread: string,
  { json = false, out, ...flags }: ExportOptions,
  terminal: Terminal,
): Promise<void> {
  const { verifyRecording, writeBundle } = await import("../../checkpoints/index.js");
  const { requireThread, withJournal } = await import("../journal.js");
  await withJournal(terminal, flags, async (opened) => {
    const { journal } = opened;
    await requireThread(opened, thread, terminal);
    const recording = await journal.recording(thread);
    const found = verifyRecording(recording, journal.seal);
    if (!found.ok) {
      const copy = "Keep a copy of the database and its key file instead";
      throw new CommandError(`the recording of thread ${thread} does not verify: ${found.problem}. ${copy}.`);
    }
    await writeBundle(resolve(terminal.cwd, out), recording, journal.seal, journal.clock.now());
    const next = `${terminal.program} verify ${shellWord(out)}`;
    const { key } = journal.seal;
    const { events, runs } = found;
    if (json) return terminal.out(JSON.stringify({ thread, out, events, runs, key, next }));
    terminal.out(`Exported ${count(events, "event")} in ${count(runs, "run")} to ${out}, sealed with key ${key}.`);
    terminal.out(
      "It holds what the agent read and wrote, in the clear, and the thread's own key. Keep the key file apart.",
    );
    terminal.out(`Next:\n  ${next}`);
  });
}
