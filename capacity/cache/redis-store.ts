// A cache store in Redis, for a fleet. Ages and leases go by the server's clock, so the clocks of the machines do not
// matter. A connection is made when it is needed and never in the background: nothing here keeps a process alive.

import { z } from "zod";
import { RedisConnection, redisScript } from "../redis/connection.js";
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
const GET = redisScript("return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}");
const PUT = redisScript("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])");
const HOLD = redisScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`);
const RELEASE = redisScript("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end");

const found = z.tuple([z.string(), z.number()]);
const holder = z.string();
/** How long it is kept, then the text: what is left of that tells its age. */
const KEPT = /^(\d+) (.*)$/s;

/**
 * A {@link CacheStore} that every process with the same server and prefix shares.
 *
 * @throws Error when `ioredis` is not installed or the address is none. Its operations reject when the server cannot be reached.
 */
export function redisStore({ url, prefix = "bulkhead:cache:", timeoutMs = 250 }: RedisStoreOptions): CacheStore {
  const connection = new RedisConnection({ url, purpose: "the answer cache", timeoutMs });
  const answer = (key: string): string => `${prefix}{${key}}`;
  const lock = (key: string): string => `${prefix}{${key}}:l`;

  return {
    async get(key) {
      const parsed = found.safeParse(await connection.run(GET, [answer(key)], []));
      const [, keptFor, text] = parsed.success ? (KEPT.exec(parsed.data[0]) ?? []) : [];
      if (!parsed.success || text === undefined) return undefined;
      return { text, ageMs: Math.max(0, Number(keptFor) - Math.max(0, parsed.data[1])) };
    },
    async put(key, text, keepMs) {
      const forMs = Math.max(1, Math.ceil(keepMs));
      await connection.run(PUT, [answer(key)], [`${forMs} ${text}`, forMs]);
    },
    lock: {
      hold: async (key, token, leaseMs) =>
        holder.parse(await connection.run(HOLD, [lock(key)], [token, Math.ceil(leaseMs)])),
      release: async (key, token) => void (await connection.run(RELEASE, [lock(key)], [token])),
    },
    close: () => connection.close(),
  };
}
