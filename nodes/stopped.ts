// The last words of an agent whose budget is spent. They are the harness's, not a model's, and say what is unfinished;
// the model never gets to read them, so that a run which gets more goes on as if nothing had been said.

import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import type { Todo } from "./state.js";

const STOPPED = "bulkhead_stopped";

/** How much of a task and of what was said is repeated, in characters. */
const SHORT = 300;

/** How much of what a subagent found comes along, in characters. */
const FOUND = 4_000;

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length)}…`);

/** Whether a message is such last words. */
export const isStopped = (message: BaseMessage | undefined): boolean =>
  message !== undefined && message.response_metadata?.[STOPPED] === "budget";

/** The last words. `why`: the message of the error that stopped it. */
export function stopped(
  why: string,
  { messages, todos = [] }: { messages: readonly BaseMessage[]; todos?: readonly Todo[] },
) {
  const turn = messages.slice(messages.findLastIndex((message) => HumanMessage.isInstance(message)));
  const open = todos.filter(({ status }) => status !== "completed").map(({ content }) => `- ${cut(content, SHORT)}`);
  const said = turn.findLast((message) => AIMessage.isInstance(message) && !isStopped(message) && message.text !== "");
  const done = new Set(turn.filter((message) => ToolMessage.isInstance(message)).map(({ name = "a tool" }) => name));
  return new AIMessage({
    content: [
      `Stopped before the end: ${why}`,
      open.length > 0 ? `Unfinished:\n${open.join("\n")}` : `Unfinished: ${cut(turn[0]?.text ?? "the task", SHORT)}`,
      ...(done.size === 0 ? [] : [`Answered so far: ${[...done].join(", ")}.`]),
      ...(said === undefined ? [] : [`Last thought: ${cut(said.text, SHORT)}`]),
    ].join("\n\n"),
    response_metadata: { [STOPPED]: "budget" },
  });
}

/** What a stopped subagent brings back: its last words, and what its tools had told it. */
export function partialResult(messages: readonly BaseMessage[]): string {
  const found = messages.flatMap((message) =>
    ToolMessage.isInstance(message) && message.status !== "error"
      ? [`${message.name ?? "a tool"}: ${message.text}`]
      : [],
  );
  const last = messages.at(-1)?.text ?? "";
  return found.length === 0 ? last : `${last}\n\nWhat it had found:\n${cut(found.join("\n"), FOUND)}`;
}
