// Takes a committed effect back, on an operator's word. A compensation is an effect of its own: in the ledger, under a
// key of its own, sent once, in doubt when its outcome was lost.

import { EffectError, type EffectRecord, type EffectStatus, type Journal } from "../checkpoints/index.js";
import { digest, TOP } from "../trust/index.js";
import { isUnclear, NotDoneError } from "./outcome.js";
import { messageOf } from "./step.js";
import type { HarnessTool } from "./tool.js";

/** What {@link compensateEffect} needs to know beside the effect. */
export interface Compensation {
  readonly tool: HarnessTool;
  readonly journal: Journal;
  /** Who wants it, for the record. */
  readonly by: string;
  readonly signal: AbortSignal;
}

/**
 * Runs the tool's `compensate` for an effect, once, and returns the compensation as the ledger has it: `committed`,
 * `failed` (certainly not done; it may be tried again) or `in_doubt`. An effect that was compensated returns that
 * compensation, and one that another worker is compensating throws.
 *
 * @throws EffectError `EFFECT_STATE` unless the effect is committed and its tool can take it back.
 */
export async function compensateEffect(effect: EffectRecord, compensation: Compensation): Promise<EffectRecord> {
  const { tool, journal, by } = compensation;
  const refuse = (why: string) => new EffectError("EFFECT_STATE", effect.key, `effect ${effect.key}: ${why}`);
  if (effect.status !== "committed") {
    throw refuse(`it is ${effect.status.replace("_", " ")}; only a committed effect can be taken back.`);
  }
  if (effect.compensates !== undefined) throw refuse("it is a compensation itself. Do the action again instead.");
  if (!tool.canBeCompensated) {
    throw refuse(`${tool.name} declares no compensate. Take it back at the provider, by hand.`);
  }
  const attempts = (await journal.effects({ root: effect.root })).filter((each) => each.compensates === effect.key);
  const open = attempts.find(({ status }) => status !== "failed");
  if (open !== undefined && open.status !== "intended" && open.status !== "dispatched") return open;
  const intended = await journal.intendEffect({
    ...intentOf(effect, tool),
    key: open?.key ?? digest({ compensates: effect.key, attempt: attempts.length }),
  });
  const lease = await journal.leaseEffect(intended.key, by);
  if (lease === undefined) throw refuse("another process is taking it back right now. Look again when it has ended.");
  try {
    return await perform(effect, intended.key, lease.lost, compensation);
  } finally {
    await lease.release();
  }
}

const intentOf = ({ key, root, thread, run, callId, intent, arguments: args }: EffectRecord, tool: HarnessTool) => ({
  root,
  thread,
  run,
  callId,
  intent,
  tool: tool.name,
  arguments: args,
  binding: digest({ compensates: key, tool: tool.digest }),
  considered: TOP,
  policyDigest: digest("an operator's word"),
  preconditions: undefined,
  compensates: key,
  mayRepeat: true,
  approval: undefined,
});

async function perform(
  effect: EffectRecord,
  key: string,
  lost: AbortSignal,
  { tool, journal, by, signal: given }: Compensation,
): Promise<EffectRecord> {
  const { thread, run } = effect;
  const settle = async (outcome: Parameters<Journal["settleEffect"]>[1], attempts = 1): Promise<EffectRecord> => {
    const settled = await journal.settleEffect(key, outcome, attempts);
    await record(outcome.status, outcome.error);
    return settled;
  };
  const record = (status: EffectStatus, error?: string) => {
    const event = { kind: "effect", tool: tool.name, key, status, by, compensates: effect.key } as const;
    return journal.append({ thread, run }, error === undefined ? event : { ...event, error });
  };
  const dispatched = await journal.dispatchEffect(key);
  if (dispatched !== undefined) await record("dispatched");
  else if (!tool.honoursKey) return settle({ status: "in_doubt", error: "its outcome was lost in a crash" });
  const sent = dispatched ?? (await journal.resendEffect(key));
  if (sent === undefined) throw new EffectError("EFFECT_STATE", key, `effect ${key}: another process has ended it.`);
  const signal = AbortSignal.any([given, lost]);
  try {
    const problem = tool.problemWith(effect.arguments);
    if (problem !== undefined) throw new NotDoneError(problem);
    const context = { idempotencyKey: key, signal };
    const receipt = await tool.compensate(effect.receipt ?? "", effect.arguments, context);
    return await settle({ status: "committed", receipt });
  } catch (error) {
    if (lost.aborted) throw error; // Somebody else may have it now; the ledger says dispatched.
    // A refusal speaks for its own request, not for one that was sent before it.
    const unclear = signal.aborted || isUnclear(error) || sent.attempts > 1;
    return settle({ status: unclear ? "in_doubt" : "failed", error: messageOf(error) }, sent.attempts);
  }
}
