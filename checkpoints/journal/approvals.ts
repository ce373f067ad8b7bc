// Approvals: pending → approved | rejected, approved → consumed, each step once. Expiry is never stored; it is what an
// open approval looks like when its time has passed.

import { z } from "zod";
import { all, first, type Row, type Work } from "../database/database.js";
import { ApprovalError } from "../errors.js";
import { callArguments, causes, deficits, integer, json, label, readRow } from "./rows.js";
import type { ApprovalRecord, ApprovalRequest, ApprovalStatus, EffectIntent } from "./types.js";

const requestSchema: z.ZodType<ApprovalRequest> = z.object({
  id: z.string(),
  thread: z.string(),
  run: z.string(),
  tool: z.string(),
  callId: z.string(),
  arguments: callArguments,
  binding: z.string(),
  considered: label,
  causes,
  deficits,
  policyDigest: z.string(),
  expiresAt: z.number(),
});

const decisionSchema = z.object({ by: z.string(), reason: z.string().optional(), at: z.number() });

const rowSchema = z.object({
  request: json(requestSchema),
  status: z.enum(["pending", "approved", "rejected", "consumed"]),
  created_at: integer,
  decision: json(decisionSchema).nullable(),
});

/** An approval that expired is open no more, approved or not. */
const hasExpired = (status: ApprovalStatus, expiresAt: number, now: number): boolean =>
  (status === "pending" || status === "approved") && !(now < expiresAt);

function readApproval(row: Row, now: number): ApprovalRecord {
  const { request, status, created_at, decision } = readRow(rowSchema, row, `approval ${String(row["id"])}`);
  return {
    ...request,
    status: hasExpired(status, request.expiresAt, now) ? "expired" : status,
    createdAt: created_at,
    decidedBy: decision?.by,
    reason: decision?.reason,
    decidedAt: decision?.at,
  };
}

/** The approval with this id as it stands at `now`. */
export function* findApproval(id: string, now: number): Work<ApprovalRecord | undefined> {
  const row = yield* first("SELECT * FROM h_approval WHERE id = ?", id);
  return row && readApproval(row, now);
}

function* requireApproval(id: string, now: number): Work<ApprovalRecord> {
  const found = yield* findApproval(id, now);
  if (found !== undefined) return found;
  throw new ApprovalError("APPROVAL_UNKNOWN", id, `no approval ${id}. List the pending ones and use one of their ids.`);
}

/** Stores a request, or returns the one with its id. @throws ApprovalError when that one is bound to something else. */
export function* requestApproval(request: ApprovalRequest, now: number): Work<ApprovalRecord> {
  yield* all(
    `INSERT INTO h_approval (id, thread, request, expires_at, status, created_at) VALUES (?, ?, ?, ?, 'pending', ?)
     ON CONFLICT (id) DO NOTHING`,
    ...[request.id, request.thread, JSON.stringify(request), request.expiresAt, now],
  );
  const stored = yield* requireApproval(request.id, now);
  requireBinding(stored, request);
  return stored;
}

function requireBinding(approval: ApprovalRecord, action: ApprovalRequest | EffectIntent): void {
  const { id, thread, tool, binding } = approval;
  if (binding === action.binding && thread === action.thread && tool === action.tool) return;
  throw new ApprovalError(
    "APPROVAL_MISMATCH",
    id,
    `approval ${id} is for ${tool} on thread ${thread} as it was shown, not for this ${action.tool} on thread ${action.thread}. Send the action through the gate again.`,
  );
}

/** Approvals in the order of asking, filtered by their status at `now`. */
export function* listApprovals(
  { thread, status }: { readonly thread?: string; readonly status?: ApprovalStatus },
  now: number,
): Work<readonly ApprovalRecord[]> {
  const rows = yield* thread === undefined
    ? all("SELECT * FROM h_approval ORDER BY position")
    : all("SELECT * FROM h_approval WHERE thread = ? ORDER BY position", thread);
  const approvals = rows.map((row) => readApproval(row, now));
  return status === undefined ? approvals : approvals.filter((approval) => approval.status === status);
}

/** Decides a pending approval, once. @throws ApprovalError `UNKNOWN`, `EXPIRED` or `DECIDED` */
export function* decideApproval(
  id: string,
  decision: { readonly status: "approved" | "rejected"; readonly by: string; readonly reason: string | undefined },
  now: number,
): Work<ApprovalRecord> {
  const { status, by, reason } = decision;
  const decided = yield* first(
    "UPDATE h_approval SET status = ?, decision = ? WHERE id = ? AND status = 'pending' AND expires_at > ? RETURNING *",
    ...[status, JSON.stringify({ by, reason, at: now }), id, now],
  );
  if (decided !== undefined) return readApproval(decided, now);
  const present = yield* requireApproval(id, now);
  if (present.decidedBy === undefined) throw expired(present);
  throw new ApprovalError(
    "APPROVAL_DECIDED",
    id,
    `approval ${id} was decided already by ${present.decidedBy} and is ${present.status}. A decision is final; continue the thread.`,
  );
}

/** Uses an approval for one effect. Belongs into the transaction that dispatches the effect. @throws ApprovalError */
export function* consumeApproval(id: string, effect: EffectIntent, now: number): Work<void> {
  const approval = yield* requireApproval(id, now);
  requireBinding(approval, effect);
  const used = yield* first(
    `UPDATE h_approval SET status = 'consumed', used_by = ? WHERE id = ? AND status = 'approved' AND expires_at > ?
     RETURNING id`,
    ...[effect.key, id, now],
  );
  if (used === undefined) throw unusable(yield* requireApproval(id, now));
}

function unusable(approval: ApprovalRecord): ApprovalError {
  const { id, status, decidedBy, reason } = approval;
  switch (status) {
    case "consumed":
      return new ApprovalError("APPROVAL_USED", id, `approval ${id} was used already. Ask for another one.`);
    case "rejected":
      return new ApprovalError(
        "APPROVAL_REJECTED",
        id,
        `approval ${id} was rejected by ${decidedBy}${reason === undefined ? "" : `: ${reason}`}. Do not run the action.`,
      );
    case "expired":
      return expired(approval);
    default:
      return new ApprovalError(
        "APPROVAL_UNDECIDED",
        id,
        `approval ${id} waits for a decision. Approve or reject it first.`,
      );
  }
}

const expired = ({ id, expiresAt }: ApprovalRecord): ApprovalError =>
  new ApprovalError(
    "APPROVAL_EXPIRED",
    id,
    `approval ${id} expired at ${new Date(expiresAt).toISOString()}. Send the action through the gate again.`,
  );
