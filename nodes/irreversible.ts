// Lets every guard of a graph, and of the subagents below it, know whether the run can come to something irreversible: then
// it matters more who answers than how soon.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { RunnableConfig } from "@langchain/core/runnables";
import { handlersOf } from "../capacity/index.js";

/** Shared between copies of the package. */
const IRREVERSIBLE = Symbol.for("bulkhead.irreversible");

/** Hang it on a graph with irreversible tools as a callback handler. `HarnessGraph.compile()` does. */
export class IrreversibleWithin extends BaseCallbackHandler {
  override readonly name = "bulkhead.irreversible";
  readonly [IRREVERSIBLE] = true;
}

/** Whether the run that has this configuration can come to something irreversible. */
export const reachesIrreversible = ({ callbacks }: Pick<RunnableConfig, "callbacks">): boolean =>
  handlersOf(callbacks).some((handler) => IRREVERSIBLE in handler);
