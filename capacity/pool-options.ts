// What a quota pool takes and what it says of itself.

import type { Clock, Random } from "./clock.js";
import type { Priority } from "./fair-queue.js";
import type { IncomingLimits } from "./incoming.js";
import type { LimiterStatus } from "./limiter.js";
import type { RedisQuotaOptions } from "./redis/quota.js";
import type { Quota } from "./types.js";

/** The fleet of a pool. */
export type FleetOptions = Pick<RedisQuotaOptions, "url" | "name" | "prefix" | "processes" | "timeoutMs" | "leaseMs">;

/** What a {@link QuotaPool} takes. */
export interface QuotaPoolOptions {
  /** The model's name, for messages. */
  readonly name: string;
  readonly quota: Quota;
  /** How long one request may take from the moment it leaves to its last byte, in milliseconds. Default 120 000. */
  readonly callTimeoutMs?: number;
  /** What the answers to model calls may be like. Default: see `IncomingLimits`. */
  readonly incoming?: Partial<IncomingLimits>;
  /** Requests that may wait. Beyond that the newest batch work makes room, and the rest is refused. Default 100 000. */
  readonly highWater?: number;
  /** The Redis that keeps the quota for a fleet, see `RedisQuotaOptions`. Default: this process has it for itself. */
  readonly fleet?: FleetOptions;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What one piece of work under a quota may do. */
export interface PoolRunOptions {
  /** What it takes of the tokens per minute. Default 0. */
  readonly tokens?: number;
  /** How long it may sit out pauses, in milliseconds. Default 60 000. */
  readonly maxWaitMs?: number;
  /** Default: that of the run it belongs to. */
  readonly priority?: Priority;
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch: refused as soon as it is clear that it cannot begin before. */
  readonly deadlineAt?: number;
}

/** How a pool stands. */
export interface PoolStatus extends LimiterStatus {
  readonly name: string;
  /** 429s since the beginning. */
  readonly rateLimited: number;
  readonly breaker: "closed" | "open" | "half-open";
}

/** @throws RangeError naming what cannot be met. */
export function checkOptions({ name, quota, callTimeoutMs = 1, highWater = 1, incoming }: QuotaPoolOptions): void {
  const { requestsPerMinute, tokensPerMinute, inFlight, headroom = 0.8, maxHeadroom = 0.98 } = quota;
  const check = (holds: boolean, what: string): void => {
    if (!holds) throw new RangeError(`quota of ${name}: ${what}`);
  };
  check(requestsPerMinute >= 1, `requestsPerMinute is ${requestsPerMinute} and must be at least 1`);
  check(Number.isInteger(inFlight) && inFlight >= 1, `inFlight is ${inFlight} and must be a whole number from 1`);
  check(headroom > 0 && headroom <= 1, `headroom is ${headroom} and must be more than 0 and at most 1`);
  check(maxHeadroom > 0 && maxHeadroom <= 1, `maxHeadroom is ${maxHeadroom} and must be more than 0 and at most 1`);
  check(highWater >= 1, `highWater is ${highWater} and must be at least 1`);
  check(tokensPerMinute === undefined || tokensPerMinute >= 1, `tokensPerMinute must be at least 1`);
  for (const [limit, value] of Object.entries(incoming ?? {})) check(value >= 1, `${limit} must be at least 1`);
  check(callTimeoutMs > 0, `callTimeoutMs must be more than 0`);
}
