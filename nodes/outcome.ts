// What a thrown error says about an effect: that nothing happened, or that nobody knows. A tool that knows says it with
// one of the two classes. Of everything else only what is proof says that nothing happened.

import { provesNotDone } from "./proof.js";

const NOT_DONE = Symbol.for("bulkhead.NotDoneError");
const UNCLEAR = Symbol.for("bulkhead.OutcomeUnclearError");

const isBranded = (error: unknown, brand: symbol): boolean => {
  try {
    return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[brand] === true;
  } catch {
    return false; // A throwing getter is no word of ours.
  }
};

/**
 * Throw it from an effect that certainly did not happen and will not: it was refused. The planner may try again. An
 * effect that throws a plain `Error` is in doubt: a tool that refuses by itself has to throw this.
 */
export class NotDoneError extends Error {
  override readonly name: string = "NotDoneError";
  readonly code: string = "NOT_DONE";
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

/** Whether an effect that threw `error` may have happened: always, unless the tool or its client has proof. Total. */
export const isUnclear = (error: unknown): boolean =>
  OutcomeUnclearError.isInstance(error) || !(NotDoneError.isInstance(error) || provesNotDone(error));
