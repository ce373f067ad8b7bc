// The record of runs whose planner read from a cache, and its replay.

import { HumanMessage } from "@langchain/core/messages";
import { END, MemorySaver, START } from "@langchain/langgraph";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AnswerCache, memoryCache, similarCache, systemClock } from "../../capacity/index.js";
import { openJournal } from "../../checkpoints/index.js";
import { HarnessGraph, readRecording, replayThread } from "../../graphs/index.js";
import { type Brain, OfflineProvider, readSettings, resolveModel } from "../../models/index.js";
import { createToolbox, defineTool, planner, recall, type TurnCache } from "../../nodes/index.js";
import { balanced } from "../../trust/index.js";

interface WorldOptions {
  readonly cache?: AnswerCache | false;
  readonly brain?: Brain;
  readonly turns?: Partial<TurnCache>;
}

const RUN = { recursionLimit: 20 };

function world({ cache, brain = () => ({ content: "fine", toolCalls: [] }), turns = {} }: WorldOptions) {
  const provider = new OfflineProvider({ brain, embed: async () => [] });
  const { model, description } = resolveModel(readSettings({}), {
    provider,
    ...(cache === undefined ? {} : { cache }),
  });
  const journal = openJournal("memory:");
  const tool = { description: "Does.", source: {}, run: () => "done" };
  const toolbox = createToolbox({
    tools: [
      defineTool({ ...tool, name: "look", schema: z.object({}), effect: "none" }),
      defineTool({ ...tool, name: "pay", schema: z.object({ to: z.string() }), effect: "irreversible" }),
    ],
  });
  const close = async () => {
    await provider.close();
    await journal.close();
  };
  const graph = new HarnessGraph({ journal, model: description, toolbox, policy: balanced, close })
    .addNode(
      "planner",
      planner({ journal, model, toolbox, prompt: "Be kind.", cache: { tenant: () => "ann", ...turns } }),
    )
    .addNode("recall", recall({ journal }))
    .addEdge(START, "recall")
    .addEdge("recall", "planner")
    .addEdge("planner", END)
    .compile({ checkpointer: new MemorySaver() });
  const run = (thread: string, text: string) =>
    graph.invoke(
      { messages: [new HumanMessage(text)] },
      { ...RUN, configurable: { thread_id: thread, run_id: thread } },
    );
  const events = async (thread: string) => (await readRecording(journal, thread)).events.map(({ event }) => event);
  return { graph, journal, provider, run, events, close, [Symbol.asyncDispose]: close };
}

const replayed = async (of: ReturnType<typeof world>, thread: string, again: ReturnType<typeof world>) =>
  replayThread({
    recording: await readRecording(of.journal, thread),
    graph: again.graph as never,
    harness: { journal: again.journal } as never,
    keep: (text) => of.journal.keep(text),
  });

const someCache = () => memoryCache({ ttlMs: 60_000, maxEntries: 10, clock: systemClock });

test("a hit is recorded with its age and replays, with a cache, with another one, and without any", async () => {
  await using agent = world({ cache: someCache() });
  await agent.run("first", "hello");
  const state = await agent.run("second", "hello");
  expect(agent.provider.requests).toHaveLength(1);
  expect(state.trust).toMatchObject({ currency: 2, fidelity: 3 });
  const events = await agent.events("second");
  expect(events.find(({ kind }) => kind === "model.request")).toBeUndefined();
  expect(events.find(({ kind }) => kind === "capacity")).toMatchObject({
    event: { kind: "cache-hit", ageMs: expect.any(Number), fresh: true },
  });
  expect(events.find(({ kind }) => kind === "model.response")).toMatchObject({
    obtained: { attempts: 0, cache: { ageMs: expect.any(Number), fresh: true } },
  });
  for (const cache of [someCache(), false, undefined] as const) {
    for (const thread of ["first", "second"]) {
      await using again = world(cache === undefined ? {} : { cache });
      const result = await replayed(agent, thread, again);
      expect(result.divergence).toBeUndefined();
      expect(result).toMatchObject({ identical: true });
      expect(again.provider.requests).toHaveLength(0);
    }
  }
});

test("an answer to a similar question is recorded with the score and the other's digest, and replays", async () => {
  const embed = async (texts: readonly string[]) => texts.map(() => [1, 0]);
  const cache = similarCache({ cache: someCache(), embed, clock: systemClock });
  await using agent = world({ cache, turns: { similar: true } });
  await agent.run("first", "How do I reset my password?");
  const state = await agent.run("second", "What is the way to reset my password?");
  expect(agent.provider.requests).toHaveLength(1);
  expect(state.trust).toMatchObject({ currency: 2, fidelity: 1 });
  const similar = { score: 1, matched: expect.stringMatching(/^[0-9a-f]{64}$/) };
  const events = await agent.events("second");
  expect(events.find(({ kind }) => kind === "capacity")).toMatchObject({ event: { kind: "cache-hit", ...similar } });
  expect(events.find(({ kind }) => kind === "model.response")).toMatchObject({ obtained: { cache: { similar } } });
  await using again = world({ turns: { similar: true } });
  expect(await replayed(agent, "second", again)).toMatchObject({ identical: true });
});

test("a turn that calls a tool with an effect is kept only where that is asked for", async () => {
  const brain: Brain = () => ({ content: "", toolCalls: [{ name: "pay", arguments: { to: "ada" } }] });
  for (const effects of [false, true]) {
    await using agent = world({ cache: someCache(), brain, turns: { effects } });
    for (const thread of ["first", "second"]) await agent.run(thread, "pay ada");
    expect(agent.provider.requests).toHaveLength(effects ? 1 : 2);
  }
  const looking: Brain = () => ({ content: "", toolCalls: [{ name: "look", arguments: {} }] });
  await using agent = world({ cache: someCache(), brain: looking });
  for (const thread of ["first", "second"]) await agent.run(thread, "look");
  expect(agent.provider.requests).toHaveLength(1);
});

test("tenants share nothing", async () => {
  await using agent = world({
    cache: someCache(),
    turns: { tenant: ({ configurable }) => String(configurable?.["thread_id"]) },
  });
  await agent.run("ann", "hello");
  await agent.run("bob", "hello");
  expect(agent.provider.requests).toHaveLength(2);
});
