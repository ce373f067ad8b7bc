// What `bulkhead run` does: reads what was asked for, opens the project's graph and database, runs one session, and
// tells how it ended. Returns the exit code.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { RewindError } from "../../graphs/index.js";
import { parseFault, type Settings } from "../../models/index.js";
import type { RunOptions } from "../commands/run.js";
import { UsageError } from "../exit.js";
import { configure, loadGraph, requireProject } from "../project.js";
import { startTracing } from "../telemetry.js";
import type { Terminal } from "../terminal.js";
import { runOnce } from "./once.js";
import { rewindAndRun } from "./rewind.js";
import { chooseTarget } from "./target.js";

/** How often `--on-low-trust rewind` goes back before a person is asked. */
const MAX_REWINDS = 2;

/** Runs the command. @throws UsageError before anything was started. */
export async function runTask(argument: string | undefined, options: RunOptions, terminal: Terminal): Promise<number> {
  const project = requireProject(terminal.cwd);
  for (const fault of options.fault ?? []) parseFault(fault);
  const settings = await configure(terminal, project, options);
  const task = await readTask(argument, options, terminal, settings);
  const target = await chooseTarget(project, options, settings, terminal);
  const workspace = options.workspace === undefined ? (target.workspace ?? settings.workspace) : settings.workspace;
  terminal.env["BULKHEAD_WORKSPACE"] = workspace; // A thread goes on where it worked, unless it is told otherwise.
  const loaded = await loadGraph(project, target.graph);
  const { saver, close } = await openCheckpointer(settings.database);
  const stopTracing = await startTracing(loaded.harness.journal, settings, terminal);
  try {
    const opened = { options, terminal, loaded, saver, settings };
    const rewinds = options.onLowTrust === "rewind" ? MAX_REWINDS : 0;
    let ended = await runOnce({ ...target, workspace }, task, { ...opened, waits: rewinds === 0 });
    for (let done = 1; ended.canRewind && done <= rewinds; done += 1) {
      try {
        ended = await rewindAndRun(ended.thread, workspace, { ...opened, waits: done === rewinds });
      } catch (error) {
        if (!RewindError.isInstance(error)) throw error;
        terminal.err(error.message); // A person decides then; what to type was told.
        break;
      }
    }
    return ended.code;
  } finally {
    await stopTracing();
    await close();
    await loaded.harness.close();
  }
}

/** The task of `run` and `submit`; `undefined` to resume. @throws UsageError when there is none, or one too many. */
export async function readTask(
  argument: string | undefined,
  options: Pick<RunOptions, "resume" | "thread" | "file">,
  terminal: Terminal,
  settings: Settings,
): Promise<string | undefined> {
  const { resume = false, thread, file } = options;
  if (resume) {
    if (thread === undefined) throw new UsageError(await whichThread(settings, terminal));
    if (argument !== undefined || file !== undefined) {
      throw new UsageError("--resume goes on with what the thread has; leave out the task, or leave out --resume.");
    }
    return undefined;
  }
  if (argument !== undefined && file !== undefined) throw new UsageError("give the task or --file, not both.");
  const task = argument ?? (file === undefined ? await terminal.input() : readFile(resolve(terminal.cwd, file)));
  if (task !== undefined && task.trim() !== "") return task.trim();
  const example = `${terminal.program} run "How many tickets are open?"`;
  throw new UsageError(`no task. Give it as an argument, with --file, or pipe it in. For example: ${example}`);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--file ${path} cannot be read: ${(error as Error).message}`);
  }
}

async function whichThread({ database, keyFile }: Settings, { program }: Terminal): Promise<string> {
  const journal = openJournal(database, { keyFile });
  try {
    const [latest] = await journal.threads();
    if (latest === undefined) return "--resume needs --thread ID, and there is no thread yet. Run a task first.";
    return `--resume needs --thread ID. The latest: ${program} run --thread ${latest.thread} --resume`;
  } finally {
    await journal.close();
  }
}
