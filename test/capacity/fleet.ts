// A fleet in one process: limiters that know nothing of each other, each with its own connection to Redis, and callers
// that never stop asking. Everything that leaves is written down with its time.

import { type Clock, systemClock } from "../../capacity/clock.js";
import type { Slot } from "../../capacity/limiter.js";
import { QueueLimiter } from "../../capacity/queue-limiter.js";
import { RedisQuota, type RedisQuotaOptions } from "../../capacity/redis/quota.js";
import type { Quota } from "../../capacity/types.js";

/** A hundred a second, ten at a time. */
export const QUOTA: Quota = { requestsPerMinute: 6_000, inFlight: 10, headroom: 0.8, maxHeadroom: 0.8 };

/** What the provider allows within a second, and two that may leave at once. */
export const ALLOWED = QUOTA.requestsPerMinute / 60 + 2;

/** One process of the fleet. */
export class Member {
  readonly shared: RedisQuota;
  readonly limiter: QueueLimiter;
  readonly said: string[] = [];

  constructor(options: Pick<RedisQuotaOptions, "url" | "name"> & Partial<RedisQuotaOptions>, quota: Quota = QUOTA) {
    const clock = options.clock ?? systemClock;
    this.shared = new RedisQuota({
      ...{ prefix: "bulkhead:test:quota:", leaseMs: 900, timeoutMs: 500, processes: 3, ...options, quota, clock },
      onLost: () => this.said.push("lost"),
      onBack: () => this.said.push("back"),
    });
    const { requestsPerMinute, inFlight, headroom = 0.8, maxHeadroom = 0.98 } = quota;
    this.limiter = new QueueLimiter({
      ...{ name: "large", requestsPerMinute, inFlight, highWater: 100_000, clock, shared: this.shared },
      headroom: { start: headroom, most: maxHeadroom },
    });
  }
}

/** Members at work. */
export class Fleet {
  /** When requests left, in milliseconds of the machine's clock, in order. */
  readonly starts: number[] = [];
  /** Requests in flight now, and the most there were. */
  inFlight = 0;
  most = 0;
  failed = 0;
  #stopped = false;
  readonly #callers: Promise<void>[] = [];

  constructor(readonly members: readonly Member[]) {}

  /** So many callers for each member, each holding its slot for `holdMs`. */
  work(callers: number, holdMs: number): void {
    for (const { limiter } of this.members) {
      for (let n = 0; n < callers; n += 1) this.#callers.push(this.#call(limiter, `run-${n}`, holdMs));
    }
  }

  /** Requests that left in the last `ms` milliseconds. */
  async during(ms: number): Promise<number> {
    const before = this.starts.length;
    await systemClock.sleep(ms);
    return this.starts.length - before;
  }

  /** The most requests that left within any `ms` milliseconds. */
  mostWithin(ms: number): number {
    let most = 0;
    let from = 0;
    for (const [index, at] of this.starts.entries()) {
      while (at - (this.starts[from] as number) > ms) from += 1;
      most = Math.max(most, index - from + 1);
    }
    return most;
  }

  /** Nobody begins anything new; resolves when all have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
    await Promise.all(this.members.map(({ limiter }) => limiter.close()));
  }

  async #call(limiter: QueueLimiter, key: string, holdMs: number): Promise<void> {
    while (!this.#stopped) {
      let slot: Slot;
      try {
        slot = await limiter.acquire({ key, tokens: 0 });
      } catch {
        this.failed += 1;
        return;
      }
      this.starts.push(performance.now());
      this.inFlight += 1;
      this.most = Math.max(this.most, this.inFlight);
      await systemClock.sleep(holdMs);
      this.inFlight -= 1;
      slot.release();
    }
  }
}

/** The machine's clock, off by so many milliseconds. */
export const clockThatIsOff = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms });
