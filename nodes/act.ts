// Executes what the gate has cleared, in order, from the arguments frozen in the ledger. Everything the clearance was
// bound to is checked once more; a difference means that the action is not run.

import type { ToolMessage } from "@langchain/core/messages";
import type { EffectRecord, Journal } from "../checkpoints/index.js";
import {
  BOTTOM,
  canonicalJson,
  describeCause,
  isAtMost,
  type Label,
  meet,
  meetMarks,
  type Profile,
  TOP,
  type TrustMark,
} from "../trust/index.js";
import { bindingDigest, bindingOf, policyDigest } from "./binding.js";
import { answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { type CallResult, runEffect } from "./effect.js";
import type { AgentView } from "./state.js";
import { harnessNode, type Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link act} takes: the same toolbox and profile as the gate before it. */
export interface ActOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
  readonly profile: Profile;
}

/** Makes the act node. */
export const act = ({ journal, toolbox, profile }: ActOptions) => {
  const policy = policyDigest(profile, toolbox);
  return harnessNode<AgentView>("effect", journal, async (state, step) => {
    const messages: ToolMessage[] = [];
    const marks: TrustMark[] = [];
    const act = async (call: OpenCall): Promise<CallResult> => {
      const tool = findTool(toolbox.tools, call.name);
      const key = state.cleared.find((each) => each.callId === call.id)?.key;
      const effect = key === undefined ? undefined : await journal.effect(key);
      const floor = (await journal.thread(step.scope.thread))?.floor ?? BOTTOM;
      // What earlier calls of this very step brought back counts as well.
      const now = meet(step.trust, floor, ...marks);
      if (effect === undefined || !(tool instanceof HarnessTool)) return refused(call, "the gate has not cleared it");
      const refusal = refusalOf(call, tool, effect, policy, now, step);
      return refusal === undefined ? runEffect(call, tool, effect, journal, step) : refused(call, refusal);
    };
    for (const call of openCallsOf("gated", state.messages, toolbox.tools)) {
      const started = journal.clock.now();
      const result = await act(call);
      messages.push(result.message);
      marks.push(result.mark);
      await step.record({
        kind: "tool.response",
        tool: call.name,
        callId: call.id,
        arguments: call.args,
        ok: result.message.status !== "error",
        ms: journal.clock.now() - started,
        label: meet(result.mark),
      });
    }
    const trust = meetMarks(...marks);
    return { messages, cleared: [], ...(isAtMost(TOP, trust) ? {} : { trust }) };
  });
};

const refused = (call: OpenCall, why: string): CallResult => ({
  message: answerTo(call, `Blocked: ${call.name} was not run: ${why}.`, "error"),
  mark: TOP,
});

/** What no longer matches the clearance. Effects that were dispatched before a crash are past this check. */
function refusalOf(
  call: OpenCall,
  tool: HarnessTool,
  effect: EffectRecord,
  policy: string,
  now: Label,
  { scope, trust }: Step,
): string | undefined {
  if (effect.status !== "intended") return undefined;
  if (effect.thread !== scope.thread) return "it was cleared for another thread";
  if (canonicalJson(effect.arguments) !== canonicalJson(call.args)) return "its arguments changed after it was cleared";
  const binding = bindingOf(scope.thread, { id: call.id, args: effect.arguments }, tool, policy, effect.considered);
  if (bindingDigest(binding) !== effect.binding) return "the tool or the policy changed after it was cleared";
  if (!isAtMost(effect.considered, now)) {
    return `the trust fell after it was cleared (${trust.causes.map(describeCause).join("; ")})`;
  }
  return undefined;
}
