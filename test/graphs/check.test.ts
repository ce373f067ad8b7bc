import { Annotation, Command, END, entrypoint, Send, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkGraph, GraphCheckError, inspectGraph } from "../../graphs/check.js";
import { route, routeEnds } from "../../graphs/route.js";
import { roleOf, withRole } from "../../nodes/index.js";
import { agentShape, complaints, node, Plain, State, unmarked } from "./check-support.js";

const graph = () => new StateGraph(State);

describe("checkGraph on a good graph", () => {
  it("passes the agent graph of the design, compiled and not", () => {
    expect(complaints(agentShape())).toEqual([]);
    expect(complaints(agentShape().compile())).toEqual([]);
    expect(
      inspectGraph(
        agentShape()
          .compile()
          .withConfig({ tags: ["x"] }),
      ),
    ).toEqual([]);
  });

  it("passes a graph without effects, whatever runs together", () => {
    const fan = graph().addNode("a", unmarked()).addNode("b", unmarked()).addEdge(START, "a").addEdge(START, "b");
    expect(complaints(fan)).toEqual([]);
  });

  it("passes a join of all readers before the gate", () => {
    const joined = graph()
      .addNode("short", node("taint"))
      .addNode("long", node("taint"))
      .addNode("longer", node("taint"))
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addEdge(START, "short")
      .addEdge(START, "long")
      .addEdge("long", "longer")
      .addEdge(["short", "longer"], "gate")
      .addEdge("gate", "act");
    expect(complaints(joined)).toEqual([]);
  });

  it("passes a deferred gate after uneven branches", () => {
    const deferred = graph()
      .addNode("short", node("taint"))
      .addNode("long", node("taint"))
      .addNode("longer", node("taint"))
      .addNode("gate", node("gate"), { defer: true })
      .addNode("act", node("effect"))
      .addEdge(START, "short")
      .addEdge(START, "long")
      .addEdge("long", "longer")
      .addEdge("short", "gate")
      .addEdge("longer", "gate")
      .addEdge("gate", "act");
    expect(complaints(deferred)).toEqual([]);
  });

  it("passes a subgraph that has its own gate, alone in its superstep", () => {
    const parent = graph()
      .addNode("read", node("taint"))
      .addNode("agent", agentShape().compile())
      .addEdge(START, "read")
      .addEdge("read", "agent");
    expect(complaints(parent)).toEqual([]);
  });
});

describe("the gate rule", () => {
  const gated = () =>
    graph().addNode("planner", node("taint")).addNode("gate", node("gate")).addNode("act", node("effect"));

  it("refuses an edge around the gate", () => {
    const around = gated()
      .addEdge(START, "planner")
      .addEdge("planner", "gate")
      .addEdge("gate", "act")
      .addEdge("planner", "act");
    expect(complaints(around)).toEqual([
      'effect node "act" can be entered from "planner" by an edge (START → planner → act); "planner" is no gate. Lead "planner" to a gate, and only the gate to "act".',
    ]);
    expect(inspectGraph(around)[0]).toMatchObject({ rule: "gate", nodes: ["planner", "act"] });
  });

  it("refuses an effect that a run starts with", () => {
    const first = gated().addEdge(START, "act").addEdge(START, "planner").addEdge("planner", "gate");
    expect(complaints(first)).toContain(
      'effect node "act" can be entered from START by an edge (START → act); START is no gate. Lead START to a gate, and only the gate to "act".',
    );
  });

  it("refuses a Command that may go around the gate", () => {
    const commanded = graph()
      .addNode(
        "planner",
        withRole(() => new Command({ goto: "gate" }), "taint"),
        { ends: ["gate", "act"] },
      )
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addEdge(START, "planner")
      .addEdge("gate", "act");
    expect(complaints(commanded)).toEqual([
      'effect node "act" can be entered from "planner" by a Command (START → planner → act); "planner" is no gate. Lead "planner" to a gate, and only the gate to "act".',
    ]);
  });

  it("refuses a conditional edge around the gate, branded or not, and says who declared nothing", () => {
    const next = route({ safe: ["gate"], fast: ["act"] }, (_: typeof State.State) => "safe");
    const branded = gated()
      .addEdge(START, "planner")
      .addConditionalEdges("planner", next, routeEnds(next))
      .addEdge("gate", "act");
    expect(complaints(branded)).toEqual([
      'effect node "act" can be entered from "planner" by a conditional edge (START → planner → act); "planner" is no gate. Lead "planner" to a gate, and only the gate to "act".',
    ]);
    const silent = graph()
      .addNode("mine", unmarked())
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addEdge(START, "mine")
      .addConditionalEdges("mine", () => "gate" as const, ["gate", "act"]);
    expect(complaints(silent)[0]).toBe(
      'effect node "act" can be entered from "mine" by a conditional edge (START → mine → act); "mine" is no gate (it declares no role and counts as taint: mark it with withRole() or name it in options.roles). Lead "mine" to a gate, and only the gate to "act".',
    );
  });

  it("refuses a conditional edge that does not say where it leads", () => {
    const vague = gated()
      .addEdge(START, "planner")
      .addConditionalEdges("planner", () => "gate" as const)
      .addEdge("gate", "act");
    expect(complaints(vague)).toContain(
      'effect node "act" can be entered from "planner" by a conditional edge without a path map (START → planner → act); "planner" is no gate. Lead "planner" to a gate, and only the gate to "act".',
    );
  });

  it("looks through a path map that renames", () => {
    const next = route({ go: ["gate"] }, (_: typeof State.State) => "go");
    const renamed = gated()
      .addEdge(START, "planner")
      .addConditionalEdges("planner", next as never, { gate: "act" })
      .addEdge("planner", "gate");
    expect(complaints(renamed)[0]).toContain('"act" can be entered from "planner" by a conditional edge');
  });

  it("refuses an effect that an effect or a join with a reader leads to", () => {
    const chained = gated()
      .addNode("again", node("effect"))
      .addEdge(START, "planner")
      .addEdge("planner", "gate")
      .addEdge("gate", "act")
      .addEdge("act", "again");
    expect(complaints(chained)).toEqual([
      'effect node "again" can be entered from "act" by an edge (START → planner → gate → act → again); "act" is no gate. Lead "act" to a gate, and only the gate to "again".',
    ]);
    const joined = gated().addEdge(START, "planner").addEdge(START, "gate").addEdge(["planner", "gate"], "act");
    expect(complaints(joined)).toEqual([
      'effect node "act" can be entered from "planner" by a join (START → planner → act); "planner" is no gate. Lead "planner" to a gate, and only the gate to "act".',
    ]);
  });

  it("refuses a deferred effect, whose gate has long decided when it runs", () => {
    const late = graph()
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"), { defer: true })
      .addEdge(START, "gate")
      .addEdge("gate", "act");
    expect(complaints(late)).toEqual([
      'effect node "act" is deferred, so other branches may still run after its gate has decided. Defer the gate instead.',
    ]);
  });

  it("checks the insides of a subgraph", () => {
    const child = graph().addNode("act", node("effect")).addEdge(START, "act").compile();
    const parent = graph()
      .addNode("gate", node("gate"))
      .addNode("child", child)
      .addEdge(START, "gate")
      .addEdge("gate", "child");
    expect(inspectGraph(parent)).toEqual([
      {
        rule: "gate",
        nodes: [START, "child|act"],
        message:
          'effect node "child|act" can be entered from START by an edge (START → act); START is no gate. Lead START to a gate, and only the gate to "child|act".',
      },
    ]);
  });
});

describe("the superstep rule", () => {
  it("refuses a reader that runs beside the effect, with the shortest way there", () => {
    const parallel = graph()
      .addNode("recall", node("taint"))
      .addNode("gate", node("gate"))
      .addNode("read", node("taint"))
      .addNode("act", node("effect"))
      .addEdge(START, "recall")
      .addEdge("recall", "gate")
      .addEdge("gate", "act")
      .addEdge("gate", "read");
    expect(complaints(parallel)).toEqual([
      'taint source "read" can share a superstep with effect node "act" (START → recall → gate → act + read), where no gate can see what it reads. Make them alternatives with route(), or join "read" before the gate.',
    ]);
    expect(inspectGraph(parallel)[0]).toMatchObject({ rule: "superstep", nodes: ["read", "act"] });
  });

  it("refuses an unmarked node beside the effect, until it is given a role", () => {
    const parallel = graph()
      .addNode("gate", node("gate"))
      .addNode("mine", unmarked())
      .addNode("act", node("effect"))
      .addEdge(START, "gate")
      .addEdge("gate", "act")
      .addEdge("gate", "mine");
    expect(complaints(parallel)).toEqual([
      'taint source "mine" can share a superstep with effect node "act" (START → gate → act + mine), where no gate can see what it reads (it declares no role and counts as taint: mark it with withRole() or name it in options.roles). Make them alternatives with route(), or join "mine" before the gate.',
    ]);
    expect(complaints(parallel, { roles: { mine: "neutral" } })).toEqual([]);
  });

  it("refuses an unbranded conditional edge that may start both, and passes it as a route", () => {
    const wired = (next: Parameters<ReturnType<typeof graph>["addConditionalEdges"]>[1]) =>
      graph()
        .addNode("gate", node("gate"))
        .addNode("act", node("effect"))
        .addNode("compact", node("taint"))
        .addEdge(START, "gate")
        .addConditionalEdges("gate" as never, next, ["act", "compact"] as never);
    expect(complaints(wired(() => "act"))).toEqual([
      'taint source "compact" can share a superstep with effect node "act" (START → gate → act + compact), where no gate can see what it reads. Make them alternatives with route(), or join "compact" before the gate.',
    ]);
    const next = route({ act: ["act"], back: ["compact"] }, (_: typeof State.State) => "act");
    expect(complaints(wired(next as never))).toEqual([]);
    const together = route({ any: ["act", "compact"] }, (_: typeof State.State) => "any");
    expect(complaints(wired(together as never))).toHaveLength(1);
  });

  it("finds branches of uneven length that meet only later", () => {
    const uneven = graph()
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addNode("one", node("neutral"))
      .addNode("two", node("taint"))
      .addEdge(START, "gate")
      .addEdge(START, "one")
      .addEdge("one", "two")
      .addEdge("gate", "act");
    expect(complaints(uneven)[0]).toContain(
      '"two" can share a superstep with effect node "act" (START → gate + one → act + two)',
    );
  });

  it("knows that a join remembers what it saw in an earlier run of the thread", () => {
    const next = route({ left: ["left"], right: ["right"] }, (_: typeof State.State) => "left");
    const remembered = graph()
      .addNode("left", node("neutral"))
      .addNode("right", node("neutral"))
      .addNode("read", node("taint"))
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addConditionalEdges(START, next, routeEnds(next))
      .addEdge(["left", "right"], "gate")
      .addEdge("gate", "act")
      .addEdge("right", "read")
      .addEdge("read", "read2" as never)
      .addNode("read2", node("taint"));
    expect(complaints(remembered)[0]).toContain(
      '"read2" can share a superstep with effect node "act" (START → left → START → right → gate + read → act + read2)',
    );
  });

  it("knows that a deferred gate does not wait for what was started by Send", () => {
    const sent = graph()
      .addNode("fan", node("neutral"))
      .addNode("read", node("taint"))
      .addNode("more", node("taint"))
      .addNode("gate", node("gate"), { defer: true })
      .addNode("act", node("effect"))
      .addEdge(START, "fan")
      .addConditionalEdges("fan", () => [new Send("read", {})], ["read"])
      .addEdge("read", "more")
      .addEdge("fan", "gate")
      .addEdge("gate", "act");
    expect(complaints(sent)).toContain(
      'taint source "more" can share a superstep with effect node "act" (START → fan → gate + read → act + more), where no gate can see what it reads. Make them alternatives with route(), or join "more" before the gate.',
    );
  });

  it("counts an error handler into the superstep of the node it handles", () => {
    const handled = graph()
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"), { errorHandler: () => ({}) })
      .addEdge(START, "gate")
      .addEdge("gate", "act");
    expect(complaints(handled)[0]).toContain(
      'taint source "__error_handler__act" can share a superstep with effect node "act"',
    );
    expect(complaints(handled, { roles: { __error_handler__act: "neutral" } })).toEqual([]);
    const byDefault = graph()
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addEdge(START, "gate")
      .addEdge("gate", "act")
      .setNodeDefaults({ errorHandler: () => ({}) });
    expect(complaints(byDefault)[0]).toContain('taint source "__default_error_handler__"');
    expect(complaints(byDefault.compile())[0]).toContain('taint source "__default_error_handler__"');
  });

  it("counts a subgraph that acts as an effect of its parent", () => {
    const parent = graph()
      .addNode("read", node("taint"))
      .addNode("agent", agentShape().compile())
      .addEdge(START, "read")
      .addEdge(START, "agent");
    expect(complaints(parent)).toEqual([
      'taint source "read" can share a superstep with effect node "agent" (START → agent + read), where no gate can see what it reads. Make them alternatives with route(), or join "read" before the gate.',
    ]);
  });

  it("says when a graph is too large to prove, and how to make it smaller", () => {
    const names = Array.from({ length: 16 }, (_, index) => `n${index}`);
    const wide = graph()
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addEdge(START, "gate")
      .addEdge("gate", "act");
    for (const name of names) wide.addNode(name, node("neutral"));
    wide.addConditionalEdges("gate", () => names as never, names as never);
    expect(inspectGraph(wide)).toEqual([
      {
        rule: "size",
        nodes: [],
        message:
          "the graph has more than 20000 configurations to explore, so it cannot be shown that effects run apart from taint sources. Declare what may run together with route(), give conditional edges a path map, or raise maxConfigurations.",
      },
    ]);
    expect(inspectGraph(agentShape(), { maxConfigurations: 5 })[0]?.rule).toBe("size");
  });
});

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

describe("GraphCheckError", () => {
  it("lists every problem", () => {
    const bad = new StateGraph(Plain).addNode("act", node("effect")).addEdge(START, "act").addEdge("act", END);
    const error = (() => {
      try {
        checkGraph(bad.compile());
      } catch (thrown) {
        return thrown as GraphCheckError;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(GraphCheckError);
    expect(error?.code).toBe("GRAPH_CHECK");
    expect(error?.problems.map(({ rule }) => rule)).toEqual(["channel", "gate"]);
    expect(error?.message).toBe(
      `this graph is not safe to run:\n- ${error?.problems[0]?.message}\n- ${error?.problems[1]?.message}`,
    );
  });

  it("is not thrown for what is no graph: that is a TypeError", () => {
    expect(() => checkGraph(entrypoint("functional", async () => ({})))).toThrow(TypeError);
  });
});
