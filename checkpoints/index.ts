// What makes a thread survive: the checkpointer LangGraph writes to, and the journal that nobody can replace.

export { type Answer, type AnswerToken, answerOf } from "./answer.js";
export { type CheckpointerOptions, openCheckpointer } from "./checkpointer.js";
export { type FieldDifference, fieldsOf, isLike, stableEvent, without } from "./comparable.js";
export { redactUrl } from "./database/target.js";
export { type Derivation, deriveThread } from "./derive.js";
export { firstDifference, type RecordDifference } from "./difference.js";
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
export { type Deed, isRepetition, isSameDeed } from "./journal/deeds.js";
export type {
  EffectStatus,
  HarnessEvent,
  RecordedEvent,
  RecordedPrompt,
  RunStatus,
  Scope,
  TextDigest,
} from "./journal/events.js";
export { type JournalOptions, openJournal } from "./journal/journal.js";
export { keptHeadsOf } from "./journal/kept-heads.js";
export type { Ticker } from "./journal/leases.js";
export { digestsOf, promptMessages, promptOf, takeApart } from "./journal/prompt.js";
export type { Recording, StoredRecording } from "./journal/recording.js";
export type { Secrets } from "./journal/redaction.js";
export type {
  ApprovalRecord,
  ApprovalRequest,
  ApprovalStatus,
  Approver,
  EffectIntent,
  EffectRecord,
  EffectResolution,
  Journal,
  KeptText,
  Lease,
  ThreadRecord,
} from "./journal/types.js";
export { type EventPlace, type Verification, verifyRecording, verifyThread } from "./journal/verify.js";
export { keyAtHand, keyFileOf } from "./key-file.js";
export { laneOf, subagentOf, trustIn } from "./lane.js";
export { type TraceOptions, traceEvents, traceJournal } from "./telemetry/trace.js";
