// Reads the message history as tasks: what a person asked, the tool calls made since and what came back. The brain has
// no memory of its own; everything it knows about a run is what this file finds in the messages.

import type { BrainMessage } from "../types.js";
import { readSummary } from "./summary.js";

/** How a tool call ended. `rejected` (by a person) and `blocked` (by the gate) are final: never tried again. */
export type Status = "ok" | "error" | "rejected" | "blocked" | "doubt" | "unbound";

/** A tool's result: the text as it came and, where it is JSON, the value. */
export interface Result {
  readonly status: Status;
  readonly text: string;
  readonly data: unknown;
}

/** One finished tool call. */
export interface Step {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly result: Result;
}

/** One thing a person asked for, and what was done for it so far. */
export interface Task {
  readonly text: string;
  readonly steps: readonly Step[];
  /** Model turns spent on it. */
  readonly turns: number;
}

/** The whole conversation, oldest task first. */
export interface Transcript {
  readonly system: string;
  readonly tasks: readonly Task[];
}

const STATUS: readonly (readonly [RegExp, Status])[] = [
  [/^\s*rejected\b/i, "rejected"],
  [/^\s*blocked\b/i, "blocked"],
  [/^\s*error\b/i, "error"],
  [/^\s*in doubt\b/i, "doubt"],
];

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // plain text is a valid result: a subagent's report, a file
  }
};

/** A tool message's text as a {@link Result}. */
function resultOf(text: string): Result {
  const status = STATUS.find(([pattern]) => pattern.test(text))?.[1] ?? "ok";
  return { status, text, data: status === "ok" ? parseJson(text) : undefined };
}

/** An object from JSON text; anything else is the empty object. */
function argumentsOf(text: string): Record<string, unknown> {
  const value = parseJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** `refund_order is committed: seen in their dashboard.`: what `bulkhead effects resolve` says to tell the agent. */
const SETTLED = /^(\w+) is (committed|failed): \S.*$/;

/**
 * A person says what became of calls that were in doubt: the task goes on with that, and what was not done is done again.
 * `false`: the text is something else, and nothing has changed.
 */
function settles(text: string, steps: Step[]): boolean {
  const after = [...steps];
  for (const line of text.split("\n")) {
    const [said, tool, status] = SETTLED.exec(line.trim()) ?? [];
    const at = after.findIndex((step) => step.tool === tool && step.result.status === "doubt");
    const step = after[at];
    if (said === undefined || step === undefined) return false;
    const result: Result = { status: "ok", text: said, data: undefined };
    after.splice(at, 1, ...(status === "committed" ? [{ ...step, result }] : []));
  }
  steps.splice(0, steps.length, ...after);
  return true;
}

/** Splits the history at each human message. A summary of old turns stands for what it lists. */
export function readTranscript(messages: readonly BrainMessage[]): Transcript {
  const system: string[] = [];
  const tasks: { text: string; steps: Step[]; turns: number }[] = [];
  const open = new Map<string, { tool: string; args: Record<string, unknown> }>();

  const start = (text: string): void => {
    const last = tasks.at(-1);
    if (text !== "" && !(last !== undefined && settles(text, last.steps))) tasks.push({ text, steps: [], turns: 0 });
  };

  for (const message of messages) {
    if (message.role === "system") system.push(message.content);
    else if (message.role === "user") start(message.content.trim());
    else if (message.role === "assistant") {
      for (const line of readSummary(message.content) ?? []) {
        if ("task" in line) start(line.task);
        else tasks.at(-1)?.steps.push({ tool: line.tool, args: argumentsOf(line.args), result: resultOf(line.result) });
      }
      const task = tasks.at(-1);
      if (task !== undefined) task.turns += 1;
      for (const call of message.tool_calls ?? [])
        open.set(call.id, { tool: call.name, args: argumentsOf(call.arguments) });
    } else {
      const call = open.get(message.tool_call_id ?? "");
      // A call that was cancelled before it ran has no result: it may still be made.
      if (call === undefined || /^\s*cancelled:/i.test(message.content)) continue;
      tasks.at(-1)?.steps.push({ ...call, result: resultOf(message.content) });
    }
  }
  return { system: system.join("\n"), tasks };
}
