// Where a cache keeps its answers: a port with an implementation in memory, in a SQLite file and in Redis. A store keeps
// text under names and knows how old it is. What may be kept, and who makes it, is decided above.

/** What lies under a name. */
export interface StoredText {
  readonly text: string;
  /** Milliseconds since it was put there, by the store's own clock. Never negative. */
  readonly ageMs: number;
}

/** Who makes an answer now, among processes. A leader that dies loses its place when the lease ends. */
export interface CacheLock {
  /**
   * Takes the lock on `key` for `token` if it is free, or renews it if it is held with `token` already.
   *
   * @returns the token that holds it now: `token` itself, or somebody else's.
   */
  hold(key: string, token: string, leaseMs: number): Promise<string>;
  /** Gives it back. Does nothing when it is not held with `token`. */
  release(key: string, token: string): Promise<void>;
}

/** Keeps JSON text under names for a while. Any method may reject when the store is out of reach. */
export interface CacheStore {
  /** Loads the code that the store needs. Reaches for nothing outside of the process, so nobody is late for it. */
  load?(): Promise<void>;
  get(key: string): Promise<StoredText | undefined>;
  /** Keeps `text` for `keepMs` milliseconds, or until there is no more room for it. Replaces what was there. */
  put(key: string, text: string, keepMs: number): Promise<void>;
  /** Unset: nobody else uses this store. */
  readonly lock?: CacheLock;
  /** Frees what the store holds. Safe to call twice. */
  close(): Promise<void>;
}

/** How much a store keeps. The oldest go first. */
export interface CacheBounds {
  /** Default 10 000, minimum 1. */
  readonly maxEntries?: number;
  /** UTF-8 bytes of text. Default 256 MiB, minimum 1. A text that alone is larger is not kept. */
  readonly maxBytes?: number;
}

/** The bounds with their defaults. @throws RangeError */
export function boundsOf({ maxEntries = 10_000, maxBytes = 2 ** 28 }: CacheBounds): Required<CacheBounds> {
  if (!(maxEntries >= 1)) throw new RangeError(`maxEntries is ${maxEntries} and must be at least 1`);
  if (!(maxBytes >= 1)) throw new RangeError(`maxBytes is ${maxBytes} and must be at least 1`);
  return { maxEntries, maxBytes };
}
