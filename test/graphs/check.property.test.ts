// The graph check is sound: whatever a real run of a real graph did wrong, the check had said so before. Random small
// graphs are run by LangGraph with random choices; the oracle only looks at which nodes ran in which superstep.

import {
  Command,
  END,
  GraphRecursionError,
  type LangGraphRunnableConfig,
  MemorySaver,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type CheckableGraph, inspectGraph } from "../../graphs/check.js";
import { route } from "../../graphs/route.js";
import { type NodeRole, withRole } from "../../nodes/index.js";
import { State } from "./check-support.js";

const numRuns = Number(process.env["BULKHEAD_PROPERTY_RUNS"] ?? 200);

interface NodePlan {
  readonly role: NodeRole;
  readonly deferred: boolean;
  /** Fails now and then, and has an error handler. */
  readonly fails: boolean;
  /** Numbers of the nodes it may go to by Command. */
  readonly ends: readonly number[];
}

/** From which node (`-1` is START), to which groups of nodes; a branded edge chooses within one of the groups. */
interface ChoicePlan {
  readonly from: number;
  readonly groups: readonly (readonly number[])[];
  readonly branded: boolean;
}

interface Plan {
  readonly nodes: readonly NodePlan[];
  readonly edges: readonly (readonly [number, number])[];
  readonly choices: readonly ChoicePlan[];
  readonly joins: readonly { readonly sources: readonly number[]; readonly to: number }[];
  readonly seed: number;
}

const rarely = fc.integer({ min: 0, max: 7 }).map((drawn) => drawn === 0);

const anyPlan: fc.Arbitrary<Plan> = fc.tuple(fc.integer({ min: 3, max: 6 }), fc.boolean()).chain(([size, tidy]) => {
  const number = fc.nat(size - 1);
  const origin = fc.integer({ min: -1, max: size - 1 });
  const some = fc.uniqueArray(number, { minLength: 1, maxLength: 3 });
  const roles = fc.constantFrom<NodeRole>("effect", "gate", "gate", "taint", "neutral", "neutral");
  const node: fc.Arbitrary<NodePlan> = fc.record({
    role: roles,
    deferred: rarely,
    fails: rarely,
    ends: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some }),
  });
  return fc
    .record({
      nodes: fc.array(node, { minLength: size, maxLength: size }),
      edges: fc.array(fc.tuple(origin, number), { maxLength: size + 1 }),
      choices: fc.uniqueArray(
        fc.record({ from: origin, groups: fc.array(some, { minLength: 1, maxLength: 3 }), branded: fc.boolean() }),
        { maxLength: 3, selector: ({ from }) => from },
      ),
      joins: fc.array(fc.record({ sources: fc.uniqueArray(number, { minLength: 2, maxLength: 3 }), to: number }), {
        maxLength: 2,
      }),
      seed: fc.integer(),
    })
    .map((plan) => (tidy ? tidied(plan) : plan));
});

/** Takes away what leads to an effect from anything but a gate, so that enough graphs pass the check. */
function tidied(plan: Plan): Plan {
  const isEffect = (at: number) => plan.nodes[at]?.role === "effect";
  const isGate = (at: number) => plan.nodes[at]?.role === "gate";
  const allowed = (from: number) => (to: number) => isGate(from) || !isEffect(to);
  return {
    ...plan,
    nodes: plan.nodes.map((node, at) => ({
      ...node,
      deferred: node.deferred && node.role !== "effect",
      fails: false,
      ends: node.ends.filter(allowed(at)),
    })),
    edges: plan.edges.filter(([from, to]) => allowed(from)(to)),
    choices: plan.choices
      .map((choice) => ({
        ...choice,
        branded: true,
        groups: choice.groups.map((group) => group.filter(allowed(choice.from))).filter((group) => group.length > 0),
      }))
      .filter(({ groups }) => groups.length > 0),
    joins: plan.joins.filter(({ sources, to }) => sources.every((from) => allowed(from)(to))),
  };
}

/** Small, fast, seeded: the same choices for the same seed. */
function choosingFrom(seed: number) {
  let state = seed | 0;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const some = (items: readonly number[]) => items.filter(() => below(2) === 0);
  const destination = (at: number) => (below(3) > 0 ? nameOf(at) : new Send(nameOf(at), { log: [] }));
  return { below, one, some, destination };
}

const nameOf = (at: number): string => (at === -1 ? START : `n${at}`);

/** A `StateGraph` whose node names are only known at run time. */
interface LooseBuilder extends CheckableGraph {
  addNode(name: string, action: unknown, options?: object): LooseBuilder;
  addEdge(from: string | string[], to: string): LooseBuilder;
  addConditionalEdges(from: string, routing: unknown, ends: string[]): LooseBuilder;
  compile(options: object): CheckableGraph & { invoke(input: object, config: object): Promise<unknown> };
}

type Supersteps = Map<number, Set<string>>;

function build(plan: Plan, supersteps: Supersteps) {
  const choosing = choosingFrom(plan.seed);
  const record = (name: string, config: LangGraphRunnableConfig) => {
    const step = config.metadata?.["langgraph_step"] as number;
    supersteps.set(step, (supersteps.get(step) ?? new Set()).add(name));
  };
  const builder = new StateGraph(State) as unknown as LooseBuilder;
  plan.nodes.forEach(({ role, deferred, fails, ends }, at) => {
    const action = (_: unknown, config: LangGraphRunnableConfig) => {
      record(nameOf(at), config);
      if (fails && choosing.below(3) === 0) throw new Error("drawn failure");
      return ends.length === 0 ? {} : new Command({ goto: choosing.some(ends).map(choosing.destination) });
    };
    builder.addNode(nameOf(at), withRole(action, role), {
      defer: deferred,
      ends: ends.map(nameOf),
      ...(fails && {
        errorHandler: (_: unknown, __: unknown, config: LangGraphRunnableConfig) => {
          record(`__error_handler__${nameOf(at)}`, config);
          return {};
        },
      }),
    });
  });
  for (const [from, to] of plan.edges) builder.addEdge(nameOf(from), nameOf(to));
  for (const { sources, to } of plan.joins) builder.addEdge(sources.map(nameOf), nameOf(to));
  for (const { from, groups, branded } of plan.choices) {
    const ends = [...new Set(groups.flat())];
    const named = Object.fromEntries(groups.map((group, index) => [`g${index}`, group.map(nameOf)]));
    const withinGroup = () => {
      const group = choosing.one(groups.map((_, index) => index));
      const members = groups[group] as readonly number[];
      const chosen = choosing.some(members);
      return { group: `g${group}`, to: (chosen.length > 0 ? chosen : members).map(choosing.destination) };
    };
    const anywhere = () => (choosing.below(4) === 0 ? END : choosing.some(ends).map(choosing.destination));
    const routing = branded ? route(named, withinGroup as never) : anywhere;
    builder.addConditionalEdges(nameOf(from), routing, branded ? ends.map(nameOf) : [...ends.map(nameOf), END]);
  }
  const reached = new Set([
    ...plan.edges.map(([, to]) => to),
    ...plan.joins.map(({ to }) => to),
    ...plan.choices.flatMap(({ groups }) => groups.flat()),
    ...plan.nodes.flatMap(({ ends }) => ends),
  ]);
  const gate = plan.nodes.findIndex(({ role }) => role === "gate");
  plan.nodes.forEach(({ role }, at) => {
    if (!reached.has(at)) builder.addEdge(role === "effect" && gate >= 0 ? nameOf(gate) : START, nameOf(at));
  });
  if (gate >= 0) builder.addEdge(START, nameOf(gate));
  return builder.compile({ checkpointer: new MemorySaver() });
}

/** What the runs did wrong, in the words of the rules. */
function wrongs(supersteps: Supersteps, plan: Plan): string[] {
  const roleIs = (role: NodeRole) => (name: string) => (plan.nodes[Number(name.slice(1))]?.role ?? "taint") === role;
  const found = new Set<string>();
  for (const [step, nodes] of supersteps) {
    for (const effect of [...nodes].filter(roleIs("effect"))) {
      if (![...(supersteps.get(step - 1) ?? [])].some(roleIs("gate"))) found.add(`gate ${effect}`);
      for (const taint of [...nodes].filter(roleIs("taint"))) found.add(`superstep ${taint} ${effect}`);
    }
  }
  return [...found];
}

const statistics = { wrong: 0, clean: 0, proved: 0 };

it("reports whatever a real run did wrong", { timeout: 60_000 + numRuns * 500 }, async () => {
  const sound = fc.asyncProperty(anyPlan, async (plan) => {
    const supersteps: Supersteps = new Map();
    const graph = build(plan, supersteps);
    const problems = inspectGraph(graph);
    expect(problems.filter(({ rule }) => rule === "size" || rule === "channel" || rule === "role")).toEqual([]);
    for (let run = 0; run < 3; run += 1) {
      try {
        await graph.invoke({ log: [] }, { configurable: { thread_id: "1" }, recursionLimit: 6 });
      } catch (error) {
        if (!(error instanceof GraphRecursionError)) throw error;
      }
    }
    const reported = new Set(
      problems.map(({ rule, nodes }) => (rule === "gate" ? `gate ${nodes.at(-1)}` : `${rule} ${nodes.join(" ")}`)),
    );
    const missed = wrongs(supersteps, plan).filter((wrong) => !reported.has(wrong));
    expect(
      missed,
      `not reported; supersteps were ${JSON.stringify([...supersteps].map(([at, nodes]) => [at, ...nodes]))}`,
    ).toEqual([]);
    const acted = [...supersteps.values()].some((nodes) =>
      [...nodes].some((name) => plan.nodes[Number(name.slice(1))]?.role === "effect"),
    );
    if (wrongs(supersteps, plan).length > 0) statistics.wrong += 1;
    else if (acted) statistics.clean += 1;
    if (acted && problems.length === 0) statistics.proved += 1;
  });
  await fc.assert(sound, { numRuns });
  // Both verdicts have to occur often, or the property shows nothing.
  expect(statistics.wrong).toBeGreaterThan(numRuns / 20);
  expect(statistics.proved).toBeGreaterThan(numRuns / 50);
});
