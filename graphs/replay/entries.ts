// What a tape has to give out: the model calls of a record, and everything else that came from outside. Pure.

import type { EventOf, OutsideKind } from "../../nodes/index.js";
import { type Positioned, placeOf } from "./place.js";

/** A recorded model call. */
export interface Call {
  readonly place: string;
  readonly index: number;
  /** When it began to wait for its turn, as far as the record says, and when its answer came. In ms since the epoch. */
  began: number;
  ended: number;
  request?: EventOf<"model.request">;
  readonly first: Positioned;
  answer?: EventOf<"model.response"> | EventOf<"model.error">;
  used: boolean;
}

/** Whether a call had its answer before another one began. Times are whole milliseconds, and waits are rounded. */
export const isOver = (call: Call, other: Call): boolean => call.index < other.index && call.ended <= other.began + 1;

/** Something else that came from outside. */
export interface Item extends Positioned {
  readonly place: string;
  used: boolean;
}

const OUTSIDE_KINDS: ReadonlySet<string> = new Set<OutsideKind>([
  "tool.output",
  "recall",
  "admission",
  "lost.calls",
  "clock",
  "random",
]);

/** The model calls of a record, in the order in which they began. */
export function callsIn(record: readonly Positioned[]): readonly Call[] {
  const calls = new Map<string, Call>();
  for (const each of record) {
    const { event, scope, at } = each.recorded;
    if (event.kind !== "model.request" && event.kind !== "model.response" && event.kind !== "model.error") continue;
    const id = event.call ?? `${each.index}`;
    const call = calls.get(id) ?? {
      ...{ place: placeOf(scope), index: each.index, began: at, ended: at, first: each, used: false },
    };
    calls.set(id, call);
    if (event.kind === "model.request") call.request = event;
    else {
      call.answer = event;
      // How long a call waited that failed in the end, nothing says: it may have begun at any time.
      call.began -= event.kind === "model.response" ? event.obtained.queueMs : Number.POSITIVE_INFINITY;
    }
    call.ended = at;
  }
  return [...calls.values()];
}

/** Everything else that came from outside, in order. */
export const itemsIn = (record: readonly Positioned[]): readonly Item[] =>
  record.flatMap((each) =>
    OUTSIDE_KINDS.has(each.recorded.event.kind) ? [{ ...each, place: placeOf(each.recorded.scope), used: false }] : [],
  );

/** `run of refund_order`, `admission`: what was asked for, in words. */
export function nameOf(event: { readonly kind: string }): string {
  const { kind, tool, use } = event as { kind: string; tool?: unknown; use?: unknown };
  return tool === undefined ? kind : `${String(use)} of ${String(tool)}`;
}
