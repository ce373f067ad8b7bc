// What recording costs: the same agent loop with the recorder on and off, in turns, in one process. Both have the same
// journal (thread, labels, effects), checkpointer and prompts; off, only events and texts are not written.

import { type Journal, openCheckpointer, openJournal, type RecordedEvent } from "../../checkpoints/index.js";
import { type Loop, runLoop } from "./loop.js";
import { openPlace, type Place, type TableSizes } from "./place.js";
import { median, quantile } from "./statistics.js";

/** What is measured. */
export interface RecorderBench {
  readonly turns: number;
  /** Size of the agent's instructions, in bytes. */
  readonly promptBytes: number;
  /** Latencies of the model, in ms; a row for each. */
  readonly latenciesMs: readonly number[];
  /** Pairs of runs, on and off, per latency. */
  readonly rounds: number;
  /** Where to make the databases: see `openPlace`. */
  readonly database?: string;
  readonly signal: AbortSignal;
  /** Called before each run. */
  readonly onRun?: (run: { readonly latencyMs: number; readonly round: number; readonly recorder: boolean }) => void;
}

/** What recording costs in time, at one latency. Medians over rounds. */
export interface RecorderTime {
  readonly latencyMs: number;
  /** A planner turn with its model call and its tool call, in ms. */
  readonly turnOnMs: number;
  readonly turnOffMs: number;
  /** The median of the differences within each round, in ms. */
  readonly differenceMs: number;
  /** That, as a share of a turn without the recorder. */
  readonly share: number;
  /** The same difference in processor time, in ms: on a busy machine it is the one to look at. */
  readonly processorMs: number;
  /** One append, from the call to its commit, in ms. */
  readonly appendMedianMs: number;
  readonly appendP99Ms: number;
}

/** What recording costs in bytes: one run of the loop. */
export interface RecorderSize {
  readonly events: number;
  readonly eventsPerTurn: number;
  readonly supersteps: number;
  /** Tables of the recording, with indexes, in whole pages, less what an empty database has. */
  readonly bytes: number;
  readonly bytesPerTurn: number;
  readonly bytesPerSuperstep: number;
  readonly tables: TableSizes;
  /** Other tables of the journal: labels, documents. They are there without the recorder as well. */
  readonly otherBytes: number;
  /** The bodies of all requests, as sent: what keeping each prompt whole would take. */
  readonly requestBytes: number;
  /** Events by kind, the most frequent first. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** What {@link benchRecorder} found. */
export interface RecorderFound {
  readonly turns: number;
  readonly promptBytes: number;
  readonly rounds: number;
  readonly times: readonly RecorderTime[];
  readonly size: RecorderSize;
}

/** The tables that only recording writes. */
const RECORDING: readonly string[] = ["h_event", "h_fold", "h_head", "h_key", "h_text"];

/** What marks a checkpointer as one whose checkpoints are recorded already: off, it is left alone by this mark. */
export const RECORDED = Symbol.for("bulkhead.recorded-saver");

/** Turns of the first runs, which count for nothing: code gets compiled, files get opened. */
const WARM_UP_TURNS = 10;

interface Run {
  readonly turnMs: number;
  readonly turnProcessorMs: number;
  readonly appendsMs: readonly number[];
  readonly size: RecorderSize | undefined;
}

/** Measures. Rejects with the signal's reason when that aborts; nothing is left behind. */
export async function benchRecorder(bench: RecorderBench): Promise<RecorderFound> {
  const { turns, promptBytes, latenciesMs, rounds, onRun = () => undefined } = bench;
  for (const recorder of [true, false]) {
    await run({ turns: Math.min(turns, WARM_UP_TURNS), promptBytes, latencyMs: 0 }, recorder, bench);
  }
  const times: RecorderTime[] = [];
  let size: RecorderSize | undefined;
  for (const latencyMs of latenciesMs) {
    const pairs: { on: Run; off: Run }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const once = async (recorder: boolean): Promise<Run> => {
        onRun({ latencyMs, round, recorder });
        return run({ turns, promptBytes, latencyMs }, recorder, bench);
      };
      // Who goes first changes: a machine that gets slower or faster meanwhile must not favour one of them.
      if (round % 2 === 1) pairs.push({ on: await once(true), off: await once(false) });
      else pairs.push({ off: await once(false), on: await once(true) });
    }
    times.push(timeOf(latencyMs, pairs));
    size ??= pairs[0]?.on.size;
  }
  if (size === undefined) throw new RangeError("a benchmark needs at least one latency and one round");
  return { turns, promptBytes, rounds, times, size };
}

function timeOf(latencyMs: number, pairs: readonly { readonly on: Run; readonly off: Run }[]): RecorderTime {
  const turnOffMs = median(pairs.map(({ off }) => off.turnMs));
  const differenceMs = median(pairs.map(({ on, off }) => on.turnMs - off.turnMs));
  const appends = pairs.flatMap(({ on }) => on.appendsMs);
  return {
    latencyMs,
    turnOnMs: median(pairs.map(({ on }) => on.turnMs)),
    turnOffMs,
    differenceMs,
    share: differenceMs / turnOffMs,
    processorMs: median(pairs.map(({ on, off }) => on.turnProcessorMs - off.turnProcessorMs)),
    appendMedianMs: quantile(appends, 0.5),
    appendP99Ms: quantile(appends, 0.99),
  };
}

async function run(loop: Loop, recorder: boolean, { database, signal }: RecorderBench): Promise<Run> {
  signal.throwIfAborted();
  const place = await openPlace(database);
  try {
    const journal = openJournal(place.url, { keyFile: place.keyFile });
    const checkpoints = await openCheckpointer(place.url);
    try {
      await journal.threads(); // Opens it: making the tables is not what is measured.
      const before = recorder ? await place.sizes() : {};
      const appendsMs: number[] = [];
      const used = recorder ? timed(journal, appendsMs) : withoutRecording(journal);
      const saver = recorder ? checkpoints.saver : Object.assign(checkpoints.saver, { [RECORDED]: true });
      const { thread, ms, processorMs } = await runLoop(loop, used, saver, signal);
      const events = recorder ? await journal.events({ thread }) : [];
      const size = recorder ? sizeOf(loop, events, before, await place.sizes()) : undefined;
      return { turnMs: ms / loop.turns, turnProcessorMs: processorMs / loop.turns, appendsMs, size };
    } finally {
      await journal.close();
      await checkpoints.close();
    }
  } finally {
    await place.remove();
  }
}

/** The same journal with some methods replaced. */
const changed = (journal: Journal, methods: Partial<Journal>): Journal =>
  new Proxy(journal, {
    get(target, key) {
      const own: unknown = Reflect.get(methods, key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

/** Notes how long each append takes. */
const timed = (journal: Journal, appendsMs: number[]): Journal =>
  changed(journal, {
    append: async (...given) => {
      const started = performance.now();
      const recorded = await journal.append(...given);
      appendsMs.push(performance.now() - started);
      return recorded;
    },
  });

/** Everything but the record of events and texts. */
export const withoutRecording = (journal: Journal): Journal =>
  changed(journal, {
    append: async (scope, event) => ({ scope, event, seq: 0, at: 0 }),
    keep: () => ({ digest: "", text: "", bytes: 0 }),
    texts: async () => new Map(),
  });

function sizeOf(
  { turns }: Loop,
  events: readonly RecordedEvent[],
  before: TableSizes,
  after: Awaited<ReturnType<Place["sizes"]>>,
): RecorderSize {
  const grown = Object.entries(after).map(([name, bytes]): [string, number] => [name, bytes - (before[name] ?? 0)]);
  const tables = grown.filter(([name]) => RECORDING.includes(name));
  const sum = (list: readonly [string, number][]) => list.reduce((total, [, bytes]) => total + bytes, 0);
  const counts = new Map<string, number>();
  for (const { event } of events) counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1);
  const supersteps = counts.get("checkpoint") ?? 0;
  const bytes = sum(tables);
  return {
    events: events.length,
    eventsPerTurn: events.length / turns,
    supersteps,
    bytes,
    bytesPerTurn: bytes / turns,
    bytesPerSuperstep: bytes / Math.max(1, supersteps),
    tables: Object.fromEntries(tables),
    otherBytes: sum(grown) - bytes,
    requestBytes: events.reduce((total, { event }) => total + (event.kind === "model.request" ? event.bytes : 0), 0),
    kinds: Object.fromEntries([...counts].toSorted(([, left], [, right]) => right - left)),
  };
}
