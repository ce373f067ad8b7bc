// The journal: what must survive a crash and must not be replaced by Studio or a server. Threads and their floors,
// the record of events, approvals, effects and leases, in a database that this module opens itself.

import type { Clock } from "../../capacity/clock.js";
import type { Cause, Deficit, Label, Seal } from "../../trust/index.js";
import type { EffectStatus, HarnessEvent, RecordedEvent, RunStatus, Scope, TextDigest } from "./events.js";
import type { Recording, StoredRecording } from "./recording.js";

/** A thread as the journal knows it. A thread it does not know has no label. */
export interface ThreadRecord {
  readonly thread: string;
  /** The thread this one was derived from; itself when it was not. Effects and labels belong to the root. */
  readonly root: string;
  readonly graph: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly status: RunStatus;
  readonly task: string | undefined;
  /** The lowest label ever committed under this thread; the bottom when the record is `forged`. */
  readonly floor: Label;
  /** Whether something but this harness, with its key, wrote or changed root or floor. */
  readonly forged: boolean;
}

/**
 * The state of an approval. `expired` is derived when it is read after `expiresAt`; `forged` when its seal does not fit,
 * that is when anything but this harness, with its key, wrote or changed the record. A forged approval allows nothing.
 */
export type ApprovalStatus = "pending" | "approved" | "rejected" | "cancelled" | "consumed" | "expired" | "forged";

/** Who decides, and how that is known. */
export interface Approver {
  readonly by: string;
  /** `cli`: the operating system's user; `server`: the server's authentication (API token, Studio user); `none`: nobody checked. */
  readonly authenticated: "cli" | "server" | "none";
}

/** What a person is asked, bound to exactly what was shown. Source: trust-replay.md, section 5.5. */
export interface ApprovalRequest {
  /** Deterministic: the same pending action of the same thread under the same binding has the same id. */
  readonly id: string;
  readonly thread: string;
  readonly root: string;
  readonly run: string;
  /** What the run was told to do: a run that is resumed under another id is still the same. */
  readonly task?: string;
  /** The node, superstep and lane that ask: `gate#12`, or `gate#3 in auditor#1`. */
  readonly requester: string;
  readonly tool: string;
  /** Implementation and schema of the tool. */
  readonly toolDigest: string;
  readonly callId: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Exactly the text a person is shown, control and bidirectional characters escaped. */
  readonly view: string;
  /** Digest of what the tool's preview says must still hold. Unset: the tool has no preview. */
  readonly preconditions: string | undefined;
  /** Digest over everything above but id, run, requester and view, and over policy and considered label. */
  readonly binding: string;
  readonly considered: Label;
  readonly causes: readonly Cause[];
  readonly deficits: readonly Deficit[];
  /** What else made the gate ask, in words: a repetition, a changed tool. */
  readonly reasons: readonly string[];
  /** Illegal writes to the trust channel that the thread had seen by then. */
  readonly violations: number;
  readonly policyDigest: string;
  /** Milliseconds since the epoch. No decision and no use is valid before it. */
  readonly notBefore: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** An approval with its decision. */
export interface ApprovalRecord extends ApprovalRequest {
  readonly status: ApprovalStatus;
  readonly createdAt: number;
  readonly decidedBy: string | undefined;
  /** How `decidedBy` was authenticated. */
  readonly authenticated: Approver["authenticated"] | undefined;
  readonly reason: string | undefined;
  readonly decidedAt: number | undefined;
  /** The arguments a person put in place of these. The approval is `cancelled` then; the new ones need one of their own. */
  readonly edited: Readonly<Record<string, unknown>> | undefined;
  /** The key of the effect that used it up. */
  readonly usedBy: string | undefined;
  /** SHA-256 over every field of this record and of its history. */
  readonly hash: string;
}

/** What the gate allows to be dispatched. Written by the gate, read by act: the frozen arguments live here. */
export interface EffectIntent {
  /** Idempotency key: the same action of the same thread has the same key on every retry and resume. */
  readonly key: string;
  readonly thread: string;
  /** The thread under whose key it can happen once. */
  readonly root: string;
  readonly run: string;
  readonly tool: string;
  readonly callId: string;
  /** Names the call among all that may share its id: a digest of the message it stands in, and its place there. */
  readonly intent: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The arguments as the tool's schema makes them, when that is something else. `null`: it cannot be said. */
  readonly effective?: Readonly<Record<string, unknown>> | null;
  /** The arguments that identify the effect. Unset: all. */
  readonly identity?: readonly string[];
  readonly binding: string;
  readonly considered: Label;
  readonly policyDigest: string;
  /** See {@link ApprovalRequest.preconditions}. */
  readonly preconditions: string | undefined;
  /** The key of the effect that this one takes back. */
  readonly compensates: string | undefined;
  /** Whether it may happen although another call did the same under this root: a person was told, or it does no harm. */
  readonly mayRepeat: boolean;
  /** The approval that lets it pass, when the label alone did not. */
  readonly approval: string | undefined;
}

/** Who settled an effect that was in doubt, and what they found. */
export interface EffectResolution {
  readonly by: string;
  readonly note: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** How an effect ended. */
export interface EffectOutcome {
  readonly status: "committed" | "failed" | "in_doubt";
  readonly receipt?: string;
  /** The label of the receipt. A replayed receipt brings it along. */
  readonly receiptLabel?: Label;
  readonly error?: string;
  readonly learnt?: string;
}

/** An effect in the ledger. */
export interface EffectRecord extends EffectIntent {
  /** `forged`: something but this harness, with its key, wrote or changed the row. Nothing is done by it. */
  readonly status: EffectStatus | "forged";
  readonly receipt: string | undefined;
  /** Unset when the receipt did not come from the tool itself. */
  readonly receiptLabel: Label | undefined;
  readonly error: string | undefined;
  /** How the outcome was learnt, when that was not from the first answer to the call: a cause of lower certainty. */
  readonly learnt: string | undefined;
  /** Present when a person settled it. */
  readonly resolution: EffectResolution | undefined;
  readonly attempts: number;
  readonly updatedAt: number;
}

/** Held while a run works on a thread. */
export interface Lease {
  /** Renews itself until released. Aborts when the lease was lost to another owner. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** A text that is kept beside the events, under the SHA-256 of what is kept. */
export interface KeptText {
  readonly digest: TextDigest;
  /** With tags in place of the declared secrets. */
  readonly text: string;
  /** The size of the text in bytes. */
  readonly bytes: number;
}

/** The journal. Opens its database at first use; every method rejects with `JournalError` when it cannot read or write. */
export interface Journal {
  readonly url: string;
  readonly clock: Clock;
  /** Signs what must not be forged in a database: approvals, labels, memories. Its key is outside the database. */
  readonly seal: Seal;
  /** A fresh unique id with the prefix given: `journal.id("thread")` is `thread-…`. */
  id(prefix: string): string;

  /**
   * Prepares a text that an event will name: replaces the declared secrets in it by tags, and names what is left. Nothing
   * is written yet.
   */
  keep(text: string): KeptText;
  /**
   * Appends one event, together with the texts that it names, then tells the subscribers. `seq` is allocated in the same
   * transaction. Declared secrets in the event are replaced by tags before anything is hashed.
   */
  append(scope: Scope, event: HarnessEvent, texts?: readonly KeptText[]): Promise<RecordedEvent>;
  /** The texts that events of this thread name; all of them without `digests`. One that was erased is missing. */
  texts(thread: string, digests?: readonly TextDigest[]): Promise<ReadonlyMap<TextDigest, string>>;
  /**
   * Erases what was recorded of a thread: its key, and with it the bodies of its events, texts, labels, approvals and
   * effects. The chain of events stays, and says who erased them. Returns how many events lost their bodies. The caller
   * holds the thread's lease, and erases its checkpoints.
   */
  erase(thread: string, by: string, reason: string): Promise<number>;
  /** Events in order of recording. */
  events(query: { readonly thread: string; readonly run?: string }): Promise<readonly RecordedEvent[]>;
  /**
   * Calls `listener` for each event appended through this object, after its commit and in order. Returns the function
   * that ends it. A listener that throws does not fail the append: its error becomes a process warning.
   */
  subscribe(listener: (event: RecordedEvent) => void): () => void;

  /** A thread as it is stored, unchecked, for verification and export. */
  recording(thread: string): Promise<Recording>;
  /**
   * Takes over the recording of a thread from another database, as it is. Its approvals stay behind: each allows one
   * thing once, and a copy would allow it twice. Returns `false`, and changes nothing, when thread or runs are known.
   */
  adopt(recording: StoredRecording): Promise<boolean>;

  /**
   * Registers a fresh thread with its first label. `root` is the thread it was derived from, when it was. Returns
   * `false`, and changes nothing, when it was known already.
   */
  beginThread(thread: string, graph: string, label: Label, root?: string): Promise<boolean>;
  thread(thread: string): Promise<ThreadRecord | undefined>;
  /** Most recently updated first. */
  threads(): Promise<readonly ThreadRecord[]>;
  /** A thread nobody began is registered at the bottom. */
  updateThread(
    thread: string,
    change: { readonly status?: RunStatus; readonly task?: string; readonly graph?: string },
  ): Promise<void>;
  /** Meets `label` into the thread's floor. A thread the journal does not know gets the bottom. */
  lowerFloor(thread: string, label: Label): Promise<void>;

  /** Keeps the label of a value under the value's digest, met with what this thread knew of it. */
  recordLabels(thread: string, values: readonly { readonly digest: string; readonly label: Label }[]): Promise<void>;
  /**
   * The labels of these digests in this thread, or in its root where it knows none of its own: what a rewound thread
   * writes anew is not pulled down by the same content in the branch it left. One that is missing was never produced
   * here; a forged one is the bottom.
   */
  labels(thread: string, digests: readonly string[]): Promise<ReadonlyMap<string, Label>>;
  /** Keeps a policy or a tool's manifest under its digest, so that the record can be read without the code. */
  recordDocument(kind: "policy" | "tool", digest: string, document: unknown): Promise<void>;
  document(digest: string): Promise<unknown>;
  /** The digest under which this root first used a tool of this name; the one given when this is the first time. */
  pinTool(root: string, tool: string, digest: string): Promise<string>;

  /**
   * Stores a request, or returns the one with the same id with its present status. Throws `ApprovalError`
   * `APPROVAL_MISMATCH` when that one is bound to something else, and `APPROVAL_FLOOD` when `openLimit` others of this
   * thread wait for a decision, or the run has asked `questionLimit` others.
   */
  requestApproval(request: ApprovalRequest, openLimit?: number, questionLimit?: number): Promise<ApprovalRecord>;
  approval(id: string): Promise<ApprovalRecord | undefined>;
  /** In the order of asking. `root`: of all threads of one root. */
  approvals(query?: {
    readonly thread?: string;
    readonly root?: string;
    readonly status?: ApprovalStatus;
  }): Promise<readonly ApprovalRecord[]>;
  /** Decides a pending approval. Throws `ApprovalError` when it is unknown, forged, expired or decided already. */
  decideApproval(
    id: string,
    decision: "approved" | "rejected",
    approver: Approver,
    reason?: string,
  ): Promise<ApprovalRecord>;
  /**
   * Puts other arguments in place of a pending approval's. It is `cancelled`, and the gate asks anew for the edited ones
   * when the run goes on; the tool stays what it is. Throws as {@link decideApproval}.
   */
  editApproval(id: string, edited: Readonly<Record<string, unknown>>, approver: Approver): Promise<ApprovalRecord>;
  /** Withdraws a pending approval that no longer stands for anything. Does nothing to any other. */
  cancelApproval(id: string, reason: string): Promise<void>;

  /**
   * Writes the intent, or returns the effect that has this key with its present status. While that is still `intended`,
   * the new intent's verdict (binding, label, policy, approval) replaces the old one. Throws `EffectError` when the key
   * belongs to another thread, tool or arguments. A `failed` effect stays failed: another attempt needs another key.
   */
  intendEffect(intent: EffectIntent): Promise<EffectRecord>;
  /**
   * intended → dispatched, in one transaction with consuming the approval. Returns `undefined` when the effect is not
   * in `intended` (somebody else dispatched it) and throws `ApprovalError` when its approval is missing, expired,
   * rejected, used, or bound to something else; `EffectError` `EFFECT_REPEATS` when the same was sent under this root by
   * another call and nobody was told (`mayRepeat`), `EFFECT_FORGED` when the row was changed outside the harness.
   */
  dispatchEffect(key: string): Promise<EffectRecord | undefined>;
  /** Counts one more request of an effect that is still `dispatched`, before it is sent. `undefined` from any other state. */
  resendEffect(key: string): Promise<EffectRecord | undefined>;
  /**
   * dispatched → committed | failed | in_doubt. Throws `EffectError` from any other state, and when something else than
   * `committed` is said of `attempts` requests (default 1) while another worker has sent it once more.
   */
  settleEffect(key: string, outcome: EffectOutcome, attempts?: number): Promise<EffectRecord>;
  /**
   * in_doubt → committed | failed, once, by a person who looked. Stores who (`by`) and what they found (`note`). Throws
   * `EffectError` `EFFECT_UNKNOWN` without such an effect and `EFFECT_STATE` from any other state.
   */
  resolveEffect(key: string, status: "committed" | "failed", by: string, note: string): Promise<EffectRecord>;
  effect(key: string): Promise<EffectRecord | undefined>;
  effects(query?: { readonly thread?: string; readonly root?: string }): Promise<readonly EffectRecord[]>;
  /**
   * Takes an effect for one worker, before it is sent, asked about or sent again. `undefined` while another live worker
   * has it. The lease of a process that is gone is free at once on its host, elsewhere when it runs out (30 s).
   */
  leaseEffect(key: string, owner: string): Promise<Lease | undefined>;

  /** Takes the thread for one run. Throws `ThreadBusyError`, naming the holder, when another live run has it. */
  lease(thread: string, owner: string): Promise<Lease>;

  close(): Promise<void>;
}
