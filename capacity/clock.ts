// Time and chance as parameters, so that a test can own them.

import { setTimeout as delay } from "node:timers/promises";

/** Where a part of the harness gets the time and waits. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits `ms` milliseconds. Rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * How many of its milliseconds pass in one real one. Default 1. For simulations: whoever hands a duration to something
   * with a timer of its own (Bottleneck, Redis) divides by it.
   */
  readonly scale?: number;
}

/** A clock that runs `scale` times as fast as the machine's, from now on. For benchmarks. */
export function scaledClock(scale: number): Clock {
  const began = Date.now();
  const from = performance.now();
  return {
    scale,
    now: () => Math.floor(began + (performance.now() - from) * scale),
    sleep: (ms, signal) => systemClock.sleep(ms / scale, signal),
  };
}

/** A number in [0, 1). */
export type Random = () => number;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    delay(Math.max(0, ms), undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    }),
};
