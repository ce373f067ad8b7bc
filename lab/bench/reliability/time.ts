// One clock for all processes of a cell: it runs faster than the machine's, and from the same moment everywhere, so that
// what a killed process wrote down still is in the past.

import { type Clock, systemClock } from "../../../capacity/index.js";

/** A clock that runs `scale` times as fast since `epoch`, in milliseconds since 1970. */
export const sharedClock = (scale: number, epoch: number): Clock => ({
  scale,
  now: () => epoch + (performance.timeOrigin + performance.now() - epoch) * scale,
  sleep: (ms, signal) => systemClock.sleep(Math.max(0, ms) / scale, signal),
});

/** Makes `setTimeout` that much faster, for libraries that take no clock. For a process of its own: there is no way back. */
export function scaleTimers(scale: number): void {
  const real = globalThis.setTimeout;
  const scaled = (run: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) => real(run, ms / scale, ...given);
  globalThis.setTimeout = Object.defineProperties(scaled, Object.getOwnPropertyDescriptors(real)) as typeof setTimeout;
}
