// A Redis of a test's own, to be killed, frozen and started again empty.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

/** A server on a port of its own, without persistence. */
export class RedisServer {
  #child: ChildProcess | undefined;
  readonly #directory = mkdtempSync(join(tmpdir(), "bulkhead-redis-"));

  private constructor(readonly port: number) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts one, or with `false` only chooses its port. `undefined`: there is no Redis on this machine. */
  static async open(start = true): Promise<RedisServer | undefined> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as { port: number };
    probe.close();
    const server = new RedisServer(port);
    if (!start) return server;
    return (await server.start()) ? server : undefined;
  }

  /** Starts it, empty. `false`: there is no Redis on this machine. */
  async start(): Promise<boolean> {
    const values = ["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--dir", this.#directory];
    const child = spawn("redis-server", values, { stdio: "ignore" });
    this.#child = child;
    const [missing] = await Promise.race([once(child, "error"), once(child, "spawn").then(() => [undefined])]);
    if (missing !== undefined) return false;
    await this.#answers();
    return true;
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
