// Runs one effect through the ledger: intent before, outcome after, and after a crash never a silent second time.
// An outcome that was lost is learnt by sending the same key again, by asking the provider, or from a person. Both
// `act` and the tools node use it, so there is one authority for effects.

import type { ToolMessage } from "@langchain/core/messages";
import { isGraphBubbleUp } from "@langchain/langgraph";
import type { EffectRecord, EffectResolution, Journal } from "../checkpoints/index.js";
import { digest, label, mark, meet, meetMarks, type TrustMark } from "../trust/index.js";
import { answerTo, type OpenCall } from "./calls.js";
import { mintPermit } from "./permit.js";
import { messageOf, type Step } from "./step.js";
import { type HarnessTool, isGated, type ProbeOutcome, type ToolOutcome } from "./tool.js";

/** A call's answer and the label of that answer. */
export interface CallResult {
  readonly message: ToolMessage;
  readonly mark: TrustMark;
}

/** The idempotency key: the same for every retry and resume of one call, another one for any other arguments. */
export const effectKey = (thread: string, callId: string, tool: HarnessTool, args: unknown): string =>
  digest({ thread, intent: callId, tool: tool.digest, arguments: args });

/** Runs the tool and turns what it throws into an answer for the planner. Effects are not recorded here. */
export async function runTool(call: OpenCall, tool: HarnessTool, step: Step): Promise<CallResult> {
  try {
    const outcome = await tool.execute(call.args, {
      idempotencyKey: effectKey(step.scope.thread, call.id, tool, call.args),
      permit: undefined,
      signal: step.signal,
      config: step.config,
    });
    return { message: answerTo(call, outcome.content), mark: outcome.mark };
  } catch (error) {
    return { message: answerTo(call, `Error: ${messageOf(error)}`, "error"), mark: tool.errorMark };
  }
}

/** Runs an effect that the ledger knows. Safe to call again after a crash at any point. */
export async function runEffect(
  call: OpenCall,
  tool: HarnessTool,
  effect: EffectRecord,
  journal: Journal,
  step: Step,
): Promise<CallResult> {
  if (effect.resolution !== undefined) return resolvedAnswer(call, tool, effect, effect.resolution, step);
  switch (effect.status) {
    case "committed":
    case "failed":
      return settledAnswer(call, tool, effect, step);
    case "in_doubt":
      return inDoubt(call, tool, effect.key);
    case "dispatched":
      // We, or a run before us, sent it and never learned the outcome.
      if (tool.honoursKey) {
        return perform(call, tool, effect, journal, step, "sent again under its key after a crash");
      }
      return learn(call, tool, effect, journal, step);
    case "intended": {
      const dispatched = await journal.dispatchEffect(effect.key);
      if (dispatched === undefined) {
        const now = await journal.effect(effect.key);
        if (now === undefined || now.status === "intended") throw new Error(`effect ${effect.key} left the ledger`);
        return runEffect(call, tool, now, journal, step);
      }
      await step.record({ kind: "effect", tool: tool.name, key: effect.key, status: "dispatched" });
      return perform(call, tool, dispatched, journal, step);
    }
  }
}

/** Learns the outcome of an effect that was sent and must not be sent again. */
async function learn(
  call: OpenCall,
  tool: HarnessTool,
  { key, arguments: frozen }: EffectRecord,
  journal: Journal,
  step: Step,
): Promise<CallResult> {
  const { status, receipt, why = "its outcome was lost in a crash" } = await askProvider(tool, key, frozen, step);
  if (status === "unknown") {
    await settle(journal, step, tool, key, { status: "in_doubt", error: why });
    return inDoubt(call, tool, key);
  }
  const content = receipt ?? (status === "committed" ? "It was done." : "The provider says that it was not done.");
  const text = status === "committed" ? { receipt: content } : { error: content };
  const learnt = `outcome of ${tool.name} learnt by asking its provider after a crash`;
  return settledAnswer(call, tool, await settle(journal, step, tool, key, { status, ...text, learnt }), step);
}

/** A provider that cannot be asked, or does not answer, leaves the outcome unknown; `why` says so in the ledger. */
async function askProvider(
  tool: HarnessTool,
  key: string,
  frozen: unknown,
  { signal }: Step,
): Promise<ProbeOutcome & { readonly why?: string }> {
  if (!tool.canBeProbed) return { status: "unknown" };
  try {
    return await tool.probe(key, frozen, signal);
  } catch (error) {
    if (isGraphBubbleUp(error) || signal.aborted) throw error; // Still dispatched: the resume asks again.
    const why = `its outcome was lost in a crash, and asking the provider failed: ${messageOf(error)}`;
    return { status: "unknown", why };
  }
}

async function perform(
  call: OpenCall,
  tool: HarnessTool,
  { key, arguments: frozen }: EffectRecord,
  journal: Journal,
  step: Step,
  again?: string,
): Promise<CallResult> {
  const learnt = again === undefined ? {} : { learnt: again };
  let outcome: ToolOutcome;
  try {
    outcome = await tool.execute(frozen, {
      idempotencyKey: key,
      permit: isGated(tool.effect) ? mintPermit(key, tool, frozen) : undefined,
      signal: step.signal,
      config: step.config,
    });
  } catch (error) {
    if (step.signal.aborted && !tool.honoursKey && !tool.canBeProbed) {
      await settle(journal, step, tool, key, { status: "in_doubt", error: messageOf(error) });
      return inDoubt(call, tool, key);
    }
    if (step.signal.aborted) throw error; // Still dispatched: the resume sends its key again, or asks.
    const failed = await settle(journal, step, tool, key, { status: "failed", error: messageOf(error), ...learnt });
    return settledAnswer(call, tool, failed, step);
  }
  await settle(journal, step, tool, key, {
    status: "committed",
    receipt: outcome.content,
    receiptLabel: meet(outcome.mark),
    ...learnt,
  });
  const result = { message: answerTo(call, outcome.content), mark: outcome.mark };
  return again === undefined ? result : withLowerCertainty(result, step, again);
}

async function settle(
  journal: Journal,
  step: Step,
  tool: HarnessTool,
  key: string,
  outcome: Parameters<Journal["settleEffect"]>[1],
): Promise<EffectRecord> {
  const settled = await journal.settleEffect(key, outcome);
  const { status, error } = outcome;
  await step.record({ kind: "effect", tool: tool.name, key, status, ...(error === undefined ? {} : { error }) });
  return settled;
}

/** What the ledger knows, and how surely: the same on every later resume. */
function settledAnswer(call: OpenCall, tool: HarnessTool, effect: EffectRecord, step: Step): CallResult {
  const message =
    effect.status === "committed"
      ? answerTo(call, effect.receipt ?? "")
      : answerTo(call, `Error: ${effect.error ?? "it failed"}`, "error");
  const own = effect.receiptLabel === undefined ? [] : [mark(effect.receiptLabel, `receipt of ${tool.name}`)];
  const result = { message, mark: meetMarks(tool.errorMark, ...own) };
  return effect.learnt === undefined ? result : withLowerCertainty(result, step, effect.learnt);
}

const withLowerCertainty = (result: CallResult, step: Step, reason: string): CallResult => ({
  ...result,
  mark: meetMarks(result.mark, mark(label({ certainty: 2 }), reason, step.at)),
});

/** What a person found out stands for the receipt. It is known, but not from the provider itself. */
function resolvedAnswer(
  call: OpenCall,
  tool: HarnessTool,
  { status }: EffectRecord,
  { note }: EffectResolution,
  step: Step,
): CallResult {
  const content = `A person settled this effect as ${status}: ${note}`;
  const message = answerTo(call, content, status === "committed" ? "success" : "error");
  return withLowerCertainty({ message, mark: tool.errorMark }, step, `outcome of ${tool.name} settled by a person`);
}

const inDoubt = (call: OpenCall, tool: HarnessTool, key: string): CallResult => ({
  message: answerTo(
    call,
    `In doubt: ${tool.name} was sent and its outcome is unknown. It was not sent again. A person settles it with: bulkhead effects resolve ${key.slice(0, 12)} committed|failed --note "…"`,
    "error",
  ),
  mark: mark(label({ certainty: 0 }), `outcome of ${tool.name} unknown`),
});
