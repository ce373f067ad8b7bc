import {
  type LangGraphRunnableConfig,
  MemorySaver,
  ReducedValue,
  Send,
  START,
  StateGraph,
  StateSchema,
} from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  BOTTOM,
  begin,
  label,
  mark,
  readTrust,
  TOP,
  type Trust,
  TrustChannel,
  TrustedState,
} from "../../trust/index.js";

const fields = () => ({
  log: new ReducedValue(z.array(z.string()).default([]), {
    reducer: (all: string[], more: string[]) => [...all, ...more],
  }),
});
const State = () => new TrustedState(fields());
const thread = (id = "1") => ({ configurable: { thread_id: id } });
const beginning = (_: unknown, config: LangGraphRunnableConfig) =>
  config.metadata?.["langgraph_step"] === 1 ? { trust: begin(TOP) } : {};

const history = async (graph: { getStateHistory(config: object): AsyncIterableIterator<unknown> }, config: object) => {
  let length = 0;
  for await (const _ of graph.getStateHistory(config)) length += 1;
  return length;
};

describe("TrustedState", () => {
  it("holds trust in a TrustChannel and its other fields as they were", () => {
    const { log, trust, ...rest } = State().getChannels() as Record<string, { lc_graph_name: string }>;
    expect(trust).toBeInstanceOf(TrustChannel);
    expect(rest).toEqual({});
    expect(log?.lc_graph_name).toBe("BinaryOperatorAggregate");
  });

  it("can be shared by a graph and its subgraph", () => {
    const child = new StateGraph(State())
      .addNode("work", () => ({}))
      .addEdge(START, "work")
      .compile();
    const parent = new StateGraph(State()).addNode("child", child).addEdge(START, "child");
    expect(() => parent.compile()).not.toThrow();
  });

  it("describes trust to Studio, rank by rank, and requires no caller to give it", () => {
    const { properties } = State().getJsonSchema() as {
      properties: Record<string, { description?: string; properties?: object }>;
    };
    expect(properties["trust"]?.description).toContain("It can only fall");
    for (const axis of ["integrity", "fidelity", "currency", "certainty"]) {
      expect(properties["trust"]?.properties).toHaveProperty(`${axis}.description`);
    }
    expect(State().getInputJsonSchema()).not.toHaveProperty("required");
  });

  it("begins at the top on a fresh thread and never again", async () => {
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addNode("doubt", () => ({ trust: mark(label({ fidelity: 1 }), "fallback") }))
      .addEdge(START, "first")
      .addEdge("first", "doubt")
      .compile({ checkpointer: new MemorySaver() });
    const first = await graph.invoke({ log: ["a"] }, thread());
    expect(first.trust).toMatchObject({ ...label({ fidelity: 1 }), minTrust: 1 });
    const second = await graph.invoke({ log: ["b"] }, thread());
    expect(second.trust).toMatchObject(label({ fidelity: 1 }));
  });

  it("keeps a thread at the bottom that is older than the channel", async () => {
    const checkpointer = new MemorySaver();
    const before = new StateGraph(new StateSchema(fields())).addNode("first", () => ({})).addEdge(START, "first");
    await before.compile({ checkpointer }).invoke({ log: ["old"] }, thread());
    const graph = new StateGraph(State()).addNode("first", beginning).addEdge(START, "first").compile({ checkpointer });
    const after = await graph.invoke({ log: ["new"] }, thread());
    expect(after.log).toEqual(["old", "new"]);
    expect(after.trust).toMatchObject(BOTTOM);
  });

  it("drops a compiled graph that is added as a node to the bottom: only a beginning is a beginning", async () => {
    const child = new StateGraph(State())
      .addNode("work", () => ({}))
      .addEdge(START, "work")
      .compile();
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addNode("child", child)
      .addEdge(START, "first")
      .addEdge("first", "child")
      .compile();
    expect((await graph.invoke({ log: [] })).trust).toMatchObject(BOTTOM);
  });

  it("carries trust through a child that is handed a beginning", async () => {
    const child = new StateGraph(State())
      .addNode("work", () => ({ trust: mark(label({ integrity: 1 }), "read a ticket") }))
      .addEdge(START, "work")
      .compile();
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addNode("doubt", () => ({ trust: mark(label({ fidelity: 2 }), "summary") }))
      .addNode("child", async (_, config) => {
        const { trust } = await child.invoke({ trust: begin(readTrust(config) ?? BOTTOM) }, config);
        return { trust };
      })
      .addEdge(START, "first")
      .addEdge("first", "doubt")
      .addEdge("doubt", "child")
      .compile();
    expect((await graph.invoke({ log: [] })).trust).toMatchObject(label({ integrity: 1, fidelity: 2 }));
  });

  it("keeps a thread's history readable after writes that JSON cannot hold", async () => {
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addNode("bad", () => ({ trust: (() => TOP) as never }))
      .addEdge(START, "first")
      .addEdge("first", "bad")
      .compile({ checkpointer: new MemorySaver() });
    await graph.invoke({ log: [] }, thread());
    let length = await history(graph, thread());
    expect((await graph.getState(thread())).values.trust).toMatchObject({ ...BOTTOM, violations: 1 });
    for (const write of [() => TOP, 1n, Symbol("trust")]) {
      await graph.updateState(thread(), { trust: write as never }, "first");
      expect(await history(graph, thread())).toBe(length + 1);
      length += 1;
    }
    expect((await graph.getState(thread())).values.trust.violations).toBe(4);
  });

  it("refuses undefined before anything is stored", async () => {
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addEdge(START, "first")
      .compile({ checkpointer: new MemorySaver() });
    await graph.invoke({ log: [] }, thread());
    const length = await history(graph, thread());
    await expect(graph.updateState(thread(), { trust: undefined as never })).rejects.toThrow("trust has no default");
    expect(await history(graph, thread())).toBe(length);
    expect((await graph.getState(thread())).values.trust).toMatchObject(TOP);
  });
});

describe("readTrust", () => {
  it("reads the channel as it stood when the superstep began, not the payload of a Send", async () => {
    const seen: (Trust | undefined)[] = [];
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addNode("doubt", () => ({ trust: mark(label({ certainty: 1 }), "retry") }))
      .addNode("look", (_, config) => {
        seen.push(readTrust(config));
        return {};
      })
      .addEdge(START, "first")
      .addEdge("first", "doubt")
      .addConditionalEdges("doubt", () => [new Send("look", { log: [], trust: TOP })], ["look"])
      .compile();
    await graph.invoke({ log: [] });
    expect(seen[0]).toMatchObject({ ...label({ certainty: 1 }), minTrust: 1 });
  });

  it("does not see a sibling's mark in the same superstep", async () => {
    const seen: (Trust | undefined)[] = [];
    const graph = new StateGraph(State())
      .addNode("first", beginning)
      .addNode("doubt", () => ({ trust: mark(label({ fidelity: 0 }), "emulated") }))
      .addNode("look", async (_, config) => {
        await Promise.resolve();
        seen.push(readTrust(config));
        return {};
      })
      .addEdge(START, "first")
      .addEdge("first", "doubt")
      .addEdge("first", "look")
      .compile();
    await graph.invoke({ log: [] });
    expect(seen[0]).toMatchObject(TOP);
  });

  it("is undefined outside a graph", () => {
    expect(readTrust(undefined)).toBeUndefined();
    expect(readTrust({})).toBeUndefined();
    expect(readTrust({ configurable: { __pregel_read: "x" } })).toBeUndefined();
  });
});
