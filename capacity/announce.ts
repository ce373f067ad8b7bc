// Tells LangChain's callbacks what happens to a call while it happens.

import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import type { Priority } from "./fair-queue.js";
import { CAPACITY_EVENT, type CapacityEvent } from "./types.js";

/** The configuration of the LangChain or LangGraph run that the running code belongs to. */
export interface SurroundingConfig {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly configurable?: Readonly<Record<string, unknown>>;
  readonly callbacks?: unknown;
}

export const surrounding = (): SurroundingConfig | undefined =>
  AsyncLocalStorageProviderSingleton.getRunnableConfig() as SurroundingConfig | undefined;

/** The run that the running code belongs to: its thread, or `""` outside a graph. Runs share a quota in turn. */
export function runKey(): string {
  const thread = surrounding()?.configurable?.["thread_id"];
  return typeof thread === "string" ? thread : "";
}

/** How urgent that run is: `configurable.priority`. */
export function runPriority(): Priority {
  return surrounding()?.configurable?.["priority"] === "batch" ? "batch" : "interactive";
}

/** After when an answer is of no use to that run: `configurable.deadline_at`, in milliseconds since the epoch. */
export const runDeadline = (config: SurroundingConfig | undefined = surrounding()): number | undefined => {
  const at = config?.configurable?.["deadline_at"];
  return typeof at === "number" && Number.isFinite(at) ? at : undefined;
};

/**
 * Where the events of one call go: to the handlers of its own run. LangChain passes no run manager to models under
 * `streamEvents` version 3; the surrounding run, when there is one, hears of them then.
 */
export function announcer(runManager: CallbackManagerForLLMRun | undefined): (event: CapacityEvent) => Promise<void> {
  if (runManager !== undefined) return (event) => runManager.handleCustomEvent(CAPACITY_EVENT, event);
  const hasRun = parentRunIdOf(surrounding()?.callbacks) !== undefined;
  return async (event) => {
    if (hasRun) await dispatchCustomEvent(CAPACITY_EVENT, event);
  };
}

const parentRunIdOf = (callbacks: unknown): unknown =>
  typeof callbacks === "object" && callbacks !== null
    ? (callbacks as { getParentRunId?: () => unknown }).getParentRunId?.()
    : undefined;

/** Hands a chunk of an answer to the callbacks, as models do with theirs. */
export async function announced(
  chunk: ChatGenerationChunk,
  runManager: CallbackManagerForLLMRun | undefined,
): Promise<ChatGenerationChunk> {
  const index = { prompt: 0, completion: 0 };
  await runManager?.handleLLMNewToken(chunk.text, index, undefined, undefined, undefined, { chunk });
  return chunk;
}
