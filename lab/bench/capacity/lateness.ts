// How late a process comes to its timers: a busy machine, and not what is measured.

import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often it looks, in real ms. */
const LOOK_MS = 5;

/** Watches this process from now on. The function ends that and returns the 99th percentile, in real ms. */
export function watchLateness(): () => number {
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
  delays.enable();
  return () => {
    delays.disable();
    const late = delays.percentile(99) / 1e6 - LOOK_MS;
    return Number.isFinite(late) ? Math.max(0, late) : 0; // Nothing was seen yet.
  };
}
