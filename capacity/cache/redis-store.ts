// A cache store in Redis, for a fleet. Ages and leases go by the server's clock, so the clocks of the machines do not
// matter. A connection is made when it is needed and never in the background: nothing here keeps a process alive.

import { createRequire } from "node:module";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { CacheStore } from "./store.js";

/** What {@link redisStore} takes. */
export interface RedisStoreOptions {
  /** `redis://…` or `rediss://…`. What it keeps there goes when its time is over, or by the server's `maxmemory-policy`. */
  readonly url: string;
  /** Before every key. Default `bulkhead:cache:`. */
  readonly prefix?: string;
  /** The longest wait for one command, and for a connection, in milliseconds. Who waits for them may give up earlier. Default 1000. */
  readonly timeoutMs?: number;
}

// The answer and its lock share a hash tag: one slot of a cluster has both.
const GET = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}";
const HOLD = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`;
const RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";

const found = z.tuple([z.string(), z.number()]);
const holder = z.string();
/** How long it is kept, then the text: what is left of that tells its age. */
const KEPT = /^(\d+) (.*)$/s;

/**
 * A {@link CacheStore} that every process with the same server and prefix shares.
 *
 * @throws Error when `ioredis` is not installed or the address is none. Its operations reject when the server cannot be reached.
 */
export function redisStore({ url, prefix = "bulkhead:cache:", timeoutMs = 1000 }: RedisStoreOptions): CacheStore {
  requireClient();
  const { host } = new URL(url);
  let client: Promise<Redis> | undefined;
  let trouble: string | undefined;
  let connecting: Promise<void> | undefined;
  let closed = false;

  const connected = async (): Promise<Redis> => {
    if (closed) throw new Error("the answer cache in Redis was closed");
    client ??= clientFor(url, timeoutMs, (error) => {
      trouble = error.message;
    });
    const redis = await client;
    if (redis.status === "ready") return redis;
    connecting ??= redis
      .connect()
      .then(() => void redis.stream.unref())
      .finally(() => {
        connecting = undefined;
      });
    try {
      await connecting;
      return redis;
    } catch (error) {
      const why = trouble ?? (error instanceof Error ? error.message : String(error));
      throw new Error(`the answer cache in Redis at ${host} cannot be reached: ${why}`, { cause: error });
    }
  };

  const run = async (script: string, key: string, ...values: (string | number)[]): Promise<unknown> => {
    const redis = await connected();
    trouble = undefined;
    return sent(redis, redis.eval(script, 1, key, ...values));
  };

  const sent = async <Value>(redis: Redis, reply: Promise<Value>): Promise<Value> => {
    try {
      return await reply;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      // A peer that is gone without a word never closes its connection: the next command gets a new one.
      if (why === "Command timed out") redis.disconnect();
      throw new Error(`the answer cache in Redis at ${host} did not answer: ${why}`, { cause: error });
    }
  };

  const answer = (key: string): string => `${prefix}{${key}}`;
  const lock = (key: string): string => `${prefix}{${key}}:l`;

  return {
    load: async () => void (await import("ioredis")),
    async get(key) {
      const parsed = found.safeParse(await run(GET, answer(key)));
      const [, keptFor, text] = parsed.success ? (KEPT.exec(parsed.data[0]) ?? []) : [];
      if (!parsed.success || text === undefined) return undefined;
      return { text, ageMs: Math.max(0, Number(keptFor) - Math.max(0, parsed.data[1])) };
    },
    async put(key, text, keepMs) {
      const forMs = Math.max(1, Math.ceil(keepMs));
      const redis = await connected();
      await sent(redis, redis.set(answer(key), `${forMs} ${text}`, "PX", forMs));
    },
    lock: {
      hold: async (key, token, leaseMs) => holder.parse(await run(HOLD, lock(key), token, Math.ceil(leaseMs))),
      release: async (key, token) => void (await run(RELEASE, lock(key), token)),
    },
    async close() {
      closed = true;
      (await client?.catch(() => undefined))?.disconnect(); // It never started: nothing to end.
    },
  };
}

function requireClient(): void {
  try {
    createRequire(import.meta.url).resolve("ioredis");
  } catch (error) {
    throw new Error("a cache in Redis needs a package that is not installed: npm install ioredis", { cause: error });
  }
}

/** `failed` gets the reason for which a connection fails; the command that wanted it only hears that it did. */
async function clientFor(url: string, timeoutMs: number, failed: (error: Error) => void): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
  });
  redis.on("error", failed);
  return redis;
}
