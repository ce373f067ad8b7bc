// What `bulkhead run` does: reads what was asked for, opens the project's graph and database, runs one session, and
// tells how it ended. Returns the exit code.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openCheckpointer, openJournal, redactUrl } from "../../checkpoints/index.js";
import { parseFault, type Settings } from "../../models/index.js";
import type { RunOptions } from "../commands/run.js";
import { CommandError, exitCodeOf, explain, UsageError } from "../exit.js";
import { configure, graphName, loadGraph, type Project, requireProject } from "../project.js";
import type { Terminal } from "../terminal.js";
import { shellWord } from "../text.js";
import { Interruption } from "./interruption.js";
import { nextCommands } from "./next.js";
import { answerOf } from "./outcome.js";
import { Reporter } from "./reporter.js";
import { resultOf } from "./result.js";
import { Session } from "./session.js";
import { summaryOf } from "./summary.js";

interface Target {
  readonly thread: string;
  readonly graph: string;
  readonly mode: "start" | "more" | "resume";
  /** Where the thread worked before. Unset for a new thread. */
  readonly workspace?: string | undefined;
}

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
  try {
    return await runOn({ ...target, workspace }, task, { options, terminal, loaded, saver });
  } finally {
    await close();
    await loaded.harness.close();
  }
}

async function readTask(
  argument: string | undefined,
  options: RunOptions,
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

async function chooseTarget(
  project: Project,
  { graph, thread, resume = false }: RunOptions,
  { database, keyFile }: Settings,
  { program }: Terminal,
): Promise<Target> {
  if (thread === undefined)
    return { thread: `thread-${randomUUID()}`, graph: graphName(project, graph), mode: "start" };
  const journal = openJournal(database, { keyFile });
  try {
    const record = await journal.thread(thread);
    if (record === undefined) {
      throw new CommandError(`there is no thread ${thread} in ${redactUrl(database)}. List them: ${program} threads`);
    }
    const ran = record.graph in project.graphs ? record.graph : undefined;
    const starts = (await journal.events({ thread })).flatMap(({ event }) => (event.kind === "run.start" ? event : []));
    const workspace = starts.at(-1)?.workspace;
    return { thread, graph: graphName(project, graph ?? ran), mode: resume ? "resume" : "more", workspace };
  } finally {
    await journal.close();
  }
}

/** Runs one session on a loaded graph and tells how it ended. Returns the exit code. */
export async function runOn(
  target: Target & { readonly workspace: string },
  task: string | undefined,
  opened: {
    readonly options: Pick<RunOptions, "db" | "workspace" | "json" | "approve">;
    readonly terminal: Terminal;
    readonly loaded: Awaited<ReturnType<typeof loadGraph>>;
    readonly saver: Awaited<ReturnType<typeof openCheckpointer>>["saver"];
  },
): Promise<number> {
  const { options, terminal, loaded, saver } = opened;
  const { json = false, approve } = options;
  const { journal, model } = loaded.harness;
  const { thread } = target;
  const run = randomUUID();
  const say = (line: string) => terminal.err(line);
  const interruption = new Interruption(() => performance.now(), say);
  const stopListening = terminal.onInterrupt(interruption.request);
  if (!json) say(model.sentence);
  const interactive = terminal.interactive && !json;
  const session = new Session({ ...target, loaded, saver, terminal, interruption, approve, interactive, run, task });
  try {
    const values = async () => (await session.state()).values;
    let ran = false;
    const outcome = await session.execute(() => {
      ran = true;
      if (!json) say(terminal.errStyle.dim(`thread: ${thread}`));
      return new Reporter({ journal, thread }, terminal, json);
    });
    if (!ran && !json) say("This thread has finished: there is nothing to resume.");
    const { status, error } = outcome;
    const pending = await journal.approvals({ thread, status: "pending" });
    const result = await resultOf({
      journal,
      thread,
      run,
      graph: loaded.name,
      model,
      status,
      answer: answerOf(await values()),
      message: error === undefined ? outcome.message : explain(error).message,
      trust: await session.trust(),
      next: nextCommands(
        status,
        {
          thread,
          approvals: pending.map(({ id }) => id),
          canRewind: pending.some(({ deficits }) => deficits.some(({ axis }) => axis !== "integrity")),
          inDoubt: (await journal.effects({ thread })).flatMap(({ status: state, key }) =>
            state === "in_doubt" ? [key] : [],
          ),
        },
        terminal.program,
        flagsOf(options),
      ),
    });
    if (json) terminal.out(JSON.stringify(result));
    else terminal.out(summaryOf(result, pending, terminal));
    if (error !== undefined) showStack(error, options as { verbose?: boolean }, terminal);
    return exitCodeOf(status);
  } finally {
    stopListening();
  }
}

/** The flags that the next command needs as well. A password is not repeated: what we print may be kept. */
const flagsOf = ({ db, workspace }: Pick<RunOptions, "db" | "workspace">) => ({
  journal: db === undefined ? "" : ` --db ${shellWord(redactUrl(db))}`,
  project: workspace === undefined ? "" : ` --workspace ${shellWord(workspace)}`,
});

function showStack(error: unknown, { verbose = false }: { verbose?: boolean }, terminal: Terminal): void {
  if ((verbose || terminal.env["BULKHEAD_DEBUG"]) && error instanceof Error) terminal.err(error.stack ?? error.message);
}
