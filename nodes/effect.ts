// Runs one effect through the ledger: intent before, outcome after, and after a crash never a silent second time.
// An outcome that was lost is learnt by sending the same key again, by asking the provider, or from a person. Both
// `act` and the tools node use it, so there is one authority for effects.

import type { ToolMessage } from "@langchain/core/messages";
import { isGraphBubbleUp } from "@langchain/langgraph";
import {
  type EffectRecord,
  type EffectResolution,
  type Journal,
  JournalError,
  type Lease,
} from "../checkpoints/index.js";
import { BOTTOM, digest, label, mark, meet, meetMarks, type TrustMark } from "../trust/index.js";
import { answerTo, type OpenCall } from "./calls.js";
import type { ProbeOutcome } from "./look.js";
import { isUnclear, NotDoneError, OutcomeUnclearError } from "./outcome.js";
import { mintPermit } from "./permit.js";
import { messageOf, type Step } from "./step.js";
import { type HarnessTool, isGated, type ToolOutcome } from "./tool.js";

/** A call's answer and the label of that answer. */
export interface CallResult {
  readonly message: ToolMessage;
  readonly mark: TrustMark;
}

/** How long a worker waits before it looks again whether another one has finished an effect, in ms. */
const LOOK_AGAIN_MS = 100;

/** The idempotency key: the same for every retry and resume of one call, another one for any other arguments. */
export const effectKey = (root: string, intent: string, tool: HarnessTool, args: unknown): string =>
  digest({ root, intent, tool: tool.digest, arguments: args });

/** Runs the tool and turns what it throws into an answer for the planner. Effects are not recorded here. */
export async function runTool(call: OpenCall, tool: HarnessTool, step: Step): Promise<CallResult> {
  try {
    const outcome = await tool.execute(call.args, {
      idempotencyKey: effectKey(step.root, call.intent, tool, call.args),
      permit: undefined,
      signal: step.signal,
      config: step.config,
    });
    return { message: answerTo(call, outcome.content), mark: outcome.mark };
  } catch (error) {
    if (JournalError.isInstance(error)) throw error; // Not the tool's: what it answered is not in the record.
    return { message: answerTo(call, `Error: ${messageOf(error)}`, "error"), mark: tool.errorMark };
  }
}

/**
 * Runs an effect that the ledger knows. Safe to call again after a crash at any point, and by several workers at once:
 * one of them holds the effect's lease, the others wait for its outcome.
 */
export async function runEffect(
  call: OpenCall,
  tool: HarnessTool,
  effect: EffectRecord,
  journal: Journal,
  step: Step,
): Promise<CallResult> {
  for (let now = effect; ; ) {
    const answer = knownAnswer(call, tool, now, step);
    if (answer !== undefined) return answer;
    const lease = await journal.leaseEffect(now.key, step.scope.run);
    if (lease !== undefined) return holding(lease, { call, tool, journal, step, lost: lease.lost }, now.key);
    await journal.clock.sleep(LOOK_AGAIN_MS, step.signal);
    now = await reread(journal, now.key);
  }
}

/** An effect that this worker holds. */
interface Held {
  readonly call: OpenCall;
  readonly tool: HarnessTool;
  readonly journal: Journal;
  readonly step: Step;
  /** Aborts when another worker may have taken the effect over. */
  readonly lost: AbortSignal;
}

async function holding(lease: Lease, held: Held, key: string): Promise<CallResult> {
  try {
    return await proceed(held, await reread(held.journal, key));
  } finally {
    await lease.release();
  }
}

async function reread(journal: Journal, key: string): Promise<EffectRecord> {
  const effect = await journal.effect(key);
  if (effect === undefined) throw new Error(`effect ${key} left the ledger`);
  return effect;
}

/** Goes on from the state the ledger shows. Before a release of the lease the state is one that needs nobody. */
async function proceed(held: Held, effect: EffectRecord): Promise<CallResult> {
  const { call, tool, journal, step } = held;
  const answer = knownAnswer(call, tool, effect, step);
  if (answer !== undefined) return answer;
  if (effect.status === "dispatched") {
    // We, or a worker before us, sent it and never learned the outcome.
    if (tool.honoursKey) return performAgain(held, effect, "sent again under its key after a crash");
    return learn(held, effect, "its outcome was lost in a crash");
  }
  const dispatched = await journal.dispatchEffect(effect.key);
  if (dispatched === undefined) return proceed(held, await reread(journal, effect.key));
  await step.record({ kind: "effect", tool: tool.name, key: effect.key, callId: call.id, status: "dispatched" });
  return perform(held, dispatched);
}

/** The answer to an effect that needs no more work. */
function knownAnswer(call: OpenCall, tool: HarnessTool, effect: EffectRecord, step: Step): CallResult | undefined {
  if (effect.resolution !== undefined) return resolvedAnswer(call, tool, effect, effect.resolution, step);
  switch (effect.status) {
    case "committed":
    case "failed":
      return settledAnswer(call, tool, effect, step);
    case "in_doubt":
      return inDoubt(call, tool, effect.key);
    case "forged":
      return forged(call, tool, effect.key);
    default:
      return undefined;
  }
}

/** Learns the outcome of an effect that was sent and must not be sent again. */
async function learn(held: Held, effect: EffectRecord, lost: string): Promise<CallResult> {
  const { call, tool, step } = held;
  const { key } = effect;
  const { status, receipt, why = lost } = await askProvider(held, effect, lost);
  if (status === "unknown") {
    await settle(held, effect, { status: "in_doubt", error: why });
    return inDoubt(call, tool, key);
  }
  const content = receipt ?? (status === "committed" ? "It was done." : "The provider says that it was not done.");
  const text = status === "committed" ? { receipt: content } : { error: content };
  const learnt = `outcome of ${tool.name} learnt by asking its provider (${lost})`;
  return settledAnswer(call, tool, await settle(held, effect, { status, ...text, learnt }), step);
}

/** A provider that cannot be asked, or does not answer, leaves the outcome unknown; `why` says so in the ledger. */
async function askProvider(
  { tool, step: { signal, config }, lost }: Held,
  { key, arguments: frozen }: EffectRecord,
  reason: string,
): Promise<ProbeOutcome & { readonly why?: string }> {
  if (!tool.canBeProbed) return { status: "unknown" };
  const either = AbortSignal.any([signal, lost]);
  try {
    return await tool.probe(key, frozen, { signal: either, config });
  } catch (error) {
    // Still dispatched: whoever resumes asks again.
    if (isGraphBubbleUp(error) || JournalError.isInstance(error) || either.aborted) throw error;
    return { status: "unknown", why: `${reason}, and asking the provider failed: ${messageOf(error)}` };
  }
}

/** Sends it once more under its key. Somebody else's request may still be on its way to the provider. */
async function performAgain(held: Held, effect: EffectRecord, why: string): Promise<CallResult> {
  const resent = await held.journal.resendEffect(effect.key);
  if (resent === undefined) return proceed(held, await reread(held.journal, effect.key));
  return perform(held, resent, why);
}

async function perform(held: Held, effect: EffectRecord, again?: string): Promise<CallResult> {
  const { call, tool, step, lost } = held;
  const { key, arguments: frozen } = effect;
  const learnt = again === undefined ? {} : { learnt: again };
  const signal = AbortSignal.any([step.signal, lost]);
  let outcome: ToolOutcome;
  try {
    // Arguments that do not fit never come to the function. Of what is thrown after this, only proof says so much.
    const problem = tool.problemWith(frozen);
    if (problem !== undefined) throw new NotDoneError(problem);
    outcome = await tool.execute(frozen, {
      idempotencyKey: key,
      permit: isGated(tool.effect) ? mintPermit(key, tool, frozen) : undefined,
      signal,
      config: step.config,
    });
  } catch (error) {
    // Still dispatched: whoever resumes finds out. A record that could not be written says nothing of what was done.
    if (isGraphBubbleUp(error) || JournalError.isInstance(error) || lost.aborted) throw error;
    if (signal.aborted && (tool.honoursKey || tool.canBeProbed)) throw error;
    if (!signal.aborted && !isUnclear(error)) {
      // A refusal speaks for its own request. What an earlier one did, or still does, it does not say.
      if (again !== undefined) return learn(held, effect, `${again}, and refused (${messageOf(error)})`);
      return settledAnswer(call, tool, await settle(held, effect, { status: "failed", error: messageOf(error) }), step);
    }
    const unclear = `it ended without a clear outcome (${messageOf(error)})${hintFor(error)}`;
    if (tool.honoursKey && again === undefined)
      return performAgain(held, effect, `sent again under its key: ${unclear}`);
    return learn(held, effect, unclear);
  }
  await settle(held, effect, {
    status: "committed",
    receipt: outcome.content,
    receiptLabel: meet(outcome.mark),
    ...learnt,
  });
  const result = { message: answerTo(call, outcome.content), mark: outcome.mark };
  return again === undefined ? result : withLowerCertainty(result, step, again);
}

/** For the author of a tool that refuses with an error that says nothing. */
const hintFor = (error: unknown): string =>
  OutcomeUnclearError.isInstance(error) ? "" : ". When nothing happened, the tool has to throw NotDoneError";

async function settle(
  { call, tool, journal, step }: Held,
  { key, attempts }: EffectRecord,
  outcome: Parameters<Journal["settleEffect"]>[1],
): Promise<EffectRecord> {
  const settled = await journal.settleEffect(key, outcome, attempts);
  const { status, error } = outcome;
  const told = { kind: "effect", tool: tool.name, key, callId: call.id, status } as const;
  await step.record(error === undefined ? told : { ...told, error });
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

const forged = (call: OpenCall, tool: HarnessTool, key: string): CallResult => ({
  message: answerTo(
    call,
    `Blocked: the ledger's record ${key.slice(0, 12)} of ${tool.name} was changed outside the harness. Nothing was sent. Tell the user; a person has to look at the provider.`,
    "error",
  ),
  mark: mark(BOTTOM, `the ledger's record of ${tool.name} was changed outside the harness`),
});

const inDoubt = (call: OpenCall, tool: HarnessTool, key: string): CallResult => ({
  message: answerTo(
    call,
    `In doubt: ${tool.name} was sent and its outcome is unknown. It was not sent again. A person settles it with: bulkhead effects resolve ${key.slice(0, 12)} committed|failed --note "…"`,
    "error",
  ),
  mark: mark(label({ certainty: 0 }), `outcome of ${tool.name} unknown`),
});
