import { Command, END, entrypoint, START, StateGraph } from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { checkGraph, GraphCheckError, inspectGraph } from "../../graphs/check.js";
import { route, routeEnds } from "../../graphs/route.js";
import { withRole } from "../../nodes/index.js";
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
