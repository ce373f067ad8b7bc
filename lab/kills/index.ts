// Kills the command line with SIGKILL at random moments, resumes until each task is done, and compares what came of it with
// what the task is known to come to: no effect twice, nothing said to be finished that is not, no answer lost.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BaseMessage } from "@langchain/core/messages";
import type { Random } from "../../capacity/index.js";
import { openCheckpointer, openJournal, type RecordedEvent } from "../../checkpoints/index.js";
import { openPlace } from "../bench/place.js";
import { seededRandom } from "../bench/quota/run-context.js";
import { TASKS, type Task } from "../bench/reliability/tasks.js";
import { judge, Workspaces } from "../bench/reliability/workspace.js";
import { type Ended, live, type Moment, type Surroundings } from "./life.js";

/** What is done. */
export interface Kills {
  readonly kills: number;
  /** Of the moments. Equal seeds give equal moments; where in a run they strike depends on the machine. */
  readonly seed: number;
  /** Where to make the databases: see `openPlace`. */
  readonly database?: string;
  /** How many tasks at once. Default 1. */
  readonly lanes?: number;
  /** When no further task is begun, however many kills are left, in ms of `performance.now()`. Default: never. */
  readonly until?: number;
  readonly signal: AbortSignal;
  /** Called when a task is done. */
  readonly onTask?: (found: KillsFound) => void;
}

/** What was found. */
export interface KillsFound {
  kills: number;
  /** Tasks that were brought to their end. */
  tasks: number;
  /** Effects that happened more than once. */
  duplicates: number;
  /** Lives that said `finished`, exit code 0, with the task undone or without its answer. */
  falseFinished: number;
  /** Answers of the model that were stored when a life was killed and are not in the thread at its end. */
  lostAnswers: number;
  /** Tasks that did not come to their end, or to another one than unkilled. */
  wrong: number;
  /** How many kills struck where. */
  readonly phases: Record<string, number>;
  /** What was not right, in words. */
  readonly faults: string[];
}

/** Kills of one task at most: then it is let come to its end. */
const MOST_KILLS = 8;

/** The longest wait after an event before the kill, in ms: about what passes between two events. */
const BETWEEN_MS = 15;

/** How many of the kills come before the first event: while the process starts. */
const EARLY = 0.1;

/** The tasks that change something. */
const WORK = TASKS.filter(({ truth }) => truth.length > 0);

/** Does it. @throws Error when a task goes wrong without a kill; the reason of the signal. */
export async function killRuns(options: Kills): Promise<KillsFound> {
  const { kills, seed, lanes = 1, until = Number.POSITIVE_INFINITY, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-kills-"));
  const found: KillsFound = {
    ...{ kills: 0, tasks: 0, duplicates: 0, falseFinished: 0, lostAnswers: 0, wrong: 0 },
    ...{ phases: {}, faults: [] },
  };
  try {
    const workspaces = await seedWorkspaces(folder, options);
    const lengths = new Map<Task, Ended>();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (found.kills < kills && performance.now() < until && !signal.aborted) {
        const index = next++;
        const task = WORK[index % WORK.length] as Task;
        const random = seededRandom(seed * 100_000 + index);
        const whole = lengths.get(task) ?? (await new Trial(task, -1 - index, workspaces, found).unkilled(options));
        lengths.set(task, whole);
        await new Trial(task, index, workspaces, found).killed(whole, options, random);
        options.onTask?.(found);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    signal.throwIfAborted();
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A workspace to copy: a run that only reads makes it. */
async function seedWorkspaces(folder: string, { signal, database }: Kills): Promise<Workspaces> {
  const seed = join(folder, "seed");
  await mkdir(seed);
  const place = await openPlace(database);
  try {
    const ended = await live(["How many tickets are open?"], { ...place, workspace: seed, signal });
    if (ended.code !== 0) throw new Error(`the command does not run: ${ended.complaint}`);
    return new Workspaces(seed, folder);
  } finally {
    await place.remove();
  }
}

/** One task in a workspace and a database of its own. */
class Trial {
  constructor(
    private readonly task: Task,
    private readonly index: number,
    private readonly workspaces: Workspaces,
    private readonly found: KillsFound,
  ) {}

  /** How long it takes, and that it comes to its truth. */
  async unkilled(options: Kills): Promise<Ended> {
    return this.inPlace(options, async (around) => {
      const ended = await live([this.task.text], around);
      if (!this.isDone(ended)) throw new Error(`${this.task.name} goes wrong without a kill: ${JSON.stringify(ended)}`);
      return ended;
    });
  }

  async killed(whole: Ended, options: Kills, random: Random): Promise<void> {
    await this.inPlace(options, async (around) => {
      const stored = new Set<string>();
      let args: readonly string[] = [this.task.text];
      let seen = 0;
      for (let kills = 0; ; ) {
        const isLast = kills >= MOST_KILLS || this.found.kills >= options.kills;
        const ended = await live(args, around, isLast ? undefined : momentIn(whole, seen, random));
        options.signal.throwIfAborted();
        seen += ended.events;
        if (!ended.killed) return this.end(ended, around, stored);
        kills += 1;
        this.found.kills += 1;
        const { thread, phase, answers } = await lookAt(around);
        this.found.phases[phase] = (this.found.phases[phase] ?? 0) + 1;
        for (const answer of answers) stored.add(answer);
        if (thread !== undefined) args = ["--thread", thread, "--resume"];
      }
    });
  }

  private async end(ended: Ended, around: Surroundings, stored: ReadonlySet<string>): Promise<void> {
    const { found, task } = this;
    const { answers, status } = await lookAt(around);
    const lost = [...stored].filter((answer) => !answers.includes(answer));
    const { duplicates, changes } = this.judged(ended);
    const done = this.isDone(ended);
    found.tasks += 1;
    found.duplicates += duplicates;
    found.lostAnswers += lost.length;
    if (!done && ended.code === 0) found.falseFinished += 1;
    if (!done || status !== "finished") found.wrong += 1;
    if (done && status === "finished" && duplicates === 0 && lost.length === 0) return;
    found.faults.push(`${task.name} (${this.index}): ${JSON.stringify({ ...ended, status, changes, lost })}`);
  }

  private judged({ result }: Ended) {
    return judge(this.task, this.workspaces.changes(this.index), result?.answer ?? "");
  }

  /** Whether it is as it would be without a kill. */
  private isDone(ended: Ended): boolean {
    const { result, code } = ended;
    return code === 0 && result?.status === "finished" && (result.answer ?? "") !== "" && this.judged(ended).correct;
  }

  private async inPlace<Result>(
    { database, signal }: Kills,
    use: (around: Surroundings) => Promise<Result>,
  ): Promise<Result> {
    const place = await openPlace(database);
    try {
      return await use({ ...place, workspace: await this.workspaces.make(this.index), signal });
    } finally {
      await place.remove();
    }
  }
}

/** A moment in what is left of a task, each as likely as the other. */
function momentIn({ events, bootMs }: Ended, seen: number, random: Random): Moment {
  if (random() < EARLY) return { events: 0, delayMs: random() * bootMs };
  const left = Math.max(5, events - seen);
  return { events: 1 + Math.floor(random() * left), delayMs: random() * BETWEEN_MS };
}

/** What a life left. */
interface Left {
  /** Unset when nothing was accepted: the task is to be given again. */
  readonly thread?: string;
  readonly status?: string;
  /** Where the last thing it did belongs. */
  readonly phase: string;
  /** The ids of the model's answers that are stored. */
  readonly answers: readonly string[];
}

async function lookAt({ url, keyFile }: Surroundings): Promise<Left> {
  const journal = openJournal(url, { keyFile });
  const { saver, close } = await openCheckpointer(url);
  try {
    const [record] = await journal.threads();
    if (record === undefined) return { phase: "before the thread", answers: [] };
    const { thread, status } = record;
    const events = await journal.events({ thread });
    const begun = events.some(({ event }) => event.kind === "run.start");
    const tuple = await saver.getTuple({ configurable: { thread_id: thread } });
    const pending = (tuple?.pendingWrites ?? []).filter(([, channel]) => !channel.startsWith("__"));
    const messages = [
      ...asMessages(tuple?.checkpoint.channel_values["messages"]),
      ...pending.flatMap(([, channel, value]) => (channel === "messages" ? asMessages(value) : [])),
    ];
    const answers = messages.flatMap(({ type, id }) => (type === "ai" && id !== undefined ? [id] : []));
    return { ...(begun ? { thread } : {}), status, phase: phaseOf(events, pending.length > 0), answers };
  } finally {
    await close();
    await journal.close();
  }
}

const asMessages = (value: unknown): readonly BaseMessage[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value as BaseMessage];

function phaseOf(events: readonly RecordedEvent[], stored: boolean): string {
  const last = events.at(-1);
  if (last === undefined || last.event.kind === "run.start") return "before the input was taken in";
  if (last.event.kind === "run.end") return "after the end";
  if (stored) return "results stored, not yet in a checkpoint";
  if (last.event.kind === "model.request") return "in a model call";
  if (last.event.kind === "effect") return `effect ${last.event.status}`;
  if (last.event.kind === "checkpoint") return "after a checkpoint";
  return `in ${(last.scope.node ?? "the graph").replace(/^guard_.*/, "guard")}`;
}
