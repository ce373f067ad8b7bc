// What makes a thread survive: the checkpointer LangGraph writes to, and the journal that nobody can replace.

export { type CheckpointerOptions, openCheckpointer } from "./checkpointer.js";
export { redactUrl } from "./database/target.js";
export { type Derivation, deriveThread } from "./derive.js";
export {
  ApprovalError,
  type ApprovalErrorCode,
  EffectError,
  type EffectErrorCode,
  JournalError,
  type JournalErrorCode,
  type LeaseHolder,
  ThreadBusyError,
} from "./errors.js";
export { type Bundle, MANIFEST, readBundle, verifyBundle, writeBundle } from "./journal/bundle.js";
export { isRepetition } from "./journal/effects.js";
export type { EffectStatus, HarnessEvent, RecordedEvent, RunStatus, Scope } from "./journal/events.js";
export { type JournalOptions, openJournal } from "./journal/journal.js";
export type { Ticker } from "./journal/leases.js";
export type { Recording, StoredRecording } from "./journal/recording.js";
export type {
  ApprovalRecord,
  ApprovalRequest,
  ApprovalStatus,
  Approver,
  EffectIntent,
  EffectRecord,
  EffectResolution,
  Journal,
  Lease,
  ThreadRecord,
} from "./journal/types.js";
export { type EventPlace, type Verification, verifyRecording, verifyThread } from "./journal/verify.js";
export { keyAtHand } from "./key-file.js";
