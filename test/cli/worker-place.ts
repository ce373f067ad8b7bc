// A place for tests of the queue: a Postgres schema, a queue and a records workspace that nobody else uses, real workers
// as child processes, and all of it gone at the end.

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { openJournal } from "../../checkpoints/index.js";
import { RunQueue } from "../../cli/worker/run-queue.js";
import type { QueueState } from "../../cli/worker/states.js";
import { postgresPlace, withoutPostgres } from "../checkpoints/support.js";
import { REDIS_URL, withoutRedis } from "../support/redis.js";
import { Place, type Running } from "./bulkhead.js";

/** Whether to leave these tests out: never in CI, else when Redis or Postgres is not there. */
export const withoutServers = async (): Promise<boolean> =>
  (await withoutRedis("the tests of the queue")) || (await withoutPostgres());

/** A line of `worker --json`. */
export interface WorkerLine {
  readonly type: string;
  readonly thread?: string;
  readonly status?: string;
  readonly message?: string;
}

/** A worker that is running. */
export class RunningWorker {
  constructor(readonly process: Running) {}

  /** What it has said so far. */
  lines(type?: string): readonly WorkerLine[] {
    const whole = this.process.stdout.slice(0, this.process.stdout.lastIndexOf("\n") + 1);
    const said = whole
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as WorkerLine);
    return type === undefined ? said : said.filter((line) => line.type === type);
  }

  /** Resolves when it has said so many lines of this type. */
  async said(type: string, times = 1): Promise<void> {
    await this.process.until(new RegExp(`("type":"${type}"[\\s\\S]*){${times}}`));
  }

  kill(signal: NodeJS.Signals): void {
    this.process.child.kill(signal);
  }
}

/** The place. */
export class QueuePlace {
  readonly place = new Place();
  readonly database = postgresPlace();
  readonly prefix = `test-${randomUUID()}`;
  readonly env = {
    BULKHEAD_DB: this.database.url,
    BULKHEAD_KEY_FILE: this.database.keyFile ?? "",
    BULKHEAD_REDIS: REDIS_URL,
    BULKHEAD_QUEUE: this.prefix,
  };
  private opened: Promise<RunQueue> | undefined;
  private readonly workers: RunningWorker[] = [];

  /** The queue, opened in this process. */
  queue(): Promise<RunQueue> {
    this.opened ??= RunQueue.open({ redis: REDIS_URL, queue: this.prefix });
    return this.opened;
  }

  /** Runs the command to its end. */
  bulkhead(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    return this.place.bulkhead(args, { env: { ...this.env, ...env } });
  }

  /** Starts a worker and waits until it takes runs. Runs of dead workers are taken over after two seconds. */
  async worker(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<RunningWorker> {
    const options = ["worker", "--json", "--takeover", "2", ...args];
    const worker = new RunningWorker(this.place.start(options, { env: { ...this.env, ...env } }));
    this.workers.push(worker);
    await worker.said("ready");
    return worker;
  }

  /** Puts runs in, with the index as the name of the thread. */
  async submit(tasks: readonly string[]): Promise<readonly string[]> {
    const queue = await this.queue();
    const threads = tasks.map((_, index) => `thread-${index}`);
    for (const [index, thread] of threads.entries()) {
      await queue.add({ thread, graph: "agent", task: tasks[index] ?? "" }, "batch", { again: false });
    }
    return threads;
  }

  /** Resolves when so many runs are in this state. */
  async until(state: QueueState, times: number): Promise<void> {
    const queue = await this.queue();
    for (;;) {
      const standings = await queue.list();
      if (standings.filter((each) => each.state === state).length >= times) return;
      const failed = standings.find((each) => each.state === "failed");
      if (failed !== undefined && state !== "failed") throw new Error(`failed: ${JSON.stringify(failed)}`);
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }

  /** Reads the journal. */
  async journal<Result>(read: (journal: ReturnType<typeof openJournal>) => Promise<Result>): Promise<Result> {
    const journal = openJournal(this.env.BULKHEAD_DB, { keyFile: this.env.BULKHEAD_KEY_FILE });
    try {
      return await read(journal);
    } finally {
      await journal.close();
    }
  }

  /** On a connection to Redis of its own. */
  async redis<Result>(use: (redis: Redis) => Promise<Result>): Promise<Result> {
    const redis = new Redis(REDIS_URL);
    try {
      return await use(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** Ends what still runs and removes everything. */
  async clear(): Promise<void> {
    for (const worker of this.workers) worker.kill("SIGKILL"); // Nobody needs the runs any more.
    await this.place.clear();
    await (await this.opened)?.close();
    await this.redis(async (redis) => {
      for await (const keys of redis.scanStream({ match: `${this.prefix}:*` })) {
        if (Array.isArray(keys) && keys.length > 0) await redis.del(...(keys as string[]));
      }
    });
    await this.database.remove();
  }
}
