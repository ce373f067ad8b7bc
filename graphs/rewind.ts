// Repairs a run that the gate stopped: goes back to the last checkpoint whose label was good enough, and runs again from
// there in a new thread, without fallbacks. Nothing is injected, so the new trajectory earns its own label.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { deriveThread, type EffectRecord, type Journal, type RecordedEvent, type Scope } from "../checkpoints/index.js";
import { HarnessTool, isGated } from "../nodes/index.js";
import { deficitsOf, type Floor, type Label, parseLabel, ruleOf } from "../trust/index.js";
import type { AnyCompiledGraph, Harness } from "./harness.js";
import { canGoOn } from "./standing.js";

/** What {@link rewindThread} takes. */
export interface Rewind {
  readonly graph: AnyCompiledGraph;
  readonly harness: Harness;
  /** Where the graph's checkpoints are. */
  readonly saver: BaseCheckpointSaver;
  /** The thread that was stopped. It stays as it is; its open requests are withdrawn. */
  readonly thread: string;
  /** The new thread's id. */
  readonly to: string;
  /** The run that goes on, for the record. */
  readonly run: string;
}

/** Where a rewind went back to. */
export interface Rewound {
  readonly thread: string;
  /** The tool whose call the gate stopped. */
  readonly tool: string;
  /** The superstep of the checkpoint. */
  readonly step: number;
  /** The label the new thread starts with. */
  readonly floor: Label;
}

const REWIND = Symbol.for("bulkhead.RewindError");

/** There is nothing to go back to. Not retryable; the message says what can be done instead. */
export class RewindError extends Error {
  override readonly name = "RewindError";
  readonly code = "REWIND";
  readonly [REWIND] = true;

  static isInstance(error: unknown): error is RewindError {
    return typeof error === "object" && error !== null && REWIND in error;
  }
}

/**
 * Derives a thread from the last checkpoint whose label is at or above the floor that the gate held the last stopped
 * call to. Resume the new thread to run on; its model calls wait for the primary model or park.
 *
 * @throws RewindError when the gate stopped nothing, no checkpoint was good enough, or an effect that the gate let pass
 * went out since then and was not taken back.
 */
export async function rewindThread({ graph, harness, saver, thread, to, run }: Rewind): Promise<Rewound> {
  const { journal } = harness;
  const { tool, floor } = stoppedCall(await journal.events({ thread }), harness, thread);
  const point = await lastAbove(floor, graph, thread);
  if (point === undefined) {
    throw new RewindError(
      `no checkpoint of thread ${thread} reaches what ${tool} needs. What lowered the trust came in with the first step: give the task again in a new thread.`,
    );
  }
  const lost = effectsAfter(point.at, await journal.effects({ thread }), harness);
  if (lost !== undefined) {
    throw new RewindError(
      `thread ${thread} did ${lost.tool} (${lost.key.slice(0, 12)}) after the step to go back to, and going back would forget it. Take it back first (bulkhead effects compensate ${lost.key.slice(0, 12)}), or go on from here.`,
    );
  }
  const derived = await deriveThread({ journal, saver, from: thread, checkpoint: point.id, to, as: "rewind" });
  const task = (await journal.thread(thread))?.task;
  if (task !== undefined) await journal.updateThread(to, { task });
  await withdraw(journal, { thread, run: journal.id("rewind") }, to); // A run has one thread.
  const { step } = point;
  await journal.append(
    { thread: to, run },
    { kind: "thread.derived", from: thread, step, as: "rewind", floor: derived },
  );
  return { thread: to, tool, step, floor: derived };
}

/** The last call that the gate did not simply allow, and the floor it was held to. */
function stoppedCall(events: readonly RecordedEvent[], { policy, toolbox }: Harness, thread: string) {
  const decisions = events.flatMap(({ event }) => (event.kind === "gate.decision" ? [event] : []));
  const stopped = decisions.findLast(({ verdict }) => verdict !== "allow");
  if (stopped === undefined || stopped.deficits.length === 0) {
    throw new RewindError(
      `the gate stopped nothing in thread ${thread} for its trust: there is nothing to rewind. See what happened: bulkhead show ${thread}`,
    );
  }
  const tool = toolbox.tools.find(({ name }) => name === stopped.tool);
  const own = tool instanceof HarnessTool ? tool.floor : undefined;
  return { tool: stopped.tool, floor: ruleOf(policy, stopped.tool, own).floor };
}

interface Point {
  readonly id: string;
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The newest checkpoint whose label reaches the floor. */
async function lastAbove(floor: Floor, graph: AnyCompiledGraph, thread: string): Promise<Point | undefined> {
  for await (const state of graph.getStateHistory({ configurable: { thread_id: thread } })) {
    const id: unknown = state.config.configurable?.["checkpoint_id"];
    const label = parseLabel(state.values?.trust);
    if (!canGoOn(state) || typeof id !== "string" || deficitsOf(label, floor).length > 0) continue;
    return { id, step: state.metadata?.step ?? 0, at: Date.parse(state.createdAt ?? "") || 0 };
  }
  return undefined;
}

const SENT = new Set<EffectRecord["status"]>(["dispatched", "committed", "in_doubt", "forged"]);

/** A gated effect that went out after `at` and still stands. */
function effectsAfter(at: number, effects: readonly EffectRecord[], { toolbox }: Harness): EffectRecord | undefined {
  const takenBack = new Set(
    effects.flatMap(({ compensates, status }) =>
      compensates !== undefined && status === "committed" ? [compensates] : [],
    ),
  );
  return effects.find(({ key, tool: name, status, updatedAt, compensates }) => {
    const tool = toolbox.tools.find((each) => each.name === name);
    const gated = !(tool instanceof HarnessTool) || isGated(tool.effect);
    return gated && compensates === undefined && SENT.has(status) && updatedAt > at && !takenBack.has(key);
  });
}

/** What the old branch asked is asked no more. */
async function withdraw(journal: Journal, scope: Scope, to: string): Promise<void> {
  const reason = `the run went on in thread ${to}`;
  for (const { id, tool } of await journal.approvals({ thread: scope.thread, status: "pending" })) {
    await journal.cancelApproval(id, reason);
    await journal.append(scope, { kind: "approval.decided", id, tool, decision: "cancelled", by: "harness", reason });
  }
  await journal.updateThread(scope.thread, { status: "blocked" });
}
