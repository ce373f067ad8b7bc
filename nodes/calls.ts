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
 * Which message answers which call: of the calls that are still open and have its id, one of the last message that made
 * such a call. Answers of the guarded model have ids that no other call has; in a message of somebody else's one id may
 * stand for several calls, and each of them needs an answer. By position: of each message with calls, one entry a call.
 */
export function answersIn(messages: readonly BaseMessage[]): ReadonlyMap<number, readonly (number | undefined)[]> {
  const answers = new Map<number, (number | undefined)[]>();
  const open = new Map<string, { readonly at: number; readonly index: number }[]>();
  for (const [at, message] of messages.entries()) {
    if (ToolMessage.isInstance(message)) {
      const call = open.get(message.tool_call_id)?.pop();
      if (call !== undefined) answers.get(call.at)?.splice(call.index, 1, at);
      continue;
    }
    const calls = callsOf(message);
    if (calls.length === 0) continue;
    answers.set(
      at,
      calls.map(() => undefined),
    );
    for (const [index, { id }] of [...calls.entries()].toReversed()) {
      const same = open.get(id);
      if (same === undefined) open.set(id, [{ at, index }]);
      else same.push({ at, index });
    }
  }
  return answers;
}

/** The calls of the planner's last message that nothing behind it answers. */
export function unansweredCalls(messages: readonly BaseMessage[]) {
  const behind = messages.slice(Math.max(0, messages.findLastIndex(AIMessage.isInstance)));
  const [message] = behind;
  const answers = answersIn(behind).get(0);
  if (message === undefined || answers === undefined) return [];
  return callsOf(message).flatMap((call, index) => (answers[index] === undefined ? [{ message, call, index }] : []));
}

/** The calls of the planner's last message that have no result yet, in the order in which they were made. */
export const openCalls = (messages: readonly BaseMessage[]): readonly OpenCall[] =>
  unansweredCalls(messages).map(({ message, call, index }) => openCall(message, call, index));

/** A call as the ledger names it. */
export function openCall(message: BaseMessage, call: ToolCall & { readonly id: string }, index: number): OpenCall {
  // A turn that is taken again has the ids that it had; its answer is another one, and what it calls was not decided yet.
  const made = { message: message.id ?? null, response: obtainedOf(message)?.responseId ?? null };
  return { ...call, ...snapshot(call.args), intent: digest({ ...made, index, call: call.id }) };
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
