// The limiter of one quota: who waits, who is next, who waits in vain. A fair queue of ours holds what waits, however
// much that is; the lane says when its head may leave.

import { AbortWatch } from "./abort-watch.js";
import { CapacityWaitError } from "./errors.js";
import { FairQueue } from "./fair-queue.js";
import type { Remaining } from "./headroom.js";
import { Lane, type LaneOptions } from "./lane.js";
import type { Admittance, Limiter, LimiterStatus, Slot, Wait } from "./limiter.js";
import { Pause } from "./pause.js";
import { Waiter } from "./waiter.js";

/** Waits shorter than this are not worth telling anybody about, in milliseconds. */
const NOTICE_MS = 250;
/** Deadlines that are closer together are looked at together, in milliseconds. */
const TOGETHER_MS = 10;

/** What a {@link QueueLimiter} takes. */
export interface QueueLimiterOptions extends Omit<LaneOptions, "pause"> {
  /** For messages. */
  readonly name: string;
  /** Requests that may wait. Beyond that batch work makes room for interactive work, and the rest is refused. */
  readonly highWater: number;
}

/** Paces one quota, alone or in a fleet. */
export class QueueLimiter implements Limiter {
  readonly #options: QueueLimiterOptions;
  readonly #queue = new FairQueue<Waiter>();
  readonly #pause: Pause;
  readonly #lane: Lane;
  #alarm: { readonly at: number; readonly off: AbortController } | undefined;
  #nextDeadline = Number.POSITIVE_INFINITY;
  /** Who has not been told yet that he waits, in the order they came. */
  readonly #quiet = new Set<Waiter>();
  readonly #counts = { shed: 0, timedOut: 0 };
  readonly #watch = new AbortWatch();

  constructor(options: QueueLimiterOptions) {
    this.#options = options;
    this.#pause = new Pause(options.clock);
    const queue = this.#queue;
    const now = () => this.#now;
    this.#lane = new Lane(
      { ...options, pause: this.#pause },
      {
        get size() {
          return queue.size;
        },
        nextCost: () => queue.peek(now())?.cost,
        serve: (release) => this.#serve(release),
        paused: (ms) => this.#pauseHere(ms),
        turned: () => this.#pump(),
      },
    );
  }

  get pausedUntil(): number {
    return this.#pause.until;
  }

  get status(): LimiterStatus {
    const { inFlight, admitted, share, gapMs } = this.#lane;
    const { shared } = this.#options;
    return {
      ...{ inFlight, admitted, ...this.#counts, share, gapMs },
      ...{ queued: this.#queue.size, pausedUntil: this.#pause.until },
      ...(shared === undefined ? {} : { fleet: { available: shared.available, processes: shared.fleet.processes } }),
    };
  }

  acquire(admittance: Admittance): Promise<Slot> {
    return new Promise((resolve, reject) => {
      admittance.signal?.throwIfAborted();
      const waiter = new Waiter(admittance, this.#now, this.#pause.totalMs, resolve, reject, this.#leave, this.#watch);
      const expected = this.#expected(waiter);
      const refusal = this.#refusal(waiter) ?? this.#hopeless(waiter, expected) ?? this.#shed(waiter, expected);
      if (refusal !== undefined) return waiter.refuse(refusal);
      if (admittance.onWait !== undefined) {
        if (expected.waitMs > NOTICE_MS) admittance.onWait(expected);
        else this.#quiet.add(waiter);
      }
      this.#nextDeadline = Math.min(this.#nextDeadline, waiter.deadlineAt);
      this.#queue.push(waiter);
      this.#pump();
    });
  }

  pause(ms: number): void {
    this.#options.shared?.pause(ms);
    this.#pauseHere(ms);
  }

  #pauseHere(ms: number): void {
    if (!this.#pause.extend(ms)) return;
    for (const waiter of [...this.#queue]) {
      const refusal = this.#refusal(waiter);
      if (refusal !== undefined) waiter.refuse(refusal);
    }
    this.#pump();
  }

  refused(): void {
    this.#lane.refused();
  }

  answered(said: Remaining | undefined): void {
    this.#lane.answered(said);
  }

  correct(tokens: number): void {
    this.#options.tokens?.ledger.correct(tokens);
    this.#options.shared?.correct(tokens);
  }

  forecast(): Wait {
    return this.#forecast(this.#queue.size, this.#queue.cost);
  }

  async close(): Promise<void> {
    this.#silence();
    await this.#lane.close();
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  /** What a request with `ahead` requests before it would wait for. */
  #forecast(ahead: number, tokensAhead: number): Wait {
    const { gapMs, nextInMs } = this.#lane;
    const { tokens } = this.#options;
    const tokensMs = tokens === undefined ? 0 : tokens.ledger.durationMs(tokensAhead);
    const paceMs = Math.max(0, this.#pause.leftMs, nextInMs) + Math.max(ahead * gapMs, tokensMs);
    const slotMs = this.#lane.slotWaitMs(ahead + 1);
    if (this.#pause.leftMs > 0) return { waitMs: Math.max(paceMs, slotMs), reason: "pause" };
    return slotMs > paceMs ? { waitMs: slotMs, reason: "in-flight" } : { waitMs: paceMs, reason: "pace" };
  }

  /** What `waiter` would wait for: runs are served in turn, so not for all that came before it. */
  #expected(waiter: Waiter): Wait {
    const ahead = this.#queue.ahead(waiter);
    return this.#forecast(ahead, (this.#queue.cost / Math.max(1, this.#queue.size)) * ahead);
  }

  #serve(release: () => void): boolean {
    const now = this.#now;
    const waiter = this.#queue.shift(now);
    if (waiter === undefined) return false;
    this.#quiet.delete(waiter);
    waiter.admit({ waitedMs: now - waiter.since, pausedMs: this.#pausedMs(waiter), release });
    return true;
  }

  /** Somebody was refused or went away. */
  readonly #leave = (waiter: Waiter, reason: unknown): void => {
    if (CapacityWaitError.isInstance(reason)) this.#counts[reason.code === "QUEUE_FULL" ? "shed" : "timedOut"] += 1;
    this.#quiet.delete(waiter);
    this.#queue.remove(waiter);
    if (this.#queue.size === 0) this.#silence();
  };

  #pausedMs(waiter: Waiter): number {
    return this.#pause.totalMs - waiter.pausedBefore;
  }

  /** Why `waiter` need not wait any longer: it could not leave within its limits. */
  #refusal(waiter: Waiter): CapacityWaitError | undefined {
    const { maxPauseMs } = waiter.admittance;
    const leftMs = this.#pause.leftMs;
    if (leftMs > 0 && maxPauseMs !== undefined && this.#pausedMs(waiter) + leftMs > maxPauseMs) {
      const text = `${this.#options.name} is rate limited for another ${seconds(leftMs)}, longer than this call may wait`;
      return new CapacityWaitError("CAPACITY_TIMEOUT", `${text}; try again then`, this.#pause.until);
    }
    const earliest = this.#now + Math.max(leftMs, this.#lane.nextInMs);
    return earliest > waiter.deadlineAt ? this.#tooLate(waiter) : undefined;
  }

  /** Refuses at the door what would burn its whole time in the queue. */
  #hopeless(waiter: Waiter, { waitMs }: Wait): CapacityWaitError | undefined {
    return this.#now + waitMs > waiter.deadlineAt ? this.#tooLate(waiter) : undefined;
  }

  /** At high water the newest batch work makes room for interactive work; everything else is refused. */
  #shed(waiter: Waiter, { waitMs }: Wait): CapacityWaitError | undefined {
    const { highWater, name } = this.#options;
    if (this.#queue.size < highWater) return undefined;
    const text = `${name} has ${this.#queue.size} requests waiting, as many as it takes`;
    const refusal = new CapacityWaitError(
      "QUEUE_FULL",
      `${text}; try again in ${seconds(waitMs)}, or raise the queue's limit`,
      this.#now + waitMs,
    );
    const batch = waiter.priority === "interactive" ? this.#queue.lastOfBatch() : undefined;
    if (batch === undefined) return refusal;
    batch.refuse(refusal);
    return undefined;
  }

  #tooLate(waiter: Waiter): CapacityWaitError {
    const { waitMs, reason } = this.#expected(waiter);
    const waited = seconds(this.#now - waiter.since);
    const text = `${this.#options.name} has no capacity before the deadline (${reason}, waited ${waited})`;
    return new CapacityWaitError("CAPACITY_TIMEOUT", `${text}; try again in ${seconds(waitMs)}`, this.#now + waitMs);
  }

  /** Lets the lane go on, and sets the one alarm to what comes next. */
  #pump(): void {
    const blockedMs = this.#lane.pump();
    if (this.#queue.size > 0) this.#setAlarm(blockedMs);
    else this.#silence();
  }

  #setAlarm(blockedMs: number): void {
    const [first] = this.#quiet;
    const now = this.#now;
    const at = Math.min(
      blockedMs > 0 ? now + blockedMs : Number.POSITIVE_INFINITY,
      first === undefined ? Number.POSITIVE_INFINITY : first.since + NOTICE_MS,
      this.#nextDeadline,
    );
    if (at === Number.POSITIVE_INFINITY || (this.#alarm !== undefined && this.#alarm.at <= at)) return;
    this.#silence();
    const alarm = { at, off: new AbortController() };
    this.#alarm = alarm;
    this.#options.clock.sleep(Math.max(0, at - now), alarm.off.signal).then(
      () => this.#ring(),
      (error: unknown) => {
        if (!alarm.off.signal.aborted) throw error;
      },
    );
  }

  #ring(): void {
    this.#alarm = undefined;
    const now = this.#now;
    for (const waiter of this.#quiet) {
      if (waiter.since + NOTICE_MS > now) break;
      this.#quiet.delete(waiter);
      const { waitMs, reason } = this.forecast();
      waiter.admittance.onWait?.({ waitMs: Math.max(waitMs, now - waiter.since), reason });
    }
    if (this.#nextDeadline <= now) {
      let next = Number.POSITIVE_INFINITY;
      for (const waiter of [...this.#queue]) {
        if (waiter.deadlineAt <= now) waiter.refuse(this.#tooLate(waiter));
        else next = Math.min(next, waiter.deadlineAt);
      }
      this.#nextDeadline = Math.max(next, now + TOGETHER_MS);
    }
    this.#pump();
  }

  #silence(): void {
    this.#alarm?.off.abort();
    this.#alarm = undefined;
  }
}

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;
