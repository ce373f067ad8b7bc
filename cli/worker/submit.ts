// What `bulkhead submit` does: names the thread, puts its run into the queue once, and tells how to follow it.

import type { BudgetLimits, Priority } from "../../capacity/index.js";
import { redactUrl } from "../../checkpoints/database/target.js";
import { openJournal } from "../../checkpoints/journal/journal.js";
import type { Settings } from "../../models/index.js";
import { EXIT, UsageError } from "../exit.js";
import { configure, graphName, type Project, requireProject } from "../project.js";
import { readTask } from "../run/asked.js";
import { chooseTarget } from "../run/target.js";
import type { Terminal } from "../terminal.js";
import { shellWord } from "../text.js";
import { databaseFlag, queueFlags } from "./flags.js";
import type { QueuedRun } from "./queued-run.js";
import { RunQueue } from "./run-queue.js";
import type { Standing } from "./standing.js";

/** The options of `submit` as commander hands them over. */
export interface SubmitOptions {
  readonly graph?: string;
  readonly file?: string;
  readonly thread?: string;
  readonly resume?: boolean;
  readonly priority: Priority;
  readonly budget?: BudgetLimits;
  readonly wait?: boolean;
  readonly redis?: string;
  readonly queue?: string;
  readonly db?: string;
  readonly json?: boolean;
}

/** Submits, and waits if asked to. Returns the exit code. @throws UsageError, CommandError; nothing was submitted then */
export async function submitTask(
  argument: string | undefined,
  options: SubmitOptions,
  terminal: Terminal,
): Promise<number> {
  const project = requireProject(terminal.cwd);
  const settings = await configure(terminal, project, options);
  const place = { redis: options.redis ?? settings.redis, queue: options.queue ?? settings.queue };
  const task = await readTask(argument, options, terminal, settings);
  const queue = await RunQueue.open(place);
  try {
    const unbegun = options.resume === true ? await queue.unbegun(options.thread ?? "") : undefined;
    const run = unbegun ?? (await nameRun(task, options, { project, settings, terminal }));
    const again = options.resume === true || run.task !== undefined; // Nothing was done yet of what has its task still.
    const stated = {
      ...(options.graph === undefined ? {} : { graph: graphName(project, options.graph) }),
      ...(options.budget === undefined ? {} : { budget: options.budget }),
    };
    const { standing, isNew: added } = await queue.add({ ...run, ...stated }, options.priority, { again });
    const idle = (await queue.workers()) === 0;
    tellSubmitted(standing, { added, idle, options, terminal });
    if (options.wait !== true) return EXIT.finished;
    const { followToEnd } = await import("./follow.js");
    return await followToEnd(standing, { queue, settings, options, terminal });
  } finally {
    await queue.close();
  }
}

interface Surroundings {
  readonly project: Project;
  readonly settings: Settings;
  readonly terminal: Terminal;
}

/** What goes into the queue: a new thread with its task, or one that the journal knows. */
async function nameRun(
  task: string | undefined,
  options: SubmitOptions,
  { project, settings, terminal }: Surroundings,
): Promise<QueuedRun> {
  const { thread: named } = options;
  const isKnown = task !== undefined && named !== undefined && (await isBegun(named, task, settings, terminal));
  if (task !== undefined && !isKnown) {
    const fresh = options.graph === undefined ? {} : { graph: options.graph };
    const { thread, graph } = await chooseTarget(project, fresh, settings, terminal);
    return { thread: named ?? thread, graph, task };
  }
  const { thread, graph, workspace } = await chooseTarget(project, options, settings, terminal);
  return { thread, graph, ...(workspace === undefined ? {} : { workspace }) };
}

/** Whether the journal knows the thread with this very task: it was submitted before, and may be finished by now. */
async function isBegun(thread: string, task: string, settings: Settings, { program }: Terminal): Promise<boolean> {
  const { database, keyFile, secrets } = settings;
  const journal = openJournal(database, { keyFile, secrets });
  try {
    const record = await journal.thread(thread);
    if (record?.task === undefined) return false;
    if (record.task === journal.keep(task).text) return true;
    throw new UsageError(
      `thread ${thread} has another task in ${redactUrl(database)}. Leave out --thread to start a new one, or go on with what it has: ${program} submit --thread ${shellWord(thread)} --resume`,
    );
  } finally {
    await journal.close();
  }
}

interface Submitted {
  readonly added: boolean;
  /** No worker is connected. */
  readonly idle: boolean;
  readonly options: SubmitOptions;
  readonly terminal: Terminal;
}

function tellSubmitted(standing: Standing, { added, idle, options, terminal }: Submitted): void {
  const { thread, state, priority } = standing;
  const { program } = terminal;
  const db = databaseFlag(options);
  const flags = queueFlags(options);
  const again =
    state === "failed" || state === "done"
      ? [`${program} submit --thread ${shellWord(thread)} --resume${db}${flags}`]
      : [];
  const next = [
    ...(idle ? [`${program} worker${db}${flags}`] : []),
    ...(added ? [] : again),
    `${program} queue${flags}`,
    `${program} show ${shellWord(thread)}${db}`,
  ];
  if (options.wait === true) {
    if (options.json !== true) terminal.err(`thread: ${thread}${idle ? " (no worker is connected)" : ""}`);
    return;
  }
  if (options.json === true) {
    return void terminal.out(
      JSON.stringify({ thread, graph: standing.graph, state, priority, added, workers: !idle, next }),
    );
  }
  terminal.out(added ? `queued: ${thread} (${priority})` : `in the queue already: ${thread} (${state})`);
  if (idle) terminal.out("No worker is connected: nothing runs until there is one.");
  terminal.out(`Next:\n${next.map((command) => `  ${command}`).join("\n")}`);
}
