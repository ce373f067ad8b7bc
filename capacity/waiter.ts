// One request in the queue. A class, and not a handful of closures, because a hundred thousand of them may wait.

import type { AbortWatch } from "./abort-watch.js";
import type { Priority, Queued } from "./fair-queue.js";
import type { Admittance, Slot } from "./limiter.js";

/** Who waits. Leaves when the signal of its request aborts. */
export class Waiter implements Queued {
  /** Set when it was let go, refused or taken out. */
  settled = false;

  constructor(
    readonly admittance: Admittance,
    readonly since: number,
    /** The limiter's pauses so far, in milliseconds, when it came. */
    readonly pausedBefore: number,
    private readonly resolve: (slot: Slot) => void,
    private readonly reject: (reason: unknown) => void,
    private readonly left: (waiter: Waiter, reason: unknown) => void,
    private readonly watch: AbortWatch,
  ) {
    if (admittance.signal !== undefined) watch.add(admittance.signal, this);
  }

  get key(): string {
    return this.admittance.key;
  }

  get priority(): Priority {
    return this.admittance.priority ?? "interactive";
  }

  get cost(): number {
    return this.admittance.tokens;
  }

  get returned(): boolean {
    return this.admittance.returned === true;
  }

  get deadlineAt(): number {
    return this.admittance.deadlineAt ?? Number.POSITIVE_INFINITY;
  }

  admit(slot: Slot): void {
    if (this.settle()) this.resolve(slot);
  }

  refuse(reason: unknown): void {
    if (!this.settle()) return;
    this.left(this, reason);
    this.reject(reason);
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    const { signal } = this.admittance;
    if (signal !== undefined) this.watch.delete(signal, this);
    return true;
  }
}
