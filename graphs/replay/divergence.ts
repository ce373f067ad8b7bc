// Where a replay and its record part, and how that is told.

import { type FieldDifference, fieldsOf, type RecordedEvent, type Scope } from "../../checkpoints/index.js";
import { describePlace, type Positioned } from "./place.js";

/** What kind of difference it is. */
export type DivergenceKind =
  /** A prompt, a tool's arguments or another question is not the recorded one. */
  | "request"
  /** Something was asked that the record does not have there. */
  | "extra"
  /** Something in the record was not asked for. */
  | "missing"
  /** Two calls, one after the other, changed places. */
  | "order"
  /** A node looked at the world past the record: the network, a timer, the clock, chance. */
  | "trap"
  /** What followed is another: a label, a verdict, a receipt, the state, the next node. */
  | "event";

/** One difference. */
export interface Divergence {
  readonly kind: DivergenceKind;
  /** Its position in the record: the event of the record that it is about, counted from 0. */
  readonly index: number;
  readonly run?: string;
  readonly seq?: number;
  readonly thread: string;
  readonly step?: number;
  readonly node?: string;
  readonly lane?: string;
  /** In one sentence. */
  readonly message: string;
  /** SHA-256 of what was recorded, and of what is asked now. */
  readonly recorded?: string;
  readonly now?: string;
  /** Where the two differ. */
  readonly fields: readonly FieldDifference[];
  /** The last checkpoint that both have in common. */
  readonly checkpoint?: { readonly id: string; readonly step: number };
}

/** What a divergence is made of. */
export interface Difference {
  readonly kind: DivergenceKind;
  readonly scope: Scope;
  readonly index: number;
  readonly event?: RecordedEvent;
  readonly message: string;
  readonly recorded?: string;
  readonly now?: string;
  readonly left?: unknown;
  readonly right?: unknown;
}

/** How many fields are told. */
const MOST = 20;

/** Makes a divergence of a difference. */
export function divergenceOf(difference: Difference): Divergence {
  const { kind, scope, index, event, message, recorded, now, left, right } = difference;
  const { thread, step, node, lane } = scope;
  return {
    ...{ kind, index, thread, message: `${describePlace(scope)}: ${message}` },
    ...(event === undefined ? {} : { run: event.scope.run, seq: event.seq }),
    ...(step === undefined ? {} : { step }),
    ...(node === undefined ? {} : { node }),
    ...(lane === undefined ? {} : { lane }),
    ...(recorded === undefined ? {} : { recorded }),
    ...(now === undefined ? {} : { now }),
    fields: left === undefined || right === undefined ? [] : fieldsOf(left, right, "").slice(0, MOST),
  };
}

/** The divergence with the lowest position in the record: parallel branches diverge together, in any order. */
export function firstOf(found: readonly Divergence[], record: readonly Positioned[]): Divergence | undefined {
  const first = found.toSorted((left, right) => left.index - right.index)[0];
  if (first === undefined) return undefined;
  const before = record.findLast(
    ({ recorded: { event, scope }, index }) =>
      event.kind === "checkpoint" && index < first.index && scope.thread === first.thread,
  )?.recorded;
  if (before?.event.kind !== "checkpoint" || before.scope.step === undefined) return first;
  return { ...first, checkpoint: { id: before.event.id, step: before.scope.step } };
}

const DIVERGENCE = Symbol.for("bulkhead.DivergenceError");

/** Thrown where a replay parts from its record, to stop that branch. What is told of it is in the report. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
  readonly code = "DIVERGENCE";
  readonly [DIVERGENCE] = true;

  static isInstance(error: unknown): error is DivergenceError {
    return typeof error === "object" && error !== null && DIVERGENCE in error;
  }
}
