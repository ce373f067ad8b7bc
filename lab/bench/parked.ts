// What parked runs cost: each sleeps in its checkpoint, so that memory should not grow with them, however many there are.
// And what it takes to wake them, as workers do, a hundred at a time.

import { setMaxListeners } from "node:events";
import { HumanMessage } from "@langchain/core/messages";
import { type Clock, systemClock } from "../../capacity/index.js";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { loopModel } from "./loop.js";
import { heap } from "./memory.js";
import { openPlace } from "./place.js";

/** What runs cost that are parked. */
export interface ParkedCost {
  readonly runs: number;
  /** From the first input until all of them are parked, in ms. */
  readonly parkMs: number;
  /** What stays on the heap, in bytes a run. */
  readonly heapBytes: number;
  /** Checkpoints, labels and record in the database, in bytes a run. */
  readonly storedBytes: number;
  /** From the first that is woken until all are finished, in ms. */
  readonly wakeMs: number;
  readonly finished: number;
}

/** Runs at once, while they are parked and while they are woken. */
const AT_ONCE = 100;

/** How long the provider has said that nobody may come, in ms. */
const PAUSE_MS = 600_000;

/** Parks so many runs behind a paused quota, and wakes them when the pause is over. */
export async function parkAndWake(runs: number, signal: AbortSignal): Promise<ParkedCost> {
  signal.throwIfAborted();
  setMaxListeners(0, signal); // All runs have it.
  const place = await openPlace();
  let later = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + later };
  const model = loopModel({ turns: 0, promptBytes: 0, latencyMs: 0 }, clock);
  const checkpoints = await openCheckpointer(place.url);
  const journal = openJournal(place.url, { keyFile: place.keyFile, clock });
  try {
    const { saver } = checkpoints;
    const graph = agentGraph({
      ...{ journal, model, prompt: "Answer.", tools: [], admission: "trust-first" },
    }).compile({ checkpointer: saver });
    const each = async (input: object | null): Promise<number> => {
      let finished = 0;
      await inTurn(runs, async (run) => {
        signal.throwIfAborted();
        const configurable = { thread_id: `parked-${run}` };
        const state = await graph.invoke(input as never, { configurable, signal, durability: "sync" });
        if (!("__interrupt__" in state)) finished += 1;
      });
      return finished;
    };
    const [{ pool }] = model.model.routes;
    await journal.threads(); // Opens it: making the tables is not what is measured.
    const empty = await place.bytes();
    pool.pause(PAUSE_MS);
    const before = heap();
    const parking = performance.now();
    const awake = await each({ messages: [new HumanMessage("How many tickets are open?")] });
    if (awake > 0) throw new Error(`${awake} of ${runs} runs were not parked behind a paused quota`);
    const parkMs = performance.now() - parking;
    const heapBytes = Math.max(0, heap() - before) / runs;
    const storedBytes = Math.max(0, (await place.bytes()) - empty) / runs;
    later = PAUSE_MS;
    const waking = performance.now();
    const finished = await each(null);
    return { runs, parkMs, heapBytes, storedBytes, wakeMs: performance.now() - waking, finished };
  } finally {
    await model.close();
    await journal.close();
    await checkpoints.close();
    await place.remove();
  }
}

/** Does `work` for 0 to `count - 1`, {@link AT_ONCE} at a time. */
async function inTurn(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
}
