// The Redis of the cache tests: the one that runs here, under a prefix of its own.

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { REDIS_URL, removeKeys } from "../support/redis.js";

/** A prefix that no other test uses, and what takes away everything under it. */
export function redisPlace() {
  const prefix = `test:cache:${randomUUID()}:`;
  return { prefix, url: REDIS_URL, remove: () => removeKeys(prefix) };
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
