// A thread's record as a timeline: its runs one after the other, a line for each thing that happened, and the trust,
// which only falls. Pure: from events to entries. How they look in a terminal is `print.ts`.

import { type RecordedEvent, type RunStatus, trustIn } from "../../checkpoints/index.js";
import { AXES, type Label, meet, sameLabel, TOP } from "../../trust/index.js";
import { type Description, describe, describeFall } from "./describe.js";
import { LaneNames } from "./lanes.js";

/** One run of the thread. */
export interface InspectedRun {
  readonly run: string;
  /** Milliseconds since the epoch: its first event, and its end or else its last event. */
  readonly from: number;
  readonly to: number;
  /** `unknown` when the record has no end: it still runs, or it was killed. */
  readonly status: RunStatus | "unknown";
  readonly events: number;
}

/** One line of the timeline. */
export interface TimelineEntry extends Description {
  readonly run: string;
  /** The event's number within its run. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: string;
  readonly step?: number;
  readonly node?: string;
  /** The subagent's lane, as `reader#1`; unset in the run's own. */
  readonly lane?: string;
  /** The trust after this event. Set only where it fell. */
  readonly trust?: Label;
}

/** A thread's record. */
export interface Timeline {
  readonly runs: readonly InspectedRun[];
  readonly entries: readonly TimelineEntry[];
  /** The trust at the end. */
  readonly trust: Label;
}

/** Makes the timeline of one thread's events, in the order of recording. */
export function timelineOf(events: readonly RecordedEvent[]): Timeline {
  const runs = new Map<string, InspectedRun>();
  const entries: TimelineEntry[] = [];
  const names = new LaneNames();
  let trust = TOP;
  for (const recorded of events) {
    const { scope, at, event } = recorded;
    const lane = names.of(recorded);
    const known = runs.get(scope.run) ?? { run: scope.run, from: at, to: at, status: "unknown", events: 0 };
    const counted = { ...known, events: known.events + 1 };
    if (event.kind === "run.end") runs.set(scope.run, { ...counted, to: at, status: event.status });
    else runs.set(scope.run, known.status === "unknown" ? { ...counted, to: at } : counted);
    const before = trust;
    trust = meet(trust, trustIn(event) ?? TOP);
    const description = event.kind === "trust.fell" ? fallOf(event.causes, before, trust) : describe(event);
    if (description === undefined) continue;
    entries.push({
      ...placeOf(recorded, lane),
      ...description,
      ...(sameLabel(before, trust) ? {} : { trust }),
    });
  }
  return { runs: [...runs.values()], entries, trust };
}

/** Where an event stands, as a line of the timeline says it. */
export const placeOf = ({ scope, seq, at, event }: RecordedEvent, lane: string | undefined) => ({
  ...{ run: scope.run, seq, at, kind: event.kind },
  ...(scope.step === undefined ? {} : { step: scope.step }),
  ...(scope.node === undefined ? {} : { node: scope.node }),
  ...(lane === undefined ? {} : { lane }),
});

/** Parallel branches, and the step that waits for them, report the same fall; it is told once. */
function fallOf(
  causes: readonly { readonly axis: string; readonly reason: string }[],
  before: Label,
  after: Label,
): Description | undefined {
  const fallen = AXES.filter((axis) => after[axis] < before[axis]);
  if (fallen.length === 0) return undefined;
  const reasons = new Set(causes.flatMap(({ axis, reason }) => (fallen.some((each) => each === axis) ? reason : [])));
  return { text: `${describeFall(before, after)}: ${[...reasons].join("; ")}`, tone: "warn" };
}
