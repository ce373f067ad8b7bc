// The three rules of the graph check, each over one graph's wiring, with the words that tell a reader what to change.

import { START } from "@langchain/langgraph";
import { reachableSupersteps, TooManyConfigurationsError } from "./supersteps.js";
import type { Exit, Wiring } from "./wiring.js";

/**
 * `gate`: an effect can be reached around the gate. `superstep`: an effect can run beside a taint source. `channel`: a
 * graph does not carry the trust channel. `role`: a declared role does not fit the graph. `size`: too large to prove.
 */
export type GraphRule = "gate" | "superstep" | "channel" | "role" | "size";

/** One thing that is wrong, with the nodes it is about. Nodes of a subgraph are named `node|inner`. */
export interface GraphProblem {
  readonly rule: GraphRule;
  readonly nodes: readonly string[];
  readonly message: string;
}

const quoted = (name: string): string => (name === START ? "START" : `"${name}"`);

const named = (name: string): string => (name === START ? "START" : name);

/** Effect nodes are entered from gates only. */
export function* gateProblems(wiring: Wiring, prefix: string): Generator<GraphProblem> {
  for (const [effect, { role, deferred }] of wiring.nodes) {
    if (role !== "effect") continue;
    if (deferred) {
      yield {
        rule: "gate",
        nodes: [prefix + effect],
        message: `effect node "${prefix}${effect}" is deferred, so other branches may still run after its gate has decided. Defer the gate instead.`,
      };
    }
    for (const [from, how] of entriesOf(effect, wiring)) {
      const source = wiring.nodes.get(from);
      if (source?.role === "gate") continue;
      const name = from === START ? from : prefix + from;
      const path = shortestPath(from, wiring);
      const trail = path === undefined ? "" : ` (${[...path, effect].map(named).join(" → ")})`;
      const what = from === START ? "START is no gate" : `"${name}" is no gate${assumption(source?.assumed)}`;
      yield {
        rule: "gate",
        nodes: [name, prefix + effect],
        message: `effect node "${prefix}${effect}" can be entered from ${quoted(name)} by ${how}${trail}; ${what}. Lead ${quoted(name)} to a gate, and only the gate to "${prefix}${effect}".`,
      };
    }
  }
}

/** No taint source runs in the superstep of an effect. */
export function* superstepProblems(
  wiring: Wiring,
  prefix: string,
  actsInside: (node: string) => boolean,
  limit: number,
): Generator<GraphProblem> {
  const acts = (name: string) => wiring.nodes.get(name)?.role === "effect" || actsInside(name);
  if (![...wiring.nodes.keys()].some(acts)) return;
  const found = new Set<string>();
  try {
    for (const { nodes, path } of reachableSupersteps(wiring, limit)) {
      for (const effect of nodes.filter(acts)) {
        for (const taint of nodes.filter((name) => name !== effect && wiring.nodes.get(name)?.role === "taint")) {
          const pair = `${effect}|${taint}`;
          if (found.has(pair)) continue;
          found.add(pair);
          const steps = path.filter((step) => step.length > 0); // A run that has ended leaves an empty one.
          const trail = steps.map((step) => step.map(named).join(" + ")).join(" → ");
          const assumed = assumption(wiring.nodes.get(taint)?.assumed);
          yield {
            rule: "superstep",
            nodes: [prefix + taint, prefix + effect],
            message: `taint source "${prefix}${taint}" can share a superstep with effect node "${prefix}${effect}" (${trail}), where no gate can see what it reads${assumed}. Make them alternatives with route(), or join "${prefix}${taint}" before the gate.`,
          };
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TooManyConfigurationsError)) throw error;
    yield {
      rule: "size",
      nodes: [],
      message: `${prefix === "" ? "the graph" : `subgraph "${prefix.slice(0, -1)}"`} has more than ${limit} configurations to explore, so it cannot be shown that effects run apart from taint sources. Declare what may run together with route(), give conditional edges a path map, or raise maxConfigurations.`,
    };
  }
}

/** The graph, or a subgraph of it, has the trust channel, and a subgraph gives it back. */
export function* channelProblems(graph: object, name: string): Generator<GraphProblem> {
  const { channels = {}, outputChannels } = graph as { channels?: Record<string, unknown>; outputChannels?: unknown };
  const isSubgraph = name !== "";
  const what = isSubgraph ? `subgraph "${name}"` : "the graph";
  const nodes = isSubgraph ? [name] : [];
  const trust = channels["trust"] as { lc_graph_name?: string } | undefined;
  const fix = "Build its state with new TrustedState({ … }).";
  if (trust === undefined) {
    yield {
      rule: "channel",
      nodes,
      message: `${what} has no trust channel, so trust that falls inside it is lost. ${fix}`,
    };
  } else if (trust.lc_graph_name !== "Trust") {
    const kind = trust.lc_graph_name ?? typeof trust;
    yield { rule: "channel", nodes, message: `${what} keeps trust in a ${kind}, which an Overwrite can raise. ${fix}` };
  } else if (isSubgraph && Array.isArray(outputChannels) && !outputChannels.includes("trust")) {
    yield {
      rule: "channel",
      nodes,
      message: `${what} leaves trust out of its output, so trust that falls inside it is lost. Use a TrustedState as its output schema, or none.`,
    };
  }
}

const assumption = (assumed: boolean | undefined): string =>
  assumed ? " (it declares no role and counts as taint: mark it with withRole() or name it in options.roles)" : "";

/** Everything that leads into a node, and how. */
function* entriesOf(node: string, { exits, joins }: Wiring): Generator<readonly [string, string]> {
  for (const [from, all] of exits) {
    for (const how of new Set(all.filter((exit) => leadsTo(exit, node)).map(({ kind }) => kind))) {
      yield [from, `${how === "edge" ? "an" : "a"} ${how}`];
    }
  }
  for (const { sources, to } of joins) if (to === node) for (const from of sources) yield [from, "a join"];
}

const leadsTo = (exit: Exit, node: string): boolean =>
  exit.kind === "edge" ? exit.to === node : exit.alternatives.some((members) => members.includes(node));

/** The fewest edges from START to a node; `undefined` when none lead there. */
function shortestPath(target: string, wiring: Wiring): string[] | undefined {
  const paths = new Map<string, string[]>([[START, [START]]]);
  for (const [at, path] of paths) {
    if (at === target) return path;
    for (const name of wiring.nodes.keys()) {
      const leads = [...entriesOf(name, wiring)].some(([from]) => from === at);
      if (leads && !paths.has(name)) paths.set(name, [...path, name]);
    }
  }
  return undefined;
}
