// What the capacity layer throws: one class per decision a caller can take (wait, have it configured, change the
// request, try later, throw the partial answer away). Messages are for a person and say what to do next.

import { type BudgetDimension, budgetAmount, budgetShare } from "./budget-limits.js";
import type { FailureKind } from "./classify.js";

/** Why a call was given up. Stable: safe to switch on, to store and to print. */
export type CapacityErrorCode =
  | "CAPACITY_TIMEOUT"
  | "CIRCUIT_OPEN"
  | "QUEUE_FULL"
  | "AUTHENTICATION"
  | "QUOTA_EXHAUSTED"
  | "INVALID_REQUEST"
  | "CONTEXT_LENGTH"
  | "ROUTES_EXHAUSTED"
  | "ANSWER_BROKEN"
  | "BUDGET_SPENT"
  | "PRICE_UNKNOWN";

const BRAND = Symbol.for("bulkhead.capacity.error");

/** Everything this layer throws, but for the abort reason of the caller's own signal. Never retry one blindly. */
export abstract class CapacityError<Code extends CapacityErrorCode = CapacityErrorCode> extends Error {
  readonly [BRAND] = true;

  constructor(
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether `error` comes from this layer, whichever copy of the package made it. */
  static isInstance(error: unknown): error is CapacityError {
    return typeof error === "object" && error !== null && BRAND in error;
  }
}

const hasCode = (error: unknown, ...codes: readonly CapacityErrorCode[]): boolean =>
  CapacityError.isInstance(error) && codes.includes(error.code);

const saysCode = (error: unknown, code: CapacityErrorCode): boolean =>
  typeof error === "object" && error !== null && (error as { code?: unknown }).code === code;

type WaitCode = "CAPACITY_TIMEOUT" | "CIRCUIT_OPEN" | "QUEUE_FULL";

/** There is no capacity before `retryAt`. Decision: park until then, or answer without a model. */
export class CapacityWaitError extends CapacityError<WaitCode> {
  override readonly name = "CapacityWaitError";

  constructor(
    code: WaitCode,
    message: string,
    /** Milliseconds since the epoch: the earliest time at which a new call makes sense. */
    readonly retryAt: number,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }

  static override isInstance(error: unknown): error is CapacityWaitError {
    return hasCode(error, "CAPACITY_TIMEOUT", "CIRCUIT_OPEN", "QUEUE_FULL");
  }
}

/** The provider will not serve this account. Decision: none in code; a person changes a key or a plan. */
export class ProviderRefusedError extends CapacityError<"AUTHENTICATION" | "QUOTA_EXHAUSTED"> {
  override readonly name = "ProviderRefusedError";

  static override isInstance(error: unknown): error is ProviderRefusedError {
    return hasCode(error, "AUTHENTICATION", "QUOTA_EXHAUSTED");
  }
}

/** The provider will never accept this request. Decision: change it (shorten it, fix a tool schema, name a model). */
export class InvalidRequestError extends CapacityError<"INVALID_REQUEST" | "CONTEXT_LENGTH"> {
  override readonly name = "InvalidRequestError";

  static override isInstance(error: unknown): error is InvalidRequestError {
    return hasCode(error, "INVALID_REQUEST", "CONTEXT_LENGTH");
  }
}

/** How one route failed. */
export interface RouteFailure {
  readonly route: string;
  /** The kind of the last failure, or `circuit-open` when the route was not even tried. */
  readonly reason: FailureKind | "circuit-open";
  /** For a person: what happened and what to check. */
  readonly message: string;
  readonly status?: number;
  /** Milliseconds since the epoch, when the route said when to come back. */
  readonly retryAt?: number;
}

/** Every admitted route was tried and failed. Decision: keep what there is and try the step again later. */
export class RoutesExhaustedError extends CapacityError<"ROUTES_EXHAUSTED"> {
  override readonly name = "RoutesExhaustedError";

  constructor(
    message: string,
    readonly failures: readonly RouteFailure[],
    options?: ErrorOptions,
  ) {
    super("ROUTES_EXHAUSTED", message, options);
  }

  static override isInstance(error: unknown): error is RoutesExhaustedError {
    return hasCode(error, "ROUTES_EXHAUSTED");
  }
}

/** A stream broke after part of it was handed out. Decision: discard the part and call again. */
export class BrokenAnswerError extends CapacityError<"ANSWER_BROKEN"> {
  override readonly name = "BrokenAnswerError";

  constructor(
    message: string,
    readonly reason: FailureKind,
    options?: ErrorOptions,
  ) {
    super("ANSWER_BROKEN", message, options);
  }

  /** By the code alone: in a replay the error comes from the record, which keeps name, code, reason and message. */
  static override isInstance(error: unknown): error is BrokenAnswerError {
    return saysCode(error, "ANSWER_BROKEN");
  }
}

/** How far a budget was used when it stopped something. All numbers in the units of `BudgetLimits`. */
export interface BudgetSpent {
  readonly dimension: BudgetDimension;
  /** What is paid for. */
  readonly used: number;
  /** What calls under way and subagents have reserved. */
  readonly held: number;
  /** What the call that was stopped would have needed. */
  readonly needed: number;
  readonly limit: number;
}

/** The budget of the run is spent. Decision: end with what there is; a person gives it more and resumes. */
export class BudgetError extends CapacityError<"BUDGET_SPENT"> {
  override readonly name = "BudgetError";

  constructor(readonly spent: BudgetSpent) {
    const { dimension, used, held, needed, limit } = spent;
    const others = held > 0 ? `, ${budgetAmount(dimension, held)} reserved for calls and subagents under way` : "";
    const next = used < limit && needed > 0 ? `, and the next call needs about ${budgetAmount(dimension, needed)}` : "";
    super(
      "BUDGET_SPENT",
      `the budget of this run is spent: ${budgetShare(dimension, used, limit)} used${others}${next}. Everything so far is kept; resume it with more (--budget ${dimension}=…, or BULKHEAD_BUDGET).`,
    );
  }

  /** By the code alone, as {@link BrokenAnswerError}. */
  static override isInstance(error: unknown): error is BudgetError {
    return saysCode(error, "BUDGET_SPENT");
  }
}

/** A budget in money, and no price to count it with. Decision: none in code; a person completes the price table. */
export class PriceError extends CapacityError<"PRICE_UNKNOWN"> {
  override readonly name = "PriceError";

  constructor(message: string) {
    super("PRICE_UNKNOWN", message);
  }

  static override isInstance(error: unknown): error is PriceError {
    return hasCode(error, "PRICE_UNKNOWN");
  }
}

const REFUSALS = {
  auth: "AUTHENTICATION",
  "quota-exhausted": "QUOTA_EXHAUSTED",
} as const;

const BAD_REQUESTS = {
  "invalid-request": "INVALID_REQUEST",
  "context-length": "CONTEXT_LENGTH",
} as const;

const isKeyOf = <Table extends object>(table: Table, key: string): key is Extract<keyof Table, string> =>
  Object.hasOwn(table, key);

/**
 * The error a caller gets when no route answered. What stopped the primary decides the class, because it decides
 * what helps; failures of further routes are told in the message.
 */
export function givenUp(primary: RouteFailure, others: readonly RouteFailure[], cause: unknown): CapacityError {
  const { reason } = primary;
  const tail = others.map((other) => `; fallback ${other.route}: ${other.message}`).join("");
  const message = `${primary.message}${tail}`;
  if (primary.retryAt !== undefined) {
    const retryAt = Math.min(primary.retryAt, ...others.flatMap((other) => other.retryAt ?? []));
    const own = CapacityWaitError.isInstance(cause) ? cause.code : "CAPACITY_TIMEOUT";
    return new CapacityWaitError(reason === "circuit-open" ? "CIRCUIT_OPEN" : own, message, retryAt, { cause });
  }
  if (isKeyOf(REFUSALS, reason)) return new ProviderRefusedError(REFUSALS[reason], message, { cause });
  if (isKeyOf(BAD_REQUESTS, reason)) return new InvalidRequestError(BAD_REQUESTS[reason], message, { cause });
  return new RoutesExhaustedError(message, [primary, ...others], { cause });
}
