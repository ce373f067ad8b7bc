// The limiter of one process. Bottleneck paces (`minTime`) and bounds what is in flight (`maxConcurrent`); it cannot
// cancel, pause, or take in many jobs, so a queue of ours holds what waits, and Bottleneck is handed one empty job at a
// time, which takes the head of that queue in the moment it starts.

import Bottleneck from "bottleneck";
import type { Clock } from "./clock.js";
import { CapacityWaitError } from "./errors.js";
import { FairQueue } from "./fair-queue.js";
import type { Admittance, Limiter, Slot, Wait } from "./limiter.js";
import { Pause } from "./pause.js";
import type { TokenLedger } from "./token-ledger.js";

/** Waits shorter than this are not worth telling anybody about. */
const NOTICE_MS = 250;

/** What a {@link BottleneckLimiter} takes. */
export interface BottleneckLimiterOptions {
  /** For messages. */
  readonly name: string;
  /** Milliseconds between two starts. */
  readonly minTimeMs: number;
  /** Requests in flight at once. Minimum 1. */
  readonly inFlight: number;
  /** Paces tokens beside the requests. */
  readonly tokens?: TokenLedger;
  readonly clock: Clock;
}

interface Waiter {
  readonly admittance: Admittance;
  readonly since: number;
  readonly pausedBefore: number;
  readonly admit: (slot: Slot) => void;
  readonly refuse: (reason: unknown) => void;
}

/** Paces one quota within one process. Never uses Bottleneck's reservoir: it sends its minute in one burst. */
export class BottleneckLimiter implements Limiter {
  readonly #options: BottleneckLimiterOptions;
  readonly #clock: Clock;
  readonly #lane: Bottleneck;
  readonly #queue = new FairQueue<Waiter>();
  readonly #pause: Pause;
  #inFlight = 0;
  #lastStart = Number.NEGATIVE_INFINITY;
  #meanHoldMs = 0;
  /** Whether Bottleneck holds a job that has not started. It never holds more than one. */
  #laneBusy = false;
  #alarm: { readonly at: number; readonly off: AbortController } | undefined;

  constructor(options: BottleneckLimiterOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#pause = new Pause(options.clock);
    this.#lane = new Bottleneck({ minTime: options.minTimeMs, maxConcurrent: options.inFlight });
  }

  get pausedUntil(): number {
    return this.#pause.until;
  }

  acquire(admittance: Admittance): Promise<Slot> {
    const { signal, deadlineAt, onWait } = admittance;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const over = new AbortController();
      const settled = (): void => {
        over.abort();
        signal?.removeEventListener("abort", aborted);
      };
      const waiter: Waiter = {
        admittance,
        since: this.#clock.now(),
        pausedBefore: this.#pause.totalMs,
        admit: (slot) => {
          settled();
          resolve(slot);
        },
        refuse: (reason) => {
          settled();
          this.#queue.remove(admittance.key, waiter);
          if (this.#queue.size === 0) this.#silence();
          reject(reason);
        },
      };
      const aborted = (): void => waiter.refuse(signal?.reason);
      signal?.addEventListener("abort", aborted, { once: true });
      const expected = this.forecast();
      const refusal = this.#refusal(waiter);
      if (refusal !== undefined) return waiter.refuse(refusal);
      if (deadlineAt !== undefined) {
        this.#after(deadlineAt - this.#clock.now(), over.signal, () => waiter.refuse(this.#tooLate(waiter)));
      }
      if (onWait !== undefined) {
        if (expected.waitMs > NOTICE_MS) onWait(expected);
        else this.#after(NOTICE_MS, over.signal, () => onWait(this.#waitOf(waiter)));
      }
      this.#queue.push(admittance.key, waiter, admittance.returned);
      this.#pump();
    });
  }

  pause(ms: number): void {
    if (!this.#pause.extend(ms)) return;
    for (const waiter of [...this.#queue]) {
      const refusal = this.#refusal(waiter);
      if (refusal !== undefined) waiter.refuse(refusal);
    }
  }

  forecast(): Wait {
    const { minTimeMs, inFlight } = this.#options;
    const ahead = this.#queue.size;
    const first = Math.max(this.#pause.leftMs, this.#lastStart + minTimeMs - this.#clock.now(), this.#tokenWaitMs());
    const paceMs = Math.max(0, first) + ahead * minTimeMs;
    const needed = ahead + 1 - (inFlight - this.#inFlight);
    const slotMs = Math.max(0, Math.ceil(needed / inFlight)) * this.#meanHoldMs;
    if (this.#pause.leftMs > 0) return { waitMs: Math.max(paceMs, slotMs), reason: "pause" };
    return slotMs > paceMs ? { waitMs: slotMs, reason: "in-flight" } : { waitMs: paceMs, reason: "pace" };
  }

  /** Hands Bottleneck the next empty job, or sets an alarm for when that makes sense. */
  #pump(): void {
    if (this.#laneBusy || this.#queue.size === 0) return;
    const blockedMs = Math.max(this.#pause.leftMs, this.#tokenWaitMs());
    if (blockedMs > 0) {
      this.#wakeIn(blockedMs);
      return;
    }
    this.#laneBusy = true;
    // No caller's code runs in the job, only the promise of the head of the queue is settled: whoever awaits it goes
    // on in an async context of its own, which a job that ran the call itself would have lost.
    void this.#lane.schedule(() => this.#turn());
  }

  /** One turn in the lane: lasts as long as the slot that it gives out. */
  #turn(): Promise<void> {
    this.#laneBusy = false;
    const blocked = this.#pause.leftMs > 0 || this.#tokenWaitMs() > 0;
    const waiter = blocked ? undefined : this.#queue.shift();
    if (waiter === undefined) {
      this.#pump();
      return Promise.resolve();
    }
    const startedAt = this.#clock.now();
    this.#lastStart = startedAt;
    this.#inFlight += 1;
    this.#options.tokens?.charge(waiter.admittance.tokens);
    return new Promise((free) => {
      let held = true;
      const release = (): void => {
        if (!held) return;
        held = false;
        this.#inFlight -= 1;
        const holdMs = this.#clock.now() - startedAt;
        this.#meanHoldMs += this.#meanHoldMs === 0 ? holdMs : (holdMs - this.#meanHoldMs) / 8;
        free();
      };
      waiter.admit({ waitedMs: startedAt - waiter.since, pausedMs: this.#pausedMs(waiter), release });
      this.#pump();
    });
  }

  #tokenWaitMs(): number {
    return this.#options.tokens?.waitMs(this.#queue.peek()?.admittance.tokens ?? 0) ?? 0;
  }

  #pausedMs(waiter: Waiter): number {
    return this.#pause.totalMs - waiter.pausedBefore;
  }

  /** Why `waiter` need not wait any longer: it could not leave within its limits. */
  #refusal(waiter: Waiter): CapacityWaitError | undefined {
    const { maxPauseMs, deadlineAt } = waiter.admittance;
    const leftMs = this.#pause.leftMs;
    if (leftMs > 0 && maxPauseMs !== undefined && this.#pausedMs(waiter) + leftMs > maxPauseMs) {
      const text = `${this.#options.name} is rate limited for another ${seconds(leftMs)}, longer than this call may wait`;
      return new CapacityWaitError("CAPACITY_TIMEOUT", `${text}; try again then`, this.#pause.until);
    }
    const earliest = Math.max(this.#clock.now() + leftMs, this.#lastStart + this.#options.minTimeMs);
    return deadlineAt !== undefined && earliest > deadlineAt ? this.#tooLate(waiter) : undefined;
  }

  #tooLate(waiter: Waiter): CapacityWaitError {
    const { waitMs, reason } = this.forecast();
    const waited = seconds(this.#clock.now() - waiter.since);
    const text = `${this.#options.name} has no capacity before the deadline (${reason}, waited ${waited})`;
    return new CapacityWaitError(
      "CAPACITY_TIMEOUT",
      `${text}; try again in ${seconds(waitMs)}`,
      this.#clock.now() + waitMs,
    );
  }

  #waitOf(waiter: Waiter): Wait {
    const { waitMs, reason } = this.forecast();
    return { waitMs: Math.max(waitMs, this.#clock.now() - waiter.since), reason };
  }

  #wakeIn(ms: number): void {
    const at = this.#clock.now() + ms;
    if (this.#alarm !== undefined && this.#alarm.at <= at) return;
    this.#silence();
    const alarm = { at, off: new AbortController() };
    this.#alarm = alarm;
    this.#after(ms, alarm.off.signal, () => {
      this.#alarm = undefined;
      this.#pump();
    });
  }

  #silence(): void {
    this.#alarm?.off.abort();
    this.#alarm = undefined;
  }

  #after(ms: number, off: AbortSignal, act: () => void): void {
    this.#clock.sleep(ms, off).then(act, (error: unknown) => {
      if (!off.aborted) throw error;
    });
  }
}

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;
