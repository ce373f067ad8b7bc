// Remembers that a route is dead, so that the next call does not have to find out again. Closed: serving. Open: refusing
// until a time. Half-open: one probe is on its way and decides.

import type { Clock } from "./clock.js";

/** Where a breaker stands. */
export type BreakerState =
  | { readonly kind: "closed"; readonly failures: number }
  | { readonly kind: "open"; readonly until: number; readonly reason: string }
  | { readonly kind: "half-open"; readonly reason: string };

/** What an attempt showed. `unknown`: it ended before it could show anything (aborted, or never sent). */
export type BreakerOutcome = "alive" | "dead" | "unknown";

/** Opens after three dead attempts in a row, or when half of at least 20 in 20 s were dead; probes after 30 s. */
export class CircuitBreaker {
  static readonly FAILURES = 3;
  static readonly OPEN_MS = 30_000;
  static readonly WINDOW_MS = 20_000;
  static readonly ENOUGH = 20;

  #state: BreakerState = { kind: "closed", failures: 0 };
  #since: number | undefined;
  #entered = 0;
  /** The number of the last attempt to begin of those that were found dead. */
  #lastDead = 0;
  /** Attempts of the window, oldest first. */
  #attempts: { readonly at: number; readonly dead: boolean }[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly name: string,
    /** Hears of every change that this process has found out itself. */
    private readonly changed: (state: BreakerState) => void = () => {},
  ) {}

  /** Where it stands now. An open breaker whose time is up still reads as open until somebody enters. */
  get state(): BreakerState {
    return this.#state;
  }

  /** Since when the route is dead, in milliseconds since the epoch: probes that were not answered change nothing. */
  get since(): number | undefined {
    return this.#state.kind === "closed" ? undefined : this.#since;
  }

  /** When a refused call may come back, in milliseconds since the epoch. `undefined` when calls pass now. */
  get refusesUntil(): number | undefined {
    const state = this.#state;
    if (state.kind === "closed") return undefined;
    // A probe is on its way: it decides within about the time of one call.
    if (state.kind === "half-open") return this.clock.now() + 1000;
    return state.until > this.clock.now() ? state.until : undefined;
  }

  /**
   * Asks to make an attempt. `undefined` is a refusal; otherwise report what the attempt showed, once. The function
   * returns the state that the report led to when it changed.
   */
  enter(): ((outcome: BreakerOutcome, reason?: string) => BreakerState | undefined) | undefined {
    if (this.refusesUntil !== undefined) return undefined;
    const before = this.#state;
    if (before.kind !== "closed") this.#state = { kind: "half-open", reason: before.reason };
    this.#entered += 1;
    const attempt = this.#entered;
    return (outcome, reason = "no answer") =>
      this.#report(outcome, reason, { attempt, probe: before.kind !== "closed" });
  }

  /** Another process of the fleet has found the route dead. */
  open(until: number, reason: string): void {
    if (this.#state.kind !== "closed") return;
    this.#since = this.clock.now();
    this.#state = { kind: "open", until, reason };
  }

  #report(
    outcome: BreakerOutcome,
    reason: string,
    { attempt, probe }: { readonly attempt: number; readonly probe: boolean },
  ): BreakerState | undefined {
    const state = this.#state;
    // A call that began before the breaker opened knows nothing about the time since.
    if (!probe && state.kind !== "closed") return undefined;
    if (outcome === "unknown") {
      if (state.kind === "half-open") this.#state = { kind: "open", until: this.clock.now(), reason: state.reason };
      return undefined;
    }
    const half = this.#half(outcome === "dead");
    // A slow answer to what left before the route died says nothing of the time since, and must not hide that.
    if (outcome === "alive" && !probe && attempt < this.#lastDead) return undefined;
    if (outcome === "dead") this.#lastDead = Math.max(this.#lastDead, attempt);
    if (outcome === "alive") {
      this.#state = { kind: "closed", failures: 0 };
      return probe ? this.#tell() : undefined;
    }
    const failures = state.kind === "closed" ? state.failures + 1 : CircuitBreaker.FAILURES;
    if (failures < CircuitBreaker.FAILURES && !half) {
      this.#state = { kind: "closed", failures };
      return undefined;
    }
    this.#attempts = [];
    if (state.kind === "closed") this.#since = this.clock.now();
    this.#state = { kind: "open", until: this.clock.now() + CircuitBreaker.OPEN_MS, reason };
    return this.#tell();
  }

  /** Notes an attempt. Whether at least half of enough were dead. */
  #half(dead: boolean): boolean {
    const now = this.clock.now();
    this.#attempts.push({ at: now, dead });
    const from = this.#attempts.findIndex(({ at }) => at > now - CircuitBreaker.WINDOW_MS);
    if (from > 0) this.#attempts.splice(0, from);
    const failed = this.#attempts.reduce((sum, attempt) => sum + Number(attempt.dead), 0);
    return this.#attempts.length >= CircuitBreaker.ENOUGH && failed * 2 >= this.#attempts.length;
  }

  #tell(): BreakerState {
    this.changed(this.#state);
    return this.#state;
  }

  /** For a person: why calls to this route are refused. */
  explain(): string {
    const state = this.#state;
    return state.kind === "closed" ? `${this.name} is serving` : `${this.name} is down (${state.reason})`;
  }
}
