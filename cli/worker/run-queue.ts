// The queue of runs, as the commands see it: a BullMQ queue whose job ids are thread ids, so that a run is in it once,
// however often it is submitted. BullMQ never retries: a run that failed has failed, and a run whose worker died is
// taken over.

import type { Job, JobType, Queue } from "bullmq";
import type { Priority } from "../../capacity/index.js";
import { CommandError } from "../exit.js";
import { jobIdOf, PRIORITIES, type QueuedRun, readQueuedRun } from "./queued-run.js";
import { connectRedis, loadQueuePackages, requireRedis } from "./redis.js";
import { type Standing, standingOf } from "./standing.js";

/** The name of the queue under its prefix. Keys in Redis are `PREFIX:runs:…`. */
export const QUEUE = "runs";

/** The prefix when none is configured. */
export const PREFIX = "bulkhead";

/** How long ended jobs stay listed. The journal keeps their record for as long as you want. */
const KEEP_DONE = { age: 24 * 3_600, count: 1_000 } as const;
const KEEP_FAILED = { age: 14 * 24 * 3_600, count: 10_000 } as const;

/** The lists of BullMQ that a job can be in. */
const LISTS: readonly JobType[] = ["active", "wait", "prioritized", "delayed", "failed", "completed"];

/** Where a queue is. */
export interface QueuePlace {
  readonly redis: string | undefined;
  readonly queue: string | undefined;
}

/** What {@link RunQueue.add} did. */
export interface Added {
  readonly standing: Standing;
  /** `false` when the thread was in the queue already. */
  readonly isNew: boolean;
}

/** The queue. */
export class RunQueue {
  private constructor(
    private readonly queue: Queue,
    private readonly disconnect: () => void,
  ) {}

  /** @throws UsageError without a configured server, CommandError when it or a package is missing. */
  static async open({ redis, queue: prefix = PREFIX }: QueuePlace): Promise<RunQueue> {
    const url = requireRedis(redis);
    const packages = await loadQueuePackages();
    const connection = await connectRedis(packages, url, { patient: false });
    const queue = new packages.bullmq.Queue(QUEUE, { connection, prefix });
    queue.on("error", () => undefined); // Every command that fails rejects as well.
    return new RunQueue(queue, () => connection.disconnect());
  }

  /** Puts a run in, unless its thread is in already. `again`: one that is done or failed is put in anew. */
  async add(run: QueuedRun, priority: Priority, { again }: { readonly again: boolean }): Promise<Added> {
    const before = await this.job(run.thread);
    if (before !== undefined) {
      const standing = await this.standing(before);
      const ended = standing.state === "done" || standing.state === "failed";
      if (!ended || !again) return { standing, isNew: false };
      await before.remove();
    }
    const job = await this.queue.add("run", run, {
      jobId: jobIdOf(run.thread),
      priority: PRIORITIES[priority],
      attempts: 1,
      stackTraceLimit: 0,
      removeOnComplete: KEEP_DONE,
      removeOnFail: KEEP_FAILED,
    });
    return { standing: await this.standing(job), isNew: true };
  }

  /** How a thread stands; `undefined` when it is not in the queue. */
  async find(thread: string): Promise<Standing | undefined> {
    const job = await this.job(thread);
    return job && this.standing(job);
  }

  /** What was submitted of a thread that no worker has begun, and the journal therefore does not know. */
  async unbegun(thread: string): Promise<QueuedRun | undefined> {
    const job = await this.job(thread);
    const run = job && readQueuedRun(job.data);
    return run?.task === undefined ? undefined : run;
  }

  /** Everything in the queue, grouped by the list it is in. */
  async list(): Promise<readonly Standing[]> {
    const standings: Standing[] = [];
    for (const list of LISTS) {
      for (const job of await this.queue.getJobs([list])) {
        if (job !== undefined) standings.push(standingOf(job, list)); // One that moved on while we read is gone.
      }
    }
    return standings;
  }

  /** How many workers are connected; `undefined` when the server does not tell. */
  async workers(): Promise<number | undefined> {
    try {
      return await this.queue.getWorkersCount();
    } catch {
      return undefined; // CLIENT LIST is forbidden on some hosted servers.
    }
  }

  /** Wakes a run that waits for a person. Returns whether it slept. */
  async wake(thread: string): Promise<boolean> {
    const job = await this.job(thread);
    if (job === undefined || (await this.standing(job)).state !== "waiting") return false;
    await job.promote();
    return true;
  }

  /** Takes a run out. @throws CommandError when it is not in the queue, or a worker has it. */
  async remove(thread: string): Promise<Standing> {
    const job = await this.job(thread);
    if (job === undefined) throw new CommandError(`there is no thread ${thread} in the queue.`);
    const standing = await this.standing(job);
    try {
      await job.remove();
    } catch (error) {
      const now = await this.standing(job);
      if (now.state !== "running") throw error;
      throw new CommandError(
        `thread ${thread} is running on ${now.worker ?? "a worker"}. Wait until it has ended, or stop that worker, and try again.`,
        { cause: error },
      );
    }
    return standing;
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.queue.close();
    this.disconnect();
  }

  private async job(thread: string): Promise<Job | undefined> {
    return (await this.queue.getJob(jobIdOf(thread))) as Job | undefined;
  }

  private async standing(job: Job): Promise<Standing> {
    const where = await job.getState();
    const now = where === "unknown" ? job : ((await this.queue.getJob(job.id ?? "")) ?? job);
    return standingOf(now, where);
  }
}
