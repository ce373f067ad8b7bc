// How long to wait before trying again, and how often that is allowed at all.

import type { Random } from "./clock.js";

const BASE_MS = 500;
const LONGEST_MS = 30_000;

/**
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): a uniform draw from 0 to
 * 500 ms × 2^`earlier`, at most 30 s. `earlier` counts the failures in a row before this one, from 0.
 */
export const fullJitterMs = (earlier: number, random: Random): number =>
  random() * Math.min(LONGEST_MS, BASE_MS * 2 ** earlier);

/**
 * Keeps retries of failed calls to a tenth of the calls, so that a provider in trouble is not hit harder for it.
 * A bucket of ten: each call puts in a tenth, each retry takes one. (Google SRE, "Handling Overload".)
 */
export class RetryBudget {
  #tokens = 10;

  /** Counts one call that is no retry. */
  earn(): void {
    this.#tokens = Math.min(10, this.#tokens + 0.1);
  }

  /** Takes one retry. `false`: the budget is spent, do not retry. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
