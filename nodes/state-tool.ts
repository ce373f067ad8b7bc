// Runs one call of a tool that works on the graph's own state: the file tools and the plan of Deep Agents, any LangChain
// tool that returns a `Command`. What it says it wrote stands in the state, or it has failed: the calls of one message
// are one task, so each sees what those before it wrote, and nothing that LangGraph would drop or trip over gets in.

import { ToolMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { Command, isCommand, isGraphBubbleUp } from "@langchain/langgraph";
import { hasChannel, label, mark, readChannel, TOP, writeChannel } from "../trust/index.js";
import { answerTo, type OpenCall } from "./calls.js";
import type { CallResult } from "./effect.js";
import { agentFields } from "./state.js";
import { messageOf, type NodeUpdate, type Step } from "./step.js";

/** A call's answer, and what it writes beside it. */
export interface StateResult extends CallResult {
  readonly writes: NodeUpdate;
}

/** What a tool's `Command` may not write: the harness decides by these. */
const HARNESS_KEYS = new Set(["trust", "context", "admissions", "cleared"]);
/** What several calls of one message may write: the messages are joined, files merged, and the last plan stands. */
const SHARED_KEYS = new Set(["messages", "files", "todos"]);
/** Deep Agents' tools that write a file. They tell of a failure in a text like any other. */
const FILE_WRITERS = new Set(["write_file", "edit_file"]);

/** Runs the call. `written` is what the calls before it in the same task have written. */
export async function runStateTool(
  call: OpenCall,
  tool: StructuredToolInterface,
  step: Step,
  written: NodeUpdate,
): Promise<StateResult> {
  if (call.problem !== undefined) return failed(call, `Error: ${tool.name}: ${call.problem}`);
  const before = filesIn(step.config, true);
  try {
    const config = { ...step.config, toolCallId: call.id, toolCall: call, state: {} };
    const result: unknown = await tool.invoke({ ...call, type: "tool_call" }, config);
    const command = isCommand(result) ? result : new Command({ update: { messages: [messageIn(result, call)] } });
    const refusal = refusalOf(command, call, step, written);
    if (refusal !== undefined) return failed(call, `Error: ${call.name} wrote nothing: ${refusal}.`);
    const { messages, files, ...writes } = command.update as Record<string, unknown>;
    const message = [messages].flat()[0] as ToolMessage;
    if (files !== undefined) writeChannel(step.config, "files", files);
    if (FILE_WRITERS.has(call.name) && !differs(before, filesIn(step.config, true))) return failed(call, message.text);
    return { message, mark: TOP, writes };
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    const trust = mark(label({ integrity: 2 }), `error text of ${call.name}`);
    return { ...failed(call, `Error: ${messageOf(error)}`), mark: trust };
  }
}

/** The files that a node has written so far, behind the back of its update. */
export function changedFiles(config: Step["config"]): Record<string, unknown> {
  const before = filesIn(config);
  const changed = Object.entries(filesIn(config, true)).filter(
    ([path, file]) => file !== before[path] && JSON.stringify(file) !== JSON.stringify(before[path]),
  );
  return Object.fromEntries(changed);
}

const filesIn = (config: Step["config"], fresh = false): Record<string, unknown> => {
  const files = readChannel(config, "files", fresh);
  return typeof files === "object" && files !== null ? (files as Record<string, unknown>) : {};
};

/** Whether anything was written in between: the same content again is another object. */
const differs = (before: Record<string, unknown>, after: Record<string, unknown>): boolean =>
  Object.entries(after).some(([path, file]) => file !== before[path]);

const failed = (call: OpenCall, text: string): StateResult => ({
  message: answerTo(call, text, "error"),
  mark: TOP,
  writes: {},
});

const messageIn = (result: unknown, call: OpenCall): ToolMessage =>
  ToolMessage.isInstance(result) ? result : answerTo(call, String(result));

/** Why nothing of a command is carried out: part of it would be lost, break the thread, or be said of another call. */
function refusalOf(
  { update, goto, graph }: Command,
  call: OpenCall,
  { config }: Step,
  written: NodeUpdate,
): string | undefined {
  if (graph !== undefined || [goto ?? []].flat().length > 0)
    return "it sends the graph elsewhere, which a tool may not";
  if (typeof update !== "object" || update === null || Array.isArray(update)) return "its update is no object";
  const { messages, todos } = update as Record<string, unknown>;
  const [answer, ...others] = [messages].flat();
  if (others.length > 0 || !ToolMessage.isInstance(answer) || answer.tool_call_id !== call.id) {
    return "its messages are not one answer to this call";
  }
  if (!agentFields.todos.safeParse(todos).success) return "its todos are no plan";
  for (const key of Object.keys(update)) {
    if (HARNESS_KEYS.has(key)) return `${key} is the harness's own`;
    if (!hasChannel(config, key)) return `the graph's state has no key ${JSON.stringify(key)}`;
    if (key in written && !SHARED_KEYS.has(key)) {
      return `another call of the same message has written ${key} already; make them one after the other`;
    }
  }
  return undefined;
}
