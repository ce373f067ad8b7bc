// What a thrown error says about an effect: that nothing happened, or that nobody knows. A tool that knows says it with
// one of the two classes; for everything else the rule is that a connection that broke has told us nothing.

import { classifyError } from "../capacity/index.js";

const NOT_DONE = Symbol.for("bulkhead.NotDoneError");
const UNCLEAR = Symbol.for("bulkhead.OutcomeUnclearError");

const isBranded = (error: unknown, brand: symbol): boolean =>
  typeof error === "object" && error !== null && brand in error;

/** Throw it from an effect that certainly did not happen and will not: it was refused. The planner may try again. */
export class NotDoneError extends Error {
  override readonly name = "NotDoneError";
  readonly code = "NOT_DONE";
  readonly [NOT_DONE] = true;

  static isInstance(error: unknown): error is NotDoneError {
    return isBranded(error, NOT_DONE);
  }
}

/**
 * Throw it from an effect whose outcome the tool cannot know: the provider took the request and did not answer, or
 * answered nonsense. The ledger then asks the provider (`probe`), sends the same key once more (`honoursKey`), or says
 * *in doubt*; the effect is never reported as failed.
 */
export class OutcomeUnclearError extends Error {
  override readonly name = "OutcomeUnclearError";
  readonly code = "OUTCOME_UNCLEAR";
  readonly [UNCLEAR] = true;

  static isInstance(error: unknown): error is OutcomeUnclearError {
    return isBranded(error, UNCLEAR);
  }
}

/**
 * Whether an effect that threw `error` may have happened. Known refusals (HTTP 4xx, a connection never made) and errors
 * that say nothing of a transport did not; time-outs, broken connections, aborts and HTTP 5xx may have.
 */
export function isUnclear(error: unknown): boolean {
  if (NotDoneError.isInstance(error)) return false;
  if (OutcomeUnclearError.isInstance(error)) return true;
  const { kind, clean, status } = classifyError(error);
  if (status !== undefined) return status >= 500 || status === 408;
  return !clean && (kind === "network" || kind === "timeout" || kind === "truncated" || kind === "aborted");
}
