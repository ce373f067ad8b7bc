// A token bucket: what the offline provider meters tokens with, and requests unless it is told to use windows. The time
// comes in with each question, so that arrivals of the past can be booked in their order.

/** Below this a wait is an error of floating-point arithmetic. */
const ROUNDING_MS = 1e-6;

/** A level that rises by `perMinute` up to `capacity`, and may go below zero when an answer was longer than expected. */
export class Bucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #level: number;
  #at: number;

  /** Full at `now`. */
  constructor(perMinute: number, capacity: number, now: number) {
    this.#perMs = perMinute / 60_000;
    this.#capacity = capacity;
    this.#level = capacity;
    this.#at = now;
  }

  /**
   * Whole milliseconds until `amount` is there; a moment that rounding errors alone put off has come. What never fits waits
   * for a full bucket, so nothing starves for ever.
   */
  waitMs(now: number, amount = 1): number {
    const missing = Math.min(amount, this.#capacity) - this.#refill(now);
    return missing > 0 ? Math.max(0, Math.ceil(missing / this.#perMs - ROUNDING_MS)) : 0;
  }

  take(now: number, amount = 1): void {
    this.#level = this.#refill(now) - amount;
  }

  /** Takes one for a refused request. Debt made this way ends at one full bucket: a storm does not lock out for ever. */
  refused(now: number): void {
    const level = this.#refill(now);
    this.#level = Math.min(level, Math.max(level - 1, -this.#capacity));
  }

  /** Whole units that may be taken now. */
  left(now: number): number {
    return Math.max(0, Math.floor(this.#refill(now)));
  }

  untilFullMs(now: number): number {
    return (this.#capacity - this.#refill(now)) / this.#perMs;
  }

  #refill(now: number): number {
    const gained = Math.max(0, now - this.#at) * this.#perMs;
    this.#at = now;
    // 0 × ∞ is NaN: an unlimited bucket stays full instead.
    this.#level = this.#capacity === Infinity ? Infinity : Math.min(this.#capacity, this.#level + gained);
    return this.#level;
  }
}
