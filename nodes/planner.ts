// The one node that thinks: one guarded model call with every tool bound. Its answer's label says how it was obtained.

import { AIMessage, type BaseMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { type GuardedChatModel, trustOfAnswer } from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import { answerTo } from "./calls.js";
import type { AgentView } from "./state.js";
import { harnessNode } from "./step.js";
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
}

/** Makes the planner node. */
export const planner = ({ journal, model, toolbox, prompt, guard = "guard" }: PlannerOptions) => {
  const bound = model.bindTools([...toolbox.tools] as StructuredToolInterface[]);
  return harnessNode<AgentView>("taint", journal, async (state, { config, at, record, signal, derived }) => {
    const system = [prompt, state.context].filter((part) => part !== "" && part !== undefined).join("\n\n");
    const admission = derived ? "primary-only" : (state.admissions?.[guard]?.routes ?? "any-route");
    const answer = await bound.invoke([new SystemMessage(system), ...withClosedCalls(state.messages)], {
      ...config,
      signal,
      admission,
    });
    for (const call of answer.tool_calls ?? []) requireStorable(call);
    const plan = answer.tool_calls?.find((call) => call.name === "write_todos")?.args["todos"];
    if (Array.isArray(plan)) await record({ kind: "plan", todos: plan });
    return { messages: [answer], trust: trustOfAnswer(answer, at) };
  });
};

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
  return messages.flatMap((message) => {
    const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
    const open = calls.filter((call) => !answered.has(call.id ?? ""));
    return [
      message,
      ...open.map((call) => answerTo(call, "Cancelled: the user went on before it was answered.", "error")),
    ];
  });
}
