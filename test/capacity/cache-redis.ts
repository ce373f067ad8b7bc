// The Redis of the cache tests: the one that runs here, under a prefix of its own, and servers that a test may kill.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";

export const REDIS_URL = "redis://127.0.0.1:6379";

/** A prefix that no other test uses, and what takes away everything under it. */
export function redisPlace() {
  const prefix = `test:cache:${randomUUID()}:`;
  const remove = async () => {
    const redis = new Redis(REDIS_URL);
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.del(...keys);
    redis.disconnect();
  };
  return { prefix, url: REDIS_URL, remove };
}

/** Every key under a prefix with its value and the milliseconds it has left. */
export async function redisContent(prefix: string) {
  const redis = new Redis(REDIS_URL);
  const keys = await redis.keys(`${prefix}*`);
  const rows = await Promise.all(
    keys.map(async (key) => ({ key, value: await redis.get(key), leftMs: await redis.pttl(key) })),
  );
  redis.disconnect();
  return rows;
}

/** Whether to leave the tests with Redis out: never in CI, else when there is no server or no program of one. */
export async function withoutRedis(): Promise<boolean> {
  if (process.env["CI"] === "true") return false;
  const redis = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  const runs = await redis.connect().then(
    () => true,
    () => false,
  );
  redis.disconnect();
  if (runs && spawnSync("redis-server", ["--version"]).status === 0) return false;
  process.stderr.write(`no Redis at ${REDIS_URL}, or no redis-server: the cache's tests with it are skipped\n`);
  return true;
}

/** A server of one's own. It keeps nothing when it ends. */
export class OwnRedis {
  #process: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<OwnRedis> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as { port: number };
    probe.close();
    const server = new OwnRedis(port);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#process = spawn("redis-server", ["--port", String(this.port), "--save", "", "--appendonly", "no"], {
      stdio: "ignore",
    });
    const redis = new Redis(this.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on("error", () => {});
    await redis.ping();
    redis.disconnect();
  }

  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    this.#process = undefined;
    const ended = once(running, "exit");
    running.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
