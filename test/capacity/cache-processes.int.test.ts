// Real processes, a real upstream that counts, and a store that they share.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { withoutRedis } from "../support/redis.js";
import { redisPlace } from "./cache-redis.js";
import { OpenAIServer } from "./openai-server.js";
import { until } from "./support.js";

const WORKER = fileURLToPath(new URL("cache-worker.ts", import.meta.url));

interface Said {
  readonly content: string;
  readonly cached: boolean;
  readonly currency: number;
}

class Worker {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--import", "tsx", WORKER, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  static async start(...args: readonly string[]): Promise<Worker> {
    const worker = new Worker(args);
    expect(await worker.#hear()).toBe("ready");
    return worker;
  }

  go(): void {
    this.#child.stdin?.write("go\n");
  }

  async said(): Promise<Said[]> {
    return JSON.parse(await this.#hear()) as Said[];
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #hear(): Promise<string> {
    return (await this.#lines.next()).value as string;
  }
}

interface Place {
  /** For the worker: an address or a file, and a prefix. */
  readonly args: readonly [string, string];
  remove(): void | Promise<void>;
}

function suite(place: () => Place): void {
  test("two processes with twenty equal calls each make one request", { timeout: 60_000 }, async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 300 }));
    const { args, remove } = place();
    const workers = await Promise.all([1, 2].map(() => Worker.start(...args, server.url, "20")));
    try {
      for (const worker of workers) worker.go();
      const said = (await Promise.all(workers.map((worker) => worker.said()))).flat();
      expect(server.count()).toBe(1);
      expect(said).toHaveLength(40);
      expect(new Set(said.map(({ content }) => content))).toEqual(new Set(["answer 0"]));
      // The one that made it, and 39 that other processes believe by the seal.
      expect(said.filter(({ cached, currency }) => !cached && currency === 3)).toHaveLength(1);
      expect(said.filter(({ cached, currency }) => cached && currency === 2)).toHaveLength(39);
    } finally {
      for (const worker of workers) await worker.kill();
      await remove();
    }
  });

  test("a process that is killed while it leads frees the others", { timeout: 60_000 }, async () => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? { afterMs: 1e6 } : {}));
    const { args, remove } = place();
    const workers = await Promise.all([1, 2].map(() => Worker.start(...args, server.url, "5")));
    const [leader, follower] = workers as [Worker, Worker];
    try {
      leader.go();
      await until(() => server.count() === 1);
      follower.go();
      await leader.kill();
      expect((await follower.said()).map(({ cached }) => cached)).toEqual([false, true, true, true, true]);
      expect(server.count()).toBe(2);
    } finally {
      for (const worker of workers) await worker.kill();
      await remove();
    }
  });
}

describe("over a SQLite file", () => {
  suite(() => {
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-cache-"));
    return {
      args: [join(folder, "cache.db"), ""],
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  });
});

describe.skipIf(await withoutRedis("the tests of a cache that a fleet shares"))("over Redis", () => {
  suite(() => {
    const { url, prefix, remove } = redisPlace();
    return { args: [url, prefix], remove };
  });
});
