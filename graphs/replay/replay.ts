// Runs a graph again with every answer taken from the record: models, tools, memory, capacity, clock and chance, people.
// The code is the only thing that is live, so what differs is what the code does differently. Nothing leaves the process.
// Source: trust-replay.md, section 7.

import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { MemorySaver } from "@langchain/langgraph";
import { type HarnessEvent, type Journal, type KeptText, trustIn } from "../../checkpoints/index.js";
import { scopeOf } from "../../nodes/index.js";
import { type Label, meet, parseLabel } from "../../trust/index.js";
import type { AnyCompiledGraph, Harness } from "../harness.js";
import { isOpen } from "./actions.js";
import { eventsThatCount } from "./attempts.js";
import { compare } from "./compare.js";
import { type Divergence, firstOf } from "./divergence.js";
import { perform } from "./perform.js";
import { placeOf } from "./place.js";
import { ReplayError, type ThreadRecording } from "./record.js";
import { Tape } from "./tape.js";
import { setTraps } from "./traps.js";

/** What {@link replayThread} takes. */
export interface Replay {
  readonly recording: ThreadRecording;
  /** Built as for a run, but with a journal of its own in memory that has the recording's key file. */
  readonly graph: AnyCompiledGraph;
  readonly harness: Harness;
  /** The recording journal's {@link Journal.keep}. */
  readonly keep: (text: string) => KeptText;
  /** Ends it. What was compared by then is not told. */
  readonly signal?: AbortSignal;
}

/** How a replay ended. */
export interface Replayed {
  readonly thread: string;
  readonly identical: boolean;
  /** The first difference, by its position in the record. */
  readonly divergence?: Divergence;
  /** How many answers came from the record. Nothing else answered. */
  readonly given: number;
  /** How many events of the record count, and were compared. */
  readonly compared: number;
  /** Whether the record stops in the middle of a run. It was compared up to there. */
  readonly open: boolean;
  /** The label at the end of the replay; at the end of the record, when that stops in the middle. */
  readonly trust: Label;
}

/**
 * Replays a thread. Process-wide while it runs: the clock shows the recorded time, and sockets are closed.
 *
 * @throws ReplayError when the graph's journal is not one in memory; the reason of the signal.
 */
export async function replayThread({ recording, graph, harness, keep, signal }: Replay): Promise<Replayed> {
  const { journal } = harness;
  if (journal.url !== "memory:") {
    throw new ReplayError("a replay needs a journal of its own: build the graph with a journal at memory:");
  }
  const recorded = eventsThatCount(recording.events);
  const { record } = recorded;
  const open = isOpen(recorded);
  const { now, onTime } = recordedClock(record[0]?.recorded.at ?? 0);
  const { texts } = recording;
  const tape = new Tape({ ...recorded, texts, keep, open, onTime });
  const release = setTraps({
    now,
    inNode: () => nodeConfig() !== undefined,
    caught: ({ what, instead }) => {
      const scope = scopeOf(nodeConfig() ?? {});
      const at = record.find(({ recorded: each }) => placeOf(each.scope) === placeOf(scope)) ?? record.at(-1);
      const message = `a node uses ${what}, which no record can answer; ${instead}`;
      const event = at === undefined ? {} : { event: at.recorded };
      return tape.diverge({ kind: "trap", scope, index: at?.index ?? 0, message, ...event });
    },
  });
  const over = new AbortController();
  try {
    graph.checkpointer = new MemorySaver();
    const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    await perform({ recording, graph, journal, handler: tape, onTime, signal: either }, recorded);
  } finally {
    over.abort(); // Branches beside one that was stopped are still under way.
    release();
  }
  signal?.throwIfAborted();
  const thrown = [...tape.divergences];
  tape.finish();
  const events = [];
  for (const thread of new Set(recording.events.map(({ scope }) => scope.thread))) {
    events.push(...(await journal.events({ thread })));
  }
  const found = [...tape.divergences, ...compare({ recorded, replayed: eventsThatCount(events), open })];
  const divergence = firstOf(withoutConsequences(found, thrown, recording.events), record);
  const state = await graph.getState({ configurable: { thread_id: recording.thread } });
  return {
    thread: recording.thread,
    identical: divergence === undefined,
    ...(divergence === undefined ? {} : { divergence }),
    given: tape.given,
    compared: record.length,
    open,
    trust: open ? recordedTrust(recording) : parseLabel(state.values?.trust),
  };
}

/** The label up to where a record stops: what the replay did behind that nobody recorded. */
const recordedTrust = ({ events, thread }: ThreadRecording): Label =>
  meet(
    ...events.flatMap(({ event, scope }) => {
      const isOwn = scope.thread === thread && scope.lane === undefined;
      return (isOwn ? trustIn(event) : undefined) ?? [];
    }),
  );

/** It shows when what was last given out was recorded, and goes on from there: checkpoints are sorted by their times. */
function recordedClock(start: number) {
  let shown = start;
  let since = performance.now();
  const now = (): number => Math.floor(shown + performance.now() - since);
  const onTime = (at: number): void => {
    shown = Math.max(now(), at);
    since = performance.now();
  };
  return { now, onTime };
}

/** The configuration of the node that the running code belongs to. */
function nodeConfig() {
  const config = AsyncLocalStorageProviderSingleton.getRunnableConfig() as
    | { metadata?: Record<string, unknown>; configurable?: Record<string, unknown> }
    | undefined;
  return config?.metadata?.["langgraph_node"] === undefined ? undefined : config;
}

/** What a branch that was stopped from beside does not leave behind in another form: it leaves it out. */
const OWN = new Set<HarnessEvent["kind"]>(["tool.output", "model.response", "gate.decision"]);

/**
 * A branch that was stopped, and those beside it, miss what they would have done: that is no difference of their own. What
 * stands before it is: in an earlier superstep, at the same place, or something that was done and came out otherwise.
 */
function withoutConsequences(
  found: readonly Divergence[],
  thrown: readonly Divergence[],
  events: ThreadRecording["events"],
): readonly Divergence[] {
  const first = Math.min(...thrown.map(({ index }) => index));
  const isOwn = ({ lane, node, step, index, fields }: Divergence): boolean => {
    if (index >= first || step === undefined) return false;
    const kind = events[index]?.event.kind;
    if (fields.length > 0 && kind !== undefined && OWN.has(kind)) return true;
    return thrown.some(
      (stopped) =>
        lane === stopped.lane && (step < (stopped.step ?? 0) || (step === stopped.step && node === stopped.node)),
    );
  };
  return thrown.length === 0 ? found : [...thrown, ...found.filter((each) => !thrown.includes(each) && isOwn(each))];
}
