// How the lane of a subagent is named in the record, and what else an event says of where and how far a thread is.

import type { Label } from "../trust/index.js";
import type { HarnessEvent } from "./journal/events.js";

/** The lane of what a subagent does for one call: `reader:call_1`. */
export const laneOf = (subagent: string, callId: string | undefined): string => `${subagent}:${callId}`;

/** The subagent a lane belongs to: `reader` of `reader:call_1`. */
export const subagentOf = (lane: string): string => lane.split(":")[0] ?? lane;

/** The label that the thread has at most after this event; `undefined` where the event says nothing of it. */
export function trustIn(event: HarnessEvent): Label | undefined {
  if (event.kind === "trust.fell") return event.to;
  return event.kind === "thread.derived" ? event.floor : undefined;
}
