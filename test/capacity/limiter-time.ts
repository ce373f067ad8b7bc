// The limiter under fake timers: Bottleneck and our clock both run on them, so starts can be compared exactly.

import { afterEach, beforeEach, vi } from "vitest";
import type { Clock } from "../../capacity/index.js";
import type { Admittance, Slot } from "../../capacity/limiter.js";
import { QueueLimiter, type QueueLimiterOptions } from "../../capacity/queue-limiter.js";

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

export const INTERVAL = 100;
/** Bottleneck counts the interval from when it takes a job in, a timer tick or two before the job starts. */
export const TICKS = 2;

export function limiterOf(options: Partial<QueueLimiterOptions> = {}): QueueLimiter {
  return new QueueLimiter({
    ...{ name: "large", requestsPerMinute: 60_000 / INTERVAL, inFlight: 8, highWater: 1000, clock },
    headroom: { start: 1, most: 1 },
    ...options,
  });
}

/** Acquires, notes when it was let go as `label@ms`, and gives the slot back after `holdMs`. */
export function send(
  limiter: QueueLimiter,
  starts: string[],
  label: string,
  admittance: Partial<Admittance> = {},
  holdMs = 1,
): Promise<Slot> {
  const promise = limiter.acquire({ key: "", tokens: 0, ...admittance });
  promise.then(
    (slot) => {
      starts.push(`${label}@${Date.now()}`);
      setTimeout(() => slot.release(), holdMs);
    },
    () => {},
  );
  return promise;
}

export const times = (starts: readonly string[]): number[] => starts.map((start) => Number(start.split("@")[1]));
export const labels = (starts: readonly string[]): string => starts.map((start) => start.split("@")[0]).join(" ");

/** Time stands still in every test of the file that calls it, until the test moves it. */
export function standStill(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
