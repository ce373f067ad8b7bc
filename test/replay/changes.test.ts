// P13 of trust-replay.md, one change after the other: whatever is changed, in the code or in the record, is reported at the
// first event that it touches; and what makes no difference is none.

import { Send } from "@langchain/langgraph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { HarnessEvent, RecordedEvent } from "../../checkpoints/index.js";
import { type Divergence, readRecording, replayThread, type ThreadRecording } from "../../graphs/index.js";
import { type AgentView, defineTool, type HarnessTool, harnessNode, sendTools } from "../../nodes/index.js";
import { again, live, THREAD } from "./drive.js";
import { ask, type Plan, type World, type WorldOptions, world } from "./world.js";

const plan: Plan = {
  turns: [
    [ask("x", [["look", { id: "x" }]]), ask("y", [["mail", { id: "y" }]]), ["look", { id: "a" }], ["tag", { id: "b" }]],
    [["pay", { to: "ada", amount: 3 }]],
    [],
  ],
};
const story = { plan, answers: [{ how: "approve", by: "journal" }], calling: "invoke", tasks: ["go"] } as const;

let agent: World;
let events: readonly RecordedEvent[];
let recording: ThreadRecording;

beforeAll(async () => {
  agent = await world(plan);
  await live(agent, story);
  recording = await readRecording(agent.journal, THREAD);
  events = recording.events;
});
afterAll(() => agent.close());

type Like<Kind extends HarnessEvent["kind"]> = (
  event: Extract<HarnessEvent, { kind: Kind }>,
  of: RecordedEvent["scope"],
) => boolean;

/** The position of the first event of this kind. */
const first = <Kind extends HarnessEvent["kind"]>(kind: Kind, like: Like<Kind> = () => true, all = events): number => {
  const index = all.findIndex(({ event, scope }) => event.kind === kind && like(event as never, scope));
  expect(index, `there is no ${kind}`).toBeGreaterThanOrEqual(0);
  return index;
};

/** The step of the last checkpoint before an event. */
const stepBefore = (index: number) =>
  events.slice(0, index).findLast(({ event }) => event.kind === "checkpoint")?.scope.step;

async function divergence(options: WorldOptions): Promise<Divergence> {
  const { replayed, copy } = await again(agent, plan, options);
  expect(copy.provider.requests).toHaveLength(0);
  expect(copy.ran).toEqual([]);
  await copy.close();
  expect(replayed.identical).toBe(false);
  const found = replayed.divergence as Divergence;
  expect(found.checkpoint?.step).toBe(stepBefore(found.index));
  expect(events.find(({ event }) => event.kind === "checkpoint" && event.id === found.checkpoint?.id)).toBeDefined();
  return found;
}

const digests = { recorded: expect.stringMatching(/^[0-9a-f]{64}$/), now: expect.stringMatching(/^[0-9a-f]{64}$/) };

const silent =
  (name: string): NonNullable<WorldOptions["rewire"]> =>
  (graph, journal) => {
    const node = harnessNode<AgentView>(
      "neutral",
      journal,
      async () => ({}),
      () => ({}),
    );
    // biome-ignore lint/suspicious/noExplicitAny: names of nodes are types, and this one was none before.
    (graph as any).addNode(name, node).addEdge("recall", name);
  };

describe("a change in the code is reported where it is first seen", () => {
  test("one byte of the prompt", async () => {
    const index = first("model.request");
    const found = await divergence({ prompt: "You are the agent!" });
    expect(found).toMatchObject({ kind: "request", index, node: "planner", step: 4, ...digests });
    expect(found.recorded).not.toBe(found.now);
    expect(found.fields).toEqual([
      { path: "messages.0.content", left: "You are the agent.", right: "You are the agent!" },
    ]);
  });

  test("one byte of a tool's description", async () => {
    const index = first("model.request");
    const found = await divergence({ lookDescription: "Reads a record!" });
    expect(found).toMatchObject({ kind: "request", index, node: "planner", ...digests });
    expect(found.fields).toEqual([
      { path: "tools.0.function.description", left: "Reads a record.", right: "Reads a record!" },
    ]);
  });

  test("one byte of a subagent's prompt", async () => {
    const index = first("model.request", (_, { lane }) => lane !== undefined);
    const found = await divergence({ readerPrompt: "You are the reader!" });
    expect(found).toMatchObject({ kind: "request", index, lane: events[index]?.scope.lane, ...digests });
    expect(found.fields).toEqual([
      { path: "messages.0.content", left: "You are the reader.", right: "You are the reader!" },
    ]);
  });

  test("what a tool is made of, though the model sees no difference", async () => {
    const index = first("tool.output", ({ tool }) => tool === "tag");
    const tag = defineTool({
      ...{ name: "tag", description: "Tags a record.", schema: z.object({ id: z.string() }), source: {} },
      ...{ effect: "idempotent", honoursKey: true },
      run: () => "tagged",
    }) as unknown as HarnessTool;
    const plain = await world(plan);
    // At the same place among the tools: the prompt is the recorded one.
    const tools = plain.harness.toolbox.tools.slice(0, 10).map((each) => (each.name === "tag" ? tag : each));
    await plain.close();
    const found = await divergence({ tools: tools as HarnessTool[] });
    expect(found).toMatchObject({ kind: "request", index, node: "tools" });
    expect(found.fields.map(({ path }) => path)).toContain("definition");
  });

  test("a node more", async () => {
    const found = await divergence({ rewire: silent("extra") });
    expect(found).toMatchObject({ kind: "event", node: "extra", step: 2 });
    expect(found.message).toContain("node.start happened, which is not in the record");
    expect(events[found.index]?.scope.step).toBe(2);
  });

  test("a node less", async () => {
    const other = await world(plan, { rewire: silent("extra") });
    await live(other, story);
    const { events: all } = await readRecording(other.journal, THREAD);
    const { replayed, copy } = await again(other, plan);
    const index = first("node.start", (_, { node }) => node === "extra", all);
    expect(replayed.divergence).toMatchObject({ kind: "event", index, node: "extra", step: 2 });
    expect(replayed.divergence?.message).toContain("node.start did not happen");
    await copy.close();
    await other.close();
  });

  test("another way after a node", async () => {
    const step = events[first("node.start", (_, { node }) => node === "tools")]?.scope.step;
    const found = await divergence({ sends: () => () => [new Send("gate", {})] });
    expect(found).toMatchObject({ step });
    expect(events[found.index]?.scope.step).toBe(step);
  });

  test("a call less", async () => {
    const index = events.findLastIndex(
      ({ event, scope }) => event.kind === "node.start" && scope.node === "tools" && scope.lane === undefined,
    );
    const sends: WorldOptions["sends"] = (toolbox) => (state) => sendTools("tools", toolbox)(state).slice(0, -1);
    const found = await divergence({ sends });
    expect(found).toMatchObject({ kind: "event", index, node: "tools" });
  });

  test("a call twice", async () => {
    const sends: WorldOptions["sends"] = (toolbox) => (state) => {
      const all = sendTools("tools", toolbox)(state);
      return [...all, ...all.slice(-1)];
    };
    const found = await divergence({ sends });
    const output = first("tool.output", ({ tool }) => tool === "tag");
    expect(found).toMatchObject({ node: "tools", step: events[output]?.scope.step });
    expect(events[found.index]?.scope.step).toBe(events[output]?.scope.step);
  });

  test("a look at the clock less, a lot more", async () => {
    const clock = first("clock");
    const less = await divergence({
      dice: async (_state, step) => {
        const [one, two] = [await step.random(), await step.random()];
        return { context: `${one} ${two}` };
      },
    });
    expect(less).toMatchObject({ kind: "missing", index: clock, node: "dice" });
    const more = await divergence({
      dice: async (_state, step) => {
        const [one, two, at] = await Promise.all([step.random(), step.random(), step.now()]);
        await step.random();
        return { files: { "/dice.txt": { content: `${one} ${two} ${at}` } } };
      },
    });
    expect(more).toMatchObject({ kind: "extra", node: "dice", step: 2 });
    expect(events[more.index]?.scope.step).toBe(2);
    expect(more.index).toBeGreaterThanOrEqual(clock);
  });

  test("the order of two tasks side by side, when the state has it", async () => {
    const turned: WorldOptions["sends"] = (toolbox) => (state) => sendTools("tools", toolbox)(state).toReversed();
    const found = await divergence({ sends: turned });
    const step = events[first("tool.output", ({ tool }) => tool === "tag")]?.scope.step;
    expect(found).toMatchObject({ index: first("checkpoint", (_, scope) => scope.step === step), kind: "event" });
    expect(found.message).toContain("the state after it is another");
  });
});

describe("a change in the record is reported at its own place", () => {
  const replayOf = async (changed: Partial<ThreadRecording>) => {
    const copy = await world(plan);
    const { graph, harness } = copy;
    const keep = (text: string) => agent.journal.keep(text);
    const { divergence: found } = await replayThread({ recording: { ...recording, ...changed }, graph, harness, keep });
    await copy.close();
    return found;
  };
  const withText = (digest: string | undefined, change: (text: string) => string) => {
    const text = recording.texts.get(digest ?? "");
    if (digest === undefined || text === undefined) throw new Error("nothing to change");
    expect(change(text)).not.toBe(text);
    return replayOf({ texts: new Map([...recording.texts, [digest, change(text)]]) });
  };
  const withEvent = (index: number, change: object) =>
    replayOf({
      events: events.map((each, at) =>
        at === index ? { ...each, event: { ...each.event, ...change } as HarnessEvent } : each,
      ),
    });
  const eventAt = <Kind extends HarnessEvent["kind"]>(index: number) =>
    events[index]?.event as Extract<HarnessEvent, { kind: Kind }>;

  test("a tool's output", async () => {
    const index = first("tool.output", ({ tool }, { lane }) => tool === "look" && lane === undefined);
    const found = await withText(eventAt<"tool.output">(index).output, (text) => text.replace("record", "recorD"));
    expect(found).toMatchObject({ index, kind: "event" });
    expect(found?.fields.map(({ path }) => path)).toEqual(["output"]);
  });

  test("a model's answer", async () => {
    const index = first("model.response", (_, { lane }) => lane !== undefined);
    const found = await withText(eventAt<"model.response">(index).raw, (text) => text.replace("turn-0-", "turn-0+"));
    expect(found).toMatchObject({ index, kind: "event" });
    expect(found?.fields.map(({ path }) => path)).toEqual(["raw"]);
  });

  test("what a guard had decided", async () => {
    const index = first("admission");
    const found = await withEvent(index, { decision: "degrade" });
    expect(found).toMatchObject({ index: first("checkpoint", (_, { step }) => step === 3), kind: "event" });
    expect(found?.recorded).not.toBe(found?.now);
  });

  test("a label", async () => {
    const index = first("tool.response", ({ tool }) => tool === "mail");
    const { label } = eventAt<"tool.response">(index);
    const found = await withEvent(index, { label: { ...label, integrity: 3 } });
    expect(found).toMatchObject({ index, kind: "event", fields: [{ path: "label.integrity", left: 3, right: 1 }] });
  });

  test("a verdict", async () => {
    const decided = events.findLastIndex(({ event }) => event.kind === "gate.decision");
    expect(eventAt<"gate.decision">(decided).verdict).toBe("ask");
    const found = await withEvent(decided, { verdict: "allow" });
    expect(found).toMatchObject({
      index: decided,
      kind: "event",
      fields: [{ path: "verdict", left: "allow", right: "ask" }],
    });
  });

  test("a state", async () => {
    const index = first("checkpoint", (_, { step }) => step === 5);
    expect(await withEvent(index, { digest: "0".repeat(64) })).toMatchObject({ index, recorded: "0".repeat(64) });
  });

  test("nothing", async () => {
    expect(await replayOf({})).toBeUndefined();
  });
});
