import { Annotation, entrypoint, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { inspectGraph } from "../../graphs/check.js";
import { roleOf, withRole } from "../../nodes/index.js";
import { agentShape, complaints, node, Plain, State, unmarked } from "./check-support.js";

const graph = () => new StateGraph(State);

describe("the channel rule", () => {
  it("refuses a graph without the trust channel", () => {
    expect(complaints(new StateGraph(Plain).addNode("a", unmarked()).addEdge(START, "a"))).toEqual([
      "the graph has no trust channel, so trust that falls inside it is lost. Build its state with new TrustedState({ … }).",
    ]);
  });

  it("refuses a trust that is no trust channel", () => {
    const lookalike = new StateGraph(
      Annotation.Root({ trust: Annotation<number>({ reducer: Math.min, default: () => 3 }) }),
    );
    expect(complaints(lookalike.addNode("a", unmarked()).addEdge(START, "a"))).toEqual([
      "the graph keeps trust in a BinaryOperatorAggregate, which an Overwrite can raise. Build its state with new TrustedState({ … }).",
    ]);
  });

  it("refuses a subgraph without it, as a node and named by a function", () => {
    const child = new StateGraph(Plain).addNode("a", unmarked()).addEdge(START, "a").compile();
    const message =
      'subgraph "child" has no trust channel, so trust that falls inside it is lost. Build its state with new TrustedState({ … }).';
    const asNode = graph()
      .addNode("child", child as never)
      .addEdge(START, "child");
    const inside = graph()
      .addNode("child", unmarked(), { subgraphs: [child as never] })
      .addEdge(START, "child");
    expect(complaints(asNode)).toEqual([message]);
    expect(complaints(inside)).toEqual([message]);
    expect(inspectGraph(inside)[0]).toMatchObject({ rule: "channel", nodes: ["child"] });
  });

  it("refuses it at any depth", () => {
    const deepest = new StateGraph(Plain).addNode("a", unmarked()).addEdge(START, "a").compile();
    const middle = graph()
      .addNode("deepest", deepest as never)
      .addEdge(START, "deepest")
      .compile();
    const top = graph().addNode("middle", middle).addEdge(START, "middle");
    expect(inspectGraph(top).map(({ nodes }) => nodes)).toEqual([["middle|deepest"]]);
  });

  it("refuses a subgraph that keeps its trust to itself", () => {
    const output = new StateSchema({ answer: z.string().default("") });
    const child = new StateGraph({ state: State, output }).addNode("a", unmarked()).addEdge(START, "a").compile();
    expect(
      complaints(
        graph()
          .addNode("child", child as never)
          .addEdge(START, "child"),
      ),
    ).toEqual([
      'subgraph "child" leaves trust out of its output, so trust that falls inside it is lost. Use a TrustedState as its output schema, or none.',
    ]);
  });

  it("refuses a functional graph as a subgraph: it has no channels", () => {
    const functional = entrypoint("functional", async () => ({}));
    const parent = graph()
      .addNode("child", functional as never)
      .addEdge(START, "child");
    expect(inspectGraph(parent).map(({ rule }) => rule)).toEqual(["channel"]);
  });
});

describe("roles", () => {
  it("are read from a node's function and from a runnable", () => {
    expect(roleOf(node("gate"))).toBe("gate");
    expect(roleOf(unmarked())).toBeUndefined();
    expect(roleOf(undefined)).toBeUndefined();
    expect(roleOf("gate")).toBeUndefined();
    expect(() => withRole(node("gate"), "neutral")).toThrow(TypeError);
    const child = withRole(graph().addNode("a", node("neutral")).addEdge(START, "a").compile(), "neutral");
    const beside = graph()
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addNode("child", child)
      .addEdge(START, "gate")
      .addEdge("gate", "act")
      .addEdge("gate", "child");
    expect(complaints(beside)).toEqual([]);
  });

  it("cannot be overruled, or given to a node that is not there", () => {
    const message = (name: string) =>
      `options.roles names "${name}", which is no node of this graph without a role of its own. Correct the name, or remove it.`;
    expect(complaints(agentShape(), { roles: { act: "neutral", acr: "effect" } })).toEqual([
      message("act"),
      message("acr"),
    ]);
  });

  it("can be given to the nodes of a subgraph", () => {
    const child = graph()
      .addNode("gate", node("gate"))
      .addNode("mine", unmarked())
      .addEdge(START, "gate")
      .addEdge("gate", "mine")
      .compile();
    const parent = graph().addNode("child", child).addEdge(START, "child");
    expect(complaints(parent)).toEqual([]);
    expect(complaints(parent, { roles: { "child|mine": "effect" } })).toEqual([]);
    expect(inspectGraph(parent, { roles: { "child|gate": "taint" } })[0]?.rule).toBe("role");
  });
});
