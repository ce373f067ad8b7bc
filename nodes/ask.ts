// Asking a person about one call: the request as it is stored, and what its state means for the call. The same call
// under the same circumstances is the same request, however often the gate looks.

import {
  ApprovalError,
  type ApprovalRecord,
  type ApprovalRequest,
  isSameDeed,
  type Journal,
} from "../checkpoints/index.js";
import { type Cause, type Policy, sameLabel } from "../trust/index.js";
import { mayApprove } from "./approval.js";
import { type Consideration, deedOf } from "./consider.js";
import type { Step } from "./step.js";
import { viewOfAction } from "./view.js";

const MINUTE = 60_000;

/** What {@link ask} needs beside the call. */
export interface Asking {
  /** How often a person has edited the call. */
  readonly edits: number;
  /** The calls of the same message that were decided before. */
  readonly before: readonly { readonly approval?: ApprovalRecord }[];
  /** Names what the run was told to do. */
  readonly task: string | undefined;
  readonly policy: Policy;
  readonly journal: Journal;
  readonly step: Step;
}

/** What came of asking. */
export interface Asked {
  readonly record?: ApprovalRecord;
  /** Why nobody is asked. */
  readonly refused?: string;
  /** Why nobody is asked: a person has said no to it before. */
  readonly rejected?: string;
}

/** Stores the request, or finds it with its decision. Requests of this call that no longer stand are withdrawn. */
export async function ask(considered: Consideration, asking: Asking): Promise<Asked> {
  const { before, policy, journal, step } = asking;
  const { openLimit, questionLimit } = policy.document.approvals;
  // Whatever became of them: answering the first ones must not bring up the rest.
  if (before.filter(({ approval }) => approval !== undefined).length >= openLimit) {
    return { refused: `a run may have ${openLimit} requests open at once, and the calls before this one have them` };
  }

  const request = requestOf(considered, asking);
  const { id, tool, thread, callId } = request;
  const isNew = (await journal.approval(id)) === undefined;
  if (isNew) {
    const no = await rejectionOf(considered, journal, step);
    if (no !== undefined) return { rejected: describeRejection(no) };
    for (const other of await journal.approvals({ thread, status: "pending" })) {
      if (other.callId !== callId || other.tool !== tool) continue;
      const reason = "what was shown is no longer what would be done";
      await journal.cancelApproval(other.id, reason);
      const event = {
        kind: "approval.decided",
        id: other.id,
        tool,
        decision: "cancelled",
        by: "harness",
        reason,
      } as const;
      await step.record(event);
    }
  }
  try {
    const record = await journal.requestApproval(request, openLimit, questionLimit);
    if (isNew) await step.record({ kind: "approval.requested", id, tool });
    return { record };
  } catch (error) {
    if (ApprovalError.isInstance(error) && error.code === "APPROVAL_FLOOD") return { refused: error.message };
    throw error;
  }
}

/**
 * The newest rejection of the same under this root: the same arguments, as the schema makes them, under the same label.
 * All arguments, not only those that identify the effect: what a person says no to may be the reason that was given.
 */
async function rejectionOf(
  { tool, question, deed }: Consideration,
  journal: Journal,
  { root }: Step,
): Promise<ApprovalRecord | undefined> {
  const same = (other: ApprovalRecord): boolean => {
    if (other.tool !== tool.name || !sameLabel(other.considered, question.considered)) return false;
    // What cannot be compared as the schema makes it is compared as it was sent: a no must not be a no to everything.
    const [now, then] = [deed, deedOf({ args: other.arguments }, tool)].map(({ identity: _, effective, ...as }) =>
      effective === null || effective === undefined ? as : { ...as, effective },
    );
    return now !== undefined && then !== undefined && isSameDeed(now, then);
  };
  return (await journal.approvals({ root, status: "rejected" })).findLast(same);
}

const describeRejection = ({ decidedBy = "A person", reason }: ApprovalRecord): string =>
  `${decidedBy} said no to the same before${reason === undefined ? "" : `: ${reason}`}. It is asked about again only with other arguments or under another label.`;

function requestOf(
  { call, tool, question, judgement, preview, preconditions, binding }: Consideration,
  { edits, task, policy, journal, step: { root, scope, trust, at } }: Asking,
): ApprovalRequest {
  const now = journal.clock.now();
  return {
    // A person may edit back what was edited before: that is another question than the first one.
    id: `approval-${binding.slice(0, 16)}${edits === 0 ? "" : `-${edits}`}`,
    thread: scope.thread,
    root,
    run: scope.run,
    ...(task === undefined ? {} : { task }),
    requester: scope.lane === undefined ? at : `${at} in ${scope.lane}`,
    tool: tool.name,
    toolDigest: tool.digest,
    callId: call.id,
    arguments: call.args,
    view: viewOfAction(tool.name, call.args, preview),
    preconditions,
    binding,
    considered: question.considered,
    causes: question.repeats ? [REPETITION] : trust.causes,
    deficits: judgement.deficits,
    reasons: judgement.reasons,
    violations: trust.violations,
    policyDigest: policy.digest,
    notBefore: now,
    expiresAt: now + policy.document.approvals.ttlMinutes * MINUTE,
  };
}

const REPETITION: Cause = {
  axis: "certainty",
  rank: 0,
  reason: "the same action was already done, or may have been, in this thread",
};

/** An approval that must not be used is an attempt somebody made; the planner's answer alone would not be in the record. */
export async function recordRefusal(
  approval: ApprovalRecord,
  policy: Policy,
  recorded: Set<string>,
  step: Step,
): Promise<void> {
  const { id, tool, status, decidedBy = "unknown", authenticated = "none" } = approval;
  const usable = status === "approved" || status === "consumed";
  const why =
    status === "forged"
      ? "its record was changed outside the harness"
      : usable && !mayApprove(approval, policy)
        ? `the policy does not let ${decidedBy} decide`
        : undefined;
  if (why === undefined || recorded.has(id)) return;
  recorded.add(id);
  await step.record({ kind: "approval.refused", id, tool, by: decidedBy, authenticated, why });
}

/** Why a call must not run although it could be asked about; `undefined` when it may, or is still pending. */
export function refusalOf(approval: ApprovalRecord, policy: Policy): string | undefined {
  const { tool, status, decidedBy = "A person", reason } = approval;
  const told = reason === undefined ? "" : `: ${reason}`;
  switch (status) {
    case "pending":
      return undefined;
    case "approved":
    case "consumed":
      return mayApprove(approval, policy)
        ? undefined
        : `Rejected: ${tool} was not run. ${decidedBy} approved it, whom the policy does not allow to. Ask the user whether to start again.`;
    case "rejected":
      return `Rejected: ${tool} was not run. ${decidedBy} said no${told}. This is final: do not try another way.`;
    case "cancelled":
      return `Rejected: ${tool} was not run. The request was withdrawn${told}. Ask the user whether to start again.`;
    case "forged":
      return `Blocked: ${tool} was not run. The record of its approval was changed outside the harness. Tell the user.`;
    default:
      return `Rejected: ${tool} was not run. Nobody answered the request before it expired. Ask the user whether to start again.`;
  }
}
