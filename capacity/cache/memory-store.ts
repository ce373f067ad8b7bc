// A cache store in the memory of one process. Answers are text, so that no reader can change what the next one gets.

import type { Clock } from "../clock.js";
import { boundsOf, type CacheBounds, type CacheStore } from "./store.js";

/** What {@link memoryStore} takes. */
export interface MemoryStoreOptions extends CacheBounds {
  readonly clock: Clock;
}

interface Entry {
  readonly text: string;
  readonly bytes: number;
  readonly at: number;
  readonly keepMs: number;
}

/** A {@link CacheStore} that ends with the process. @throws RangeError */
export function memoryStore({ clock, ...bounds }: MemoryStoreOptions): CacheStore {
  const { maxEntries, maxBytes } = boundsOf(bounds);
  const entries = new Map<string, Entry>(); // In the order in which they came: the oldest is first.
  let bytes = 0;

  const drop = (key: string): void => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };

  return {
    async get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const ageMs = Math.max(0, clock.now() - entry.at);
      if (ageMs <= entry.keepMs) return { text: entry.text, ageMs };
      drop(key);
      return undefined;
    },
    async put(key, text, keepMs) {
      drop(key);
      const entry = { text, bytes: Buffer.byteLength(text), at: clock.now(), keepMs };
      if (entry.bytes > maxBytes) return;
      entries.set(key, entry);
      bytes += entry.bytes;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && bytes <= maxBytes) return;
        drop(oldest);
      }
    },
    async close() {
      entries.clear();
      bytes = 0;
    },
  };
}
