// Redis in tests: the one that runs here, and servers of a test's own, to be killed, frozen and started again empty.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

export const REDIS_URL = "redis://127.0.0.1:6379";

/** Whether to leave these tests out: never in CI, else when there is no Redis. Says what is left out. */
export async function withoutRedis(what: string): Promise<boolean> {
  if (process.env["CI"] === "true") return false;
  const redis = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  const isAway = await redis.connect().then(
    () => false,
    () => true,
  );
  redis.disconnect();
  if (isAway) process.stderr.write(`no Redis at ${REDIS_URL}: ${what} are skipped\n`);
  return isAway;
}

/** Whether to leave out tests that start a Redis of their own: never in CI, else when there is no `redis-server`. */
export function withoutRedisServer(what: string): boolean {
  if (process.env["CI"] === "true" || spawnSync("redis-server", ["--version"]).status === 0) return false;
  process.stderr.write(`no redis-server on the path: ${what} are skipped\n`);
  return true;
}

/** Removes all keys with this prefix from the Redis that runs here. */
export async function removeKeys(prefix: string): Promise<void> {
  const redis = new Redis(REDIS_URL);
  const keys = await redis.keys(`${prefix.replaceAll(/[\\*?[\]]/g, "\\$&")}*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
}

/** A server on a port of its own. It keeps nothing on disk unless it is told to. */
export class RedisServer {
  #child: ChildProcess | undefined;
  readonly #directory = mkdtempSync(join(tmpdir(), "bulkhead-redis-"));

  private constructor(readonly port: number) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts one. */
  static async open(): Promise<RedisServer> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as { port: number };
    probe.close();
    const server = new RedisServer(port);
    await server.start();
    return server;
  }

  /** Starts it: empty, or with what it had when it has kept that. */
  async start({ keeps = false }: { readonly keeps?: boolean } = {}): Promise<void> {
    const disk = keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : [];
    const values = [
      "--port",
      String(this.port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--dir",
      this.#directory,
      ...disk,
    ];
    this.#child = spawn("redis-server", values, { stdio: "ignore" });
    await this.#answers();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await gone;
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** One command, on a connection of its own. */
  async command(name: string, ...values: string[]): Promise<unknown> {
    const redis = new Redis(this.url, { retryStrategy: () => null });
    redis.on("error", () => undefined);
    try {
      return await redis.call(name, ...values);
    } finally {
      redis.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      const pong = await this.command("PING").catch(() => undefined);
      if (pong === "PONG") return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`redis-server on port ${this.port} does not answer`);
  }
}
