// What the gate knows when it judges one call, gathered in one place: the label, the policy's rule, the tool's own
// definition and preview, what this thread did already. The judgement itself is a pure function of it.

import { isGraphBubbleUp } from "@langchain/langgraph";
import { type Deed, isRepetition, type Journal, JournalError } from "../checkpoints/index.js";
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
import { messageOf, type Step } from "./step.js";
import type { HarnessTool } from "./tool.js";

/** One gated call, considered. */
export interface Consideration {
  readonly call: OpenCall;
  readonly tool: HarnessTool;
  /** Its idempotency key. */
  readonly key: string;
  /** What tells it from other actions of its tool. */
  readonly deed: Deed;
  readonly question: GateQuestion;
  readonly judgement: Judgement;
  /** What the tool's preview shows. */
  readonly preview: string | undefined;
  /** Digest of what the preview says must still hold. */
  readonly preconditions: string | undefined;
  readonly binding: string;
}

/** The label a call is judged by: of the whole thread and its floor, or of what the call itself was made from. */
async function consideredLabel(
  call: OpenCall,
  tool: HarnessTool,
  policy: Policy,
  journal: Journal,
  step: Step,
): Promise<Label> {
  const thread = await journal.thread(step.scope.thread);
  if (thread === undefined || thread.forged) return BOTTOM;
  const { scope } = ruleOf(policy, tool.name, tool.floor);
  return scope === "lineage" ? step.lineageOf(call) : meet(step.trust, thread.floor);
}

/** The tool's own preview failed: nothing can be shown, so the call is not run. Anything else is not the tool's fault. */
export class PreviewError extends Error {
  override readonly name = "PreviewError";
}

/** What a preview shows, and what it says must still hold, as a digest. */
async function previewOf(
  tool: HarnessTool,
  args: unknown,
  { signal, config }: Pick<Step, "signal" | "config">,
  repeats: boolean,
) {
  const preview = await tool.preview(args, { signal, config }).catch((error: unknown) => {
    if (signal.aborted || isGraphBubbleUp(error) || JournalError.isInstance(error)) throw error;
    const known = repeats ? "; the same action was already done, or may have been, in this thread" : "";
    throw new PreviewError(`its preview failed: ${messageOf(error)}${known}`, { cause: error });
  });
  if (preview === undefined) return { shows: undefined, preconditions: undefined };
  return { shows: preview.shows, preconditions: digest(preview.preconditions ?? null) };
}

/** Whether this thread, or one of the same root, first saw another definition of a pinned tool. */
export const hasChanged = async (tool: HarnessTool, journal: Journal, root: string): Promise<boolean> =>
  tool.pinned && (await journal.pinTool(root, tool.name, tool.digest)) !== tool.digest;

/** What happens beside the call in the same superstep. */
export interface Company {
  /** Labels of what earlier calls brought back. */
  readonly also?: readonly Label[];
  /** Whether an earlier call of the same message does the same. */
  readonly planned?: (deed: Deed) => boolean;
}

/** What a call would do, as the ledger compares it. */
export function deedOf({ args }: Pick<OpenCall, "args">, tool: HarnessTool): Deed {
  const effective = tool.effective(args);
  const same = effective !== null && canonicalJson(effective) === canonicalJson(args);
  return {
    tool: tool.name,
    arguments: args,
    ...(same ? {} : { effective }),
    ...(tool.identity === undefined ? {} : { identity: tool.identity }),
  };
}

/**
 * Considers one call.
 *
 * @throws PreviewError
 */
export async function consider(
  call: OpenCall,
  tool: HarnessTool,
  policy: Policy,
  journal: Journal,
  step: Step,
  { also = [], planned = () => false }: Company = {},
): Promise<Consideration> {
  const considered = meet(await consideredLabel(call, tool, policy, journal, step), ...also);
  const key = effectKey(step.root, call.intent, tool, call.args);
  const deed = deedOf(call, tool);
  const question: GateQuestion = {
    tool: tool.name,
    arguments: call.args,
    considered,
    ...(tool.floor === undefined ? {} : { floor: tool.floor }),
    repeats: isRepetition({ key, ...deed }, await journal.effects({ root: step.root })) || planned(deed),
    changed: await hasChanged(tool, journal, step.root),
  };
  const { shows, preconditions } = await previewOf(tool, call.args, step, question.repeats);
  const bound = { mayRepeat: question.repeats, preconditions, policyDigest: policy.digest, considered };
  return {
    call,
    tool,
    key,
    deed,
    question,
    judgement: judge(question, policy),
    preview: shows,
    preconditions,
    binding: bindingDigest(bindingOf(step, call, tool, bound)),
  };
}
