// Caches of several processes over one store, in one process and by one clock.

import { memoryStore } from "../../capacity/cache/memory-store.js";
import type { CacheLock, CacheStore } from "../../capacity/cache/store.js";
import {
  type CacheReading,
  type CapacityEvent,
  type KeepingOptions,
  type KeptAnswer,
  keepingCache,
} from "../../capacity/index.js";
import { FakeClock } from "./support.js";

/** A lock that several caches share, by one clock. */
export function lockOf(clock: FakeClock): CacheLock {
  const held = new Map<string, { token: string; until: number }>();
  return {
    async hold(key, token, leaseMs) {
      const holder = held.get(key);
      if (holder !== undefined && holder.token !== token && holder.until > clock.now()) return holder.token;
      held.set(key, { token, until: clock.now() + leaseMs });
      return token;
    },
    async release(key, token) {
      if (held.get(key)?.token === token) held.delete(key);
    },
  };
}

/** Processes that share a store. */
export function fleet(options: Partial<KeepingOptions> = {}) {
  const clock = new FakeClock();
  const store: CacheStore = { ...memoryStore({ clock }), lock: lockOf(clock) };
  const told: CapacityEvent[] = [];
  const tell = async (event: CapacityEvent) => void told.push(event);
  const join = () => keepingCache({ store, ttlMs: 1000, staleMs: 1000, clock, random: () => 0, ...options });
  return { clock, store, told, tell, join };
}

/** A call that the test ends. */
export function upstream() {
  const calls: { answer: (text: string | undefined) => void; fail: (error: Error) => void }[] = [];
  const produce = () =>
    new Promise<KeptAnswer | undefined>((resolve, reject) => {
      calls.push({ answer: (text) => resolve(text === undefined ? undefined : { text }), fail: reject });
    });
  const reading = (more: Partial<CacheReading> = {}): CacheReading => ({ produce, acceptStale: false, ...more });
  return { calls, produce, reading };
}

export const textOf = (hit: { answer: KeptAnswer } | undefined) => hit?.answer["text"];
