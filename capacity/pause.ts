// A pause of a whole quota, and how much of it each waiter has sat out.

import type { Clock } from "./clock.js";

/** The present pause, and the sum of all before it. */
export class Pause {
  #from = 0;
  #until = 0;
  #earlierMs = 0;

  constructor(private readonly clock: Clock) {}

  /** Milliseconds since the epoch. */
  get until(): number {
    return this.#until;
  }

  /** Milliseconds until it ends; 0 when there is none. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.clock.now());
  }

  /** Milliseconds of pause so far, over the whole life of this object. Two readings differ by the pause between them. */
  get totalMs(): number {
    return this.#earlierMs + Math.min(this.clock.now(), this.#until) - this.#from;
  }

  /** Pauses for `ms` from now. `false`: a longer pause is on already. */
  extend(ms: number): boolean {
    const now = this.clock.now();
    if (now + ms <= this.#until) return false;
    if (now >= this.#until) {
      this.#earlierMs += this.#until - this.#from;
      this.#from = now;
    }
    this.#until = now + ms;
    return true;
  }
}
