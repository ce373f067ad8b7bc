// The only way to `act`. Decides all pending irreversible calls before any of them runs: allow, ask a person, or
// block. The verdict is a pure function of recorded inputs and of the policy the graph was built with; nothing a
// caller, a model or the state says can change that policy.

import { AIMessage, type BaseMessage, type ToolMessage } from "@langchain/core/messages";
import { interrupt } from "@langchain/langgraph";
import { z } from "zod";
import { ApprovalError, type ApprovalRecord, type ApprovalRequest, type Journal } from "../checkpoints/index.js";
import { type Cause, canonicalJson, describeCause, type Policy } from "../trust/index.js";
import { type ApprovalInterrupt, approvalForm, mayApprove, takeAnswer, viewOf } from "./approval.js";
import { answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { type Consideration, consider } from "./consider.js";
import { effectKey } from "./effect.js";
import type { AgentView, ClearedCall } from "./state.js";
import { harnessNode, messageOf, type NodeUpdate, type Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";
import { viewOfAction } from "./view.js";

/** What {@link gate} takes. */
export interface GateOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
  /** Its `approvals` say how long a request waits, how many may wait at once, and who may answer. */
  readonly policy: Policy;
}

/** A call with its verdict. `refusal`: why it must not run, as the planner is told. */
interface Decided {
  readonly call: OpenCall;
  readonly considered?: Consideration;
  readonly approval?: ApprovalRecord;
  readonly refusal?: string;
  /** The key of an effect that was sent already: there is nothing left to decide, only an outcome to tell. */
  readonly sent?: string;
}

const MINUTE = 60_000;

/** Makes the gate node. */
export const gate = ({ journal, toolbox, policy }: GateOptions) => {
  const decide = async (
    call: OpenCall,
    before: readonly Decided[],
    recorded: Set<string>,
    step: Step,
  ): Promise<Decided> => {
    const tool = findTool(toolbox.tools, call.name);
    if (!(tool instanceof HarnessTool)) return { call, refusal: `Error: ${call.name}: no such tool` };
    const invalid = argumentProblem(tool, call.args);
    if (invalid !== undefined) return { call, refusal: `Error: ${call.name}: ${invalid}` };
    const key = effectKey(step.root, call.intent, tool, call.args);
    const known = await journal.effect(key);
    if (known !== undefined && known.status !== "intended") return { call, sent: key };
    let considered: Consideration;
    try {
      considered = await consider(call, tool, policy, journal, step, { planned: (call) => isPlanned(call, before) });
    } catch (error) {
      if (step.signal.aborted) throw error;
      return { call, refusal: `Error: ${call.name} was not run: its preview failed: ${messageOf(error)}` };
    }
    const { verdict, reasons } = considered.judgement;
    const asked = verdict === "ask" ? await ask(considered, policy, journal, step) : undefined;
    await recordDecision(considered, asked, policy, recorded, journal, step);
    if (asked?.record?.edited !== undefined)
      return decide({ ...call, args: { ...asked.record.edited } }, before, recorded, step);
    if (verdict === "allow") return { call, considered };
    if (verdict === "block" || asked?.record === undefined) {
      const why = [...(asked?.refused === undefined ? reasons : [asked.refused]), ...causesOf(considered, step)];
      return {
        call,
        refusal: `Blocked: ${tool.name} was not run. ${why.join("; ")}. This is final: do not try another way.`,
      };
    }
    const refusal = refusalOf(asked.record, policy);
    await recordRefusal(asked.record, policy, recorded, step);
    return { call, considered, approval: asked.record, ...(refusal === undefined ? {} : { refusal }) };
  };

  return harnessNode<AgentView>("gate", journal, async (state, step): Promise<NodeUpdate> => {
    const calls = openCallsOf("gated", state.messages, toolbox.tools);
    await journal.recordDocument("policy", policy.digest, policy.document);
    const recorded = new Set<string>();
    let decided: readonly Decided[];
    for (;;) {
      decided = await inOrder(calls, (call, before: readonly Decided[]) => decide(call, before, recorded, step));
      const pending = decided.flatMap(({ approval }) => (approval?.status === "pending" ? [approval] : []));
      if (pending.length === 0) break;
      const answer = interrupt<ApprovalInterrupt, unknown>(
        {
          type: "approval",
          message: `${pending.map(({ tool }) => tool).join(", ")}: the trust is too low to go on without a person.`,
          requests: pending.map(viewOf),
        },
        // As a form only: an answer that does not fit it has to be in the record before the gate asks again.
        { responseSchema: approvalForm },
      );
      await takeAnswer(answer, pending, { journal, policy, toolbox, step });
    }
    const cleared: ClearedCall[] = [];
    const refusals: ToolMessage[] = [];
    for (const { call, considered, approval, refusal, sent } of decided) {
      if (sent !== undefined) cleared.push({ callId: call.id, key: sent });
      else if (refusal !== undefined || considered === undefined) refusals.push(answerTo(call, refusal ?? "", "error"));
      else cleared.push(await clear(considered, approval, policy, journal, step));
    }
    return { messages: [...withEdits(state.messages, decided), ...refusals], cleared };
  });
};

/** One after the other: what was decided before is part of the next decision. */
async function inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item, before: readonly Result[]) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item, results));
  return results;
}

/** Whether an earlier call of the same message is going to do the same. */
const isPlanned = (call: OpenCall, before: readonly Decided[]): boolean =>
  before.some(
    ({ considered, refusal }) =>
      refusal === undefined &&
      considered?.call.name === call.name &&
      canonicalJson(considered.call.args) === canonicalJson(call.args),
  );

/** What keeps arguments from being judged at all. */
function argumentProblem(tool: HarnessTool, args: unknown): string | undefined {
  try {
    canonicalJson(args);
  } catch (error) {
    return `these arguments have no canonical form: ${messageOf(error)}. Write them as plain JSON.`;
  }
  const parsed = tool.schema.safeParse(args);
  return parsed.success ? undefined : z.prettifyError(parsed.error);
}

interface Asked {
  readonly record?: ApprovalRecord;
  /** Why nobody is asked. */
  readonly refused?: string;
}

/** Stores the request, or finds it with its decision. Requests of this call that no longer stand are withdrawn. */
async function ask(considered: Consideration, policy: Policy, journal: Journal, step: Step): Promise<Asked> {
  const request = requestOf(considered, policy, journal, step);
  const { id, tool, thread, callId } = request;
  const isNew = (await journal.approval(id)) === undefined;
  if (isNew) {
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
    const record = await journal.requestApproval(request, policy.document.approvals.openLimit);
    if (isNew) await step.record({ kind: "approval.requested", id, tool });
    return { record };
  } catch (error) {
    if (ApprovalError.isInstance(error) && error.code === "APPROVAL_FLOOD") return { refused: error.message };
    throw error;
  }
}

function requestOf(
  { call, tool, question, judgement, preview, preconditions, binding }: Consideration,
  policy: Policy,
  journal: Journal,
  { root, scope, trust, at }: Step,
): ApprovalRequest {
  const now = journal.clock.now();
  return {
    id: `approval-${binding.slice(0, 16)}`,
    thread: scope.thread,
    root,
    run: scope.run,
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

const causesOf = ({ judgement }: Consideration, { trust }: Step): readonly string[] =>
  trust.causes.filter((cause) => judgement.deficits.some(({ axis }) => axis === cause.axis)).map(describeCause);

async function recordDecision(
  { call, tool, question, judgement, binding }: Consideration,
  asked: Asked | undefined,
  policy: Policy,
  recorded: Set<string>,
  journal: Journal,
  step: Step,
): Promise<void> {
  if (recorded.has(binding)) return;
  recorded.add(binding);
  await journal.recordDocument("tool", tool.digest, tool.manifest);
  const { verdict, deficits, reasons } = judgement;
  const flooded = asked?.refused === undefined ? [] : [asked.refused];
  await step.record({
    kind: "gate.decision",
    ...question,
    toolDigest: tool.digest,
    callId: call.id,
    verdict: flooded.length > 0 ? "block" : verdict,
    deficits,
    reasons: [...reasons, ...flooded],
    binding,
    policy: policy.digest,
    ...(asked?.record === undefined ? {} : { approval: asked.record.id }),
  });
}

/** An approval that must not be used is an attempt somebody made; the planner's answer alone would not be in the record. */
async function recordRefusal(
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
function refusalOf(approval: ApprovalRecord, policy: Policy): string | undefined {
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

/** The planner's message with the arguments a person put in place of its own: history and action stay the same thing. */
function withEdits(messages: readonly BaseMessage[], decided: readonly Decided[]): BaseMessage[] {
  const edited = new Map(
    decided.flatMap(({ call, considered }) =>
      considered === undefined ? [] : [[call.id, considered.call.args] as const],
    ),
  );
  const plan = messages.findLast(AIMessage.isInstance);
  const calls = plan?.tool_calls ?? [];
  const changed = calls.some((call) => {
    const args = edited.get(call.id ?? "");
    return args !== undefined && canonicalJson(args) !== canonicalJson(call.args);
  });
  if (plan === undefined || !changed) return [];
  return [
    new AIMessage({
      ...(plan.id === undefined ? {} : { id: plan.id }),
      content: plan.content,
      tool_calls: calls.map((call) => ({ ...call, args: { ...(edited.get(call.id ?? "") ?? call.args) } })),
      response_metadata: plan.response_metadata,
    }),
  ];
}

async function clear(
  { call, tool, key, question, preconditions, binding }: Consideration,
  approval: ApprovalRecord | undefined,
  policy: Policy,
  journal: Journal,
  { scope, root }: Step,
): Promise<ClearedCall> {
  await journal.intendEffect({
    key,
    thread: scope.thread,
    root,
    run: scope.run,
    tool: tool.name,
    callId: call.id,
    intent: call.intent,
    arguments: call.args,
    binding,
    considered: question.considered,
    policyDigest: policy.digest,
    preconditions,
    compensates: undefined,
    mayRepeat: question.repeats,
    approval: approval?.id,
  });
  return { callId: call.id, key };
}
