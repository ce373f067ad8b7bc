// What `bulkhead queue` does: lists the runs in the queue with their states, and takes one out.

import { configure, findProject } from "../project.js";
import type { Terminal } from "../terminal.js";
import { cut, shellWord, table } from "../text.js";
import { queueFlags } from "./flags.js";
import { RunQueue } from "./run-queue.js";
import { countStates, describeStanding, type Standing } from "./standing.js";
import { QUEUE_STATES, type QueueState } from "./states.js";

/** The options of `queue` as commander hands them over. */
export interface QueueOptions {
  readonly redis?: string;
  readonly queue?: string;
  readonly json?: boolean;
  readonly state?: QueueState;
}

async function withQueue(
  { redis, queue }: QueueOptions,
  terminal: Terminal,
  use: (queue: RunQueue) => Promise<void>,
): Promise<void> {
  const settings = await configure(terminal, findProject(terminal.cwd), {});
  const opened = await RunQueue.open({ redis: redis ?? settings.redis, queue: queue ?? settings.queue });
  try {
    await use(opened);
  } finally {
    await opened.close();
  }
}

/** Lists. @throws UsageError, CommandError when there is no queue to look at */
export async function listQueue(options: QueueOptions, terminal: Terminal): Promise<void> {
  await withQueue(options, terminal, async (queue) => {
    const all = await queue.list();
    const workers = await queue.workers();
    const counts = countStates(all);
    const shown = all
      .filter(({ state }) => options.state === undefined || state === options.state)
      .sort((left, right) => QUEUE_STATES.indexOf(left.state) - QUEUE_STATES.indexOf(right.state));
    const next = nextOf(counts, workers, options, terminal.program);
    if (options.json === true) {
      return terminal.out(JSON.stringify({ counts, workers: workers ?? null, runs: shown.map(rowOf), next }, null, 2));
    }
    if (shown.length > 0) {
      const rows = shown.map((run) => [
        run.thread,
        run.state,
        run.priority,
        at(run.submitted),
        cut(describeStanding(run), 100),
      ]);
      for (const line of table([["THREAD", "STATE", "PRIORITY", "SUBMITTED (UTC)", "NOW"], ...rows]))
        terminal.out(line);
    }
    const numbers = QUEUE_STATES.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
    const crew = workers === undefined ? "" : ` · ${workers === 0 ? "no worker" : `workers: ${workers}`}`;
    terminal.out(`${numbers.length === 0 ? "The queue is empty" : numbers.join(", ")}${crew}`);
    terminal.out(`Next:\n${next.map((command) => `  ${command}`).join("\n")}`);
  });
}

const at = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

/** With times that a program can read. */
const rowOf = ({ submitted, since, until, ...run }: Standing) => ({
  ...run,
  submitted: new Date(submitted).toISOString(),
  ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
});

function nextOf(
  counts: Readonly<Record<QueueState, number>>,
  workers: number | undefined,
  options: QueueOptions,
  program: string,
): string[] {
  const flags = queueFlags(options);
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  return [
    ...(total === 0 ? [`${program} submit "…"${flags}`] : []),
    ...(workers === 0 ? [`${program} worker${flags}`] : []),
    ...(counts.waiting > 0 ? [`${program} approvals`] : []),
    ...(counts.failed > 0 ? [`${program} submit --thread THREAD --resume${flags}`] : []),
    ...(total > 0 ? [`${program} show THREAD`] : []),
  ];
}

/** Takes a run out. Its thread stays as it is. @throws CommandError when it is not in the queue or is running */
export async function removeFromQueue(thread: string, options: QueueOptions, terminal: Terminal): Promise<void> {
  await withQueue(options, terminal, async (queue) => {
    const { state } = await queue.remove(thread);
    const next = `${terminal.program} submit --thread ${shellWord(thread)} --resume${queueFlags(options)}`;
    if (options.json === true) return terminal.out(JSON.stringify({ thread, state, removed: true, next }));
    terminal.out(`removed: ${thread} (it was ${state}). What it did and recorded stays. To go on with it:\n  ${next}`);
  });
}
