// The only way to `act`. Decides all pending irreversible calls before any of them runs: allow, ask a person, or
// block. The verdict is a pure function of recorded inputs and of the policy the graph was built with; nothing a
// caller, a model or the state says can change that policy.

import { AIMessage, type BaseMessage, HumanMessage, type ToolMessage } from "@langchain/core/messages";
import { interrupt } from "@langchain/langgraph";
import { type ApprovalRecord, type Deed, isSameDeed, type Journal } from "../checkpoints/index.js";
import { canonicalJson, describeCause, digest, type Policy } from "../trust/index.js";
import { type ApprovalInterrupt, approvalForm, takeAnswer } from "./approval.js";
import { viewOf } from "./approval-view.js";
import { type Asked, ask, recordRefusal, refusalOf } from "./ask.js";
import { answerTo, callsOf, findTool, type OpenCall, openCallsOf, snapshot } from "./calls.js";
import { type Consideration, consider, PreviewError } from "./consider.js";
import { effectKey } from "./effect.js";
import type { AgentView, ClearedCall } from "./state.js";
import { harnessNode, type NodeUpdate, type Step } from "./step.js";
import { bounded, MAX_RESULT } from "./text.js";
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
    task: string | undefined,
    edits = 0,
  ): Promise<Decided> => {
    const tool = findTool(toolbox.tools, call.name);
    if (!(tool instanceof HarnessTool)) return { call, refusal: `Error: ${call.name}: no such tool` };
    const invalid = call.problem ?? tool.problemWith(call.args);
    if (invalid !== undefined) return { call, refusal: `Error: ${call.name}: ${invalid}` };
    const key = effectKey(step.root, call.intent, tool, call.args);
    const known = await journal.effect(key);
    if (known !== undefined && known.status !== "intended") return { call, sent: key };
    let considered: Consideration;
    try {
      considered = await consider(call, tool, policy, journal, step, { planned: (deed) => isPlanned(deed, before) });
    } catch (error) {
      if (!(error instanceof PreviewError)) throw error;
      return { call, refusal: `Error: ${call.name} was not run: ${error.message}` };
    }
    const { verdict, reasons } = considered.judgement;
    const asked = verdict === "ask" ? await ask(considered, { edits, before, task, policy, journal, step }) : undefined;
    await recordDecision(considered, asked, policy, recorded, journal, step);
    if (asked?.record?.edited !== undefined) {
      return decide({ ...call, ...snapshot(asked.record.edited) }, before, recorded, step, task, edits + 1);
    }
    if (verdict === "allow") return { call, considered };
    if (asked?.rejected !== undefined) {
      return {
        call,
        refusal: `Rejected: ${tool.name} was not run. ${asked.rejected} This is final: do not try another way.`,
      };
    }
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
    const task = taskOf(state.messages);
    let decided: readonly Decided[];
    for (;;) {
      decided = await inOrder(calls, (call, before: readonly Decided[]) => decide(call, before, recorded, step, task));
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

/** Names what the run was told to do last: it is the same however often the run is resumed. */
function taskOf(messages: readonly BaseMessage[]): string | undefined {
  const told = messages.findLast(HumanMessage.isInstance);
  return told && digest(told.id ?? bounded(told.text, MAX_RESULT));
}

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
const isPlanned = (deed: Deed, before: readonly Decided[]): boolean =>
  before.some(
    ({ considered, refusal }) => refusal === undefined && considered !== undefined && isSameDeed(deed, considered.deed),
  );

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
  // The verdict is to ask, and nobody is asked.
  const unasked = [asked?.refused ?? [], asked?.rejected ?? []].flat();
  await step.record({
    kind: "gate.decision",
    ...question,
    toolDigest: tool.digest,
    callId: call.id,
    verdict: unasked.length > 0 ? "block" : verdict,
    deficits,
    reasons: [...reasons, ...unasked],
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
  if (plan === undefined) return [];
  const made = callsOf(plan);
  const isChanged = made.some(({ id, args }) => {
    const now = edited.get(id);
    return now !== undefined && canonicalJson(now) !== canonicalJson(args);
  });
  if (!isChanged) return [];
  const calls = made.map((call) => ({ ...call, args: { ...(edited.get(call.id) ?? call.args) } }));
  // The server's own form of the calls would contradict it; all else that a server sent goes back to it.
  const { tool_calls, function_call, ...kwargs } = plan.additional_kwargs;
  const { id, content, response_metadata, usage_metadata } = plan;
  return [
    new AIMessage({
      ...{ content, response_metadata, tool_calls: calls, additional_kwargs: kwargs },
      ...(id === undefined ? {} : { id }),
      ...(usage_metadata === undefined ? {} : { usage_metadata }),
    }),
  ];
}

async function clear(
  { call, key, deed, question, preconditions, binding }: Consideration,
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
    ...deed,
    callId: call.id,
    intent: call.intent,
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
