// What every node of the harness does around its own work: say where it is, record that it ran, and make a fall of
// the trust visible and lasting. One wrapper, so that no node can forget it.

import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { isGraphBubbleUp } from "@langchain/langgraph";
import type { HarnessEvent, Journal, Scope } from "../checkpoints/index.js";
import { BOTTOM, isAtMost, meet, readTrust, TOP, type Trust, type TrustMark, trustOf } from "../trust/index.js";
import { type NodeRole, withRole } from "./role.js";

/** The LangChain custom event that tells an enclosing runner of a mark. */
export const MARK_EVENT = "bulkhead.mark";

/** The metadata key that names a subagent's branch in the record. */
export const LANE = "bulkhead_lane";

/** What a node's body gets beside the state. */
export interface Step {
  readonly config: LangGraphRunnableConfig;
  readonly scope: Scope;
  /** The trust channel as it stood when the superstep began, whatever the node's input object says. */
  readonly trust: Trust;
  /** `planner#4`: for causes. */
  readonly at: string;
  readonly signal: AbortSignal;
  record(event: HarnessEvent): Promise<void>;
}

/** A node's return value: state keys to write, and the mark to meet into the trust. */
export type NodeUpdate = Record<string, unknown> & { readonly trust?: TrustMark | { readonly begins: TrustMark } };

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Where a config says that we are. A run without a thread is recorded under its run id. */
export function scopeOf(config: LangGraphRunnableConfig): Scope {
  const { configurable = {}, metadata = {} } = config;
  const run = text(configurable["run_id"]) ?? text(metadata["run_id"]) ?? config.executionInfo?.runId ?? "run";
  const node = text(metadata["langgraph_node"]);
  const step = metadata["langgraph_step"];
  const lane = text(metadata[LANE]);
  return {
    thread: text(configurable["thread_id"]) ?? `stateless-${run}`,
    run,
    ...(node === undefined ? {} : { node }),
    ...(typeof step === "number" ? { step } : {}),
    ...(lane === undefined ? {} : { lane }),
  };
}

/**
 * Makes a graph node of a body. Records start and end, lowers the thread's floor with the trust, re-throws LangGraph's
 * bubble-ups (interrupts, drains) untouched, and declares the node's role to the graph check.
 */
export function harnessNode<State>(
  role: NodeRole,
  journal: Journal,
  body: (state: State, step: Step) => Promise<NodeUpdate>,
): (state: State, config: LangGraphRunnableConfig) => Promise<NodeUpdate> {
  return withRole(async (state: State, config: LangGraphRunnableConfig): Promise<NodeUpdate> => {
    const scope = scopeOf(config);
    const trust = readTrust(config) ?? trustOf(BOTTOM);
    const started = journal.clock.now();
    const record = async (event: HarnessEvent): Promise<void> => {
      await journal.append(scope, event);
    };
    const step: Step = {
      config,
      scope,
      trust,
      at: `${scope.node ?? "node"}#${scope.step ?? 0}`,
      signal: config.signal ?? new AbortController().signal,
      record,
    };
    await record({ kind: "node.start" });
    try {
      const update = await body(state, step);
      await recordFall(journal, step, update);
      await record({ kind: "node.end", ms: journal.clock.now() - started });
      return update;
    } catch (error) {
      if (!isGraphBubbleUp(error)) {
        await record({ kind: "node.end", ms: journal.clock.now() - started, error: messageOf(error) });
      }
      throw error;
    }
  }, role);
}

/** The text of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function recordFall(journal: Journal, step: Step, update: NodeUpdate): Promise<void> {
  const write = update.trust;
  if (write === undefined) return;
  // A beginning is measured against the top: a thread that starts lower has something to explain as well.
  const begins = "begins" in write;
  const mark = begins ? write.begins : write;
  const from = meet(begins ? TOP : step.trust);
  await dispatchCustomEvent(MARK_EVENT, mark, step.config);
  const to = meet(from, mark);
  if (isAtMost(from, to)) return;
  await journal.lowerFloor(step.scope.thread, to);
  const causes = (mark.causes ?? []).filter((cause) => cause.rank < from[cause.axis]);
  await step.record({ kind: "trust.fell", from, to, causes });
}
