// Random real LangGraph graphs, and what can be done to a thread of one from outside. Used by the trajectory
// property: a graph is drawn as a plan (plain data, so that a failure prints it) and then built.

import {
  type BaseCheckpointSaver,
  Command,
  interrupt,
  type LangGraphRunnableConfig,
  MemorySaver,
  ReducedValue,
  Send,
  START,
  StateGraph,
  StateSchema,
} from "@langchain/langgraph";
import fc from "fast-check";
import { z } from "zod";
import { BOTTOM, begin, type Label, mark, meet, readTrust, TOP, TrustedState } from "../../trust/index.js";
import { anyLabel, type Maker, notALabel } from "./generators.js";

/** What a node does with the trust. */
type Behaviour =
  | { readonly kind: "mark" | "command" | "interrupt"; readonly label: Label }
  | { readonly kind: "illegal"; readonly write: Maker }
  | { readonly kind: "subgraph"; readonly child: GraphPlan; readonly hidden: boolean }
  | { readonly kind: "inside"; readonly child: GraphPlan }
  | { readonly kind: "nothing" };

/** Layers of parallel nodes. A layer is reached by edges from every node before it, or by Sends from the first one. */
export interface GraphPlan {
  readonly layers: readonly { readonly bySend: boolean; readonly nodes: readonly Behaviour[] }[];
}

/** Something done to a thread from outside. */
export type Operation =
  | { readonly kind: "run" | "update" | "command" | "resume"; readonly write: Maker; readonly node: number }
  | { readonly kind: "bulk"; readonly writes: readonly Maker[]; readonly node: number }
  | { readonly kind: "continue" }
  | { readonly kind: "fork"; readonly back: number; readonly next: Operation };

/** One random thread. */
export interface Scenario {
  readonly plan: GraphPlan;
  /** Whether the graph's input schema leaves trust out. */
  readonly hidden: boolean;
  /** Whether the thread was begun by a graph that has no trust channel. */
  readonly preexisting: boolean;
  readonly operations: readonly Operation[];
}

const gentle = anyLabel
  .map((each) => meet(each, TOP))
  .filter((each) => each.integrity + each.fidelity + each.currency + each.certainty >= 9);

const behaviour = (depth: number): fc.Arbitrary<Behaviour> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("mark" as const, "command" as const), label: gentle }) },
    { weight: 6, arbitrary: fc.constant({ kind: "nothing" as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("interrupt" as const), label: gentle }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("illegal" as const), write: notALabel }) },
    ...(depth === 0
      ? []
      : [
          { weight: 3, arbitrary: fc.record({ kind: fc.constant("inside" as const), child: graphPlan(depth - 1) }) },
          {
            weight: 2,
            arbitrary: fc.record({
              kind: fc.constant("subgraph" as const),
              child: graphPlan(depth - 1),
              // A child that gets no trust from its parent's state begins at the top, the hardest case for its parent.
              hidden: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
            }),
          },
        ]),
  );

const graphPlan = (depth: number): fc.Arbitrary<GraphPlan> =>
  fc.record({
    layers: fc.array(
      fc.record({ bySend: fc.boolean(), nodes: fc.array(behaviour(depth), { minLength: 1, maxLength: 3 }) }),
      { minLength: 1, maxLength: 3 },
    ),
  });

const maker = (name: string, make: () => unknown): Maker => ({ name, make });

/** The write that leaves the trust key out. */
const absent = maker("no trust key", () => undefined);

const anyWrite: fc.Arbitrary<Maker> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(absent) },
  { weight: 4, arbitrary: fc.constant(maker("TOP", () => ({ ...TOP }))) },
  { weight: 2, arbitrary: anyLabel.map((each) => maker(`label ${Object.values(each).join("")}`, () => each)) },
  { weight: 4, arbitrary: notALabel },
  { weight: 1, arbitrary: fc.constant(maker("undefined", () => undefined)) },
);

/** Whether a saver can hold the value. An input schema lets keys it does not name through to the saver as they are. */
const isStorable = ({ make }: Maker): boolean => {
  try {
    return make === absent.make || JSON.stringify(make()) !== undefined;
  } catch {
    return false;
  }
};

const beginning = maker("begin(TOP)", () => begin(TOP));

const operation = (write: fc.Arbitrary<Maker>): fc.Arbitrary<Operation> => {
  const node = fc.nat(20);
  const kind = fc.constantFrom("run" as const, "update" as const, "command" as const, "resume" as const);
  const direct: fc.Arbitrary<Operation> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind, write, node }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("bulk" as const),
        writes: fc.array(write, { minLength: 1, maxLength: 3 }),
        node,
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "continue" as const }) },
  );
  return fc.oneof(
    { weight: 3, arbitrary: direct },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("fork" as const), back: fc.nat(30), next: direct }) },
  );
};

/** Whether the operation writes a beginning to the thread from outside the graph. */
export const handsABeginning = (operation: Operation): boolean => {
  if (operation.kind === "continue") return false;
  if (operation.kind === "fork") return handsABeginning(operation.next);
  return operation.kind === "bulk" ? operation.writes.includes(beginning) : operation.write === beginning;
};

/** Any scenario. Only a thread that is as old as its graph is handed beginnings from outside. */
export const anyScenario: fc.Arbitrary<Scenario> = fc
  .tuple(fc.boolean(), fc.boolean())
  .chain(([preexisting, hidden]) => {
    const fromOutside = preexisting ? anyWrite : fc.oneof({ weight: 5, arbitrary: anyWrite }, fc.constant(beginning));
    const write = hidden ? fromOutside.filter(isStorable) : fromOutside;
    return fc.record({
      plan: graphPlan(2),
      hidden: fc.constant(hidden),
      preexisting: fc.constant(preexisting),
      operations: fc
        .tuple(fc.boolean(), fc.array(operation(write), { minLength: 1, maxLength: 6 }))
        .map(([runsFirst, more]): Operation[] =>
          runsFirst ? [{ kind: "run", write: absent, node: 0 }, ...more] : more,
        ),
    });
  });

// One reducer object: LangGraph takes two schemas' shared key for the same channel only if the function is the same.
const append = (all: string[], more: string[]) => [...all, ...more];
const fields = () => ({ log: new ReducedValue(z.array(z.string()).default([]), { reducer: append }) });

type NodeFunction = (state: unknown, config: LangGraphRunnableConfig) => unknown;

/** A `StateGraph` whose node names are only known at run time. */
interface LooseBuilder {
  addNode(name: string, action: unknown): LooseBuilder;
  addEdge(from: string, to: string): LooseBuilder;
  addConditionalEdges(from: string, route: () => Send[], ends: string[]): LooseBuilder;
  compile(options?: { checkpointer: BaseCheckpointSaver }): BuiltGraph;
}

/** The calls that the operations make. */
export interface BuiltGraph {
  invoke(input: unknown, config: object): Promise<{ trust?: unknown }>;
  updateState(config: object, values: unknown, asNode?: string): Promise<object>;
  bulkUpdateState(config: object, supersteps: unknown): Promise<object>;
  getState(config: object): Promise<{ next: string[]; values: { trust?: Label } }>;
  getStateHistory(config: object): AsyncIterable<{ config: object; values: object }>;
}

/** A graph built from a plan, with the marks that its nodes really made. */
export interface BuiltScenario {
  readonly graph: BuiltGraph;
  readonly saver: MemorySaver;
  /** Names of the root graph's nodes. */
  readonly nodes: readonly string[];
  /** Labels that nodes at any depth wrote, in the order they ran. Emptied by the caller. */
  readonly made: Label[];
}

const beginOnFreshThread: NodeFunction = (_, config) =>
  config.metadata?.["langgraph_step"] === 1 ? { trust: begin(TOP) } : {};

function buildGraph(plan: GraphPlan, made: Label[], options: { hidden: boolean; checkpointer?: BaseCheckpointSaver }) {
  const state = new TrustedState(fields());
  const input = options.hidden ? { input: new StateSchema(fields()) } : {};
  const builder = new StateGraph({ state, ...input }) as unknown as LooseBuilder;
  const nodes = ["first"];
  builder.addNode("first", beginOnFreshThread).addEdge(START, "first");
  let before = ["first"];
  plan.layers.forEach((layer, depth) => {
    const names = layer.nodes.map((behaviour, index) => {
      const name = `l${depth}n${index}`;
      builder.addNode(name, actionOf(behaviour, made));
      return name;
    });
    const sender = before[0] as string;
    if (layer.bySend) {
      builder.addConditionalEdges(sender, () => names.map((name) => new Send(name, { log: [], trust: TOP })), names);
    } else {
      for (const from of before) for (const to of names) builder.addEdge(from, to);
    }
    before = names;
    nodes.push(...names);
  });
  return { graph: builder.compile(options.checkpointer && { checkpointer: options.checkpointer }), nodes };
}

function actionOf(behaviour: Behaviour, made: Label[]): unknown {
  if (behaviour.kind === "nothing") return () => ({});
  if (behaviour.kind === "illegal") {
    return () => {
      made.push(BOTTOM);
      return { trust: behaviour.write.make() };
    };
  }
  if (behaviour.kind === "subgraph") return buildGraph(behaviour.child, made, { hidden: behaviour.hidden }).graph;
  if (behaviour.kind === "inside") {
    const { graph } = buildGraph(behaviour.child, made, { hidden: false });
    return async (_: unknown, config: LangGraphRunnableConfig) => {
      const { trust } = await graph.invoke({ log: [], trust: begin(readTrust(config) ?? BOTTOM) }, config);
      return { trust };
    };
  }
  return () => {
    if (behaviour.kind === "interrupt") interrupt("go on?");
    made.push(behaviour.label);
    const update = { trust: mark(behaviour.label, behaviour.kind) };
    return behaviour.kind === "command" ? new Command({ update }) : update;
  };
}

/** Builds the scenario's graph on a saver of its own. */
export async function build(scenario: Scenario, config: object): Promise<BuiltScenario> {
  const saver = new MemorySaver();
  if (scenario.preexisting) {
    const old = new StateGraph(new StateSchema(fields()))
      .addNode("first", () => ({ log: ["old"] }))
      .addEdge(START, "first");
    await old.compile({ checkpointer: saver }).invoke({ log: ["before trust"] }, config);
  }
  const made: Label[] = [];
  const { graph, nodes } = buildGraph(scenario.plan, made, { hidden: scenario.hidden, checkpointer: saver });
  return { graph, saver, nodes, made };
}

const written = (write: Maker, log: string): object => ({
  log: [log],
  ...(write === absent ? {} : { trust: write.make() }),
});

/** Does one operation to the thread. Returns whether it ran the graph. */
export async function perform(operation: Operation, { graph, nodes }: BuiltScenario, config: object): Promise<boolean> {
  switch (operation.kind) {
    case "run":
      await graph.invoke(written(operation.write, "run"), config);
      return true;
    case "command":
    case "resume": {
      const update = { ...written(operation.write, operation.kind) };
      const goto = nodes[operation.node % nodes.length] as string;
      await graph.invoke(
        operation.kind === "resume" ? new Command({ resume: "yes", update }) : new Command({ update, goto }),
        config,
      );
      return true;
    }
    case "continue":
      await graph.invoke(null, config);
      return true;
    case "update":
      await graph.updateState(config, written(operation.write, "update"), nodes[operation.node % nodes.length]);
      return false;
    case "bulk": {
      const asNode = nodes[operation.node % nodes.length];
      const supersteps = operation.writes.map((write) => ({ updates: [{ values: written(write, "bulk"), asNode }] }));
      await graph.bulkUpdateState(config, supersteps);
      return false;
    }
    case "fork": {
      const past: object[] = [];
      for await (const snapshot of graph.getStateHistory(config)) past.push(snapshot.config);
      const from = past[operation.back % Math.max(past.length, 1)];
      return perform(operation.next, { graph, nodes } as BuiltScenario, from ?? config);
    }
  }
}
