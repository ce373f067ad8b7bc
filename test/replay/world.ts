// A whole agent for replay tests, built from a plan that says what its model answers: recall with memory, a node that
// looks at the clock and draws lots, subagents side by side, tools of every effect, gate and act, over the real offline
// provider with faults and latency. Built twice from one plan it is the same code twice; what runs is counted.

import { END, InMemoryStore, MemorySaver, START } from "@langchain/langgraph";
import { type AdmissionPolicy, type Clock, type GuardedChatModel, systemClock } from "../../capacity/index.js";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import {
  type AnyCompiledGraph,
  afterCompact,
  afterGate,
  afterPlanner,
  type Harness,
  HarnessGraph,
  harnessOf,
} from "../../graphs/index.js";
import { labelledMemory } from "../../memory/index.js";
import { type Brain, OfflineProvider, parseFault, readSettings, resolveModel } from "../../models/index.js";
import {
  type AgentView,
  act,
  capacityGuard,
  compact,
  createToolbox,
  delegate,
  gate,
  type HarnessTool,
  harnessNode,
  planner,
  recall,
  sendTasks,
  sendTools,
  type Toolbox,
  tools as toolsNode,
} from "../../nodes/index.js";
import { defineSubagent } from "../../subagents/index.js";
import { balanced, hmacSeal, label, type Policy } from "../../trust/index.js";
import { workingTools } from "./working-tools.js";

/** One call of the model. */
export type Call = readonly [tool: string, args: Readonly<Record<string, unknown>>];

/** What the model answers, turn by turn. A turn without calls ends the run; the next input goes on with the next one. */
export interface Plan {
  readonly turns: readonly (readonly Call[])[];
  readonly faults?: readonly string[];
  readonly admission?: AdmissionPolicy;
  /** What the memory holds before the first run, and how far it may be believed. */
  readonly memories?: readonly { readonly text: string; readonly integrity: 0 | 1 | 2 | 3 }[];
}

/** What a test may change in the code, or hang into it. */
export interface WorldOptions {
  /** Waited for in tools and in the provider. Default: not at all. */
  readonly delay?: () => Promise<void>;
  readonly prompt?: string;
  readonly readerPrompt?: string;
  readonly lookDescription?: string;
  readonly policy?: Policy;
  /** Tools in place of those of the same name, or beside them. */
  readonly tools?: readonly HarnessTool[];
  /** What the dice node does. Default: draws two lots and looks at the clock. */
  readonly dice?: Parameters<typeof harnessNode<AgentView>>[2];
  /** The same for one that asks the model. */
  readonly thinks?: (model: GuardedChatModel) => NonNullable<WorldOptions["dice"]>;
  /** Puts a view in front of the journal. */
  readonly seenAs?: (journal: Journal) => Journal;
  readonly journal?: Journal;
  readonly saver?: MemorySaver;
  /** Waited for in tools only. */
  readonly inTools?: () => Promise<void>;
  /** The edge from the tools' guard to the tools. */
  readonly sends?: (toolbox: Toolbox) => ReturnType<typeof sendTools>;
  readonly maxConcurrency?: number;
  /** Of the model and its provider. Default: a hundred times as fast as the machine's. */
  readonly clock?: Clock;
  /** Changes the wiring: called with the graph before it is compiled. */
  readonly rewire?: (graph: HarnessGraph, journal: Journal) => void;
}

/** A delegation to the subagent `reader`, which makes these calls, turn by turn. */
export const ask = (name: string, ...turns: readonly (readonly Call[])[]): Call => [
  "task",
  { subagent_type: "reader", description: JSON.stringify({ name, turns }) },
];

const SPEED = 100;
const MANY = { requestsPerMinute: 1e8, tokensPerMinute: 1e9, inFlight: 64 };

/** Seconds of waiting for a provider pass in milliseconds. */
function fastClock(): Clock {
  const started = performance.now();
  const epoch = Date.parse("2030-01-01T00:00:00Z");
  return {
    now: () => epoch + (performance.now() - started) * SPEED,
    sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
  };
}

/** A model that follows the plan. How far it got stands in its own messages, and in a summary of them. */
const brainOf =
  ({ turns }: Plan): Brain =>
  ({ messages }) => {
    const system = messages.find(({ role }) => role === "system")?.content ?? "";
    const task = messages.find(({ role }) => role === "user")?.content ?? "";
    const summarises = system.startsWith("Summarise");
    const own = summarises ? messages : messages.filter(({ role }) => role === "assistant");
    const said = own.flatMap(({ content }) =>
      [...content.matchAll(/turn-(\d+)-/g)].map(([, number]) => Number(number)),
    );
    if (summarises) return { content: `turn-${Math.max(-1, ...said)}- was the last`, toolCalls: [] };
    const position = Math.max(-1, ...said) + 1;
    const all = system.startsWith("You are the reader") ? (JSON.parse(task) as Plan).turns : turns;
    const now = all[position] ?? [];
    return {
      content: `turn-${position}-${now.length === 0 ? " that is all" : ""}`,
      toolCalls: now.map(([name, args]) => ({ name, arguments: { ...args } })),
    };
  };

const drawLots: NonNullable<WorldOptions["dice"]> = async (_state, step) => {
  const [first, second, at] = await Promise.all([step.random(), step.random(), step.now()]);
  return {
    files: {
      "/dice.txt": { content: `${first} ${second} ${at}`, mimeType: "text/plain", created_at: "", modified_at: "" },
    },
  };
};

/** Builds the agent. Close it. */
export async function world(plan: Plan, options: WorldOptions = {}) {
  const { delay = async () => undefined, prompt = "You are the agent.", policy = balanced } = options;
  const { admission = "auto", faults = [], memories = [] } = plan;
  const { clock = fastClock() } = options;
  const provider = new OfflineProvider({
    brain: brainOf(plan),
    // Slow at every request: for as long as the test says.
    faults: [...faults, "slow"].map(parseFault),
    clock: { now: clock.now, sleep: () => delay() },
    quotas: { "offline-large": MANY, "offline-small": MANY },
  });
  const settings = { ...readSettings({}), offline: { primary: MANY, fallback: MANY }, callTimeoutMs: 1e7 };
  const { model, description } = resolveModel(settings, { provider, clock });
  const own = options.journal ?? openJournal("memory:");
  const journal = options.seenAs?.(own) ?? own;
  const memory = labelledMemory({
    store: new InMemoryStore(),
    namespace: ["memories", "ann"],
    seal: hmacSeal(new Uint8Array(32).fill(1)),
  });
  for (const [index, { text, integrity }] of memories.entries()) {
    await memory.remember({ text, label: label({ integrity }), thread: "earlier", key: `memory-${index}` });
  }
  const working = workingTools(options.inTools ?? delay, options.lookDescription);
  const tools = [
    ...working.tools.filter(({ name }) => !options.tools?.some((each) => each.name === name)),
    ...(options.tools ?? []),
  ];
  const reader = defineSubagent(
    {
      name: "reader",
      description: "Reads.",
      prompt: options.readerPrompt ?? "You are the reader.",
      tools: tools.filter(({ effect }) => effect === "none" || effect === "idempotent"),
    },
    { journal, model, policy },
  );
  const toolbox = createToolbox({ tools, subagents: [reader], memory });
  const close = async () => {
    await provider.close();
    await own.close();
  };
  const builder = new HarnessGraph({ journal, model: description, toolbox, policy, close })
    .addNode("recall", recall({ journal, memory }))
    .addNode(
      "dice",
      harnessNode<AgentView>("taint", journal, options.thinks?.(model) ?? options.dice ?? drawLots, () => ({})),
    )
    .addNode("guard", capacityGuard(model.capacity, { journal, admission }))
    .addNode("planner", planner({ journal, model, toolbox, prompt }))
    .addNode("guard_delegate", capacityGuard(model.capacity, { journal, admission }))
    .addNode("delegate", delegate({ journal, toolbox }))
    .addNode("guard_tools", capacityGuard("tools", { journal, admission }))
    .addNode("tools", toolsNode({ journal, toolbox, policy }))
    .addNode("gate", gate({ journal, toolbox, policy }))
    .addNode("act", act({ journal, toolbox, policy }))
    .addNode("compact", compact({ journal, model, evictOver: 1_000, summariseOver: 2_500, keep: 4 }))
    .addEdge(START, "recall")
    .addEdge("recall", "dice")
    .addEdge("dice", "guard")
    .addEdge("guard", "planner")
    .addConditionalEdges("planner", afterPlanner(toolbox), ["guard_delegate", "guard_tools", "gate", END])
    .addConditionalEdges("guard_delegate", sendTasks("delegate", toolbox), ["delegate"])
    .addConditionalEdges("guard_tools", options.sends?.(toolbox) ?? sendTools("tools", toolbox), ["tools"])
    .addEdge("delegate", "compact")
    .addEdge("tools", "compact")
    .addConditionalEdges("gate", afterGate, ["act", "compact"])
    .addEdge("act", "compact")
    .addConditionalEdges("compact", afterCompact(toolbox), ["gate", "guard"]);
  options.rewire?.(builder as unknown as HarnessGraph, journal);
  const { saver = new MemorySaver() } = options;
  const compiled = builder.compile({ checkpointer: saver });
  const { maxConcurrency } = options;
  const graph = (maxConcurrency === undefined
    ? compiled
    : compiled.withConfig({ maxConcurrency })) as unknown as AnyCompiledGraph;
  return { graph, journal, model, provider, saver, ran: working.ran, harness: harnessOf(graph) as Harness, close };
}

/** A running agent. */
export type World = Awaited<ReturnType<typeof world>>;
