// Exact answers, kept with their age. Equal calls that run at the same time are one call. Only whole answers are kept,
// and only those that the caller of this file says are worth keeping.

import type { Clock } from "./clock.js";

/** What is kept of an answer: plain JSON. */
export type KeptAnswer = Readonly<Record<string, unknown>>;

/** An answer from the cache. */
export interface CacheHit {
  readonly answer: KeptAnswer;
  /** Milliseconds since it was made. */
  readonly ageMs: number;
  /** Whether that is within its declared age. */
  readonly fresh: boolean;
}

/** How to read the cache. */
export interface CacheReading {
  /** Makes the answer. `undefined`: it was made but is not worth keeping. Rejections are not kept either. */
  readonly produce: () => Promise<KeptAnswer | undefined>;
  /** Whether an answer beyond its declared age will do, because a new one cannot be had now. */
  readonly acceptStale: boolean;
  /** Ends the wait for somebody else's call. Does not end that call. */
  readonly signal?: AbortSignal;
}

/** Keeps exact answers under a key that names everything the answer depends on. */
export interface AnswerCache {
  /**
   * A kept answer, or the one that another caller with the same key is making now. Otherwise calls `produce` and
   * returns `undefined`: the caller has its own answer then. A waiter whose leader fails makes its own call.
   *
   * @throws what `produce` throws; the signal's reason.
   */
  read(key: string, reading: CacheReading): Promise<CacheHit | undefined>;
}

/** What {@link memoryCache} takes. */
export interface MemoryCacheOptions {
  /** The declared age in milliseconds: within it an answer is fresh. Minimum 1. */
  readonly ttlMs: number;
  /** How long beyond that an answer is kept, to be used while the primary is paused or down. Default 0. */
  readonly staleMs?: number;
  /** The oldest go first. Minimum 1. */
  readonly maxEntries: number;
  readonly clock: Clock;
}

/** An {@link AnswerCache} in the memory of one process. */
export function memoryCache({ ttlMs, staleMs = 0, maxEntries, clock }: MemoryCacheOptions): AnswerCache {
  if (!(ttlMs >= 1) || !(staleMs >= 0) || !(maxEntries >= 1)) {
    throw new RangeError("a cache needs ttlMs >= 1, staleMs >= 0 and maxEntries >= 1");
  }
  // Kept as text, so that no reader can change what the next one gets.
  const entries = new Map<string, { readonly text: string; readonly at: number }>();
  const flights = new Map<string, Promise<KeptAnswer | undefined>>();

  const lookUp = (key: string, acceptStale: boolean): CacheHit | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const ageMs = clock.now() - entry.at;
    if (ageMs > ttlMs + staleMs) entries.delete(key);
    const fresh = ageMs <= ttlMs;
    if (!fresh && !(acceptStale && ageMs <= ttlMs + staleMs)) return undefined;
    return { answer: JSON.parse(entry.text) as KeptAnswer, ageMs, fresh };
  };

  const keep = (key: string, answer: KeptAnswer): void => {
    entries.delete(key);
    entries.set(key, { text: JSON.stringify(answer), at: clock.now() });
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) return;
      entries.delete(oldest);
    }
  };

  return {
    async read(key, { produce, acceptStale, signal }) {
      const hit = lookUp(key, acceptStale);
      if (hit !== undefined) return hit;
      const flight = flights.get(key);
      if (flight !== undefined) {
        // The leader's failure is the leader's to report; a waiter makes its own call then, without a new flight.
        const landed = await untilAborted(
          flight.catch(() => undefined),
          signal,
        );
        const shared = landed === undefined ? undefined : lookUp(key, acceptStale);
        if (shared === undefined) await produce();
        return shared;
      }
      const kept = produce()
        .then((answer) => {
          if (answer !== undefined) keep(key, answer);
          return answer;
        })
        .finally(() => flights.delete(key));
      flights.set(key, kept);
      await kept;
      return undefined;
    },
  };
}

function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
