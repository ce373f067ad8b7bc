// How often failed calls may be tried again, so that a provider in trouble is not hit harder for it: a tenth of the calls.
// Of a run, so that one fan-out cannot take what all need; and of all that share the quota, a fleet included. (Google SRE,
// "Handling Overload".)

import type { SharedQuota } from "./shared-quota.js";

/** What each call that is no retry adds; each retry takes 1. */
export const RETRY_SHARE = 0.1;
/** The most retries at once, of all together and of one run. Both begin with that. */
export const MOST_RETRIES = 10;
const MOST_OF_RUN = 5;
/** So many runs are remembered that have had a retry lately. */
const MOST_RUNS = 10_000;

/** The budget of one quota. */
export class RetryBudget {
  readonly #shared: Pick<SharedQuota, "available" | "retry"> | undefined;
  /** What is left for this process, while there is no fleet or it cannot be asked. */
  #left = MOST_RETRIES;
  /** What is left for runs that have not all of it, the ones that had a retry last at the end. */
  readonly #runs = new Map<string, number>();

  constructor(shared?: Pick<SharedQuota, "available" | "retry">) {
    this.#shared = shared;
  }

  /** Counts one call that is no retry. `run` is empty for a call that belongs to none. */
  earn(run: string): void {
    this.#left = Math.min(MOST_RETRIES, this.#left + RETRY_SHARE);
    const left = this.#runs.get(run);
    if (left === undefined) return;
    if (left + RETRY_SHARE >= MOST_OF_RUN) this.#runs.delete(run);
    else this.#runs.set(run, left + RETRY_SHARE);
  }

  /** Takes one retry for a run. `false`: the budget is spent, do not retry. */
  async spend(run: string): Promise<boolean> {
    const left = this.#runs.get(run) ?? MOST_OF_RUN;
    if ((run !== "" && left < 1) || !(await this.#spendOfAll())) return false;
    if (run === "") return true;
    this.#runs.delete(run);
    this.#runs.set(run, left - 1);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= MOST_RUNS) break;
      this.#runs.delete(oldest);
    }
    return true;
  }

  async #spendOfAll(): Promise<boolean> {
    if (this.#shared?.available) {
      const granted = await this.#shared.retry().catch(() => undefined);
      if (granted !== undefined) return granted; // Else the connection is gone, and this process has its own.
    }
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
