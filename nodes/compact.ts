// Keeps the context small: moves large tool results to files of the thread and replaces old turns by a summary. What
// is shortened keeps its label, and the shortening itself costs a rank of fidelity.

import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { BudgetError, type GuardedChatModel, trustOfAnswer } from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import { label, mark, meetMarks, type TrustMark } from "../trust/index.js";
import { answersIn } from "./calls.js";
import { history } from "./history.js";
import { routesOf } from "./planner.js";
import type { AgentView } from "./state.js";
import { harnessNode, type NodeUpdate, type Step } from "./step.js";

/** What {@link compact} takes. */
export interface CompactOptions {
  readonly journal: Journal;
  readonly model: GuardedChatModel;
  /** A tool result longer than this moves to a file. Default 16,000 characters. */
  readonly evictOver?: number;
  /** Old turns are summarised when all messages together are longer than this. Default 120,000 characters. */
  readonly summariseOver?: number;
  /** How many of the newest messages are never summarised. Default 8. */
  readonly keep?: number;
}

/** How much of an evicted result stays in the message. In characters. */
const HEAD = 500;

const SUMMARISE =
  "Summarise the conversation below for the agent that continues it. Keep every id, amount, decision, refusal and open point. Do not add anything.";

/** Makes the compact node. */
export const compact = (options: CompactOptions) => {
  const { journal, model, evictOver = 16_000, summariseOver = 120_000, keep = 8 } = options;
  return harnessNode<AgentView>("taint", journal, async (state, step) => {
    const evicted = await evict(state.messages, evictOver, step);
    const shown = state.messages.map((message) => evicted.messages.find((each) => each.id === message.id) ?? message);
    const summary = size(shown) > summariseOver ? await summarise(state, shown, { keep, model, step }) : undefined;
    if (evicted.messages.length === 0 && summary === undefined) return {};
    await step.record({
      kind: "compact",
      evicted: Object.keys(evicted.files),
      summarised: summary?.removed ?? 0,
    });
    const marks: TrustMark[] = [
      ...(evicted.messages.length === 0 ? [] : [mark(label({ fidelity: 2 }), "a tool result was cut short", step.at)]),
      ...(summary === undefined ? [] : [summary.mark]),
    ];
    return {
      messages: [...evicted.messages, ...(summary?.messages ?? [])],
      ...(Object.keys(evicted.files).length === 0 ? {} : { files: evicted.files }),
      trust: meetMarks(...marks),
    } satisfies NodeUpdate;
  });
};

const size = (messages: readonly BaseMessage[]): number =>
  messages.reduce((sum, message) => sum + message.text.length, 0);

async function evict(messages: readonly BaseMessage[], over: number, step: Step) {
  const files: Record<string, { content: string; mimeType: string; created_at: string; modified_at: string }> = {};
  const shortened: ToolMessage[] = [];
  for (const message of messages) {
    if (!ToolMessage.isInstance(message) || message.text.length <= over || message.id === undefined) continue;
    const at = new Date(await step.now()).toISOString();
    const path = `/tool_results/${message.tool_call_id.replaceAll(/[^A-Za-z0-9_-]/g, "_")}.txt`;
    files[path] = { content: message.text, mimeType: "text/plain", created_at: at, modified_at: at };
    shortened.push(
      new ToolMessage({
        id: message.id,
        tool_call_id: message.tool_call_id,
        content: `${message.text.slice(0, HEAD)}\n… cut: the whole result (${message.text.length} characters) is in ${path}; read it with read_file.`,
        ...(message.name === undefined ? {} : { name: message.name }),
        ...(message.status === undefined ? {} : { status: message.status }),
      }),
    );
  }
  return { files, messages: shortened };
}

/** The turns that may go: between the last user message and the newest `keep`, whole turns only. */
function oldTurns(messages: readonly BaseMessage[], keep: number): readonly BaseMessage[] {
  const task = messages.findLastIndex(HumanMessage.isInstance);
  let end = messages.length - keep;
  while (end > task && ToolMessage.isInstance(messages[end])) end--; // A call and its results stay together.
  const inTask = messages.slice(task + 1, Math.max(task + 1, whole(messages, end)));
  if (inTask.length >= 2) return inTask;
  return messages.slice(0, Math.max(0, whole(messages, Math.min(task, messages.length - keep))));
}

/** The last place before `end` at which no call is cut off from an answer to it, wherever that stands. */
function whole(messages: readonly BaseMessage[], end: number): number {
  const cut = [...answersIn(messages)].find(([at, answers]) => at < end && answers.some((each) => (each ?? 0) >= end));
  return cut === undefined ? end : whole(messages, cut[0]);
}

interface Summarising extends Pick<CompactOptions, "model"> {
  readonly keep: number;
  readonly step: Step;
}

async function summarise(state: AgentView, messages: readonly BaseMessage[], { keep, model, step }: Summarising) {
  const old = oldTurns(messages, keep).filter((message) => message.id !== undefined);
  const [first, ...rest] = old;
  if (first?.id === undefined || rest.length === 0) return undefined;
  const transcript = history(old)
    .map((message) => `${message.getType()}: ${transcriptOf(message)}`)
    .join("\n\n");
  const asked = [new SystemMessage(SUMMARISE), new HumanMessage(transcript)];
  const options = { ...step.config, signal: step.signal, ...routesOf(state, "guard", step.derived) };
  const answer = await model.invoke(asked, options).catch((error: unknown) => {
    if (BudgetError.isInstance(error)) return undefined; // The planner is next, and ends the run.
    throw error;
  });
  if (answer === undefined) return undefined;
  return {
    removed: old.length,
    messages: [
      new AIMessage({ id: first.id, content: `Summary of ${old.length} earlier messages:\n${answer.text}` }),
      ...rest.map((message) => new RemoveMessage({ id: message.id as string })),
    ],
    mark: meetMarks(
      trustOfAnswer(answer, step.at),
      mark(label({ fidelity: 2 }), "earlier messages were summarised", step.at),
    ),
  };
}

const transcriptOf = (message: BaseMessage): string => {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  return [message.text, ...calls.map((call) => `calls ${call.name}(${JSON.stringify(call.args)})`)].join(" ").trim();
};
