// A routing function that says beforehand which nodes it may start together, and keeps to it. LangGraph's path map
// only lists where an edge may lead; the graph check needs to know what may run at the same time.

import type { LangGraphRunnableConfig, Send } from "@langchain/langgraph";

/** What a routing function may return: a group's name, to go to all of it, or some members of a group. */
export type RouteChoice<Group extends string, Node extends string> =
  | Group
  | { readonly group: Group; readonly to: readonly (Node | Send)[] };

/** Groups of nodes. Members of one group may run in the same superstep; two groups never do. A group may hold `END`. */
export type RouteGroups<Group extends string, Node extends string> = Readonly<Record<Group, readonly Node[]>>;

/** Shared between copies of the package, so that a user's graph and our check agree. */
const ALTERNATIVES = Symbol.for("bulkhead.route-alternatives");

/** A routing function for `addConditionalEdges`, marked with its alternatives. */
export interface Route<State, Node extends string> {
  (state: State, config: LangGraphRunnableConfig): Promise<(Node | Send)[]>;
  readonly [ALTERNATIVES]: readonly (readonly Node[])[];
}

/** Thrown at run time by a routing function that leaves its groups. Not retryable: the function has to be corrected. */
export class RouteError extends Error {
  override readonly name = "RouteError";
  readonly code = "ROUTE";
}

/**
 * Makes a routing function whose alternatives the graph check can see.
 *
 * ```ts
 * const next = route({ work: ["tools", "delegate"], act: ["gate"], done: [END] }, (state) =>
 *   state.calls.length > 0 ? { group: "work", to: state.calls.map((call) => new Send("tools", call)) } : "done");
 * builder.addConditionalEdges("planner", next, routeEnds(next));
 * ```
 *
 * @throws TypeError for no groups, or an empty one.
 * @throws RouteError when the routing function runs and `choose` leaves its groups or chooses nothing.
 */
export function route<State, Group extends string, Node extends string>(
  groups: RouteGroups<Group, Node>,
  choose: (
    state: State,
    config: LangGraphRunnableConfig,
  ) => RouteChoice<NoInfer<Group>, Node> | Promise<RouteChoice<NoInfer<Group>, Node>>,
): Route<State, Node> {
  const alternatives = new Map<string, readonly Node[]>(Object.entries<readonly Node[]>(groups));
  if (alternatives.size === 0) throw new TypeError("route: name at least one group of nodes");
  for (const [group, members] of alternatives) {
    if (members.length === 0) throw new TypeError(`route: the group "${group}" has no nodes; put END in it to stop`);
  }
  const routing = async (state: State, config: LangGraphRunnableConfig): Promise<(Node | Send)[]> =>
    destinations(await choose(state, config), alternatives);
  return Object.defineProperty(routing, ALTERNATIVES, { value: [...alternatives.values()] }) as Route<State, Node>;
}

/** Every end of a {@link route}: the path map to hand to `addConditionalEdges` beside it. */
export const routeEnds = <Node extends string>(routing: Route<never, Node>): Node[] => [
  ...new Set(routing[ALTERNATIVES].flat()),
];

/** The alternatives of a routing function made by {@link route}, or `undefined` for any other function. */
export function routeAlternatives(routing: unknown): readonly (readonly string[])[] | undefined {
  return typeof routing === "function" ? (routing as Partial<Route<never, string>>)[ALTERNATIVES] : undefined;
}

function destinations<Node extends string>(
  choice: RouteChoice<string, Node>,
  alternatives: ReadonlyMap<string, readonly Node[]>,
): (Node | Send)[] {
  const group = typeof choice === "string" ? choice : choice?.group;
  const members = alternatives.get(group);
  if (members === undefined) {
    const known = [...alternatives.keys()].join(", ");
    throw new RouteError(`there is no group "${group}". Return one of: ${known}.`);
  }
  const to = typeof choice === "string" ? members : choice.to;
  if (to.length === 0) {
    throw new RouteError(`nothing was chosen from the group "${group}". Choose a node of it, or a group with END.`);
  }
  for (const each of to) {
    const node = typeof each === "string" ? each : each.node;
    if (!(members as readonly string[]).includes(node)) {
      const rest = members.join(", ");
      throw new RouteError(
        `"${node}" is not in the group "${group}" (${rest}). Add it there, or choose another group.`,
      );
    }
  }
  return [...to];
}
