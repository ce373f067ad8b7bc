// Executes what the gate has cleared, in order, from the arguments frozen in the ledger. Everything the clearance was
// bound to is checked once more; a difference means that the action is not run.

import type { ToolMessage } from "@langchain/core/messages";
import { ApprovalError, EffectError, type EffectRecord, type Journal } from "../checkpoints/index.js";
import {
  canonicalJson,
  describeCause,
  isAtMost,
  meet,
  meetMarks,
  type Policy,
  TOP,
  type TrustMark,
} from "../trust/index.js";
import { mayApprove } from "./approval.js";
import { bindingDigest, bindingOf } from "./binding.js";
import { answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { type Consideration, consider, PreviewError } from "./consider.js";
import { type CallResult, runEffect } from "./effect.js";
import type { AgentView } from "./state.js";
import { harnessNode, type Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link act} takes: the same toolbox and policy as the gate before it. */
export interface ActOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
  readonly policy: Policy;
}

/** Makes the act node. */
export const act = ({ journal, toolbox, policy }: ActOptions) =>
  harnessNode<AgentView>("effect", journal, async (state, step) => {
    const messages: ToolMessage[] = [];
    const marks: TrustMark[] = [];
    const act = async (call: OpenCall): Promise<CallResult> => {
      const tool = findTool(toolbox.tools, call.name);
      const key = state.cleared.find((each) => each.callId === call.id)?.key;
      const effect = key === undefined ? undefined : await journal.effect(key);
      if (effect === undefined || !(tool instanceof HarnessTool)) return refused(call, "the gate has not cleared it");
      const refusal = await refusalOf(call, tool, effect, marks, { journal, policy, step });
      if (refusal !== undefined) return refused(call, refusal);
      try {
        return await runEffect(call, tool, effect, journal, step);
      } catch (error) {
        // The approval was used or expired, or another worker did the same, between the check and the dispatch.
        if (ApprovalError.isInstance(error) || EffectError.isInstance(error)) return refused(call, error.message);
        throw error;
      }
    };
    for (const call of openCallsOf("gated", state.messages, toolbox.tools)) {
      const started = journal.clock.now();
      const result = await act(call);
      const ok = result.message.status !== "error";
      messages.push(result.message);
      marks.push(result.mark);
      await step.record({
        kind: "tool.response",
        tool: call.name,
        callId: call.id,
        arguments: call.args,
        ok,
        ms: journal.clock.now() - started,
        label: meet(result.mark),
        ...(ok ? {} : { error: result.message.text }),
      });
    }
    const trust = meetMarks(...marks);
    return { messages, cleared: [], ...(isAtMost(TOP, trust) ? {} : { trust }) };
  });

const refused = (call: OpenCall, why: string): CallResult => ({
  message: answerTo(call, `Blocked: ${call.name} was not run: ${why}.`, "error"),
  mark: TOP,
});

/** What no longer matches the clearance. `marks` is what earlier calls of this very step brought back. */
async function refusalOf(
  call: OpenCall,
  tool: HarnessTool,
  effect: EffectRecord,
  marks: readonly TrustMark[],
  { journal, policy, step }: { readonly journal: Journal; readonly policy: Policy; readonly step: Step },
): Promise<string | undefined> {
  if (effect.tool !== tool.name || effect.intent !== call.intent || effect.root !== step.root) {
    return "what was cleared is another call";
  }
  if (canonicalJson(effect.arguments) !== canonicalJson(call.args)) return "its arguments changed after it was cleared";
  if (effect.status !== "intended") return undefined; // Sent already: only its outcome is told, or found out.
  if (effect.thread !== step.scope.thread) return "it was cleared for another thread";
  let now: Consideration;
  try {
    now = await consider(call, tool, policy, journal, step, { also: marks });
  } catch (error) {
    if (!(error instanceof PreviewError)) throw error;
    return error.message;
  }
  if (now.preconditions !== effect.preconditions) return "what it rests on changed after it was shown";
  const { considered, preconditions, mayRepeat } = effect;
  const bound = { mayRepeat, preconditions, policyDigest: policy.digest, considered };
  const binding = bindingOf(step, { intent: call.intent, args: effect.arguments }, tool, bound);
  if (bindingDigest(binding) !== effect.binding) return "the tool or the policy changed after it was cleared";
  if (!isAtMost(considered, now.question.considered)) {
    return `the trust fell after it was cleared (${step.trust.causes.map(describeCause).join("; ")})`;
  }
  const { verdict, reasons } = now.judgement;
  if (now.question.repeats && !mayRepeat) return reasons.join("; ");
  if (effect.approval === undefined) return verdict === "allow" ? undefined : reasons.join("; ");
  if (verdict === "block") return reasons.join("; ");
  const approval = await journal.approval(effect.approval);
  return approval === undefined || !mayApprove(approval, policy) ? "whoever approved it may not" : undefined;
}
