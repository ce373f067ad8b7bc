// Shows the same thing again and again, until somebody has seen enough.

import type { Clock } from "../../capacity/index.js";

/** What {@link watch} needs. */
export interface Watching<Seen> {
  /** Looks once. The first failure ends the watch; a later one is shown, and it looks again. */
  readonly look: () => Promise<Seen>;
  readonly show: (seen: Seen) => void;
  readonly showFailure: (error: Error) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "sleep">;
  /** Pause between two looks, in ms. Default 1,000. */
  readonly everyMs?: number;
}

/** Watches until the signal aborts. @throws what the first look throws */
export async function watch<Seen>(watching: Watching<Seen>): Promise<void> {
  const { look, show, showFailure, signal, clock, everyMs = 1_000 } = watching;
  for (let first = true; !signal.aborted; first = false) {
    try {
      const seen = await look();
      if (!signal.aborted) show(seen);
    } catch (error) {
      if (first) throw error;
      if (!signal.aborted) showFailure(error as Error);
    }
    await clock.sleep(everyMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
