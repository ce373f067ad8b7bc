// The build-time check: proves on a real `StateGraph` that effects run only behind a gate and apart from everything
// that could lower the trust, and that no subgraph loses the label. Run on every compile of ours, and yours to run.

import type { NodeRole } from "../nodes/index.js";
import { channelProblems, type GraphProblem, gateProblems, superstepProblems } from "./check/rules.js";
import { type CheckableGraph, readWiring, type Wiring } from "./check/wiring.js";

export type { GraphProblem, GraphRule } from "./check/rules.js";
export type { CheckableGraph } from "./check/wiring.js";

/** What {@link checkGraph} takes beside the graph. */
export interface GraphCheckOptions {
  /**
   * Roles of nodes that declare none with `withRole`; a node of a subgraph is named `node|inner`. A node without any
   * role counts as `taint`. A declared role cannot be changed here.
   */
  readonly roles?: Readonly<Record<string, NodeRole>>;
  /** How many configurations of simultaneously active nodes to explore, per graph. Default 20,000. */
  readonly maxConfigurations?: number;
}

/** Thrown by {@link checkGraph}. Not retryable: the wiring, or a declared role, has to change. */
export class GraphCheckError extends Error {
  override readonly name = "GraphCheckError";
  readonly code = "GRAPH_CHECK";
  constructor(readonly problems: readonly GraphProblem[]) {
    super(`this graph is not safe to run:\n${problems.map(({ message }) => `- ${message}`).join("\n")}`);
  }
}

const MAX_CONFIGURATIONS = 20_000;

/**
 * Checks a graph, compiled or not, and all its subgraphs:
 *
 * 1. every effect node is entered from gate nodes only;
 * 2. no taint source can share a superstep with an effect node (a subgraph with effects inside counts as one);
 * 3. the graph and its subgraphs declare the trust channel, and subgraphs give it back.
 *
 * What cannot be seen in a graph, and is therefore not checked: a node that returns a `Command` to a node that is not
 * among its `ends`, or a `Send` to a node that is not in its path map (`route` refuses those at run time); error
 * handlers that return a `Command`; `Command.PARENT` from a subgraph; graphs that a function calls without naming them
 * in `subgraphs`; the insides of functional and remote graphs; and callers that go to a node with `Command` input or
 * `updateState`. Every effect asks for its permit at run time for these.
 *
 * @throws GraphCheckError with every problem found.
 * @throws TypeError for what is not a `StateGraph`.
 */
export function checkGraph(graph: CheckableGraph, options: GraphCheckOptions = {}): void {
  const problems = inspectGraph(graph, options);
  if (problems.length > 0) throw new GraphCheckError(problems);
}

/** The problems that {@link checkGraph} would throw, for showing. Throws a `TypeError` for what is not a `StateGraph`. */
export function inspectGraph(graph: CheckableGraph, options: GraphCheckOptions = {}): readonly GraphProblem[] {
  const { roles = {}, maxConfigurations = MAX_CONFIGURATIONS } = options;
  const used = new Set<string>();
  const inspected = inspect(graph, "", { roles, maxConfigurations, used });
  if (inspected === undefined) {
    throw new TypeError("checkGraph needs a StateGraph, compiled or not: other graphs do not say what leads where");
  }
  const unused = Object.keys(roles).filter((name) => !used.has(name));
  return [...inspected.problems, ...unused.map(roleProblem)];
}

interface Inspection {
  readonly problems: readonly GraphProblem[];
  /** Whether a node of this graph, or of a graph inside it, is an effect. */
  readonly acts: boolean;
}

interface Context extends Required<GraphCheckOptions> {
  /** Names in `roles` that gave a node its role. */
  readonly used: Set<string>;
}

/** Inspects one graph and its subgraphs. `prefix` is empty or ends in `|`. */
function inspect(graph: object, prefix: string, context: Context): Inspection | undefined {
  const wiring = readWiring(graph, (node) => {
    context.used.add(prefix + node);
    return context.roles[prefix + node];
  });
  if (wiring === undefined) return undefined;
  const inside = inspectSubgraphs(wiring, prefix, context);
  const actsInside = (node: string) => inside.get(node)?.acts === true;
  return {
    problems: [
      ...(prefix === "" ? channelProblems(graph, "") : []),
      ...gateProblems(wiring, prefix),
      ...superstepProblems(wiring, prefix, actsInside, context.maxConfigurations),
      ...[...inside.values()].flatMap(({ problems }) => problems),
    ],
    acts: [...wiring.nodes].some(([name, { role }]) => role === "effect" || actsInside(name)),
  };
}

function inspectSubgraphs({ nodes }: Wiring, prefix: string, context: Context): Map<string, Inspection> {
  const inside = new Map<string, Inspection>();
  for (const [name, { subgraphs }] of nodes) {
    const inspections = subgraphs.map((subgraph): Inspection => {
      const { problems = [], acts = false } = inspect(subgraph, `${prefix}${name}|`, context) ?? {};
      return { problems: [...channelProblems(subgraph, prefix + name), ...problems], acts };
    });
    const problems = inspections.flatMap((each) => each.problems);
    inside.set(name, { problems, acts: inspections.some(({ acts }) => acts) });
  }
  return inside;
}

const roleProblem = (node: string): GraphProblem => ({
  rule: "role",
  nodes: [node],
  message: `options.roles names "${node}", which is no node of this graph without a role of its own. Correct the name, or remove it.`,
});
