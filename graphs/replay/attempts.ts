// Which part of a record counts. A node that a crash or Ctrl-C cut off ran again from its first line; what it did the
// first time is in the record and led to nothing. A node that stopped to ask ran again too, but that belongs to the run.

import { laneOf, type RecordedEvent } from "../../checkpoints/index.js";
import { type Positioned, placeOf } from "./place.js";

/** One execution of a node. */
interface Attempt {
  readonly events: Positioned[];
  readonly from: number;
  /** Unset when it was cut off: by a crash, or by its caller. */
  end?: "done" | "failed" | "interrupted";
}

/** What counts of a record. */
export interface Counted {
  /** The events that led to what the thread became, in the order of recording. */
  readonly record: readonly Positioned[];
  /** Positions of those among them that were done once more later: a node stopped to ask, and went on from its start. */
  readonly repeated: ReadonlySet<number>;
  /** Positions where a node began that never ended. */
  readonly cutAt: readonly number[];
}

/** Sorts out what counts of a record. */
export function eventsThatCount(events: readonly RecordedEvent[]): Counted {
  const places = new Map<string, Attempt[]>();
  const positioned = events.map((recorded, index): Positioned => ({ recorded, index }));
  for (const each of positioned) {
    const { scope, event } = each.recorded;
    if (scope.node === undefined) continue;
    const place = placeOf(scope);
    const attempts = places.get(place) ?? [];
    places.set(place, attempts);
    if (event.kind === "node.start") attempts.push({ events: [], from: each.index });
    const attempt = attempts.at(-1);
    if (attempt === undefined) continue; // A node that is none of the harness's: nothing tells its attempts apart.
    attempt.events.push(each);
    if (event.kind !== "node.end" || event.aborted) continue;
    attempt.end = event.interrupted ? "interrupted" : event.error === undefined ? "done" : "failed";
  }
  const dropped = new Set<number>();
  const cutAt: number[] = [];
  const repeated = new Set<number>();
  for (const attempts of places.values()) {
    for (const [index, attempt] of attempts.entries()) {
      const next = attempts[index + 1];
      const to = next?.from ?? events.length;
      if (attempt.end === undefined) cutAt.push(attempt.from);
      const lost = attempt.end === undefined || (attempt.end === "done" && next !== undefined);
      if (lost) mark(attempt, to, positioned, dropped, attempt.end === "done" ? () => true : beginsAnew);
      else if (attempt.end === "interrupted" && next !== undefined) {
        mark(attempt, to, positioned, repeated, () => true);
      }
    }
  }
  for (const index of untaken(positioned)) dropped.add(index);
  return { record: positioned.filter(({ index }) => !dropped.has(index)), repeated, cutAt };
}

/** Inputs that the graph was killed over before it had them: nothing was saved, and the same was said again. */
function untaken(events: readonly Positioned[]): readonly number[] {
  const found: number[] = [];
  let last: { readonly index: number; readonly value: string | undefined } | undefined;
  for (const { index, recorded } of events) {
    const { event, scope } = recorded;
    if (event.kind === "checkpoint") last = undefined;
    if (event.kind !== "input" || scope.node !== undefined) continue;
    if (last !== undefined && event.as === "input" && event.value === last.value) found.push(last.index);
    last = event.as === "input" ? { index, value: event.value } : undefined;
  }
  return found;
}

/** Whether a subagent that was cut off began anew later. Else it went on from its own checkpoint: what it did before counts. */
const beginsAnew = (before: readonly Positioned[], after: readonly Positioned[]): boolean =>
  after.length > 0 && earliest(after) <= earliest(before);

const earliest = (events: readonly Positioned[]): number =>
  Math.min(...events.map(({ recorded }) => recorded.scope.step ?? 0));

/** With what subagents did for it, as far as `withLane` says. */
function mark(
  { events, from }: Pick<Attempt, "events" | "from">,
  to: number,
  all: readonly Positioned[],
  marked: Set<number>,
  withLane: (before: readonly Positioned[], after: readonly Positioned[]) => boolean,
): void {
  for (const { index, recorded } of events) {
    marked.add(index);
    const { event, scope } = recorded;
    if (event.kind !== "subagent.start" || event.callId === undefined) continue;
    const lane = laneOf(event.subagent, event.callId);
    const isBelow = ({ recorded: { scope: other } }: Positioned): boolean =>
      other.lane === lane && other.thread === scope.thread;
    const below = all.slice(from, to).filter(isBelow);
    if (withLane(below, all.slice(to).filter(isBelow))) mark({ events: below, from }, to, all, marked, withLane);
  }
}
