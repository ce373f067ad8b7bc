// Reads a LangGraph `StateGraph` into the plain wiring that the rules reason about: which node is what, and where it
// may lead. LangGraph's own objects are touched in this file only (langgraph 1.7.3, `dist/graph/state.js`).

import { type NodeRole, roleOf } from "../../nodes/index.js";
import { routeAlternatives } from "../route.js";

/** Any `StateGraph`, compiled or not. */
export interface CheckableGraph {
  readonly nodes: object;
  readonly channels: object;
}

/** Where a node leads: always to one node, or to one or more members of one of several alternatives. */
export type Exit =
  | { readonly kind: "edge"; readonly to: string }
  | {
      readonly kind: "conditional edge" | "conditional edge without a path map" | "Command";
      readonly alternatives: readonly (readonly string[])[];
    };

/** An edge that waits until all its sources have run. */
export interface Join {
  readonly sources: readonly string[];
  readonly to: string;
}

/** One node as the rules see it. */
export interface WiredNode {
  readonly role: NodeRole;
  /** Whether the role was only assumed, because nobody declared one. */
  readonly assumed: boolean;
  readonly deferred: boolean;
  /** The node that runs in the same superstep when this one fails. */
  readonly errorHandler: string | undefined;
  readonly subgraphs: readonly object[];
}

/** A graph as the rules see it. Exits are by node; `START` has exits and is no node. */
export interface Wiring {
  readonly nodes: ReadonlyMap<string, WiredNode>;
  readonly exits: ReadonlyMap<string, readonly Exit[]>;
  readonly joins: readonly Join[];
}

interface NodeSpecification {
  readonly runnable?: object;
  readonly ends?: readonly string[];
  readonly defer?: boolean;
  readonly subgraphs?: readonly object[];
  readonly errorHandlerNode?: string;
  readonly isErrorHandler?: boolean;
}

interface Builder {
  readonly nodes: Readonly<Record<string, NodeSpecification>>;
  readonly edges: Iterable<readonly [string, string]>;
  readonly waitingEdges: Iterable<readonly [readonly string[], string]>;
  readonly branches: Readonly<Record<string, Readonly<Record<string, Branch>>>>;
  /** LangGraph adds the default error handler while it compiles and takes it out again. */
  readonly _nodeDefaults?: { readonly errorHandler?: unknown };
}

interface Branch {
  readonly path: object;
  readonly ends?: Readonly<Record<string, string>>;
}

/** A node need not return a Command, and a routing function may return an empty list. */
const NOWHERE: readonly string[] = [];

const DEFAULT_ERROR_HANDLER = "__default_error_handler__";

/** The builder of a graph, compiled or not; `undefined` for what was not built by a `StateGraph`. */
function builderOf(graph: object): Builder | undefined {
  const candidate = ((graph as { builder?: object }).builder ?? graph) as Partial<Builder>;
  const { nodes, edges, waitingEdges, branches } = candidate;
  return nodes && edges && waitingEdges && branches ? (candidate as Builder) : undefined;
}

/** Reads a graph's wiring; `undefined` for what was not built by a `StateGraph` (a functional or remote graph). */
export function readWiring(graph: object, declared: (node: string) => NodeRole | undefined): Wiring | undefined {
  const builder = builderOf(graph);
  if (builder === undefined) return undefined;
  const nodes = new Map<string, WiredNode>();
  const defaultHandler = builder._nodeDefaults?.errorHandler === undefined ? undefined : DEFAULT_ERROR_HANDLER;
  const specifications: readonly [string, NodeSpecification][] = [
    ...Object.entries(builder.nodes),
    ...(defaultHandler === undefined
      ? []
      : [[defaultHandler, { isErrorHandler: true }] as [string, NodeSpecification]]),
  ];
  for (const [name, specification] of specifications) {
    const role = markedRole(specification.runnable) ?? declared(name);
    nodes.set(name, {
      role: role ?? "taint",
      assumed: role === undefined,
      deferred: specification.defer === true,
      errorHandler: specification.isErrorHandler ? undefined : (specification.errorHandlerNode ?? defaultHandler),
      subgraphs: subgraphsOf(specification),
    });
  }
  return { nodes, exits: readExits(builder), joins: readJoins(builder) };
}

/** The role that a node was marked with: on the node itself or on the function LangGraph wrapped. */
export function markedRole(runnable: object | undefined): NodeRole | undefined {
  return roleOf(runnable) ?? roleOf((runnable as { func?: unknown } | undefined)?.func);
}

function readJoins(builder: Builder): Join[] {
  return [...builder.waitingEdges].map(([sources, to]) => ({ sources, to }));
}

function readExits(builder: Builder): Map<string, Exit[]> {
  const exits = new Map<string, Exit[]>();
  const add = (from: string, exit: Exit) => exits.set(from, [...(exits.get(from) ?? []), exit]);
  for (const [from, to] of builder.edges) add(from, { kind: "edge", to });
  for (const [from, { ends = [] }] of Object.entries(builder.nodes)) {
    if (ends.length > 0) add(from, { kind: "Command", alternatives: [ends, NOWHERE] });
  }
  const anywhere = Object.keys(builder.nodes);
  for (const [from, branches] of Object.entries(builder.branches)) {
    for (const { path, ends } of Object.values(branches)) add(from, readBranch(path, ends, anywhere));
  }
  return exits;
}

function readBranch(path: object, ends: Branch["ends"], anywhere: readonly string[]): Exit {
  const declared = routeAlternatives((path as { func?: unknown }).func);
  if (declared !== undefined) {
    // A path map renames what a function returns, but not where a Send goes: both may happen.
    const renamed = declared.map((group) => group.flatMap((node) => [node, ends?.[node] ?? node]));
    return { kind: "conditional edge", alternatives: renamed };
  }
  return ends === undefined
    ? { kind: "conditional edge without a path map", alternatives: [anywhere, NOWHERE] }
    : { kind: "conditional edge", alternatives: [Object.values(ends), NOWHERE] };
}

/** The graphs nested in a node, found the way LangGraph finds them for `getSubgraphs`. */
function subgraphsOf({ runnable, subgraphs }: NodeSpecification): object[] {
  const candidates = subgraphs?.length ? subgraphs : runnable === undefined ? [] : [runnable];
  return candidates.flatMap((candidate) => {
    const { lg_is_pregel: isGraph, steps } = candidate as { lg_is_pregel?: unknown; steps?: unknown };
    if (isGraph === true) return [candidate];
    return Array.isArray(steps) ? subgraphsOf({ subgraphs: steps as object[] }) : [];
  });
}
