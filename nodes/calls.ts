// Which tool calls of the planner are still open, and which way each one goes. Routing reads only messages and
// tool declarations, so the same state always takes the same way.

import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { callIdOf, obtainedOf } from "../capacity/index.js";
import { canonicalJson, digest } from "../trust/index.js";
import { HarnessTool, isGated } from "./tool.js";

/** The name of the tool that delegates to a subagent. */
export const TASK_TOOL = "task";

/** Anything the planner may be given: a tool of ours, or a LangChain tool that only touches the graph's own state. */
export type AnyTool = HarnessTool | StructuredToolInterface;

/** A tool call that certainly has an id, and a name that no other call has. */
export type OpenCall = ToolCall & {
  readonly id: string;
  readonly intent: string;
  /** Why its arguments cannot be judged; they are empty then. */
  readonly problem?: string;
};

/** Where a call goes: to a subagent, to the gate, or to the tools node (which also answers for unknown tools). */
export type CallKind = "delegate" | "gated" | "plain";

/** The calls of a message. One that has no id is given one, by which it can be answered. */
export function callsOf(message: BaseMessage): readonly (ToolCall & { readonly id: string })[] {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  return calls.map((call, index) => ({ ...call, id: call.id || callIdOf(message.id ?? "", index) }));
}

/**
 * The calls of the message at `at` that nothing behind it answers, before the next message that makes calls. Answers of the
 * guarded model have ids that no other call has; in a message of somebody else's one id may stand for several calls, and
 * each of them needs an answer.
 */
export function unansweredCalls(messages: readonly BaseMessage[], at: number) {
  const message = messages[at];
  const calls = message === undefined ? [] : callsOf(message);
  if (calls.length === 0) return [];
  const behind = messages.slice(at + 1);
  const next = behind.findIndex((each) => callsOf(each).length > 0);
  const answers = (next === -1 ? behind : behind.slice(0, next)).filter(ToolMessage.isInstance);
  const left = new Map<string, number>();
  for (const { tool_call_id: id } of answers) left.set(id, (left.get(id) ?? 0) + 1);
  return calls.flatMap((call, index) => {
    const answered = left.get(call.id) ?? 0;
    left.set(call.id, answered - 1);
    return answered > 0 ? [] : [{ call, index }];
  });
}

/** The calls of the planner's last message that have no result yet, in the order in which they were made. */
export function openCalls(messages: readonly BaseMessage[]): readonly OpenCall[] {
  const at = messages.findLastIndex(AIMessage.isInstance);
  const plan = messages[at];
  // A turn that is taken again has the ids that it had; its answer is another one, and what it calls was not decided yet.
  const made = { message: plan?.id ?? null, response: (plan && obtainedOf(plan)?.responseId) ?? null };
  return unansweredCalls(messages, at).map(({ call, index }) => ({
    ...call,
    ...snapshot(call.args),
    intent: digest({ ...made, index, call: call.id }),
  }));
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
