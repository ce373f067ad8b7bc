// Real processes, a real upstream that counts, and a store that they share.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { withoutRedis } from "../support/redis.js";
import { redisPlace } from "./cache-redis.js";
import type { Order, Said, StoreAt } from "./cache-worker.js";
import { OpenAIServer } from "./openai-server.js";
import { until } from "./support.js";

const WORKER = fileURLToPath(new URL("cache-worker.ts", import.meta.url));

class Worker {
  readonly #child = spawn(process.execPath, ["--import", "tsx", WORKER], { stdio: ["pipe", "pipe", "inherit"] });
  readonly #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

  async prepare(order: Order): Promise<void> {
    this.#write(JSON.stringify(order));
    expect(await this.#hear()).toBe("ready");
  }

  go(): void {
    this.#write("go");
  }

  async said(): Promise<Said[]> {
    return JSON.parse(await this.#hear()) as Said[];
  }

  /** Whether it was killed, or died. */
  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async kill(): Promise<void> {
    if (this.isOver) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async #hear(): Promise<string> {
    return (await this.#lines.next()).value as string;
  }
}

let workers: readonly Worker[] = [];

/** Two of them, ready to go. They serve one test after the other. */
async function twoWorkers(order: Order): Promise<[Worker, Worker]> {
  const [one = new Worker(), two = new Worker()] = workers.filter(({ isOver }) => !isOver);
  workers = [one, two];
  await Promise.all(workers.map((worker) => worker.prepare(order)));
  return [one, two];
}

afterAll(async () => {
  for (const worker of workers) await worker.kill();
});

interface Place {
  readonly at: StoreAt;
  remove(): void | Promise<void>;
}

function suite(place: () => Place): void {
  test("two processes with twenty equal calls each make one request", { timeout: 60_000 }, async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 300 }));
    const { at, remove } = place();
    try {
      const both = await twoWorkers({ at, server: server.url, calls: 20 });
      for (const worker of both) worker.go();
      const said = (await Promise.all(both.map((worker) => worker.said()))).flat();
      expect(server.count()).toBe(1);
      expect(said).toHaveLength(40);
      expect(new Set(said.map(({ content }) => content))).toEqual(new Set(["answer 0"]));
      // The one that made it, and 39 that other processes believe by the seal.
      expect(said.filter(({ cached, currency }) => !cached && currency === 3)).toHaveLength(1);
      expect(said.filter(({ cached, currency }) => cached && currency === 2)).toHaveLength(39);
    } finally {
      await remove();
    }
  });

  test("a process that is killed while it leads frees the others", { timeout: 60_000 }, async () => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? { afterMs: 1e6 } : {}));
    const { at, remove } = place();
    try {
      const [leader, follower] = await twoWorkers({ at, server: server.url, calls: 5 });
      leader.go();
      await until(() => server.count() === 1);
      follower.go();
      await leader.kill();
      expect((await follower.said()).map(({ cached }) => cached)).toEqual([false, true, true, true, true]);
      expect(server.count()).toBe(2);
    } finally {
      await remove();
    }
  });
}

describe("over a SQLite file", () => {
  suite(() => {
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-cache-"));
    return {
      at: { path: join(folder, "cache.db") },
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  });
});

describe.skipIf(await withoutRedis("the tests of a cache that a fleet shares"))("over Redis", () => {
  suite(() => {
    const { url, prefix, remove } = redisPlace();
    return { at: { url, prefix }, remove };
  });
});
