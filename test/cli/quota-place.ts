// A Redis for tests of the quota command: whether it is there, and how a test's keys leave it.

import { Redis } from "ioredis";

export const REDIS_URL = "redis://127.0.0.1:6379";

/** Whether to leave these tests out: never in CI, else when there is no Redis. */
export async function withoutRedis(): Promise<boolean> {
  if (process.env["CI"] === "true") return false;
  const redis = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  const isAway = await redis.connect().then(
    () => false,
    () => true,
  );
  redis.disconnect();
  if (isAway) process.stderr.write(`no Redis at ${REDIS_URL}: the tests of shared quotas are skipped\n`);
  return isAway;
}

/** Removes all keys with this prefix. */
export async function removeKeys(prefix: string): Promise<void> {
  const redis = new Redis(REDIS_URL);
  const keys = await redis.keys(`${prefix.replaceAll(/[\\*?[\]]/g, "\\$&")}*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
}
