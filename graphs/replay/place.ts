// Where in a run something happened, in words that are the same for every run of the same graph: ids of runs,
// checkpoints and tasks are not among them. Source: trust-replay.md, section 7.

import { laneOf, type RecordedEvent, type Scope } from "../../checkpoints/index.js";

/** A recorded event and its position in the whole record. */
export interface Positioned {
  readonly recorded: RecordedEvent;
  readonly index: number;
}

/** Thread, lane, superstep, node, and which of the tasks that `Send` made. */
export const placeOf = ({ thread, lane, step, node, send }: Scope): string =>
  [thread, lane ?? "", step ?? "", node ?? "", send ?? ""].join("\n");

/** The same for all tasks that `Send` made of one node: which of them came first may change, and nothing else with it. */
export const withoutSend = (place: string): string => place.slice(0, place.lastIndexOf("\n"));

/** Where in a record something would stand that is not in it: at the end of its place, or else where its superstep begins. */
export function whereMissing(record: readonly Positioned[], scope: Scope): Positioned | undefined {
  const { thread, lane, step = 0 } = scope;
  const isHere = ({ recorded: { scope: other } }: Positioned): boolean =>
    other.thread === thread && other.lane === lane;
  return (
    record.findLast(({ recorded }) => placeOf(recorded.scope) === placeOf(scope)) ??
    record.find((each) => isHere(each) && each.recorded.scope.step === step) ??
    record.findLast((each) => isHere(each) && (each.recorded.scope.step ?? 0) < step) ??
    record.find(
      ({ recorded: { event } }) => event.kind === "subagent.start" && laneOf(event.subagent, event.callId) === lane,
    ) ??
    record.at(-1)
  );
}

/** `step 12, planner in reader:call_1` */
export const describePlace = ({ lane, step, node, send }: Scope): string => {
  const which = send === undefined ? "" : ` (task ${send + 1})`;
  return `step ${step ?? "?"}, ${node ?? "outside of the graph"}${which}${lane === undefined ? "" : ` in ${lane}`}`;
};
