// What `bulkhead run` was asked for: the project, its settings, the task, and on which thread, checked before anything of
// LangChain is loaded, so that what was typed wrongly is told at once.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openJournal } from "../../checkpoints/journal/journal.js";
import type { Settings } from "../../models/index.js";
import { parseFault } from "../../models/offline/faults.js";
import type { RunOptions } from "../commands/run.js";
import { UsageError } from "../exit.js";
import { configure, type Project, requireProject } from "../project.js";
import type { Terminal } from "../terminal.js";
import { chooseTarget, type Target } from "./target.js";

/** What there is to run. */
export interface Asked {
  readonly project: Project;
  readonly settings: Settings;
  /** `undefined`: to resume. */
  readonly task: string | undefined;
  readonly target: Target;
  /** Where the tools work. */
  readonly workspace: string;
}

/** Reads it. @throws UsageError when it cannot be read, CommandError when there is no such thread. */
export async function readAsked(argument: string | undefined, options: RunOptions, terminal: Terminal): Promise<Asked> {
  const project = requireProject(terminal.cwd);
  for (const fault of options.fault ?? []) parseFault(fault);
  const settings = await configure(terminal, project, options);
  const task = await readTask(argument, options, terminal, settings);
  const target = await chooseTarget(project, options, settings, terminal);
  const workspace = options.workspace === undefined ? (target.workspace ?? settings.workspace) : settings.workspace;
  terminal.env["BULKHEAD_WORKSPACE"] = workspace; // A thread goes on where it worked, unless it is told otherwise.
  return { project, settings, task, target, workspace };
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
