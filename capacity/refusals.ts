// How long everybody pauses after a 429: as long as the provider says, or a growing, jittered guess.

import { fullJitterMs } from "./backoff.js";
import type { Clock, Random } from "./clock.js";
import { LONGEST_HINT_MS } from "./headers.js";

/** The refusals of one quota. */
export class Refusals {
  /** 429s in a row, counted once per pause. */
  #inARow = 0;
  #pauseBegan = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** A request that left at `sentAt` was not refused. */
  answered(sentAt: number): void {
    if (sentAt > this.#pauseBegan) this.#inARow = 0;
  }

  /** A request that left at `sentAt` was refused. Milliseconds to pause from now; `hint` is the provider's word. */
  pauseMs(hint: number | undefined, sentAt: number, pausedUntil: number): number {
    // Requests that left before the last pause began were refused by the same full quota: they do not escalate.
    const another = sentAt > this.#pauseBegan;
    if (another) this.#inARow += 1;
    else if (hint === undefined) return Math.max(0, pausedUntil - this.clock.now());
    const earlier = this.#inARow - 1;
    const jitter = hint === undefined || (another && earlier > 0) ? fullJitterMs(earlier, this.random) : 0;
    if (another) this.#pauseBegan = this.clock.now();
    return Math.min(LONGEST_HINT_MS, Math.ceil((hint ?? 0) + jitter));
  }
}
