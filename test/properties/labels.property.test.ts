// P8 of trust-replay.md: whatever a value goes through (memory, export and import, the answer cache, a summary), in any
// order, it comes back with its label or a lower one; and with none at all when somebody else had it in his hands.

import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { END, InMemoryStore, MemorySaver, START } from "@langchain/langgraph";
import fc from "fast-check";
import { expect, it } from "vitest";
import { trustOfAnswer } from "../../capacity/index.js";
import { keptOf, resultOf } from "../../capacity/kept-answer.js";
import { OBTAINED_KEY } from "../../capacity/obtained.js";
import { openJournal } from "../../checkpoints/index.js";
import { HarnessGraph } from "../../graphs/index.js";
import { labelledMemory } from "../../memory/index.js";
import { compact, recall } from "../../nodes/index.js";
import { vouch, weigh } from "../../nodes/provenance.js";
import { BOTTOM, balanced, hmacSeal, type Label, meet, TOP } from "../../trust/index.js";
import { anyLabel, neverAbove } from "../trust/generators.js";
import { runs } from "./agent.js";

const numRuns = runs(200);

const seal = hmacSeal(new Uint8Array(32).fill(1));
const otherSeal = hmacSeal(new Uint8Array(32).fill(2));
const NAMESPACE = ["memories", "ann"];
const TEXT = "the order was shipped on monday";

/** A place a value goes through, and what somebody does to it there. */
const anyPlace = fc.oneof(
  fc.record({
    through: fc.constant("memory"),
    how: fc.constantFrom(
      "kept",
      "kept",
      "exported",
      "other key",
      "other place",
      "other label",
      "other text",
      "no seal",
    ),
  }),
  fc.record({
    through: fc.constant("cache"),
    how: fc.constantFrom("kept", "stale", "other key", "other text", "no seal"),
  }),
  fc.record({ through: fc.constant("summary"), how: fc.constantFrom("summarised", "cut", "both") }),
);
type Place = typeof anyPlace extends fc.Arbitrary<infer One> ? One : never;

/** What is honest keeps its label; what was touched has none. */
async function throughMemory(label: Label, how: string): Promise<Label> {
  const store = new InMemoryStore();
  const writer = labelledMemory({ store, namespace: NAMESPACE, seal });
  await writer.remember({ text: TEXT, label, thread: "thread", key: "one" });
  const stored = JSON.parse(JSON.stringify((await store.get(NAMESPACE, "one"))?.value)) as Record<string, unknown>;
  const imported = new InMemoryStore();
  const { seal: _, ...unsealed } = stored;
  const touched: Record<string, object> = {
    "other label": { ...stored, label: TOP },
    "other text": { ...stored, text: `${TEXT} indeed` },
    "no seal": unsealed,
  };
  await imported.put(NAMESPACE, how === "other place" ? "two" : "one", touched[how] ?? stored);
  const reader = labelledMemory({
    store: how === "kept" ? store : imported,
    namespace: NAMESPACE,
    seal: how === "other key" ? otherSeal : seal,
  });
  const items = await reader.recall(TEXT);
  expect(items).toHaveLength(1);
  const read = meet(reader.markOf(items));
  // To write the top over the top changes nothing: then the seal still fits.
  const same = how === "kept" || how === "exported" || (how === "other label" && neverAbove(TOP, label));
  expect(read).toEqual(same ? meet(label) : BOTTOM);
  return read;
}

const answered = (content: string): AIMessage =>
  new AIMessage({
    content,
    response_metadata: {
      [OBTAINED_KEY]: {
        ...{ provider: "test", offline: true, route: "one", primary: "one", attempts: 1, rateLimited: 0, queueMs: 0 },
        ...{ unclearAttempts: 0, finishReason: "stop", usage: { inputTokens: 1, outputTokens: 1 } },
      },
    },
  });

/** The planner's answer as far as what it read, met with how it was obtained. */
function throughCache(label: Label, how: string): Label {
  const message = answered(TEXT);
  const kept = keptOf({ generations: [{ text: TEXT, message }] }, "key", seal);
  const { seal: signature, ...unsealed } = JSON.parse(JSON.stringify(kept)) as Record<string, string>;
  const stored = how === "other text" ? unsealed["stored"]?.replace("monday", "sunday") : unsealed["stored"];
  const answer = { stored, ...(how === "no seal" ? {} : { seal: signature }) };
  const hit = { answer, ageMs: 5, fresh: how !== "stale" };
  const [given] = resultOf(hit, how === "other key" ? "another key" : "key", seal).generations;
  const mark = trustOfAnswer(given?.message ?? new HumanMessage(""));
  expect(neverAbove(mark, trustOfAnswer(message)), "a cached answer rose").toBe(true);
  const currency = { kept: 2, stale: 1 }[how] ?? 0;
  expect(meet(mark)).toEqual(currency === 0 ? BOTTOM : { ...TOP, currency });
  return meet(label, mark);
}

/** A thread in which one message has this label, and which is made shorter. */
async function throughSummary(label: Label, how: string): Promise<Label> {
  const journal = openJournal("memory:");
  const summary = { invoke: async () => answered("in short: it was shipped") };
  const limits = { evictOver: how === "summarised" ? 1e6 : 600, summariseOver: how === "cut" ? 1e6 : 50, keep: 1 };
  const model = { provider: "none", model: "none", offline: true, sentence: "no model" };
  const toolbox = { tools: [], subagents: [] };
  const graph = new HarnessGraph({ journal, model, toolbox, policy: balanced, close: async () => undefined })
    .addNode("recall", recall({ journal }))
    .addNode("compact", compact({ journal, model: summary as never, ...limits }))
    .addEdge(START, "recall")
    .addEdge("recall", "compact")
    .addEdge("compact", END)
    .compile({ checkpointer: new MemorySaver() });
  const result = {
    role: "tool",
    id: "3",
    tool_call_id: "c",
    content: `${TEXT} `.repeat(how === "summarised" ? 1 : 40),
  };
  const calls = [{ id: "c", name: "look", args: {}, type: "tool_call" as const }];
  const messages = [
    new HumanMessage({ id: "1", content: "where is my order, which I made on sunday?" }),
    new AIMessage({ id: "2", content: "", tool_calls: calls }),
    result,
    new AIMessage({ id: "4", content: "it was shipped" }),
    new HumanMessage({ id: "5", content: "thank you" }),
  ];
  await vouch(journal, "thread", { messages }, TOP);
  await vouch(journal, "thread", { messages: [result] }, label);
  const {
    messages: short,
    files,
    trust,
  } = (await graph.invoke({ messages } as never, {
    configurable: { thread_id: "thread" },
  })) as unknown as { messages: BaseMessage[]; files: object; trust: Label };
  const read = await weigh(journal, "thread", { messages: short, files });
  await journal.close();
  expect(
    short.some(({ text }) => text.includes("Summary of") || text.includes("… cut:")),
    "nothing was shortened",
  ).toBe(true);
  for (const after of [read.label, meet(trust)]) {
    expect(neverAbove(after, label), "a summary rose").toBe(true);
    expect(after.fidelity, "a summary is no original").toBeLessThanOrEqual(2);
  }
  return read.label;
}

const statistics = { above: 0, kept: 0 };

async function play(start: Label, places: readonly Place[]): Promise<void> {
  let label = start;
  for (const { through, how } of places) {
    const before = label;
    if (through === "memory") label = await throughMemory(before, how);
    else if (through === "cache") label = throughCache(before, how);
    else label = await throughSummary(before, how);
    expect(neverAbove(label, before), `${through} ${how}`).toBe(true);
  }
  if (!neverAbove(label, BOTTOM)) statistics.above += 1;
  if (neverAbove(start, label)) statistics.kept += 1;
}

it("P8: no way through memory, cache, export or summary raises a label", {
  timeout: 60_000 + numRuns * 500,
}, async () => {
  await fc.assert(fc.asyncProperty(anyLabel, fc.array(anyPlace, { minLength: 1, maxLength: 4 }), play), { numRuns });
  expect(statistics.above).toBeGreaterThan(numRuns / 10);
  expect(statistics.kept).toBeGreaterThan(numRuns / 20);
});
