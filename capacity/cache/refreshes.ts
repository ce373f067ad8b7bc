// Stale while revalidate: answers that are made anew in the background, each once, a few at a time, none for ever. What
// goes wrong there is told to the next call; the call that got the stale answer is over by then.

import type { KeptAnswer } from "../cache.js";
import type { Clock } from "../clock.js";
import type { CapacityEvent } from "../types.js";

/** The limits of what happens in the background. */
export interface RefreshOptions {
  /** Answers that are made anew at once. Default 4; 0: none. */
  readonly maxRefreshes?: number;
  /** The longest of those, in milliseconds. Default 60 000, minimum 1. */
  readonly refreshMs?: number;
  /** How long none begins after one failed, in milliseconds. Default 5000. */
  readonly refreshRestMs?: number;
  readonly clock: Clock;
}

/** Makes an answer for the cache. `undefined`: not worth keeping. */
export type Refresh = (signal: AbortSignal) => Promise<KeptAnswer | undefined>;

/** What runs in the background. */
export interface Refreshes {
  /** Begins to make the answer anew, unless that is under way or there is no room. Returns at once. */
  start(key: string, refresh: Refresh): void;
  /** Ends what is under way, and waits for that. */
  close(): Promise<void>;
}

/** Runs refreshes by `renew`. @throws RangeError */
export function refreshes(
  { maxRefreshes = 4, refreshMs = 60_000, refreshRestMs = 5000, clock }: RefreshOptions,
  tell: (event: CapacityEvent) => void,
  renew: (key: string, refresh: Refresh, signal: AbortSignal) => Promise<void>,
): Refreshes {
  if (!(maxRefreshes >= 0)) throw new RangeError(`maxRefreshes is ${maxRefreshes} and must be at least 0`);
  if (!(refreshMs >= 1)) throw new RangeError(`refreshMs is ${refreshMs} and must be at least 1`);
  const running = new Map<string, Promise<void>>();
  const closing = new AbortController();
  let restUntil = 0;

  const run = async (key: string, refresh: Refresh): Promise<void> => {
    const ended = new AbortController();
    const late = new AbortController();
    const timer = clock.sleep(refreshMs, ended.signal).then(
      () => late.abort(new Error(`it took longer than ${refreshMs} ms`)),
      () => undefined, // It was in time.
    );
    try {
      await renew(key, refresh, AbortSignal.any([late.signal, closing.signal]));
    } catch (error) {
      if (closing.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      tell({ kind: "cache", state: "refresh-failed", reason });
      restUntil = clock.now() + refreshRestMs;
    } finally {
      ended.abort();
      await timer;
      running.delete(key);
    }
  };

  return {
    start(key, refresh) {
      if (closing.signal.aborted || running.has(key) || running.size >= maxRefreshes) return;
      if (clock.now() < restUntil) return;
      running.set(key, run(key, refresh));
    },
    async close() {
      closing.abort(new Error("the cache was closed"));
      await Promise.all(running.values());
    },
  };
}
