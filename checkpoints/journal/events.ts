// Everything a run records, as one union. The live progress of the command line, `inspect` and the usage counts
// all read these events; there is no second channel.

import type { CapacityEvent, Obtained } from "../../capacity/types.js";
import type { Cause, Deficit, FloorSpecification, Label, Verdict } from "../../trust/index.js";

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
  /** This thread goes on from a step of another one. */
  | {
      readonly kind: "thread.derived";
      readonly from: string;
      /** The superstep of the checkpoint. */
      readonly step: number;
      readonly as: "rewind" | "fork";
      readonly floor: Label;
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
      /** What the planner was told, when it was not what the call asked for: an error, a refusal, a block. */
      readonly error?: string;
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
  /** A node was given values that nothing in this thread wrote; `values` says where they stand. */
  | { readonly kind: "label.missing"; readonly values: readonly string[] }
  /** Somebody wrote into the state from outside of a run. `by` is unset when nobody checked who it was. */
  | { readonly kind: "state.update"; readonly fields: readonly string[]; readonly by?: string; readonly as?: string }
  | {
      readonly kind: "gate.decision";
      readonly tool: string;
      readonly toolDigest: string;
      readonly callId: string;
      /** As the planner gave them, or as a person edited them. */
      readonly arguments: Readonly<Record<string, unknown>>;
      readonly verdict: Verdict;
      readonly considered: Label;
      /** The tool's own floor; part of what was judged. */
      readonly floor?: FloorSpecification;
      readonly repeats: boolean;
      readonly changed: boolean;
      readonly deficits: readonly Deficit[];
      readonly reasons: readonly string[];
      readonly binding: string;
      readonly approval?: string;
      /** The policy's digest; the journal has the document. */
      readonly policy: string;
    }
  | { readonly kind: "approval.requested"; readonly id: string; readonly tool: string }
  | {
      readonly kind: "approval.decided";
      readonly id: string;
      readonly tool: string;
      readonly decision: "approved" | "rejected" | "edited" | "cancelled";
      readonly by: string;
      readonly authenticated?: "cli" | "server" | "none";
      readonly reason?: string;
    }
  /** An answer that decided nothing: from somebody who may not, or not valid for what was asked. */
  | {
      readonly kind: "approval.refused";
      readonly id: string;
      readonly tool: string;
      readonly by: string;
      readonly authenticated: "cli" | "server" | "none";
      readonly why: string;
    }
  | {
      readonly kind: "effect";
      readonly tool: string;
      readonly key: string;
      readonly status: EffectStatus;
      readonly error?: string;
      /** Who settled it, when a person did, and what they found. */
      readonly by?: string;
      readonly note?: string;
      /** The key of the effect that this one takes back. */
      readonly compensates?: string;
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
