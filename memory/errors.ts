// What can go wrong with a store, as one class with a code for each decision a caller can take.

/**
 * `URL`: not a store's address. `UNAVAILABLE`: cannot be opened or reached. `LOCKED`: another process is writing;
 * retryable. `EMBEDDINGS_MIXED`: re-index, or go back to the embedder before. `VECTORS_UNSUPPORTED`: the database has
 * no vector search. `NOT_JSON`: the value cannot be stored. `CLOSED`: a mistake of the caller.
 */
export type StoreErrorCode =
  | "URL"
  | "UNAVAILABLE"
  | "LOCKED"
  | "EMBEDDINGS_MIXED"
  | "VECTORS_UNSUPPORTED"
  | "NOT_JSON"
  | "CLOSED";

const STORE_ERROR = Symbol.for("bulkhead.StoreError");

/** A store could not do what it was asked. The message says what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly [STORE_ERROR] = true;

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }

  static isInstance(error: unknown): error is StoreError {
    return typeof error === "object" && error !== null && STORE_ERROR in error;
  }
}

const FILE_ERROR = Symbol.for("bulkhead.MemoryFileError");

/** A file in the project's memory folder cannot be used. Terminal: the operator has to mend it. */
export class MemoryFileError extends Error {
  override readonly name = "MemoryFileError";
  readonly [FILE_ERROR] = true;

  constructor(
    /** `UNREADABLE`: the file system refused. `MALFORMED`: the front matter is wrong. `UNKNOWN_SKILL`: no such skill. */
    readonly code: "UNREADABLE" | "MALFORMED" | "UNKNOWN_SKILL",
    readonly path: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }

  static isInstance(error: unknown): error is MemoryFileError {
    return typeof error === "object" && error !== null && FILE_ERROR in error;
  }
}
