// Nodes with roles, and the agent graph of the design drawn with them.

import { Annotation, END, ReducedValue, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import { type CheckableGraph, checkGraph, GraphCheckError, type GraphCheckOptions } from "../../graphs/check.js";
import { route, routeEnds } from "../../graphs/route.js";
import { type NodeRole, withRole } from "../../nodes/index.js";
import { TrustedState } from "../../trust/index.js";

const append = (all: string[], more: string[]) => [...all, ...more];

/** A state with the trust channel. */
export const State = new TrustedState({ log: new ReducedValue(z.array(z.string()).default([]), { reducer: append }) });

/** A state without it. */
export const Plain = Annotation.Root({ log: Annotation<string[]>({ reducer: append, default: () => [] }) });

/** A node that does nothing and says what it is. */
export const node = (role: NodeRole) => withRole(() => ({}), role);

/** A node that says nothing about itself. */
export const unmarked = () => () => ({});

/** The design's agent graph, all of it. */
export function agentShape() {
  const planned = route(
    { work: ["guard_delegate", "guard_tools"], act: ["gate"], done: [END] },
    (_: typeof State.State) => "done",
  );
  const cleared = route({ act: ["act"], back: ["compact"] }, (_: typeof State.State) => "back");
  const compacted = route({ act: ["gate"], plan: ["guard"] }, (_: typeof State.State) => "plan");
  return new StateGraph(State)
    .addNode("recall", node("taint"))
    .addNode("guard", node("neutral"))
    .addNode("planner", node("taint"))
    .addNode("guard_delegate", node("neutral"))
    .addNode("delegate", node("taint"))
    .addNode("guard_tools", node("neutral"))
    .addNode("tools", node("taint"))
    .addNode("gate", node("gate"))
    .addNode("act", node("effect"))
    .addNode("compact", node("taint"))
    .addEdge(START, "recall")
    .addEdge("recall", "guard")
    .addEdge("guard", "planner")
    .addConditionalEdges("planner", planned, routeEnds(planned))
    .addConditionalEdges("guard_delegate", () => ["delegate" as const], ["delegate"])
    .addConditionalEdges("guard_tools", () => ["tools" as const], ["tools"])
    .addEdge("delegate", "compact")
    .addEdge("tools", "compact")
    .addConditionalEdges("gate", cleared, routeEnds(cleared))
    .addEdge("act", "compact")
    .addConditionalEdges("compact", compacted, routeEnds(compacted));
}

/** The messages that `checkGraph` throws; empty when it does not. */
export function complaints(graph: CheckableGraph, options?: GraphCheckOptions): string[] {
  try {
    checkGraph(graph, options);
    return [];
  } catch (error) {
    if (error instanceof GraphCheckError) return error.problems.map(({ message }) => message);
    throw error;
  }
}
