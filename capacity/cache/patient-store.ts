// A store in reach of this process only most of the time: Redis, or a file that others lock. Whatever happens to it, a
// model call waits for it a quarter of a second at most, is made without it, and the trouble is told once.

import type { Clock } from "../clock.js";
import type { CapacityEvent } from "../types.js";
import type { CacheStore } from "./store.js";

/** What {@link patientStore} takes. */
export interface PatientStoreOptions {
  readonly store: CacheStore;
  /** The longest wait for one operation, in milliseconds. Default 250, minimum 1. */
  readonly patienceMs?: number;
  /** How long a store that failed is left alone before one operation tries it again. Default 1000. */
  readonly restMs?: number;
  /** Hears of it once when the store fails and once when it is back. */
  readonly tell: (event: CapacityEvent) => void;
  readonly clock: Clock;
}

/**
 * The same store, whose operations never reject and never take longer than `patienceMs`. While the store is out of reach
 * nothing is found in it, nothing is kept, and a lock is given to whoever asks.
 *
 * @throws RangeError
 */
export function patientStore(options: PatientStoreOptions): CacheStore {
  const { store, patienceMs = 250, restMs = 1000, tell, clock } = options;
  if (!(patienceMs >= 1)) throw new RangeError(`patienceMs is ${patienceMs} and must be at least 1`);
  if (!(restMs >= 0)) throw new RangeError(`restMs is ${restMs} and must be at least 0`);
  let lostUntil: number | undefined;

  const attempt = async <Value>(work: () => Promise<Value>, otherwise: Value): Promise<Value> => {
    const probing = lostUntil !== undefined;
    if (lostUntil !== undefined) {
      if (clock.now() < lostUntil) return otherwise;
      lostUntil = clock.now() + patienceMs; // This operation looks whether it is back; the others need not wait for it.
    }
    try {
      if (store.load !== undefined) await store.load();
      const value = await inTime(work, patienceMs, clock);
      if (probing && lostUntil !== undefined) {
        lostUntil = undefined;
        tell({ kind: "cache", state: "back", reason: "the answer cache is in reach again" });
      }
      return value;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (lostUntil === undefined) tell({ kind: "cache", state: "lost", reason });
      lostUntil = clock.now() + restMs;
      return otherwise;
    }
  };

  const { lock } = store;
  return {
    get: (key) => attempt(() => store.get(key), undefined),
    put: (key, text, keepMs) => attempt(() => store.put(key, text, keepMs), undefined),
    ...(lock === undefined
      ? {}
      : {
          lock: {
            hold: (key, token, leaseMs) => attempt(() => lock.hold(key, token, leaseMs), token),
            release: (key, token) => attempt(() => lock.release(key, token), undefined),
          },
        }),
    close: () => store.close(),
  };
}

/** What `work` gives, or a rejection after `ms`. The work itself goes on; what becomes of it is of no interest then. */
async function inTime<Value>(work: () => Promise<Value>, ms: number, clock: Clock): Promise<Value> {
  const done = new AbortController();
  const late = async (): Promise<never> => {
    await clock.sleep(ms, done.signal);
    // What came while this process was busy with something else is read now: that was not the store being late.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    throw new Error(`the answer cache did not answer within ${ms} ms`);
  };
  try {
    return await Promise.race([work(), late()]);
  } finally {
    done.abort();
  }
}
