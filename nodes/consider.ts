// What the gate knows when it judges one call, gathered in one place: the label, the policy's rule, the tool's own
// definition and preview, what this thread did already. The judgement itself is a pure function of it.

import type { EffectStatus, Journal } from "../checkpoints/index.js";
import {
  BOTTOM,
  canonicalJson,
  digest,
  type GateQuestion,
  type Judgement,
  judge,
  type Label,
  meet,
  type Policy,
  ruleOf,
} from "../trust/index.js";
import { bindingDigest, bindingOf } from "./binding.js";
import type { OpenCall } from "./calls.js";
import { effectKey } from "./effect.js";
import type { Step } from "./step.js";
import type { HarnessTool } from "./tool.js";

/** One gated call, considered. */
export interface Consideration {
  readonly call: OpenCall;
  readonly tool: HarnessTool;
  /** Its idempotency key. */
  readonly key: string;
  readonly question: GateQuestion;
  readonly judgement: Judgement;
  /** What the tool's preview shows. */
  readonly preview: string | undefined;
  /** Digest of what the preview says must still hold. */
  readonly preconditions: string | undefined;
  readonly binding: string;
}

/** The label a call is judged by: of the whole thread and its floor, or of what the call itself was made from. */
export async function consideredLabel(
  call: OpenCall,
  tool: HarnessTool,
  policy: Policy,
  journal: Journal,
  step: Step,
): Promise<Label> {
  if (ruleOf(policy, tool.name, tool.floor).scope === "lineage") return step.lineageOf(call);
  const floor = (await journal.thread(step.scope.thread))?.floor ?? BOTTOM;
  return meet(step.trust, floor);
}

/** What a preview says must still hold, as a digest. @throws whatever the preview throws */
export async function previewOf(tool: HarnessTool, args: unknown, { signal }: Pick<Step, "signal">) {
  const preview = await tool.preview(args, signal);
  if (preview === undefined) return { shows: undefined, preconditions: undefined };
  return { shows: preview.shows, preconditions: digest(preview.preconditions ?? null) };
}

/** Whether this thread, or one of the same root, first saw another definition of a pinned tool. */
export const hasChanged = async (tool: HarnessTool, journal: Journal, root: string): Promise<boolean> =>
  tool.pinned && (await journal.pinTool(root, tool.name, tool.digest)) !== tool.digest;

/** Considers one call. @throws whatever the tool's preview throws */
export async function consider(
  call: OpenCall,
  tool: HarnessTool,
  policy: Policy,
  journal: Journal,
  step: Step,
): Promise<Consideration> {
  const considered = await consideredLabel(call, tool, policy, journal, step);
  const key = effectKey(step.root, call.intent, tool, call.args);
  const question: GateQuestion = {
    tool: tool.name,
    arguments: call.args,
    considered,
    ...(tool.floor === undefined ? {} : { floor: tool.floor }),
    repeats: await isRepetition(journal, step.root, tool, call.args, key),
    changed: await hasChanged(tool, journal, step.root),
  };
  const { shows, preconditions } = await previewOf(tool, call.args, step);
  const bound = { preconditions, policyDigest: policy.digest, considered };
  return {
    call,
    tool,
    key,
    question,
    judgement: judge(question, policy),
    preview: shows,
    preconditions,
    binding: bindingDigest(bindingOf(step, call, tool, bound)),
  };
}

/** What must not be done a second time without a person: also what may have been done. */
const DONE_OR_MAYBE = new Set<EffectStatus>(["committed", "dispatched", "in_doubt"]);

/** The model asked again, after a time travel or by mistake, for what was already done under this root. */
async function isRepetition(
  journal: Journal,
  root: string,
  tool: HarnessTool,
  args: Readonly<Record<string, unknown>>,
  key: string,
): Promise<boolean> {
  const canonical = canonicalJson(args);
  return (await journal.effects({ root })).some(
    (effect) =>
      DONE_OR_MAYBE.has(effect.status) &&
      effect.tool === tool.name &&
      effect.compensates === undefined &&
      effect.key !== key &&
      canonicalJson(effect.arguments) === canonical,
  );
}
