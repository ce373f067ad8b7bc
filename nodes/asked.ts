// A tool's answer, on its way through the one door: what it was asked, and what it gave before anybody cut it.

import type { RunnableConfig } from "@langchain/core/runnables";
import { isGraphBubbleUp } from "@langchain/langgraph";
import { JournalError } from "../checkpoints/index.js";
import { digest, meet, parseCauses, parseLabel } from "../trust/index.js";
import type { Effect } from "./definition.js";
import { isUnclear, NotDoneError, OutcomeUnclearError } from "./outcome.js";
import { type EventOf, type Keep, outside } from "./outside.js";
import { messageOf } from "./text.js";
import type { ToolOutcome } from "./tool.js";

/** What a tool is asked. */
export interface ToolQuestion {
  readonly tool: { readonly name: string; readonly digest: string; readonly effect: Effect };
  readonly use: EventOf<"tool.output">["use"];
  readonly arguments: unknown;
  /** The idempotency key. */
  readonly key?: string;
}

type Answer = { readonly ms: number } & (
  | { readonly outcome: ToolOutcome }
  | { readonly error: string; readonly unclear: boolean; readonly thrown: unknown }
);

/**
 * Asks the tool, or whoever stands in for it.
 *
 * @throws what the tool throws, or an error that says the same; JournalError; OutcomeUnclearError when the tool has answered
 * and the answer cannot be written down.
 */
export async function asked(
  config: RunnableConfig,
  { tool, use, key, arguments: given }: ToolQuestion,
  ask: () => Promise<ToolOutcome>,
): Promise<ToolOutcome> {
  const about = {
    tool: tool.name,
    use,
    definition: tool.digest,
    arguments: digest(given),
    ...(key === undefined ? {} : { key }),
  };
  // What is thrown by a tool that only reads says nothing of an effect.
  const hasEffect = use === "run" && tool.effect !== "none";
  let looked = false;
  const look = async (): Promise<Answer> => {
    const answer = await settled(ask, hasEffect);
    looked = true;
    return answer;
  };
  const answer = await outside<Answer, "tool.output">(config, {
    kind: "tool.output",
    asked: about,
    look,
    tell: (value, keep) => ({ kind: "tool.output", ...about, ms: value.ms, ...told(value, keep) }),
    read: (event, text) => readBack(event, text),
  }).catch((error: unknown) => {
    if (!looked || JournalError.isInstance(error)) throw error;
    const why = `the answer of ${tool.name} could not be recorded: ${messageOf(error)}`;
    throw new OutcomeUnclearError(why, { cause: error });
  });
  if ("outcome" in answer) return answer.outcome;
  throw answer.thrown;
}

/** A failure is an answer as well. What LangGraph throws to go elsewhere, and what a caller's abort throws, is none. */
async function settled(ask: () => Promise<ToolOutcome>, hasEffect: boolean): Promise<Answer> {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const outcome = await ask();
    return { outcome, ms: ms() };
  } catch (error) {
    const thrown = readable(error);
    if (isGraphBubbleUp(thrown)) throw thrown;
    return { error: messageOf(thrown), unclear: hasEffect && isUnclear(thrown), thrown, ms: ms() };
  }
}

/** Anything may be thrown: nothing at all, a text, a proxy that throws when it is looked at. Nobody behind trips over it. */
function readable(error: unknown): object {
  try {
    if (typeof error === "object" && error !== null) {
      isGraphBubbleUp(error);
      JournalError.isInstance(error);
      return error;
    }
  } catch {
    // It cannot be looked at.
  }
  return new Error(messageOf(error));
}

function told(answer: Answer, keep: Keep) {
  if (!("outcome" in answer)) {
    return { ok: false, error: answer.error, ...(answer.unclear ? { unclear: true as const } : {}) };
  }
  const { content, mark } = answer.outcome;
  const { causes = [] } = mark;
  return {
    ok: true,
    output: keep(content),
    bytes: Buffer.byteLength(content),
    label: meet(mark),
    ...(causes.length === 0 ? {} : { causes }),
  };
}

function readBack(event: EventOf<"tool.output">, text: (digest: string) => string): Answer {
  const { ok, output = "", label, causes, error = "", unclear = false, ms } = event;
  if (ok)
    return { outcome: { content: text(output), mark: { ...parseLabel(label), causes: parseCauses(causes) } }, ms };
  return { error, unclear, thrown: unclear ? new OutcomeUnclearError(error) : new NotDoneError(error), ms };
}
