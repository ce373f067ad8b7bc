// The one error of the embedder. There is no fallback to hide behind: without the model there are no vectors.

/** `WEIGHTS_*`: reinstall. `ENGINE_FAILED`: the worker died, the next call starts a new one. `CLOSED`: a mistake of the caller. */
export type EmbeddingsErrorCode = "WEIGHTS_MISSING" | "WEIGHTS_CHANGED" | "ENGINE_FAILED" | "CLOSED";

const BRAND = Symbol.for("bulkhead.EmbeddingsError");

/** No vector could be made. The message says what to do. */
export class EmbeddingsError extends Error {
  override readonly name = "EmbeddingsError";
  readonly [BRAND] = true;
  /** SHA-256 of the weights file that was found, if there was one. */
  readonly sha256: string | undefined;

  constructor(
    readonly code: EmbeddingsErrorCode,
    message: string,
    { sha256, cause }: { readonly sha256?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.sha256 = sha256;
  }

  static isInstance(error: unknown): error is EmbeddingsError {
    return typeof error === "object" && error !== null && BRAND in error;
  }
}
