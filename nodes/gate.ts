// The only way to `act`. Decides all pending irreversible calls before any of them runs: allow, ask a person, or
// block. The verdict is a pure function of recorded inputs and of the policy the graph was built with; nothing a
// caller, a model or the state says can change that policy.

import { AIMessage, type BaseMessage, type ToolMessage } from "@langchain/core/messages";
import { interrupt } from "@langchain/langgraph";
import { z } from "zod";
import type { ApprovalRecord, Journal } from "../checkpoints/index.js";
import { canonicalJson, describeCause, type Policy } from "../trust/index.js";
import { type ApprovalInterrupt, approvalForm, takeAnswer } from "./approval.js";
import { viewOf } from "./approval-view.js";
import { type Asked, ask, recordRefusal, refusalOf } from "./ask.js";
import { answerTo, findTool, type OpenCall, openCallsOf, snapshot } from "./calls.js";
import { type Consideration, consider, PreviewError } from "./consider.js";
import { effectKey } from "./effect.js";
import type { AgentView, ClearedCall } from "./state.js";
import { harnessNode, type NodeUpdate, type Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

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

/** Makes the gate node. */
export const gate = ({ journal, toolbox, policy }: GateOptions) => {
  const decide = async (
    call: OpenCall,
    before: readonly Decided[],
    recorded: Set<string>,
    step: Step,
    edits = 0,
  ): Promise<Decided> => {
    const tool = findTool(toolbox.tools, call.name);
    if (!(tool instanceof HarnessTool)) return { call, refusal: `Error: ${call.name}: no such tool` };
    const invalid = argumentProblem(tool, call);
    if (invalid !== undefined) return { call, refusal: `Error: ${call.name}: ${invalid}` };
    const key = effectKey(step.root, call.intent, tool, call.args);
    const known = await journal.effect(key);
    if (known !== undefined && known.status !== "intended") return { call, sent: key };
    let considered: Consideration;
    try {
      considered = await consider(call, tool, policy, journal, step, { planned: (call) => isPlanned(call, before) });
    } catch (error) {
      if (!(error instanceof PreviewError)) throw error;
      return { call, refusal: `Error: ${call.name} was not run: ${error.message}` };
    }
    const { verdict, reasons } = considered.judgement;
    const asked = verdict === "ask" ? await ask(considered, { edits, before, policy, journal, step }) : undefined;
    await recordDecision(considered, asked, policy, recorded, journal, step);
    if (asked?.record?.edited !== undefined) {
      return decide({ ...call, ...snapshot(asked.record.edited) }, before, recorded, step, edits + 1);
    }
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
function argumentProblem(tool: HarnessTool, { args, problem }: OpenCall): string | undefined {
  if (problem !== undefined) return problem;
  const parsed = tool.schema.safeParse(structuredClone(args));
  return parsed.success ? undefined : z.prettifyError(parsed.error);
}

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
