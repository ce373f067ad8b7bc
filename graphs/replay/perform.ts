// Does to a graph again what was done to it from outside, in the order of the record.

import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { deriveThread, type Journal } from "../../checkpoints/index.js";
import { fromText, inputFrom } from "../../nodes/index.js";
import type { AnyCompiledGraph } from "../harness.js";
import { type Action, actionsIn, decideAgain, settleAgain } from "./actions.js";
import type { Counted } from "./attempts.js";
import type { Positioned } from "./place.js";
import type { ThreadRecording } from "./record.js";

/** What {@link perform} takes. */
export interface Performance {
  readonly recording: ThreadRecording;
  readonly graph: AnyCompiledGraph;
  readonly journal: Journal;
  /** Answers in place of the world. Its `lc_prefer_streaming` is set to how models were called. */
  readonly handler: BaseCallbackHandler & { lc_prefer_streaming?: boolean };
  /** Called with the time of each action, in milliseconds since the epoch. */
  readonly onTime?: (at: number) => void;
  readonly signal?: AbortSignal;
}

/** Does again what came from outside. */
export async function perform(performance: Performance, counted: Counted): Promise<void> {
  const { recording, graph, journal, handler, onTime, signal } = performance;
  const { record } = counted;
  let ahead = false;
  for (const action of actionsIn(counted)) {
    signal?.throwIfAborted();
    const { recorded, event, cut } = action;
    const { thread, run } = recorded.scope;
    onTime?.(recorded.at);
    const configurable = { thread_id: thread, run_id: run };
    if (event.kind === "thread.derived") await derive(performance, action);
    if (event.kind === "effect") await settleAgain(journal, action);
    if (event.kind === "state.update" && event.values !== undefined) {
      const user = event.by === undefined ? {} : { langgraph_auth_user: { identity: event.by } };
      const values = await fromText(recording.texts.get(event.values) ?? "null");
      await graph.updateState({ configurable: { ...configurable, ...user } }, values as object, event.as);
    }
    if (event.kind !== "input") continue;
    const decided = await decideAgain(journal, thread, recorded.at, recording.approvals);
    const bare = event.as === "resume" && event.value === undefined;
    if (!(bare && ahead && !decided)) {
      handler.lc_prefer_streaming = streams(record, action);
      const input = await inputFrom(event.value === undefined ? undefined : recording.texts.get(event.value));
      const user = event.by === undefined ? {} : { langgraph_auth_user: { identity: event.by } };
      await invoke(graph, input, {
        configurable: { ...configurable, ...user },
        callbacks: [handler],
        durability: "sync",
        ...(signal === undefined ? {} : { signal }),
      });
    }
    ahead = cut;
  }
}

/** A run that failed fails again; whether in the same way is for the comparison to say. */
async function invoke(graph: AnyCompiledGraph, input: unknown, config: object): Promise<void> {
  try {
    await graph.invoke(input as never, config);
  } catch (error) {
    if ((config as { signal?: AbortSignal }).signal?.aborted) throw error;
  }
}

/** Whether models streamed in the run that this input began. */
function streams(record: readonly Positioned[], { index }: Action): boolean {
  const request = record.find(({ index: at, recorded }) => at > index && recorded.event.kind === "model.request");
  const event = request?.recorded.event;
  return event?.kind === "model.request" && event.prompt.frame?.["stream"] === true;
}

async function derive({ graph, journal }: Performance, { event, recorded }: Action): Promise<void> {
  if (event.kind !== "thread.derived") return;
  const { checkpointer: saver } = graph;
  if (typeof saver !== "object") return;
  for await (const state of graph.getStateHistory({ configurable: { thread_id: event.from } })) {
    const checkpoint: unknown = state.config.configurable?.["checkpoint_id"];
    if (state.metadata?.step !== event.step || typeof checkpoint !== "string") continue;
    const { thread: to } = recorded.scope;
    await deriveThread({ journal, saver, from: event.from, checkpoint, to, as: event.as });
    return;
  }
}
