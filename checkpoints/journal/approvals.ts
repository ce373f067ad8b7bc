// Approvals: pending → approved | rejected | cancelled, approved → consumed, each step once. Every step is sealed, and
// whatever does not fit its seals is forged and allows nothing. Expiry is never stored; it is what an open approval
// looks like when its time has passed. What nobody can see here: the newest approval of a thread set back as a whole.

import { z } from "zod";
import { canonicalJson } from "../../trust/digest.js";
import type { Seal } from "../../trust/seal.js";
import { all, first, type Row, type Work } from "../database/database.js";
import { ApprovalError, type ApprovalErrorCode } from "../errors.js";
import {
  type ApprovalEntry,
  type ApprovalStep,
  CHANGED,
  historyProblem,
  readHistory,
  type SealedRequest,
  sealStep,
} from "./approval-history.js";
import { type ApprovalLimits, countQuestions, OF_ROOT } from "./approval-limits.js";
import { callArguments, causes, deficits, integer, json, label, readRow } from "./rows.js";
import type { ApprovalRecord, ApprovalRequest, ApprovalStatus, Approver, EffectIntent } from "./types.js";

// What has a default here was not asked for before approvals were sealed. Such a record counts as forged anyway.
const requestSchema = z.object({
  id: z.string(),
  thread: z.string(),
  root: z.string().default(""),
  run: z.string(),
  task: z.string().exactOptional(),
  requester: z.string().default(""),
  tool: z.string(),
  toolDigest: z.string().default(""),
  callId: z.string(),
  arguments: callArguments,
  view: z.string().default(""),
  preconditions: z.string().optional(),
  binding: z.string(),
  considered: label,
  causes,
  deficits,
  reasons: z.array(z.string()).default([]),
  violations: z.number().default(0),
  policyDigest: z.string(),
  notBefore: z.number().default(0),
  expiresAt: z.number(),
});

const rowSchema = z.object({
  id: z.string(),
  thread: z.string(),
  request: json(requestSchema),
  expires_at: integer,
  status: z.string(),
  created_at: integer,
  used_by: z.string().nullable(),
  history: z.unknown().transform(readHistory),
  next_history: z.unknown().transform(readHistory),
});

/** An approval as it was read and checked. */
interface Checked {
  readonly record: ApprovalRecord;
  readonly sealed: SealedRequest;
  readonly history: readonly ApprovalEntry[];
  /** The history as it is in the database. */
  readonly text: string;
  /** The state that is stored, whatever the clock says. */
  readonly stored: ApprovalStep["status"];
  /** Why it counts as forged. */
  readonly problem: string | undefined;
}

// The thread's next approval holds a hash of this one's history: with it, an older history in its place is seen. In the
// same statement, because between two of them the approval may be decided and the next one stored.
const SELECT = `SELECT a.*, (SELECT b.history FROM h_approval b WHERE b.thread = a.thread AND b.position > a.position
  ORDER BY b.position LIMIT 1) AS next_history FROM h_approval a`;

function check(row: Row, seal: Seal, now: number): Checked {
  const read = readRow(rowSchema, row, `approval ${String(row["id"])}`);
  const { request, history, created_at: createdAt } = read;
  const sealed = { request: String(row["request"]), createdAt };
  const problem =
    historyProblem(sealed, history, seal) ??
    (fits(read) && isNotSetBack(history, read.next_history) ? undefined : CHANGED);
  const believed = problem === undefined ? history : [];
  const decision = believed.find(({ status }) => status !== "pending");
  const stored = believed.at(-1)?.status ?? "pending";
  const open = stored === "pending" || stored === "approved";
  const status = open && !(now < request.expiresAt) ? "expired" : stored;
  const record: ApprovalRecord = {
    ...request,
    id: read.id, // By which it can be found, should the request name another one.
    preconditions: request.preconditions,
    status: problem === undefined ? status : "forged",
    createdAt,
    decidedBy: decision?.by,
    authenticated: decision?.authenticated,
    reason: decision?.reason,
    decidedAt: decision?.at,
    edited: decision?.edited,
    usedBy: believed.at(-1)?.usedBy,
    hash: believed.at(-1)?.hash ?? "",
  };
  return { record, sealed, history, text: String(row["history"]), stored, problem };
}

/** Whether the columns, which statements decide on, say what is sealed. */
function fits({ id, thread, request, expires_at, status, used_by, history }: z.output<typeof rowSchema>): boolean {
  const last = history.at(-1);
  const same = id === request.id && thread === request.thread && expires_at === request.expiresAt;
  return same && status === last?.status && used_by === (last.usedBy ?? null);
}

const isNotSetBack = (history: readonly ApprovalEntry[], [next]: readonly ApprovalEntry[]): boolean =>
  next === undefined || history.some(({ hash }) => hash === next.prev);

function* find(id: string, seal: Seal, now: number): Work<Checked | undefined> {
  const row = yield* first(`${SELECT} WHERE a.id = ?`, id);
  return row && check(row, seal, now);
}

function* requireApproval(id: string, seal: Seal, now: number): Work<Checked> {
  const found = yield* find(id, seal, now);
  if (found !== undefined) return found;
  throw refusal("APPROVAL_UNKNOWN", id, `no approval ${id}. List the pending ones and use one of their ids.`);
}

/** The approval with this id as it stands at `now`. */
export function* findApproval(id: string, seal: Seal, now: number): Work<ApprovalRecord | undefined> {
  return (yield* find(id, seal, now))?.record;
}

/** Approvals in the order of asking, filtered by their status at `now`. */
export function* listApprovals(
  query: { readonly thread?: string; readonly root?: string; readonly status?: ApprovalStatus },
  seal: Seal,
  now: number,
): Work<readonly ApprovalRecord[]> {
  const { thread, root, status } = query;
  const conditions = [...(thread === undefined ? [] : ["a.thread = ?"]), ...(root === undefined ? [] : [OF_ROOT])];
  const values = [...(thread === undefined ? [] : [thread]), ...(root === undefined ? [] : [root, root])];
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const rows = yield* all(`${SELECT} ${where} ORDER BY a.position`, ...values);
  const approvals = rows.map((row) => check(row, seal, now).record);
  return status === undefined ? approvals : approvals.filter((approval) => approval.status === status);
}

/**
 * Stores a request, or returns the one with its id as it stands.
 *
 * @throws ApprovalError `APPROVAL_MISMATCH` when that one is bound to something else; `APPROVAL_FLOOD` when `openLimit`
 * others of the thread wait for a decision, or the run has asked `questionLimit` others.
 */
export function* requestApproval(
  request: ApprovalRequest,
  { openLimit, questionLimit }: ApprovalLimits,
  seal: Seal,
  now: number,
): Work<ApprovalRecord> {
  const { id, thread, expiresAt } = request;
  // One request at a time in this database: this takes the row. Two at once would both count themselves within the
  // limit, and both follow the same approval.
  yield* all("UPDATE h_schema SET version = version");
  const present = yield* find(id, seal, now);
  if (present !== undefined) {
    if (present.problem === undefined) requireBinding(present.record, request);
    return present.record;
  }
  const open = yield* first(
    "SELECT COUNT(*) AS waiting FROM h_approval WHERE thread = ? AND status = 'pending' AND expires_at > ?",
    ...[thread, now],
  );
  const waiting = Number(open?.["waiting"]);
  if (waiting >= openLimit) {
    throw refusal(
      "APPROVAL_FLOOD",
      id,
      `thread ${thread} may have ${openLimit} approvals waiting, and has ${waiting}. Decide one of them first: bulkhead approvals`,
    );
  }
  const before = Number.isFinite(questionLimit) ? yield* countQuestions(request) : 0;
  if (before >= questionLimit) {
    const what = `a run may ask ${questionLimit} questions, and this one has asked ${before}. Give it a new task, or raise approvals.questionLimit of the policy`;
    throw refusal("APPROVAL_FLOOD", id, what);
  }
  const newest = yield* first("SELECT history FROM h_approval WHERE thread = ? ORDER BY position DESC LIMIT 1", thread);
  const sealed = { request: JSON.stringify(request), createdAt: now };
  const prev = readHistory(newest?.["history"]).at(-1)?.hash ?? "";
  const history = [sealStep(sealed, { status: "pending", at: now }, prev, seal)];
  yield* all(
    `INSERT INTO h_approval (id, thread, request, expires_at, status, created_at, history)
     VALUES (?, ?, ?, ?, 'pending', ?, ?)`,
    ...[id, thread, sealed.request, expiresAt, now, JSON.stringify(history)],
  );
  return (yield* requireApproval(id, seal, now)).record;
}

/** Adds a step to what was just read. `false`: somebody else was quicker, and reading again tells who. */
function* advance({ record, sealed, history, text, stored }: Checked, step: ApprovalStep, seal: Seal): Work<boolean> {
  const longer = [...history, sealStep(sealed, step, record.hash, seal)];
  const advanced = yield* first(
    "UPDATE h_approval SET status = ?, used_by = ?, history = ? WHERE id = ? AND status = ? AND history = ? RETURNING id",
    ...[step.status, step.usedBy ?? null, JSON.stringify(longer), record.id, stored, text],
  );
  return advanced !== undefined;
}

/** What a person says to a pending approval. */
export interface ApprovalDecision extends Approver {
  /** `cancelled`: other arguments took the place of these. */
  readonly status: "approved" | "rejected" | "cancelled";
  readonly reason?: string | undefined;
  readonly edited?: Readonly<Record<string, unknown>>;
}

/** Decides a pending approval, once. @throws ApprovalError `UNKNOWN`, `FORGED`, `DECIDED`, `EXPIRED` or `EARLY` */
export function* decideApproval(id: string, decision: ApprovalDecision, seal: Seal, now: number): Work<ApprovalRecord> {
  const present = yield* requireApproval(id, seal, now);
  requireGenuine(present);
  if (present.stored !== "pending") throw decided(present.record);
  requireTime(present.record, now);
  if (yield* advance(present, { ...decision, at: now }, seal)) return (yield* requireApproval(id, seal, now)).record;
  return yield* decideApproval(id, decision, seal, now);
}

/** Withdraws a pending approval; does nothing to any other. */
export function* cancelApproval(id: string, reason: string, seal: Seal, now: number): Work<void> {
  const present = yield* find(id, seal, now);
  if (present?.record.status === "pending") yield* advance(present, { status: "cancelled", at: now, reason }, seal);
}

/** Uses an approval for one effect. Belongs into the transaction that dispatches the effect. @throws ApprovalError */
export function* consumeApproval(id: string, effect: EffectIntent, seal: Seal, now: number): Work<void> {
  const present = yield* requireApproval(id, seal, now);
  requireGenuine(present);
  requireBinding(present.record, effect);
  if (present.stored !== "approved") throw unusable(present.record);
  requireTime(present.record, now);
  if (yield* advance(present, { status: "consumed", at: now, usedBy: effect.key }, seal)) return;
  throw unusable((yield* requireApproval(id, seal, now)).record);
}

function requireGenuine({ problem, record: { id } }: Checked): void {
  if (problem === undefined) return;
  const next = "or send the action through the gate again";
  throw refusal("APPROVAL_FORGED", id, `approval ${id} cannot be believed: ${problem}, ${next}.`);
}

function requireBinding(approval: ApprovalRecord, action: ApprovalRequest | EffectIntent): void {
  const { id, thread, tool, binding } = approval;
  const same = binding === action.binding && thread === action.thread && tool === action.tool;
  if (same && canonicalJson(approval.arguments) === canonicalJson(action.arguments)) return;
  throw refusal(
    "APPROVAL_MISMATCH",
    id,
    `approval ${id} is for ${tool} on thread ${thread} as it was shown, not for this ${action.tool} on thread ${action.thread}. Send the action through the gate again.`,
  );
}

function requireTime({ id, notBefore, expiresAt }: ApprovalRecord, now: number): void {
  const iso = (at: number): string => new Date(at).toISOString();
  if (now < notBefore) {
    throw refusal("APPROVAL_EARLY", id, `approval ${id} is not valid before ${iso(notBefore)}. Wait until then.`);
  }
  if (now < expiresAt) return;
  const what = `approval ${id} expired at ${iso(expiresAt)}. Send the action through the gate again.`;
  throw refusal("APPROVAL_EXPIRED", id, what);
}

const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${reason}`);

function decided({ id, status, decidedBy, reason }: ApprovalRecord): ApprovalError {
  const how =
    decidedBy === undefined ? `withdrawn${because(reason)}` : `decided already by ${decidedBy} and is ${status}`;
  return refusal("APPROVAL_DECIDED", id, `approval ${id} was ${how}. A decision is final; continue the thread.`);
}

function unusable(approval: ApprovalRecord): ApprovalError {
  const { id, status, decidedBy, reason } = approval;
  switch (status) {
    case "consumed":
      return refusal("APPROVAL_USED", id, `approval ${id} was used already. Ask for another one.`);
    case "rejected":
    case "cancelled": {
      const by = decidedBy === undefined ? "" : ` by ${decidedBy}`;
      const what = `approval ${id} was ${status}${by}${because(reason)}. Do not run the action.`;
      return refusal("APPROVAL_REJECTED", id, what);
    }
    case "expired":
      return refusal("APPROVAL_EXPIRED", id, `approval ${id} expired. Send the action through the gate again.`);
    default:
      return refusal("APPROVAL_UNDECIDED", id, `approval ${id} waits for a decision. Approve or reject it first.`);
  }
}

const refusal = (code: ApprovalErrorCode, id: string, message: string): ApprovalError =>
  new ApprovalError(code, id, message);
