// A small agent for the property tests: recall, a planner without a model, tools, gate and act, wired and checked like
// any other graph, over a journal in memory. The planner does what the last human message says, word by word.

import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { type BaseCheckpointSaver, END, MemorySaver, START } from "@langchain/langgraph";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import { HarnessGraph, route } from "../../graphs/index.js";
import type { LabelledMemory } from "../../memory/index.js";
import {
  type AgentView,
  act,
  gate,
  type HarnessTool,
  harnessNode,
  openCallsOf,
  recall,
  roleOf,
  type Step,
  sendTools,
  tools as toolsNode,
  withRole,
} from "../../nodes/index.js";
import { balanced, type Policy, type TrustMark } from "../../trust/index.js";

/** More runs for a long night: `BULKHEAD_PROPERTY_RUNS=5000 npx vitest run test/properties`. */
export function runs(usual: number): number {
  const asked = process.env["BULKHEAD_PROPERTY_RUNS"];
  return asked === undefined ? usual : Number(asked);
}

/** For properties over whole runs: the same ones each time in CI, others every night, and the first failure ends them. */
export const settings = (numRuns: number) => ({
  numRuns,
  endOnFailure: true,
  ...(process.env["BULKHEAD_PROPERTY_RUNS"] === undefined ? { seed: 20_261_123 } : {}),
});

/** What one word makes of the planner: calls, text, and the mark of how it was thought of. */
export interface Thought {
  readonly calls?: readonly { readonly name: string; readonly args: Record<string, unknown> }[];
  readonly content?: string;
  readonly trust?: TrustMark;
}

/** Says what the planner makes of a word. `seen` is everything it read. */
export type Mind = (word: string, seen: AgentView, step: Step) => Thought;

/** What {@link smallAgent} takes. */
export interface SmallAgentOptions {
  readonly tools: readonly HarnessTool[];
  readonly mind: Mind;
  readonly policy?: Policy;
  readonly journal?: Journal;
  readonly saver?: BaseCheckpointSaver;
  readonly memory?: LabelledMemory;
  /** Is told what each node is given, before the node works. */
  readonly reads?: (node: string, state: unknown, thread: string) => void;
}

/** The words of the task, and how many of them have had their turn. */
function nextWord(messages: readonly BaseMessage[]): string | undefined {
  const task = messages.findLastIndex(HumanMessage.isInstance);
  const words = messages[task]?.text.split(" ") ?? [];
  return words[messages.slice(task + 1).filter(AIMessage.isInstance).length];
}

type Action = (state: never, config: never) => Promise<never>;

/** Builds and compiles the agent. */
export function smallAgent(options: SmallAgentOptions) {
  const { tools, mind, policy = balanced, journal = openJournal("memory:"), reads, memory } = options;
  const saver = options.saver ?? new MemorySaver();
  const toolbox = { tools, subagents: [] };
  const planner = harnessNode<AgentView>("taint", journal, async (state, step) => {
    const word = nextWord(state.messages);
    const { calls = [], content = "", trust } = word === undefined ? {} : mind(word, state, step);
    const tool_calls = calls.map((call) => ({ ...call, id: journal.id("call"), type: "tool_call" as const }));
    const message = new AIMessage({ id: journal.id("message"), content, tool_calls });
    return { messages: [message], ...(trust === undefined ? {} : { trust }) };
  });
  const seen = <Node>(name: string, node: Node): Node => {
    if (reads === undefined) return node;
    const watched = (state: never, config: { configurable?: { thread_id?: string } }) => {
      reads(name, state, config.configurable?.thread_id ?? "");
      return (node as unknown as Action)(state, config as never);
    };
    return withRole(watched as never, roleOf(node) ?? "taint") as unknown as Node;
  };
  const close = async () => journal.close();
  const model = { provider: "none", model: "none", offline: true, sentence: "no model" };
  const graph = new HarnessGraph({ journal, model, toolbox, policy, close })
    .addNode("recall", seen("recall", recall({ journal, ...(memory === undefined ? {} : { memory }) })))
    .addNode("planner", seen("planner", planner))
    .addNode("tools", seen("tools", toolsNode({ journal, toolbox, policy })))
    .addNode("gate", seen("gate", gate({ journal, toolbox, policy })))
    .addNode("act", seen("act", act({ journal, toolbox, policy })))
    .addEdge(START, "recall")
    .addEdge("recall", "planner")
    .addConditionalEdges(
      "planner",
      route({ work: ["tools"], act: ["gate"], plan: ["planner"], done: [END] }, (state: AgentView) => {
        const sends = sendTools("tools", toolbox)(state) as never[];
        if (sends.length > 0) return { group: "work", to: sends };
        if (openCallsOf("gated", state.messages, tools).length > 0) return "act";
        return nextWord(state.messages) === undefined ? "done" : "plan";
      }),
      ["tools", "gate", "planner", END],
    )
    .addConditionalEdges(
      "tools",
      route({ act: ["gate"], plan: ["planner"] }, ({ messages }: AgentView) =>
        openCallsOf("gated", messages, tools).length > 0 ? "act" : "plan",
      ),
      ["gate", "planner"],
    )
    .addConditionalEdges(
      "gate",
      route({ act: ["act"], back: ["planner"] }, ({ cleared }: AgentView) => (cleared.length > 0 ? "act" : "back")),
      ["act", "planner"],
    )
    .addEdge("act", "planner")
    .compile({ checkpointer: saver });
  return { graph, journal, saver };
}

/** A running agent. */

/** The input that makes the agent go through these words. */
export const task = (words: string) => ({ messages: [new HumanMessage(words)] });

/** The `checkpoint_id` of a thread's checkpoint, counted back from the newest; nothing for none. */
export async function checkpointOf(
  saver: BaseCheckpointSaver,
  thread: string,
  back: number | undefined,
): Promise<{ readonly checkpoint_id?: string }> {
  if (back === undefined) return {};
  const ids: string[] = [];
  for await (const { config } of saver.list({ configurable: { thread_id: thread } })) {
    if (config.configurable?.["checkpoint_ns"] === "") ids.push(config.configurable["checkpoint_id"] as string);
  }
  const id = ids[Math.min(back, ids.length - 1)];
  return id === undefined ? {} : { checkpoint_id: id };
}

/** Copies all checkpoints of a thread to another one, behind the back of the harness. */
export async function copyThread(saver: BaseCheckpointSaver, from: string, to: string): Promise<void> {
  if (from === to) return;
  for await (const tuple of saver.list({ configurable: { thread_id: from } })) {
    const { checkpoint_ns = "" } = tuple.config.configurable ?? {};
    const parent: unknown = tuple.parentConfig?.configurable?.["checkpoint_id"];
    const config = { configurable: { thread_id: to, checkpoint_ns, ...(parent ? { checkpoint_id: parent } : {}) } };
    await saver.put(config, tuple.checkpoint, tuple.metadata as never, tuple.checkpoint.channel_versions);
    const writes = new Map<string, [string, unknown][]>();
    for (const [task, channel, value] of tuple.pendingWrites ?? []) {
      writes.set(task, [...(writes.get(task) ?? []), [channel, value]]);
    }
    const at = { configurable: { ...config.configurable, checkpoint_id: tuple.checkpoint.id } };
    for (const [task, list] of writes) await saver.putWrites(at, list as never, task);
  }
}
