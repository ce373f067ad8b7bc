// Everything a run records, as one union. The live progress of the command line, `inspect` and the usage counts
// all read these events; there is no second channel.

import type { CapacityEvent, Obtained } from "../../capacity/types.js";
import type { Cause, Deficit, Label, Verdict } from "../../trust/index.js";

/** How a run ended. */
export type RunStatus = "running" | "finished" | "failed" | "waiting" | "blocked" | "parked" | "interrupted";

/** The states an effect goes through. */
export type EffectStatus = "intended" | "dispatched" | "committed" | "failed" | "in_doubt";

/** Where in a run an event happened. `step` is LangGraph's superstep; `lane` names a subagent's branch. */
export interface Scope {
  readonly thread: string;
  readonly run: string;
  readonly node?: string;
  readonly step?: number;
  readonly lane?: string;
}

/** One thing that happened. `kind` follows trust-replay.md, section 6. */
export type HarnessEvent =
  | {
      readonly kind: "run.start";
      readonly graph: string;
      readonly task?: string;
      readonly model: string;
      readonly offline: boolean;
      readonly resumed: boolean;
      /** The folder the run's tools work on, absolute. A resume goes on there. */
      readonly workspace?: string;
    }
  | { readonly kind: "run.end"; readonly status: RunStatus; readonly error?: string }
  | { readonly kind: "node.start" }
  | { readonly kind: "node.end"; readonly ms: number; readonly error?: string }
  | { readonly kind: "recall"; readonly sources: readonly string[] }
  | { readonly kind: "plan"; readonly todos: readonly { readonly content: string; readonly status: string }[] }
  | {
      readonly kind: "admission";
      readonly resource: string;
      readonly decision: "admit" | "queue" | "degrade" | "park" | "shed";
      readonly waitMs: number;
      readonly reason?: string;
    }
  | { readonly kind: "capacity"; readonly event: CapacityEvent }
  | { readonly kind: "model.response"; readonly obtained: Obtained; readonly toolCalls: readonly string[] }
  | { readonly kind: "model.error"; readonly error: string }
  | {
      readonly kind: "tool.response";
      readonly tool: string;
      readonly callId: string;
      /** As the planner gave them. */
      readonly arguments: Readonly<Record<string, unknown>>;
      readonly ok: boolean;
      readonly ms: number;
      readonly label: Label;
    }
  | { readonly kind: "subagent.start"; readonly subagent: string; readonly task: string }
  | {
      readonly kind: "subagent.end";
      readonly subagent: string;
      readonly ok: boolean;
      readonly label: Label;
      readonly ms: number;
    }
  | { readonly kind: "trust.fell"; readonly from: Label; readonly to: Label; readonly causes: readonly Cause[] }
  | {
      readonly kind: "gate.decision";
      readonly tool: string;
      readonly callId: string;
      /** As the planner gave them. */
      readonly arguments: Readonly<Record<string, unknown>>;
      readonly verdict: Verdict;
      readonly considered: Label;
      readonly deficits: readonly Deficit[];
      readonly approval?: string;
      readonly policy: string;
    }
  | { readonly kind: "approval.requested"; readonly id: string; readonly tool: string }
  | {
      readonly kind: "approval.decided";
      readonly id: string;
      readonly tool: string;
      readonly decision: "approved" | "rejected";
      readonly by: string;
      readonly reason?: string;
    }
  | {
      readonly kind: "effect";
      readonly tool: string;
      readonly key: string;
      readonly status: EffectStatus;
      readonly error?: string;
    }
  | { readonly kind: "compact"; readonly evicted: readonly string[]; readonly summarised: number };

/** An event as it stands in the journal. `seq` counts from 1 within its run. */
export interface RecordedEvent {
  readonly scope: Scope;
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly event: HarnessEvent;
}
