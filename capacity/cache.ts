// Exact answers, kept with their age. Equal calls that run at the same time are one call. Only whole answers are kept,
// and only those that the caller of this file says are worth keeping.

import { keepingCache } from "./cache/keep.js";
import { memoryStore } from "./cache/memory-store.js";
import type { Clock } from "./clock.js";
import type { CapacityEvent } from "./types.js";

/** What is kept of an answer: plain JSON. */
export type KeptAnswer = Readonly<Record<string, unknown>>;

/** An answer from the cache. */
export interface CacheHit {
  readonly answer: KeptAnswer;
  /** Milliseconds since it was made. */
  readonly ageMs: number;
  /** Whether that is within its declared age. */
  readonly fresh: boolean;
  /** Set when it answers a question that is only like this one. */
  readonly similar?: {
    /** Cosine of the two questions, at most 1. */
    readonly score: number;
    /** The key of the question that it answers. */
    readonly key: string;
  };
}

/** A question apart from what surrounds it, for a cache that also finds answers to similar ones. */
export interface CacheQuestion {
  /** Digest of everything that the answer depends on, but for the words of the question. */
  readonly context: string;
  readonly text: string;
  /** Whether this answer may be given to similar questions. */
  readonly fits: (answer: KeptAnswer) => boolean;
}

/** How to read the cache. */
export interface CacheReading {
  /** Makes the answer. `undefined`: it was made but is not worth keeping. Rejections are not kept either. */
  readonly produce: () => Promise<KeptAnswer | undefined>;
  /** Whether an answer beyond its declared age will do, because a new one cannot be had now. */
  readonly acceptStale: boolean;
  /**
   * Makes the answer anew in the background. Set: an answer beyond its declared age will do at once, and this is called
   * when one is given out. Not called when that is under way already, or when there is no room for it.
   */
  readonly refresh?: (signal: AbortSignal) => Promise<KeptAnswer | undefined>;
  /** Set: an answer to a similar question will do. */
  readonly question?: CacheQuestion;
  /** Hears what happened to the cache since somebody was told last: it is out of reach, or back, or could not refresh. */
  readonly tell?: (event: CapacityEvent) => Promise<void>;
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

/** An {@link AnswerCache} that holds something open. */
export interface KeepingCache extends AnswerCache {
  /** A kept answer, and nothing else: no call is made and none is waited for. */
  peek(key: string, acceptStale?: boolean): Promise<CacheHit | undefined>;
  /** Ends refreshes in the background and frees the store. Safe to call twice. */
  close(): Promise<void>;
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

/** An {@link AnswerCache} in the memory of one process. @throws RangeError */
export function memoryCache({ ttlMs, staleMs = 0, maxEntries, clock }: MemoryCacheOptions): KeepingCache {
  return keepingCache({ store: memoryStore({ maxEntries, clock }), ttlMs, staleMs, clock });
}
