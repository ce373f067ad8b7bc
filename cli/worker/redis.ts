// Loads BullMQ and ioredis, which only those need who have a queue, and opens a connection that is known to work. What
// is wrong with it is said once, at the start, with the command that mends it.

import type { Redis } from "ioredis";
import { redactUrl } from "../../checkpoints/database/target.js";
import { CommandError, UsageError } from "../exit.js";

/** Longest wait for the server to accept a connection, in ms. */
const CONNECT_MS = 3_000;

/** Longest pause between two attempts of a worker to get its server back, in ms. */
const RETRY_MS = 2_000;

const GET_PACKAGES = "npm install bullmq@6 ioredis@6";
const START_REDIS = "docker run --rm -p 6379:6379 redis:7 redis-server --appendonly yes";

/** The two packages. */
export interface QueuePackages {
  readonly bullmq: typeof import("bullmq");
  readonly ioredis: Pick<typeof import("ioredis"), "Redis">;
}

/** @throws CommandError saying how to install what is missing. */
export async function loadQueuePackages(): Promise<QueuePackages> {
  try {
    const [bullmq, ioredis] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bullmq, ioredis };
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new CommandError(`the queue needs two packages that are not installed. Get them: ${GET_PACKAGES}`, {
      cause: error,
    });
  }
}

/** The URL of the configured server. @throws UsageError when none is configured */
export function requireRedis(url: string | undefined): string {
  if (url !== undefined) return url;
  throw new UsageError(
    `no Redis is configured for the queue. Set BULKHEAD_REDIS=redis://127.0.0.1:6379 or give --redis. To start one here: ${START_REDIS}`,
  );
}

/**
 * Connects. `patient`: a connection that breaks later is tried again for ever, as a worker needs it; else every command
 * on it fails at once.
 *
 * @throws CommandError when there is no server, or it does not let us in.
 */
export async function connectRedis(
  { ioredis }: QueuePackages,
  url: string,
  { patient }: { readonly patient: boolean },
): Promise<Redis> {
  let connected = false;
  let problem = "";
  const redis = new ioredis.Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
    retryStrategy: (attempts) => (connected && patient ? Math.min(100 * attempts, RETRY_MS) : null),
  });
  redis.on("error", (error: Error & { code?: string }) => {
    problem = error.message || (error.code ?? "");
  });
  try {
    await redis.connect();
    await redis.ping();
    connected = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    const why = problem || (error as Error).message;
    throw new CommandError(
      `there is no usable Redis at ${redactUrl(url)} (${why}). Correct BULKHEAD_REDIS or --redis, or start one here: ${START_REDIS}`,
      { cause: error },
    );
  }
}
