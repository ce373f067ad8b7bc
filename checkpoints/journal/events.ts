// Everything a run records, as one union. The live progress of the command line, `inspect` and the usage counts
// all read these events; there is no second channel.

import type { BudgetLimits } from "../../capacity/budget-limits.js";
import type { CapacityEvent, Obtained } from "../../capacity/types.js";
import type { Cause, Deficit, FloorSpecification, Label, Verdict } from "../../trust/index.js";

/** How a run ended. */
export type RunStatus = "running" | "finished" | "failed" | "waiting" | "blocked" | "parked" | "spent" | "interrupted";

/** The states an effect goes through. */
export type EffectStatus = "intended" | "dispatched" | "committed" | "failed" | "in_doubt";

/**
 * Where in a run an event happened. `step` is LangGraph's superstep; `lane` names a subagent's branch; `send` is the
 * place among the tasks that `Send` made, for a node that one of them started.
 */
export interface Scope {
  readonly thread: string;
  readonly run: string;
  readonly node?: string;
  readonly step?: number;
  readonly lane?: string;
  readonly send?: number;
}

/** Names a text that is kept beside the events, under the SHA-256 of what is kept: {@link Journal.texts} has it. */
export type TextDigest = string;

/** A prompt as it was sent. `promptOf` puts it together again, byte for byte. */
export interface RecordedPrompt {
  /** Everything else of the request's body; where messages and tools stood is `null`. Unset: see `whole`. */
  readonly frame?: Readonly<Record<string, unknown>>;
  /** Digests of the messages, each as JSON: full pages of 16 digests, joined by line feeds, as texts of their own, then the rest. */
  readonly pages?: readonly TextDigest[];
  readonly rest?: readonly TextDigest[];
  /** The tools, as one JSON array. */
  readonly tools?: TextDigest;
  /** The body as it was, when taking it apart would change it. */
  readonly whole?: TextDigest;
}

/** What became of asking something outside of the graph. */
export interface Outcome {
  readonly ok: boolean;
  /** What came back, before anything was cut from it: as text, or else as JSON. */
  readonly output?: TextDigest;
  /** The size of that in bytes. */
  readonly bytes?: number;
  readonly error?: string;
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
      /** What ran: versions of Node and of this package, and digests of the graph's wiring and of the lock file. */
      readonly code?: Readonly<Record<string, string>>;
      /** What the run may use, with what it used before it was resumed. */
      readonly budget?: BudgetLimits;
    }
  /** What the graph was given: by the command line, a server, Studio or a program. */
  | {
      readonly kind: "input";
      /** `input`: state to begin or go on with. `resume`: nothing, or an answer to what the graph had asked. */
      readonly as: "input" | "resume";
      /** As JSON; unset for a bare resume. */
      readonly value?: TextDigest;
      /** Whom the server had authenticated. */
      readonly by?: string;
    }
  /** A checkpoint was saved. */
  | {
      readonly kind: "checkpoint";
      readonly id: string;
      readonly parent?: string;
      /** `input`, `loop`, `update` or `fork`, as LangGraph says. */
      readonly source: string;
      /** SHA-256 of the state, without what differs between any two runs: ids of messages, times of files. */
      readonly digest: string;
    }
  /** The contents of everything recorded so far were erased: bodies, texts, labels, approvals, effects. */
  | {
      readonly kind: "thread.erased";
      readonly by: string;
      readonly reason: string;
      /** How many events lost their bodies. */
      readonly events: number;
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
  | {
      readonly kind: "node.start";
      /** What made it run: channels, or `__pregel_push` for a `Send`. */
      readonly triggers?: readonly string[];
      /** From 1. Set when LangGraph retries the node. */
      readonly attempt?: number;
    }
  | {
      readonly kind: "node.end";
      readonly ms: number;
      readonly error?: string;
      /** It stopped to ask or to wait, and starts again from its first line when the run goes on. */
      readonly interrupted?: true;
      /** The caller ended it: what it did led to nothing. */
      readonly aborted?: true;
    }
  /** What a node read of the store and of the operator's files. */
  | {
      readonly kind: "recall";
      readonly sources: readonly string[];
      /** Skills that could not be used and are missing, each with its file and why. */
      readonly unusable?: readonly string[];
      /** What was searched for. */
      readonly query?: TextDigest;
      /** Keys of the memories in the order in which the store returned them. */
      readonly keys?: readonly string[];
      /** What was read, as JSON: the context and the mark of having read it. */
      readonly output?: TextDigest;
    }
  /** Calls that the thread has no answer to, and what became of them as far as the ledger knows. */
  | {
      readonly kind: "lost.calls";
      readonly calls: readonly {
        readonly callId: string;
        readonly tool: string;
        /**
         * `cancelled`: the user went on before it ran. `begun`: a subagent, which may have. `unanswered`: its answer is gone.
         * `done`, `failed`, `in doubt`: what the ledger says of its effect.
         */
        readonly outcome: "cancelled" | "begun" | "unanswered" | "done" | "failed" | "in doubt";
        /** The effect's. */
        readonly key?: string;
      }[];
    }
  /** A node looked at the clock: milliseconds since the epoch. */
  | { readonly kind: "clock"; readonly at: number }
  /** A node drew a random number: at least 0, less than 1. */
  | { readonly kind: "random"; readonly value: number }
  | { readonly kind: "plan"; readonly todos: readonly { readonly content: string; readonly status: string }[] }
  | {
      readonly kind: "admission";
      readonly resource: string;
      readonly decision: "admit" | "queue" | "degrade" | "park" | "shed";
      readonly waitMs: number;
      readonly reason?: string;
      /** Which routes may answer what was admitted. */
      readonly routes?: "primary-only" | "any-route";
      /** Until when the primary is waited for before another route may answer, in milliseconds since the epoch. */
      readonly primaryUntil?: number;
    }
  | { readonly kind: "capacity"; readonly event: CapacityEvent; readonly call?: string }
  /** A prompt left for a provider. A retry of the same prompt on the same route is not told again. */
  | {
      readonly kind: "model.request";
      /** Names the call among all of the run: request, capacity events and response share it. */
      readonly call: string;
      readonly provider: string;
      /** Host and path. */
      readonly endpoint: string;
      /** The model that is asked. */
      readonly route: string;
      /** SHA-256 of the body as sent. */
      readonly digest: string;
      /** The size of the body as sent. */
      readonly bytes: number;
      readonly prompt: RecordedPrompt;
    }
  | {
      readonly kind: "model.response";
      readonly call?: string;
      readonly obtained: Obtained;
      readonly toolCalls: readonly string[];
      /** The last body that came back, as it came: JSON, or the lines of a stream. Unset for a cached answer. */
      readonly raw?: TextDigest;
      /** The message, as LangChain stores it. Only for a cached answer, of which nothing came over the wire. */
      readonly message?: TextDigest;
      /** What the provider told of its engine, and of the batch in which it computed this. */
      readonly engine?: Readonly<Record<string, string>> | "unavailable";
      readonly batch?: Readonly<Record<string, string>> | "unavailable";
    }
  | {
      readonly kind: "model.error";
      readonly call?: string;
      readonly error: string;
      /** The class's name, its code and its reason, when it has them. */
      readonly name?: string;
      readonly code?: string;
      readonly reason?: string;
      /** The last body that came back. */
      readonly raw?: TextDigest;
    }
  /** A tool was asked, and this is what it gave, before anything was cut from it or told to the planner. */
  | ({
      readonly kind: "tool.output";
      readonly tool: string;
      /** `run` and `compensate` act; `preview` and `probe` only look. */
      readonly use: "run" | "preview" | "probe" | "compensate";
      /** SHA-256 of the tool's definition. */
      readonly definition: string;
      /** SHA-256 of the canonical JSON of its arguments. */
      readonly arguments: string;
      /** The idempotency key, where there is one. */
      readonly key?: string;
      readonly label?: Label;
      readonly causes?: readonly Cause[];
      /** Set when it failed without saying whether anything happened. */
      readonly unclear?: true;
      readonly ms: number;
    } & Outcome)
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
  | { readonly kind: "subagent.start"; readonly subagent: string; readonly task: string; readonly callId?: string }
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
  | {
      readonly kind: "state.update";
      readonly fields: readonly string[];
      readonly by?: string;
      readonly as?: string;
      readonly values?: TextDigest;
    }
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
      /** The call it is of. */
      readonly callId?: string;
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
