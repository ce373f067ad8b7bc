// From settings to a cache: where the answers are, how old they may get, and how many there may be.

import type { KeepingCache } from "../cache.js";
import { type Clock, systemClock } from "../clock.js";
import { keepingCache } from "./keep.js";
import { memoryStore } from "./memory-store.js";
import { redisStore } from "./redis-store.js";
import { type Embed, similarCache } from "./similar.js";
import { sqliteStore } from "./sqlite-store.js";
import type { CacheStore } from "./store.js";

/** Where a cache keeps its answers. */
export type CachePlace =
  | { readonly kind: "memory" }
  /** Shared by the processes of one machine. */
  | { readonly kind: "sqlite"; readonly path: string }
  /** Shared by a fleet. */
  | { readonly kind: "redis"; readonly url: string };

/** A cache in words. */
export interface CacheSettings {
  readonly place: CachePlace;
  /** The declared age of an answer, in milliseconds. Minimum 1. */
  readonly ttlMs: number;
  /** How long beyond that it is kept, see `KeepingOptions`. Default 0. */
  readonly staleMs?: number;
  /** Memory and SQLite: the oldest go first. Default 10 000. */
  readonly maxEntries?: number;
  /** The least cosine of two questions of which one is answered for the other. Unset: only equal calls are. */
  readonly minScore?: number;
}

/** What {@link openCache} can be given from outside. */
export interface OpenCacheOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Needed for `minScore`. */
  readonly embed?: Embed;
}

/**
 * Opens a cache. Nothing is connected or written before the first call. Close it.
 *
 * @throws RangeError for settings that make no sense, and for `minScore` without `embed`; Error when Redis is wanted and
 *   `ioredis` is not installed.
 */
export function openCache(
  settings: CacheSettings,
  { clock = systemClock, embed }: OpenCacheOptions = {},
): KeepingCache {
  const { place, ttlMs, staleMs = 0, maxEntries, minScore } = settings;
  const reachable = place.kind === "memory" ? {} : { patience: {} };
  const bounds = maxEntries === undefined ? {} : { maxEntries };
  const cache = keepingCache({ store: storeAt(place, bounds, clock), ...reachable, ttlMs, staleMs, clock });
  if (minScore === undefined) return cache;
  if (embed === undefined) throw new RangeError("a cache for similar questions needs `embed`");
  return similarCache({ cache, embed, minScore, clock });
}

function storeAt(place: CachePlace, bounds: { readonly maxEntries?: number }, clock: Clock): CacheStore {
  switch (place.kind) {
    case "memory":
      return memoryStore({ ...bounds, clock });
    case "sqlite":
      return sqliteStore({ path: place.path, ...bounds, clock });
    case "redis":
      return redisStore({ url: place.url });
  }
}
