// Where in a record an event stands: its lane under a name a person can tell from others, and its superstep as a
// stretch of the record. Pure.

import { type RecordedEvent, subagentOf } from "../../checkpoints/index.js";

/** Names the lanes of a record: `reader#1` is the first `reader` that appears. The run's own lane has no name. */
export class LaneNames {
  private readonly names = new Map<string, string>();
  private readonly amounts = new Map<string, number>();

  of({ scope: { lane } }: RecordedEvent): string | undefined {
    if (lane === undefined) return undefined;
    const known = this.names.get(lane);
    if (known !== undefined) return known;
    const subagent = subagentOf(lane);
    const number = (this.amounts.get(subagent) ?? 0) + 1;
    this.amounts.set(subagent, number);
    const name = `${subagent}#${number}`;
    this.names.set(lane, name);
    return name;
  }
}

/** The supersteps of the run's own lane, in order and once each. */
export const stepsOf = (events: readonly RecordedEvent[]): readonly number[] => [
  ...new Set(
    events.flatMap(({ scope, event }) => {
      const isOwn = scope.lane === undefined && scope.step !== undefined && event.kind !== "checkpoint";
      return isOwn ? (scope.step ?? []) : [];
    }),
  ),
];

/**
 * The events of superstep `step`, those of the subagents that ran within it included: whatever lies between its first
 * and its last event. A step that a resume went through again has both stretches.
 */
export function eventsOfStep(events: readonly RecordedEvent[], step: number): readonly RecordedEvent[] {
  const chosen: RecordedEvent[] = [];
  let within: RecordedEvent[] | undefined;
  for (const each of events) {
    if (each.scope.lane === undefined && each.scope.step === step) {
      chosen.push(...(within ?? []), each);
      within = [];
    } else if (each.scope.lane === undefined) within = undefined;
    else within?.push(each);
  }
  return chosen;
}
