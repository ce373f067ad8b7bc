// Where a config says that we are: what LangGraph and the harness put into it, as the journal names places.

import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { LANE } from "../capacity/index.js";
import type { Scope } from "../checkpoints/index.js";

/** How LangGraph's path says that a `Send` started the node (`PUSH`, langgraph 1.7.3). */
const PUSH = "__pregel_push";

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Where a config says that we are. A run without a thread is recorded under its run id. */
export function scopeOf(config: LangGraphRunnableConfig): Scope {
  const { configurable = {}, metadata = {} } = config;
  const run = text(configurable["run_id"]) ?? text(metadata["run_id"]) ?? config.executionInfo?.runId ?? "run";
  const node = text(metadata["langgraph_node"]);
  const step = metadata["langgraph_step"];
  const lane = text(metadata[LANE]);
  const send = sendOf(metadata["langgraph_path"]);
  return {
    thread: text(configurable["thread_id"]) ?? `stateless-${run}`,
    run,
    ...(node === undefined ? {} : { node }),
    ...(typeof step === "number" ? { step } : {}),
    ...(lane === undefined ? {} : { lane }),
    ...(send === undefined ? {} : { send }),
  };
}

/** Callbacks see a run's identity as metadata: LangGraph copies simple `configurable` values there. */
export const scopeOfMetadata = (metadata: Record<string, unknown>): Scope =>
  scopeOf({ metadata, configurable: { thread_id: metadata["thread_id"], run_id: metadata["run_id"] } });

/** The place of a task among those that `Send` made. */
function sendOf(path: unknown): number | undefined {
  if (!Array.isArray(path) || path[0] !== PUSH) return undefined;
  return path.findLast((part) => typeof part === "number") as number | undefined;
}
