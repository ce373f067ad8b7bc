// When the next request may leave: the pace, the slots and the tokens of one quota, alone or as one process of a fleet.
// Bottleneck paces (`minTime`) and bounds (`maxConcurrent`) what is about to start. It cannot cancel, pause, count tokens
// or take in many jobs, so it is handed a few empty ones, and each serves the head of the queue in the moment it starts.
// In a fleet each start asks the shared quota first; while that is gone the lane keeps to this process's safe part.

import Bottleneck from "bottleneck";
import type { Clock, Random } from "./clock.js";
import { afterAnswer, afterRefusal, freshHeadroom, type Headroom, type Remaining } from "./headroom.js";
import type { Pause } from "./pause.js";
import type { SharedQuota } from "./shared-quota.js";
import type { TokenLedger } from "./token-ledger.js";

/**
 * So many real milliseconds of starts are handed to Bottleneck ahead: it needs about 5 ms to take a job in, and what it
 * has taken in keeps its place in the pace when this process is late.
 */
const AHEAD_MS = 100;
const MOST_AHEAD = 16;
/** How often a process asks the fleet again while all its slots are taken, in real milliseconds. */
const ASK_AGAIN_MS = 25;
/**
 * Processes that wait for a slot or for the end of a pause would all come at once, and the same one would always be first:
 * each sleeps up to so many real milliseconds longer. Who waits for the pace has a place of his own.
 */
const SPREAD_MS = 20;
/** The longest it sleeps before it asks again, in real milliseconds: somebody may give something back. */
const LONGEST_SLEEP_MS = 250;

/** What waits for the lane. */
export interface LaneQueue {
  readonly size: number;
  /** Tokens that the next request needs. `undefined`: nobody waits. */
  nextCost(): number | undefined;
  /** Lets the next request go; `release` gives its slot back. `false`: nobody waits any more. */
  serve(release: () => void): boolean;
  /** The fleet has paused for `ms` milliseconds. */
  paused(ms: number): void;
  /** Something has changed: look at the queue, and {@link Lane.pump}. */
  turned(): void;
}

/** What a {@link Lane} takes. */
export interface LaneOptions {
  /** What the provider allows. Minimum 1. */
  readonly requestsPerMinute: number;
  /** Requests in flight at once. Minimum 1. */
  readonly inFlight: number;
  /** The shares of the rates to begin with, and to go up to without a word of the provider's. */
  readonly headroom: { readonly start: number; readonly most: number };
  /** Paces tokens beside the requests: so many a minute before headroom. */
  readonly tokens?: { readonly perMinute: number; readonly ledger: TokenLedger };
  /** The quota of the fleet that this process belongs to. */
  readonly shared?: SharedQuota;
  readonly clock: Clock;
  /** Spreads the questions of a fleet. Default `Math.random`. */
  readonly random?: Random;
  readonly pause: Pause;
}

/** The way out of one queue. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #clock: Clock;
  readonly #scale: number;
  readonly #queue: LaneQueue;
  readonly #bottleneck: Bottleneck;
  readonly #shared: SharedQuota | undefined;
  #headroom: Headroom;
  #minTimeMs = 0;
  #slots = 0;
  #lastStart = Number.NEGATIVE_INFINITY;
  #meanHoldMs = 0;
  #meanGapMs = 0;
  /** Whether somebody was left waiting when the last request left. */
  #backlog = false;
  /** Jobs that Bottleneck holds and has not started. */
  #handed = 0;
  /** Starts that the fleet has granted and that have not come. */
  #reserved = 0;
  /** Ends the sleep between two questions to the fleet. */
  #sleep: AbortController | undefined;
  #asking = false;
  #ids = 0;

  /** Requests that have left and hold their slot. */
  inFlight = 0;
  /** Requests that have left since the beginning. */
  admitted = 0;

  constructor(options: LaneOptions, queue: LaneQueue) {
    const { clock, headroom, shared } = options;
    this.#options = options;
    this.#clock = clock;
    this.#scale = clock.scale ?? 1;
    this.#queue = queue;
    this.#headroom = freshHeadroom(headroom.start, headroom.most, clock.now());
    this.#shared = shared;
    this.#setPace();
    this.#bottleneck = new Bottleneck({ minTime: this.#minTimeMs / this.#scale, maxConcurrent: this.#slots });
    if (shared !== undefined) {
      shared.onChange = () => {
        this.#keepPace();
        this.#sleep?.abort();
        this.#queue.turned();
      };
    }
  }

  /** The share of the quota that is used now. */
  get share(): number {
    return this.#shared?.available ? this.#shared.fleet.headroom.share : this.#headroom.share;
  }

  /** Milliseconds between two starts of this process while requests wait. In a fleet, as it was lately. */
  get gapMs(): number {
    if (!this.#shared?.available) return this.#minTimeMs;
    return Math.max(60_000 / (this.#options.requestsPerMinute * this.share), this.#meanGapMs);
  }

  /** Milliseconds until the pace and the tokens let the next request leave; 0 or less: now. */
  get nextInMs(): number {
    return Math.max(this.#lastStart + this.gapMs - this.#clock.now(), this.tokenWaitMs);
  }

  /** Milliseconds that `waiting` requests wait for slots until the last of them has one. */
  slotWaitMs(waiting: number): number {
    const needed = waiting - (this.#slots - this.inFlight);
    return Math.max(0, Math.ceil(needed / this.#slots)) * this.#meanHoldMs;
  }

  /** Milliseconds that the tokens let the next request wait. In a fleet only the fleet knows. */
  get tokenWaitMs(): number {
    if (this.#shared?.available) return 0;
    return this.#options.tokens?.ledger.waitMs(this.#queue.nextCost() ?? 0) ?? 0;
  }

  refused(): void {
    if (this.#shared?.available) this.#shared.refused();
    // A process that loses its fleet has learnt it, too.
    this.#headroom = afterRefusal(this.#headroom, this.#clock.now());
    this.#keepPace();
  }

  answered(said: Remaining | undefined): void {
    const wanted = this.#queue.size > 0;
    if (this.#shared?.available) this.#shared.answered(wanted, said);
    const { share } = this.#headroom;
    this.#headroom = afterAnswer(this.#headroom, this.#clock.now(), wanted, said);
    if (this.#headroom.share !== share) this.#keepPace();
  }

  /**
   * Hands Bottleneck as many empty jobs as make sense now. Call it whenever something came or changed, and again after the
   * milliseconds that it returns; with 0 it knows itself when it has to go on. The time is looked at once: a pause that
   * ends between two looks would be waited for by nobody.
   */
  pump(): number {
    const blockedMs = Math.max(this.#options.pause.leftMs, this.tokenWaitMs);
    if (this.#asking || blockedMs > 0) return blockedMs;
    const alone = !this.#shared?.available;
    const ahead = alone ? Math.min(MOST_AHEAD, 1 + Math.floor((AHEAD_MS * this.#scale) / this.#minTimeMs)) : 1;
    while (this.#handed < Math.min(ahead, this.#queue.size - this.#reserved)) {
      this.#handed += 1;
      // No caller's code runs in the job, only the promise of the head of the queue is settled: whoever awaits it goes
      // on in an async context of its own, which a job that ran the call itself would have lost.
      void this.#bottleneck.schedule(() => this.#turn());
    }
    return 0;
  }

  async close(): Promise<void> {
    this.#sleep?.abort();
    await this.#shared?.close();
  }

  #keepPace(): void {
    if (!this.#setPace()) return;
    const settings = { minTime: this.#minTimeMs / this.#scale, maxConcurrent: this.#slots };
    void this.#bottleneck.updateSettings(settings);
  }

  /** What this process may do: all of it alone, its part when the fleet's quota cannot be asked. `false`: as before. */
  #setPace(): boolean {
    const { requestsPerMinute, inFlight, headroom, tokens } = this.#options;
    const shared = this.#shared;
    // While the fleet answers, the fleet paces: the lane only keeps this process below all of the quota. When it does
    // not, nobody adapts to what the others do: everybody keeps to the share that the user set, or to less.
    const alone = shared === undefined ? this.#headroom.share : Math.min(headroom.start, this.#headroom.share);
    const share = shared?.available ? 1 : alone;
    const parts = shared === undefined || shared.available ? 1 : shared.fleet.processes;
    const minTimeMs = (60_000 * parts) / (requestsPerMinute * share);
    const slots = Math.max(1, Math.floor(inFlight / parts));
    tokens?.ledger.setRate((tokens.perMinute * share) / parts);
    const isNew = minTimeMs !== this.#minTimeMs || slots !== this.#slots;
    this.#minTimeMs = minTimeMs;
    this.#slots = slots;
    return isNew;
  }

  /** One turn: lasts as long as the slot that it gives out. */
  #turn(): Promise<void> {
    this.#handed -= 1;
    const cost = this.#queue.nextCost();
    if (cost === undefined || this.#options.pause.leftMs > 0 || this.tokenWaitMs > 0) {
      this.#queue.turned();
      return Promise.resolve();
    }
    const shared = this.#shared;
    if (shared?.available) return this.#turnInFleet(shared, cost);
    this.#options.tokens?.ledger.charge(cost);
    const id = this.#nextId();
    const held = this.#serve(() => shared?.giveBack(id));
    if (held !== undefined) shared?.hold(id);
    return held ?? Promise.resolve();
  }

  #nextId(): string {
    this.#ids += 1;
    return String(this.#ids);
  }

  /** Serves the head of the queue. Resolves when the slot is given back; `undefined`: nobody waits any more. */
  #serve(giveBack: () => void): Promise<void> | undefined {
    const startedAt = this.#clock.now();
    let free = (): void => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.inFlight -= 1;
      const holdMs = this.#clock.now() - startedAt;
      this.#meanHoldMs += this.#meanHoldMs === 0 ? holdMs : (holdMs - this.#meanHoldMs) / 8;
      giveBack();
      free();
      this.#sleep?.abort();
    };
    this.inFlight += 1;
    if (!this.#queue.serve(release)) {
      this.inFlight -= 1;
      return undefined;
    }
    if (this.#backlog) this.#meanGapMs += (startedAt - this.#lastStart - this.#meanGapMs) / 16;
    this.#backlog = this.#queue.size > 0;
    this.#lastStart = startedAt;
    this.admitted += 1;
    this.#queue.turned();
    return held;
  }

  /** One turn in a fleet: one process asks one question at a time, and reserves ahead as far as the fleet allows. */
  async #turnInFleet(shared: SharedQuota, cost: number): Promise<void> {
    this.#asking = true;
    const id = this.#nextId();
    const leave = await shared.take(id, cost).catch(() => undefined);
    this.#asking = false;
    if (leave === undefined) return this.#queue.turned(); // The connection is gone; the lane has its own pace by now.
    if (!leave.granted) {
      if (leave.reason === "pause") this.#queue.paused(leave.waitMs ?? 0);
      const { random = Math.random } = this.#options;
      const spreadMs = leave.reason === "pace" ? 0 : random() * SPREAD_MS * this.#scale;
      await this.#sleepFor((leave.waitMs ?? ASK_AGAIN_MS * this.#scale) + spreadMs);
      return this.#queue.turned();
    }
    this.#reserved += 1;
    this.#queue.turned();
    if (leave.startInMs > 0) await this.#clock.sleep(leave.startInMs);
    this.#reserved -= 1;
    // A start that was reserved before a pause does not count in it.
    const needed = this.#options.pause.leftMs > 0 ? undefined : this.#queue.nextCost();
    const held = needed === undefined ? undefined : this.#serve(() => shared.giveBack(id));
    if (needed !== undefined && needed !== cost) shared.correct(needed - cost);
    if (held !== undefined) return held;
    shared.giveBack(id);
    if (cost > 0) shared.correct(-cost);
    this.#queue.turned();
  }

  /** The next question to the fleet waits for so long, or until something is given back here. */
  async #sleepFor(ms: number): Promise<void> {
    this.#asking = true;
    const sleep = new AbortController();
    this.#sleep = sleep;
    await this.#clock.sleep(Math.min(ms, LONGEST_SLEEP_MS * this.#scale), sleep.signal).catch(() => {}); // Woken early.
    this.#sleep = undefined;
    this.#asking = false;
  }
}
