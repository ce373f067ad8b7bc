// The one node that thinks: one guarded model call with every tool bound. Its answer's label says how it was obtained.

import { AIMessage, type BaseMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import type { RunnableConfig } from "@langchain/core/runnables";
import type { StructuredToolInterface } from "@langchain/core/tools";
import {
  BudgetError,
  type CacheWish,
  type GuardedCallOptions,
  type GuardedChatModel,
  trustOfAnswer,
} from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import { answerTo, TASK_TOOL } from "./calls.js";
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
  return harnessNode<AgentView>("taint", journal, async (state, { config, at, signal, derived }) => {
    const system = [prompt, state.context].filter((part) => part !== "" && part !== undefined).join("\n\n");
    const asked = [new SystemMessage(system), ...withClosedCalls(state.messages)];
    const kept = wish === undefined || derived ? {} : { ...wish, tenant: wish.tenant(config) };
    const answer = await bound
      .invoke(asked, { ...config, signal, ...routesOf(state, guard, derived), ...kept })
      .catch((error: unknown) => {
        if (BudgetError.isInstance(error)) return stopped(error.message, state);
        throw error;
      });
    if (isStopped(answer)) return { messages: [answer] };
    for (const call of answer.tool_calls ?? []) requireStorable(call);
    return { messages: [answer], trust: trustOfAnswer(answer, at) };
  });
};

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
 * A message that cannot be read back from its checkpoint would break the thread for good: deep nesting throws there, a
 * key named `__proto__` vanishes, and a call whose id is no text has no name.
 */
function requireStorable({ id = "", name, args }: ToolCall): void {
  const problem = /\p{Surrogate}/u.test(id) ? "have half a character in their id" : storageProblem(args, MAX_DEPTH);
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

/** Providers refuse a history with unanswered calls; a user who moved on while one was waiting leaves such a history. */
function withClosedCalls(messages: readonly BaseMessage[]): BaseMessage[] {
  const answered = new Set(messages.filter(ToolMessage.isInstance).map((message) => message.tool_call_id));
  return messages
    .filter((message) => !isStopped(message))
    .flatMap((message) => {
      const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
      const open = calls.filter((call) => !answered.has(call.id ?? ""));
      return [
        message,
        ...open.map((call) => answerTo(call, "Cancelled: the user went on before it was answered.", "error")),
      ];
    });
}
