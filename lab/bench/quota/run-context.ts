// What makes a task of the benchmark look like a run of LangGraph to those who ask: a thread of its own.

import { RunnableLambda } from "@langchain/core/runnables";
// Importing it makes the configuration of a run known to whatever is called within the run.
import "@langchain/langgraph";
import type { Random } from "../../../capacity/index.js";

/** Runs `body` as a run in the thread `thread`. */
export async function inRun(thread: string, body: () => Promise<void>): Promise<void> {
  await RunnableLambda.from(body).invoke(undefined, { configurable: { thread_id: thread } });
}

/** Chance that repeats: a 32-bit generator (mulberry32). Equal seeds give equal numbers. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
