// What the records tools throw. The text reaches the planner as it is, so each one says what to do next. All of them are
// thrown before anything is changed, or from a transaction that is rolled back: they are the proof that nothing happened,
// which a tool with an effect has to give.

import { NotDoneError } from "bulkhead/nodes";

/** There is no such record. Look the id up before trying again. */
export class RecordNotFoundError extends NotDoneError {
  override readonly name = "RecordNotFoundError";
  override readonly code = "RECORD_NOT_FOUND";
}

/** The records do not allow the change, and nothing was changed. Calling again with the same arguments is no use. */
export class ChangeRefusedError extends NotDoneError {
  override readonly name = "ChangeRefusedError";
  override readonly code = "CHANGE_REFUSED";
}

/** The workspace's database cannot be opened. A person has to act. */
export class WorkspaceError extends NotDoneError {
  override readonly name = "WorkspaceError";
  override readonly code = "WORKSPACE_UNUSABLE";
}
