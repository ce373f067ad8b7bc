// One connection to Redis that never hangs and never keeps a process alive: a command answers within a quarter of a
// second or is an error, and a lost connection is made anew by the next command, not in the background.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { Redis } from "ioredis";

/** What a {@link RedisConnection} takes. */
export interface RedisConnectionOptions {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  /** What it is for, in messages: `the shared quota`. */
  readonly purpose: string;
  /** The longest wait for one command, and for a connection, in milliseconds. Default 250. */
  readonly timeoutMs?: number;
}

/** A script that runs in Redis, all of it or nothing. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

export const redisScript = (text: string): RedisScript => ({
  text,
  sha: createHash("sha1").update(text).digest("hex"),
});

/** A connection that is made when it is needed. */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #host: string;
  #client: Promise<Redis> | undefined;
  #connecting: Promise<void> | undefined;
  #trouble: string | undefined;
  #closed = false;

  /** @throws Error when `ioredis` is not installed or the address is none. */
  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#host = new URL(options.url).host;
    try {
      createRequire(import.meta.url).resolve("ioredis");
    } catch (error) {
      throw new Error(`${options.purpose} needs a package that is not installed: npm install ioredis`, {
        cause: error,
      });
    }
  }

  /** Runs a script. Rejects when the server cannot be reached or does not answer in time. */
  async run(script: RedisScript, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    return this.#ask((redis) =>
      redis.evalsha(script.sha, keys.length, ...keys, ...values).catch((error: unknown) => {
        if (!String(error).includes("NOSCRIPT")) throw error;
        return redis.eval(script.text, keys.length, ...keys, ...values);
      }),
    );
  }

  /** The keys that match a glob, each at least once. It goes through the whole database, a thousand keys at a time. */
  async keys(pattern: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
      const [next, some] = await this.#ask((redis) => redis.scan(cursor, "MATCH", pattern, "COUNT", 1_000));
      found.push(...some);
      cursor = next;
    }
    return found;
  }

  async #ask<Value>(question: (redis: Redis) => Promise<Value>): Promise<Value> {
    const redis = await this.#connected();
    try {
      return await question(redis);
    } catch (error) {
      // A peer that is gone without a word never closes its connection: the next command gets a new one.
      if (messageOf(error) === "Command timed out") redis.disconnect();
      throw this.#failure("did not answer", messageOf(error), error);
    }
  }

  /** Whatever ioredis calls it, the message says whose Redis it was and where. */
  #failure(what: string, why: string, cause: unknown): Error {
    return new Error(`${this.#options.purpose}: Redis at ${this.#host} ${what}: ${why}`, { cause });
  }

  /** May be called twice, and before anything was connected. */
  async close(): Promise<void> {
    this.#closed = true;
    (await this.#client?.catch(() => undefined))?.disconnect();
  }

  async #connected(): Promise<Redis> {
    const { purpose } = this.#options;
    if (this.#closed) throw new Error(`${purpose}: the connection was closed by its owner`);
    this.#client ??= this.#open();
    const redis = await this.#client;
    if (redis.status === "ready") return redis;
    this.#connecting ??= redis
      .connect()
      .then(() => void redis.stream.unref())
      .finally(() => {
        this.#connecting = undefined;
      });
    try {
      await this.#connecting;
      return redis;
    } catch (error) {
      throw this.#failure("cannot be reached", this.#trouble ?? messageOf(error), error);
    }
  }

  async #open(): Promise<Redis> {
    const { url, timeoutMs = 250 } = this.#options;
    const { Redis } = await import("ioredis");
    const redis = new Redis(url, {
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // A frozen server takes connections and answers nothing: the first command finds that out, and in time.
      enableReadyCheck: false,
      commandTimeout: timeoutMs,
      connectTimeout: timeoutMs,
    });
    // The command that wanted the connection only hears that it failed.
    redis.on("error", (error: Error) => {
      this.#trouble = error.message;
    });
    return redis;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
