// What a node is to the graph check: something that changes the world, something that decides whether it may,
// something that lets outside content in, or none of these. Node factories say it; `graphs/check.ts` reads it.

/**
 * `effect` runs irreversible or compensable actions. `gate` decides which of them may run. `taint` may lower the trust:
 * it calls a model, a tool, a memory or the network. `neutral` does none of this.
 */
export type NodeRole = "effect" | "gate" | "taint" | "neutral";

/** Shared between copies of the package, so that a user's graph and our check agree. */
const ROLE = Symbol.for("bulkhead.node-role");

/** Marks a node's function with its role and returns it. A function has one role; marking it with another throws. */
export function withRole<Node extends object>(node: Node, role: NodeRole): Node {
  return Object.defineProperty(node, ROLE, { value: role });
}

/** The role a node was marked with, or `undefined`: the check counts an unmarked node as `taint`. */
export function roleOf(node: unknown): NodeRole | undefined {
  const isMarkable = (typeof node === "object" && node !== null) || typeof node === "function";
  return isMarkable ? (node as { readonly [ROLE]?: NodeRole })[ROLE] : undefined;
}
