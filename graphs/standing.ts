// Whether a thread is over: the one place where that is judged, for everything that says so or acts on it. LangGraph's
// `next` does not tell: it leaves out every task whose writes are stored already, so that a run which was killed between
// its last stored write and the next checkpoint has no `next`, and everything still to do.

import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import type { StateSnapshot } from "@langchain/langgraph";
import { unansweredCalls } from "../nodes/index.js";

/** What of a snapshot is looked at. */
export type Stand = Pick<StateSnapshot, "next" | "tasks" | "values"> & Partial<Pick<StateSnapshot, "config">>;

/** How a thread stands. */
export type Standing =
  /** Nothing of it was saved. */
  | { readonly at: "nothing" }
  /** LangGraph has something to run, to ask or to take in: the names of those nodes, and of which the writes are stored. */
  | { readonly at: "work"; readonly next: readonly string[]; readonly stored: readonly string[] }
  /** LangGraph has nothing to run, and the thread has no answer: a client wrote into it, or an older version left it so. */
  | { readonly at: "loose end"; readonly why: string }
  /** Every call was answered, and the user too. */
  | { readonly at: "end" };

/** Judges a snapshot, as `getState` gives it. */
export function standingOf(snapshot: Stand): Standing {
  const { tasks, values, config } = snapshot;
  if (tasks.length > 0) {
    const stored = tasks.filter((task) => isStored(task, snapshot));
    return { at: "work", next: tasks.map(({ name }) => name), stored: stored.map(({ name }) => name) };
  }
  if (config !== undefined && config.configurable?.["checkpoint_id"] === undefined) return { at: "nothing" };
  const why = looseEnd((values as { messages?: unknown } | undefined)?.messages);
  return why === undefined ? { at: "end" } : { at: "loose end", why };
}

/** Whether a thread is over: nothing to run, every call of the last plan answered, and an answer at the end. */
export const hasEnded = (snapshot: Stand): boolean => standingOf(snapshot).at === "end";

/** Whether LangGraph goes on from a checkpoint, of the thread's history as well. */
export const canGoOn = ({ tasks }: Pick<Stand, "tasks">): boolean => tasks.length > 0;

/** What nodes ask and nobody has answered. One that went on since has its question still on its checkpoint. */
export const openInterrupts = (snapshot: Pick<Stand, "next" | "tasks">): readonly unknown[] =>
  snapshot.tasks
    .filter((task) => !isStored(task, snapshot))
    .flatMap(({ interrupts }) => interrupts.map(({ value }) => value));

/** Whether a task has run. A node that wrote nothing to the state has no result, but it is not among `next`. */
const isStored = ({ name, result }: Stand["tasks"][number], { next }: Pick<Stand, "next">): boolean =>
  result !== undefined || !next.includes(name);

/** Why messages are no end. `undefined` when they are one. */
function looseEnd(messages: unknown): string | undefined {
  const all: readonly BaseMessage[] = Array.isArray(messages) ? messages : [];
  const last = all.at(-1);
  if (last === undefined) return "it has no message";
  const open = unanswered(all);
  if (open.length > 0) return `${open.join(", ")} ${open.length === 1 ? "was" : "were"} called and not answered`;
  if (HumanMessage.isInstance(last)) return "its last message is the user's";
  if (!AIMessage.isInstance(last)) return "what was found out last was given to nobody";
  return last.text.trim() === "" ? "its last message says nothing" : undefined;
}

/** The calls of the last plan without a result, by name. */
function unanswered(messages: readonly BaseMessage[]): readonly string[] {
  const plan = messages.findLast(AIMessage.isInstance);
  const unread = plan?.invalid_tool_calls ?? [];
  const open = [...unansweredCalls(messages).map(({ call }) => call), ...unread];
  return open.map(({ name }) => name || "a call without a name");
}

const UNFINISHED = Symbol.for("bulkhead.UnfinishedError");

/** A graph stopped and has no answer. Resume the thread: the model is asked again. */
export class UnfinishedError extends Error {
  override readonly name = "UnfinishedError";
  readonly code = "UNFINISHED";
  readonly [UNFINISHED] = true;

  constructor(why: string) {
    super(
      `the graph stopped without an answer: ${why}. Nothing is lost. Resume the thread to have the model asked again, or say something new in it.`,
    );
  }

  static isInstance(error: unknown): error is UnfinishedError {
    return typeof error === "object" && error !== null && UNFINISHED in error;
  }
}
