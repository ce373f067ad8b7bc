// How a run ended, read from what LangGraph and the journal say. The exit code follows from the outcome alone.

import { type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { isGraphDrained } from "@langchain/langgraph";
import { BudgetError, CapacityWaitError } from "../../capacity/index.js";
import type { Journal, RecordedEvent, RunStatus } from "../../checkpoints/index.js";
import { openInterrupts, type Stand, standingOf, UnfinishedError } from "../../graphs/index.js";
import { type ApprovalInterrupt, isStopped, type ParkedRequest } from "../../nodes/index.js";

/** How a run ended. `message`: why it has not finished. */
export interface Outcome {
  readonly status: Exclude<RunStatus, "running">;
  readonly message?: string;
  /** When a parked run is worth waking up, in ms since the epoch. */
  readonly retryAt?: number;
  readonly error?: unknown;
}

/** What a graph threw. */
export function outcomeOfError(error: unknown, { interrupted }: { readonly interrupted: boolean }): Outcome {
  if (interrupted || isGraphDrained(error)) return { status: "interrupted" };
  if (CapacityWaitError.isInstance(error)) return { status: "parked", message: error.message, retryAt: error.retryAt };
  if (BudgetError.isInstance(error)) return { status: "spent", message: error.message };
  return { status: "failed", error };
}

/** What a graph that stopped without an error is waiting for, or that it is done. */
export async function outcomeOfState(
  state: Stand,
  journal: Pick<Journal, "events" | "approval">,
  thread: string,
): Promise<Outcome> {
  const values = openInterrupts(state) as readonly ({ type?: unknown } | undefined)[];
  const asked = values.find((value) => value?.type === "approval") as ApprovalInterrupt | undefined;
  if (asked !== undefined) return { status: "waiting", message: asked.message };
  const parked = values.find((value) => value?.type === "parked") as ParkedRequest | undefined;
  if (parked !== undefined) return { status: "parked", message: parked.message, retryAt: parked.retryAt };
  const [other] = values;
  if (other !== undefined) {
    return {
      status: "waiting",
      message: `a node asks something that only Studio can answer: ${JSON.stringify(other)}`,
    };
  }
  const standing = standingOf(state);
  if (standing.at === "work") return { status: "interrupted" };
  if (standing.at === "nothing") return { status: "failed", error: new UnfinishedError("nothing of it was saved") };
  if (standing.at === "loose end") return { status: "failed", error: new UnfinishedError(standing.why) };
  if (isStopped(messagesOf(state.values).at(-1))) return { status: "spent" };
  return { status: (await wasRefused(state, journal, thread)) ? "blocked" : "finished" };
}

/** Whether, since the user last said something, an action was blocked, rejected, or never approved in time. */
async function wasRefused(
  { values }: Pick<Stand, "values">,
  journal: Pick<Journal, "events" | "approval">,
  thread: string,
): Promise<boolean> {
  if (sinceLastInput(messagesOf(values)).some(isRefusal)) return true;
  for (const { event } of sinceLastStart(await journal.events({ thread }))) {
    if (event.kind !== "gate.decision") continue;
    if (event.verdict === "block") return true;
    if (event.approval === undefined) continue;
    const status = (await journal.approval(event.approval))?.status;
    if (status === "rejected" || status === "expired") return true;
  }
  return false;
}

/** How gate and act answer a call that they did not let pass. */
const isRefusal = (message: BaseMessage): boolean =>
  ToolMessage.isInstance(message) && message.status === "error" && /^(Blocked|Rejected): /.test(message.text);

function sinceLastInput(messages: readonly BaseMessage[]): readonly BaseMessage[] {
  return messages.slice(messages.findLastIndex((message) => HumanMessage.isInstance(message)) + 1);
}

function sinceLastStart(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const start = events.findLastIndex(({ event }) => event.kind === "run.start" && !event.resumed);
  return events.slice(Math.max(0, start));
}

/** The messages in a graph's state, if it has any. */
export function messagesOf(values: unknown): readonly BaseMessage[] {
  const messages = (values as { messages?: unknown } | undefined)?.messages;
  return Array.isArray(messages) ? messages : [];
}

/** What the agent said last since the user's last message; `undefined` while it has said nothing. */
export function answerOf(values: unknown): string | undefined {
  const last = sinceLastInput(messagesOf(values)).findLast((message) => message.type === "ai");
  return last === undefined || last.text.trim() === "" ? undefined : last.text;
}
