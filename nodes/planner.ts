// The one node that thinks: one guarded model call with every tool bound. Its answer's label says how it was obtained.

import { type AIMessage, SystemMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import type { RunnableConfig } from "@langchain/core/runnables";
import type { StructuredToolInterface } from "@langchain/core/tools";
import {
  BrokenAnswerError,
  BudgetError,
  type CacheWish,
  type GuardedCallOptions,
  type GuardedChatModel,
  trustOfAnswer,
} from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import { label, mark, meetMarks, TOP, type TrustMark } from "../trust/index.js";
import { TASK_TOOL } from "./calls.js";
import { history, lostCalls } from "./history.js";
import { closingsOf } from "./lost-calls.js";
import type { AgentView } from "./state.js";
import { harnessNode } from "./step.js";
import { isStopped, stopped } from "./stopped.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link planner} takes. */
export interface PlannerOptions {
  readonly journal: Journal;
  readonly model: GuardedChatModel;
  readonly toolbox: Toolbox;
  /** The agent's own instructions, before what recall loaded. */
  readonly prompt: string;
  /** The guard whose admission applies to this call. Default `guard`. */
  readonly guard?: string;
  /** Lets an earlier answer do for an equal turn. Default: every turn is a call of its own. */
  readonly cache?: TurnCache;
}

/** Which earlier answers will do for a planner's turn. A rewound thread never uses one. */
export interface TurnCache extends Pick<CacheWish, "staleWhileRevalidate" | "similar"> {
  /** Whose turn it is: two tenants share nothing. `""` when there is only one. */
  readonly tenant: (config: RunnableConfig) => string;
  /**
   * Whether also a turn that delegates or calls tools with effects is kept. Default `false`: only answers, and calls of
   * tools with `effect: "none"` or that only touch the graph's own state.
   */
  readonly effects?: boolean;
}

/** Makes the planner node. When the run's budget is spent it ends the run with what there is. */
export const planner = ({ journal, model, toolbox, prompt, guard = "guard", cache }: PlannerOptions) => {
  const wish = cache && { cacheable: wishOf(cache, toolbox), tenant: cache.tenant };
  const bound = model.bindTools([...toolbox.tools] as StructuredToolInterface[]);
  return harnessNode<AgentView>("taint", journal, async (state, { config, root, at, signal, derived }) => {
    const system = [prompt, state.context].filter((part) => part !== "" && part !== undefined).join("\n\n");
    const closings = await closingsOf(lostCalls(state.messages), { journal, toolbox }, { config, root, at });
    const asked = [new SystemMessage(system), ...history(state.messages, closings.told)];
    const kept = wish === undefined || derived ? {} : { ...wish, tenant: wish.tenant(config) };
    const options = { ...config, signal, ...routesOf(state, guard, derived), ...kept };
    const { answer, again } = await inFull(() => bound.invoke(asked, options), at).catch((error: unknown) => {
      if (BudgetError.isInstance(error)) return { answer: stopped(error.message, state), again: TOP };
      throw error;
    });
    if (isStopped(answer)) return { messages: [answer] };
    for (const call of answer.tool_calls ?? []) requireStorable(call);
    return { messages: [answer], trust: meetMarks(trustOfAnswer(answer, at), again, closings.mark) };
  });
};

/**
 * The answer of `ask`. One that broke after part of it was streamed is discarded and asked for once more: nothing of it was
 * stored, and none of its calls was handed out.
 */
async function inFull(ask: () => Promise<AIMessage>, at: string): Promise<{ answer: AIMessage; again: TrustMark }> {
  try {
    return { answer: await ask(), again: TOP };
  } catch (error) {
    if (!BrokenAnswerError.isInstance(error)) throw error;
    const rank = error.reason === "bad-response" ? 2 : 1;
    return { answer: await ask(), again: mark(label({ certainty: rank }), "asked again after a broken answer", at) };
  }
}

/** What the guard admitted; a thread that repairs another one takes no fallback. */
export function routesOf({ admissions }: Pick<AgentView, "admissions">, guard: string, derived: boolean): Routes {
  const { routes, primaryUntil } = admissions?.[guard] ?? {};
  const admission = derived ? "primary-only" : routes;
  return {
    ...(admission === undefined ? {} : { admission }),
    ...(primaryUntil === undefined ? {} : { primaryUntil }),
  };
}

type Routes = Pick<GuardedCallOptions, "admission" | "primaryUntil">;

function wishOf({ staleWhileRevalidate = false, similar = false, effects = false }: TurnCache, { tools }: Toolbox) {
  const harmless = tools.filter((tool) =>
    tool instanceof HarnessTool ? tool.effect === "none" : tool.name !== TASK_TOOL,
  );
  return { staleWhileRevalidate, similar, tools: effects ? ("all" as const) : harmless.map(({ name }) => name) };
}

/** How deep arguments may be nested: LangChain reads back no message of more than 50 levels. */
const MAX_DEPTH = 32;

/**
 * A message that cannot be read back from its checkpoint would break the thread for good: deep nesting throws there, and
 * a key named `__proto__` vanishes.
 */
function requireStorable({ name, args }: ToolCall): void {
  const problem = storageProblem(args, MAX_DEPTH);
  if (problem === undefined) return;
  throw new Error(
    `the model called ${name} with arguments that ${problem}. Nothing was run. Resume the thread to ask it again.`,
  );
}

function storageProblem(value: unknown, depth: number): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === 0) return `are nested more than ${MAX_DEPTH} levels deep`;
  if (Object.hasOwn(value, "__proto__")) return "have a key named __proto__";
  for (const each of Object.values(value)) {
    const problem = storageProblem(each, depth - 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
