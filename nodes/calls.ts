// Which tool calls of the planner are still open, and which way each one goes. Routing reads only messages and
// tool declarations, so the same state always takes the same way.

import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { canonicalJson, digest } from "../trust/index.js";
import { HarnessTool, isGated } from "./tool.js";

/** The name of the tool that delegates to a subagent. */
export const TASK_TOOL = "task";

/** Anything the planner may be given: a tool of ours, or a LangChain tool that only touches the graph's own state. */
export type AnyTool = HarnessTool | StructuredToolInterface;

/** A tool call that certainly has an id, and a name that no other call has: some models number their calls anew each time. */
export type OpenCall = ToolCall & {
  readonly id: string;
  readonly intent: string;
  /** Why its arguments cannot be judged; they are empty then. */
  readonly problem?: string;
};

/** Where a call goes: to a subagent, to the gate, or to the tools node (which also answers for unknown tools). */
export type CallKind = "delegate" | "gated" | "plain";

/** The planner's last message, when it made calls. */
function lastPlan(messages: readonly BaseMessage[]): AIMessage | undefined {
  const last = messages.findLast(AIMessage.isInstance);
  return last?.tool_calls?.length ? last : undefined;
}

/** The calls of the planner's last message that have no result yet, in the order in which they were made. */
export function openCalls(messages: readonly BaseMessage[]): readonly OpenCall[] {
  const plan = lastPlan(messages);
  if (plan === undefined) return [];
  const answered = new Set(messages.filter(ToolMessage.isInstance).map((message) => message.tool_call_id));
  return (plan.tool_calls ?? []).flatMap((call, index) => {
    const { id } = call;
    if (id === undefined || answered.has(id)) return [];
    return [{ ...call, id, ...snapshot(call.args), intent: digest({ message: plan.id ?? null, index, call: id }) }];
  });
}

/**
 * One copy of the arguments for all that look at them: a getter may answer differently at every look. Arguments without
 * a canonical form (half a surrogate pair, a `bigint`) are not looked at a second time.
 */
export function snapshot(args: ToolCall["args"]): Pick<OpenCall, "args" | "problem"> {
  try {
    const copy = JSON.parse(JSON.stringify(args));
    canonicalJson(copy);
    return { args: copy };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { args: {}, problem: `these arguments have no canonical form: ${why}. Write them as plain JSON.` };
  }
}

/** Finds a tool by name. */
export const findTool = (tools: readonly AnyTool[], name: string): AnyTool | undefined =>
  tools.find((tool) => tool.name === name);

/** Sorts a call by what its tool declares. */
export function kindOf(call: ToolCall, tools: readonly AnyTool[]): CallKind {
  if (call.name === TASK_TOOL) return "delegate";
  const tool = findTool(tools, call.name);
  return tool instanceof HarnessTool && isGated(tool.effect) ? "gated" : "plain";
}

/** The open calls of one kind. */
export const openCallsOf = (kind: CallKind, messages: readonly BaseMessage[], tools: readonly AnyTool[]) =>
  openCalls(messages).filter((call) => kindOf(call, tools) === kind);

/** The answer to a call. `error` results carry LangChain's error status, so that models and interfaces see it. */
export const answerTo = (call: ToolCall, content: string, status: "success" | "error" = "success"): ToolMessage =>
  new ToolMessage({ content, tool_call_id: call.id ?? "", name: call.name, status });
