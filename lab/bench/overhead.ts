// What the harness costs beside a plain LangGraph agent: the same loop of model and tool calls through `createReactAgent`,
// through the agent graph with the recorder off, and with it on, in turns, in one process. And what calls cost that wait, and
// runs that are parked.

import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import type { BaseCheckpointSaver } from "@langchain/langgraph";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import { QuotaPool, systemClock } from "../../capacity/index.js";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { type Loop, lookUp, loopModel, runLoop, textOf } from "./loop.js";
import { heap } from "./memory.js";
import { type ParkedCost, parkAndWake } from "./parked.js";
import { openPlace } from "./place.js";
import { RECORDED, withoutRecording } from "./recorder.js";
import { median } from "./statistics.js";

/** What is compared: LangGraph's own loop, and the agent graph without and with a record of what it does. */
export const VARIANTS = ["plain", "recorder off", "recorder on"] as const;
/** See {@link VARIANTS}. */
export type Variant = (typeof VARIANTS)[number];

/** What is measured. */
export interface OverheadBench {
  /** Model calls with a tool call; one more ends the run. */
  readonly turns: number;
  /** Size of the agent's instructions, in bytes. */
  readonly promptBytes: number;
  /** Runs of each variant. */
  readonly rounds: number;
  /** Numbers of calls that wait in a quota pool; a row for each. */
  readonly queued: readonly number[];
  /** Numbers of runs that are parked and woken; a row for each. */
  readonly parked: readonly number[];
  readonly signal: AbortSignal;
  /** Called before each part. */
  readonly onPart?: (part: string) => void;
}

/** What a turn of one variant costs: medians over rounds. */
export interface TurnCost {
  readonly variant: Variant;
  /** A model call and a tool call, in ms. */
  readonly turnMs: number;
  /** The processor's part of that. */
  readonly processorMs: number;
  /** What the finished run keeps on the heap, in bytes a turn: nothing grows with a run that is over. */
  readonly heapBytes: number;
  /** The processor's time against the plain loop's: the median over rounds. */
  readonly ratio: number;
}

/** What calls cost that wait for their turn in a quota pool. */
export interface QueueCost {
  readonly calls: number;
  /** From the first call until all of them wait, in ms. */
  readonly takeInMs: number;
  /** On the heap, in bytes a call. */
  readonly heapBytes: number;
  /** How many were cancelled first, at once, while the others waited. */
  readonly cancelled: number;
  /** Until those had left when their signals aborted, in ms. */
  readonly cancelSomeMs: number;
  /** The same for all the others. */
  readonly cancelRestMs: number;
  /** Requests that left meanwhile: those that were cancelled are none of them. */
  readonly left: number;
}

/** What {@link benchOverhead} found. */
export interface OverheadFound {
  readonly turns: number;
  readonly promptBytes: number;
  readonly rounds: number;
  readonly costs: readonly TurnCost[];
  readonly queues: readonly QueueCost[];
  readonly parks: readonly ParkedCost[];
}

interface Run {
  readonly turnMs: number;
  readonly processorMs: number;
  readonly heapBytes: number;
}

/** How many of the calls that wait share a signal, as those of one run do. */
const CALLS_PER_RUN = 20;

/** How many are cancelled at once while the others wait; all when there are fewer. */
const CANCELLED = 500;

/** Turns of the first runs, which count for nothing: code gets compiled. */
const WARM_UP_TURNS = 10;

/** Measures. Rejects with the signal's reason when that aborts; nothing is left behind. */
export async function benchOverhead(bench: OverheadBench): Promise<OverheadFound> {
  const { turns, promptBytes, rounds, queued, parked, signal, onPart = () => undefined } = bench;
  const loop: Loop = { turns, promptBytes, latencyMs: 0 };
  for (const variant of VARIANTS) await run({ ...loop, turns: Math.min(turns, WARM_UP_TURNS) }, variant, signal);
  const found = new Map<Variant, Run[]>(VARIANTS.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Who goes first changes: a machine that gets slower or faster meanwhile must not favour one of them.
    const order = [...VARIANTS.slice(round % VARIANTS.length), ...VARIANTS.slice(0, round % VARIANTS.length)];
    for (const variant of order) {
      onPart(`round ${round + 1} of ${rounds}, ${variant}`);
      found.get(variant)?.push(await run(loop, variant, signal));
    }
  }
  const plain = found.get("plain") ?? [];
  const costs = VARIANTS.map((variant): TurnCost => {
    const runs = found.get(variant) ?? [];
    const ratios = runs.map(({ processorMs }, round) => processorMs / (plain[round]?.processorMs ?? Number.NaN));
    return {
      variant,
      turnMs: median(runs.map(({ turnMs }) => turnMs)),
      processorMs: median(runs.map(({ processorMs }) => processorMs)),
      heapBytes: median(runs.map(({ heapBytes }) => heapBytes)),
      ratio: median(ratios),
    };
  });
  const queues: QueueCost[] = [];
  for (const calls of queued) {
    onPart(`${calls} calls that wait`);
    queues.push(await queue(calls, signal));
  }
  const parks: ParkedCost[] = [];
  for (const runs of parked) {
    onPart(`${runs} runs that are parked`);
    parks.push(await parkAndWake(runs, signal));
  }
  return { turns, promptBytes, rounds, costs, queues, parks };
}

async function run(loop: Loop, variant: Variant, signal: AbortSignal): Promise<Run> {
  signal.throwIfAborted();
  const place = await openPlace();
  try {
    const checkpoints = await openCheckpointer(place.url);
    const journal = openJournal(place.url, { keyFile: place.keyFile });
    try {
      const before = heap();
      const { saver } = checkpoints;
      if (variant === "plain") return costOf(loop, before, await runPlain(loop, saver, signal));
      await journal.threads(); // Opens it: making the tables is not what is measured.
      if (variant === "recorder on") return costOf(loop, before, await runLoop(loop, journal, saver, signal));
      const marked = Object.assign(saver, { [RECORDED]: true });
      return costOf(loop, before, await runLoop(loop, withoutRecording(journal), marked, signal));
    } finally {
      await journal.close();
      await checkpoints.close();
    }
  } finally {
    await place.remove();
  }
}

const costOf = ({ turns }: Loop, before: number, { ms, processorMs }: { ms: number; processorMs: number }): Run => ({
  turnMs: ms / turns,
  processorMs: processorMs / turns,
  heapBytes: Math.max(0, heap() - before) / turns,
});

/** The same calls through LangGraph's prebuilt loop: the same prompt, tool, checkpointer and provider, nothing else. */
async function runPlain(loop: Loop, saver: BaseCheckpointSaver, signal: AbortSignal) {
  const { provider, close } = loopModel(loop);
  try {
    const read = tool(({ record }) => JSON.stringify({ record, text: textOf(300, record) }), {
      name: lookUp.name,
      description: lookUp.description,
      schema: z.object({ record: z.number() }),
    });
    const configuration = { baseURL: await provider.listen() };
    const agent = createReactAgent({
      llm: new ChatOpenAI({ model: "offline-large", apiKey: "no-key", configuration }),
      tools: [read],
      prompt: textOf(loop.promptBytes, 0),
      checkpointer: saver,
    });
    const started = performance.now();
    const before = process.cpuUsage();
    await agent.invoke(
      { messages: [new HumanMessage("Go through the records.")] },
      { configurable: { thread_id: "plain" }, signal, durability: "sync", recursionLimit: 20 + loop.turns * 5 },
    );
    const { user, system } = process.cpuUsage(before);
    return { ms: performance.now() - started, processorMs: (user + system) / 1_000 };
  } finally {
    await close();
  }
}

/** Calls that wait behind a quota of one in flight, until their signal aborts. */
async function queue(calls: number, signal: AbortSignal): Promise<QueueCost> {
  signal.throwIfAborted();
  const pool = new QuotaPool({ name: "queue", quota: { requestsPerMinute: 60, inFlight: 1 }, clock: systemClock });
  let left = 0;
  const send = pool.gate(async (_address, init) => {
    left += 1;
    await systemClock.sleep(2 ** 31 - 1, init?.signal ?? undefined);
    return new Response("{}");
  });
  const runs = Array.from({ length: Math.ceil(calls / CALLS_PER_RUN) }, () => new AbortController());
  const before = heap();
  const started = performance.now();
  const waiting = Array.from({ length: calls }, (_, index) =>
    send("http://queue.invalid/", {
      method: "POST",
      body: "{}",
      signal: runs[Math.floor(index / CALLS_PER_RUN)]?.signal ?? signal,
    }),
  );
  // One turn of the event loop: everything that a call does before it waits has been done.
  await new Promise((resolve) => setImmediate(resolve));
  const takeInMs = performance.now() - started;
  const heapBytes = Math.max(0, heap() - before) / calls;
  const cancel = async (from: number, to: number): Promise<number> => {
    const ended = Promise.allSettled(waiting.slice(from, to));
    const cancelled = performance.now();
    for (const run of runs.slice(from / CALLS_PER_RUN, Math.ceil(to / CALLS_PER_RUN))) run.abort(new Error("enough"));
    await ended;
    return performance.now() - cancelled;
  };
  const cancelled = Math.min(CANCELLED, calls);
  const cancelSomeMs = await cancel(0, cancelled);
  const cancelRestMs = await cancel(cancelled, calls);
  return { calls, takeInMs, heapBytes, cancelled, cancelSomeMs, cancelRestMs, left };
}
