// The moments within the last so many milliseconds: what sliding windows and peak counters are made of.

/** How many moments that are over may stay before the list is cut. */
const SLACK = 1_024;

/** Moments of the last `windowMs` milliseconds. They must come in order. */
export class RecentTimes {
  readonly #windowMs: number;
  #times: number[] = [];
  #first = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(now: number): void {
    this.#times.push(now);
  }

  /** How many are younger than the window. One that is exactly as old is over. */
  count(now: number): number {
    while (this.#first < this.#times.length && this.at(0) <= now - this.#windowMs) this.#first += 1;
    if (this.#first > SLACK && this.#first * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    return this.#times.length - this.#first;
  }

  /** The moment at `index`, 0 the oldest that the last {@link count} left. */
  at(index: number): number {
    return this.#times[this.#first + index] ?? Number.NaN;
  }
}
