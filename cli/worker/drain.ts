// How a worker stops: it takes no more runs, the step under way in each of its runs comes to its end, and the runs go back
// to the queue. Who does not want to wait for that asks again.

import { setTimeout as sleep } from "node:timers/promises";
import { EXIT } from "../exit.js";
import type { Interruption } from "../run/interruption.js";
import type { Terminal } from "../terminal.js";
import { count } from "../text.js";
import type { WorkerLog } from "./log.js";

/** What {@link untilStopped} needs to know. */
export interface Stopping {
  /** Stops taking runs; resolves when those under way have been handed back. */
  readonly close: () => Promise<void>;
  /** How many runs are under way. */
  readonly atWork: () => number;
  readonly interruption: Interruption;
  readonly log: Pick<WorkerLog, "tell">;
  readonly terminal: Pick<Terminal, "onInterrupt">;
  /** How long the steps under way may take, in ms. */
  readonly drainMs: number;
  /** How long it may take to hand back runs that were stopped in the middle of a step, in ms. Default 3,000. */
  readonly handBackMs?: number;
}

/** Waits until the worker is asked to stop, and stops it. Returns the exit code: 0 when every run was handed back. */
export async function untilStopped(stopping: Stopping): Promise<number> {
  const { close, atWork, interruption, log, terminal, drainMs, handBackMs = 3_000 } = stopping;
  let stopListening = () => {};
  const asked = new Promise<void>((resolve) => {
    stopListening = terminal.onInterrupt(() => {
      interruption.request();
      resolve();
    });
  });
  const aborted = new Promise<void>((resolve) => {
    interruption.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const done = new AbortController();
  const { signal } = done;
  try {
    await asked;
    const runs = atWork();
    log.tell({ type: "draining", runs, message: `${count(runs, "run")} to the end of the step` });
    const late = sleep(drainMs, undefined, { signal }).then(
      () => interruption.request(),
      () => undefined,
    );
    const givenUp = aborted.then(() => sleep(handBackMs, false, { signal })).catch(() => false);
    const isBack = await Promise.race([close().then(() => true), givenUp]);
    done.abort();
    await late;
    const left = atWork();
    log.tell({
      type: "stopped",
      message: isBack ? "every run was handed back" : `${count(left, "run")} not handed back: other workers take over`,
    });
    return isBack ? EXIT.finished : EXIT.interrupted;
  } finally {
    done.abort();
    stopListening();
  }
}
