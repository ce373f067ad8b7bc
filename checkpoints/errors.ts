// What can go wrong with a thread's storage, one class per decision the caller can take. Each message says what to do
// next, and none of them ever shows a password.

/** Who has a thread. Times in milliseconds since the epoch. */
export interface LeaseHolder {
  /** The run that holds it. */
  readonly owner: string;
  readonly pid: number;
  readonly host: string;
  readonly since: number;
  /** When the lease runs out unless it is renewed. */
  readonly until: number;
}

const isBranded = (error: unknown, brand: symbol): boolean =>
  typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[brand] === true;

/** `UNAVAILABLE`: cannot be opened, reached or written. `BROKEN`: its content cannot be used. `LOCKED`: somebody else has it. `NEWER`: written by a later version. */
export type JournalErrorCode = "JOURNAL_UNAVAILABLE" | "JOURNAL_BROKEN" | "JOURNAL_LOCKED" | "JOURNAL_NEWER";

const JOURNAL = Symbol.for("bulkhead.JournalError");

/**
 * The database cannot be used. Only `JOURNAL_LOCKED` is worth trying again. Nothing was written, unless the connection
 * to Postgres broke during the commit itself: read before you write again.
 */
export class JournalError extends Error {
  override readonly name = "JournalError";
  readonly [JOURNAL] = true;
  /** `subject` is what failed: the database's path, its URL without the password, or one record in it. */
  constructor(
    readonly code: JournalErrorCode,
    readonly subject: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }

  static isInstance(error: unknown): error is JournalError {
    return isBranded(error, JOURNAL);
  }
}

/**
 * `UNDECIDED` and `REJECTED` (or cancelled) occur at dispatch only, `DECIDED` at a decision only, `FLOOD` at a request
 * only. `EARLY` is the one to wait for. `FORGED`: the record does not fit its seal.
 */
export type ApprovalErrorCode =
  | "APPROVAL_UNKNOWN"
  | "APPROVAL_EXPIRED"
  | "APPROVAL_DECIDED"
  | "APPROVAL_UNDECIDED"
  | "APPROVAL_REJECTED"
  | "APPROVAL_USED"
  | "APPROVAL_MISMATCH"
  | "APPROVAL_EARLY"
  | "APPROVAL_FORGED"
  | "APPROVAL_FLOOD";

const APPROVAL = Symbol.for("bulkhead.ApprovalError");

/** An approval does not allow what is being tried. Terminal for this approval, `APPROVAL_EARLY` apart: the action needs a new request. */
export class ApprovalError extends Error {
  override readonly name = "ApprovalError";
  readonly [APPROVAL] = true;
  constructor(
    readonly code: ApprovalErrorCode,
    readonly id: string,
    message: string,
  ) {
    super(message);
  }

  static isInstance(error: unknown): error is ApprovalError {
    return isBranded(error, APPROVAL);
  }
}

/**
 * `STATE`: the step is not allowed from the present state. `MISMATCH`: the key stands for another action. `FORGED`: the
 * row was changed by something else than the harness with its key. `REPEATS`: another call sent the same already.
 */
export type EffectErrorCode =
  | "EFFECT_UNKNOWN"
  | "EFFECT_STATE"
  | "EFFECT_MISMATCH"
  | "EFFECT_FORGED"
  | "EFFECT_REPEATS";

const EFFECT = Symbol.for("bulkhead.EffectError");

/** The effect ledger refuses a step. Not retryable: read the effect and act on its present state. */
export class EffectError extends Error {
  override readonly name = "EffectError";
  readonly [EFFECT] = true;
  constructor(
    readonly code: EffectErrorCode,
    readonly key: string,
    message: string,
  ) {
    super(message);
  }

  static isInstance(error: unknown): error is EffectError {
    return isBranded(error, EFFECT);
  }
}

const BUSY = Symbol.for("bulkhead.ThreadBusyError");

const iso = (at: number): string => new Date(at).toISOString();

/** Another live run has the thread. Try again when that run has ended; the message names it. */
export class ThreadBusyError extends Error {
  override readonly name = "ThreadBusyError";
  readonly code = "THREAD_BUSY";
  readonly [BUSY] = true;
  constructor(
    readonly thread: string,
    readonly holder: LeaseHolder,
  ) {
    super(
      `thread ${thread} is in use by run ${holder.owner} (process ${holder.pid} on ${holder.host}, since ${iso(holder.since)}). ` +
        `Wait until that run has ended, or stop it, and try again; should its machine be gone, the thread is free after ${iso(holder.until)}.`,
    );
  }

  static isInstance(error: unknown): error is ThreadBusyError {
    return isBranded(error, BUSY);
  }
}
