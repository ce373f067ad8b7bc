// The two ways in which the gate itself ends a request. Thrown below the SDK, so they carry a marker instead of a
// class that `instanceof` could lose, and are read back by `classifyError`.

/** How the gate ended a request. `unanswered`: its time was up. `broken`: the body stopped in the middle. */
export type WireFailureKind = "unanswered" | "broken";

const MARK = Symbol.for("bulkhead.capacity.wire");

/** A request that the gate had to end. The outcome at the provider is unknown. */
export class WireFailure extends Error {
  // The OpenAI SDK drops the cause of everything whose text looks like a time-out, and ends a stream quietly on
  // anything named AbortError. This name and the messages avoid both.
  override readonly name = "WireFailure";
  readonly [MARK]: WireFailureKind;

  constructor(kind: WireFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this[MARK] = kind;
  }
}

/** How the gate ended the request, when `error` says that it did. */
export const wireFailureKind = (error: object): WireFailureKind | undefined =>
  (error as { [MARK]?: WireFailureKind })[MARK];
