import { END, type LangGraphRunnableConfig, MemorySaver, Send, START, StateGraph } from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { inspectGraph } from "../../graphs/check.js";
import { route, routeEnds } from "../../graphs/route.js";
import { agentShape, complaints, node, State, unmarked } from "./check-support.js";

const graph = () => new StateGraph(State);

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

  it("follows the edges of an error handler", () => {
    const handled = graph()
      .addNode("try", node("neutral"), { errorHandler: () => ({}) })
      .addNode("read", node("taint"))
      .addNode("gate", node("gate"))
      .addNode("act", node("effect"))
      .addEdge(START, "try")
      .addEdge(START, "gate")
      .addEdge("gate", "act")
      .addEdge("__error_handler__try" as never, "read");
    expect(complaints(handled, { roles: { __error_handler__try: "neutral" } })).toEqual([
      'taint source "read" can share a superstep with effect node "act" (START → gate + try → act + read), where no gate can see what it reads. Make them alternatives with route(), or join "read" before the gate.',
    ]);
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

describe("what the superstep rule relies on in LangGraph", () => {
  /** Runs the graph and returns which nodes ran in which superstep. */
  const watched = () => {
    const steps = new Map<number, string[]>();
    const seen = (name: string) => (_: unknown, config: LangGraphRunnableConfig) => {
      const step = config.metadata?.["langgraph_step"] as number;
      steps.set(step, [...(steps.get(step) ?? []), name].sort());
      return {};
    };
    return { seen, order: () => [...steps.values()].map((names) => names.join("+")) };
  };

  const uneven = (seen: (name: string) => () => object, next: () => unknown) =>
    graph()
      .addNode("fan", seen("fan"))
      .addNode("read", seen("read"))
      .addNode("more", seen("more"))
      .addNode("gate", seen("gate"), { defer: true })
      .addEdge(START, "fan")
      .addConditionalEdges("fan", next as () => "read", ["read"])
      .addEdge("fan", "gate")
      .addEdge("read", "more")
      .compile();

  it("a deferred node waits for nodes started by name, and not for those started by Send", async () => {
    const byName = watched();
    await uneven(byName.seen as never, () => "read").invoke({ log: [] });
    expect(byName.order()).toEqual(["fan", "read", "more", "gate"]);
    const bySend = watched();
    await uneven(bySend.seen as never, () => [new Send("read", {})]).invoke({ log: [] });
    expect(bySend.order()).toEqual(["fan", "gate+read", "more"]);
  });

  it("a join remembers its sources from one input of a thread to the next", async () => {
    const { seen, order } = watched();
    const sides = ["left", "right"] as const;
    let turn = 0;
    const joined = graph()
      .addNode("left", seen("left"))
      .addNode("right", seen("right"))
      .addNode("joined", seen("joined"))
      .addConditionalEdges(START, () => sides[turn++ % 2] ?? END, [...sides])
      .addEdge([...sides], "joined")
      .compile({ checkpointer: new MemorySaver() });
    await joined.invoke({ log: [] }, { configurable: { thread_id: "1" } });
    await joined.invoke({ log: [] }, { configurable: { thread_id: "1" } });
    expect(order()).toEqual(["left", "right", "joined"]);
  });

  it("an error handler runs in the superstep of the node it handles, beside that node's siblings", async () => {
    const { seen, order } = watched();
    const failing = graph()
      .addNode("fails", () => Promise.reject(new Error("no")), {
        errorHandler: (_, __, config) => seen("handler")(_, config as LangGraphRunnableConfig),
      })
      .addNode("sibling", seen("sibling"))
      .addNode("after", seen("after"))
      .addEdge(START, "fails")
      .addEdge(START, "sibling")
      .addEdge("fails", "after")
      .compile();
    await failing.invoke({ log: [] });
    expect(order()).toEqual(["handler+sibling"]);
  });
});
