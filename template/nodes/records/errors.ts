// What the records tools throw. The text reaches the planner as it is, so each one says what to do next.

/** There is no such record. Look the id up before trying again. */
export class RecordNotFoundError extends Error {
  override readonly name = "RecordNotFoundError";
  readonly code = "RECORD_NOT_FOUND";
}

/** The records do not allow the change, and nothing was changed. Calling again with the same arguments is no use. */
export class ChangeRefusedError extends Error {
  override readonly name = "ChangeRefusedError";
  readonly code = "CHANGE_REFUSED";
}

/** The workspace's database cannot be used. A person has to act. */
export class WorkspaceError extends Error {
  override readonly name = "WorkspaceError";
  readonly code = "WORKSPACE_UNUSABLE";
}
