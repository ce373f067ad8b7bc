// The quota of one provider and model, and the floor under every call to it: a gate in the client's `fetch` that nobody
// can go round. It admits each HTTP request, holds its slot to the last byte, and stops everybody when the provider says 429.

import { setMaxListeners } from "node:events";
import { fullJitterMs, RetryBudget } from "./backoff.js";
import { followedToTheEnd } from "./body.js";
import { CircuitBreaker } from "./breaker.js";
import { type CallInProgress, callInProgress } from "./call.js";
import { saysQuotaExhausted } from "./classify.js";
import { type Clock, type Random, systemClock } from "./clock.js";
import { CapacityWaitError } from "./errors.js";
import { LONGEST_HINT_MS, limitHeaders, remainingOf, retryAfterMs } from "./headers.js";
import type { Limiter, LimiterStatus, Slot } from "./limiter.js";
import { QueueLimiter } from "./queue-limiter.js";
import { RedisQuota, type RedisQuotaOptions } from "./redis/quota.js";
import { TokenLedger } from "./token-ledger.js";
import type { CapacityEvent, Forecast, Quota, TokenUsage } from "./types.js";
import { WireFailure } from "./wire.js";

/** The fleet of a pool. */
export type FleetOptions = Pick<RedisQuotaOptions, "url" | "name" | "prefix" | "processes" | "timeoutMs" | "leaseMs">;

/** What a {@link QuotaPool} takes. */
export interface QuotaPoolOptions {
  /** The model's name, for messages. */
  readonly name: string;
  readonly quota: Quota;
  /** How long one request may take from the moment it leaves to its last byte, in milliseconds. Default 120 000. */
  readonly callTimeoutMs?: number;
  /** Requests that may wait. Beyond that the newest batch work makes room, and the rest is refused. Default 100 000. */
  readonly highWater?: number;
  /** The Redis that keeps the quota for a fleet, see `RedisQuotaOptions`. Default: this process has it for itself. */
  readonly fleet?: FleetOptions;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** How a pool stands. */
export interface PoolStatus extends LimiterStatus {
  readonly name: string;
  /** 429s since the beginning. */
  readonly rateLimited: number;
  /** Requests that were refused because too many wait. */
  readonly shed: number;
  /** Requests that could not leave within their limits. */
  readonly timedOut: number;
  readonly breaker: "closed" | "open" | "half-open";
}

/** One quota of one process. Make one per provider and model, and give all clients of that model its {@link gate}. */
export class QuotaPool {
  readonly name: string;
  /** Remembers that the route is dead, for all models that use this pool. */
  readonly breaker: CircuitBreaker;
  /** How often calls of this pool may be retried. */
  readonly retryBudget = new RetryBudget();

  readonly #limiter: Limiter;
  readonly #ledger: TokenLedger | undefined;
  readonly #callTimeoutMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  /** 429s in a row, counted once per pause. */
  #refusals = 0;
  #pauseBegan = Number.NEGATIVE_INFINITY;
  /** What nobody has been told yet. */
  #news: CapacityEvent[] = [];
  readonly #counts = { rateLimited: 0, shed: 0, timedOut: 0 };

  /** @throws RangeError when the quota or the time limit cannot be met. */
  constructor(options: QuotaPoolOptions) {
    const { name, quota, fleet, callTimeoutMs = 120_000, highWater = 100_000 } = options;
    const { clock = systemClock, random = Math.random } = options;
    const { requestsPerMinute, tokensPerMinute, inFlight, headroom = 0.8, maxHeadroom = 0.98 } = quota;
    const check = (holds: boolean, what: string): void => {
      if (!holds) throw new RangeError(`quota of ${name}: ${what}`);
    };
    check(requestsPerMinute >= 1, `requestsPerMinute is ${requestsPerMinute} and must be at least 1`);
    check(Number.isInteger(inFlight) && inFlight >= 1, `inFlight is ${inFlight} and must be a whole number from 1`);
    check(headroom > 0 && headroom <= 1, `headroom is ${headroom} and must be more than 0 and at most 1`);
    check(maxHeadroom > 0 && maxHeadroom <= 1, `maxHeadroom is ${maxHeadroom} and must be more than 0 and at most 1`);
    check(highWater >= 1, `highWater is ${highWater} and must be at least 1`);
    check(tokensPerMinute === undefined || tokensPerMinute >= 1, `tokensPerMinute must be at least 1`);
    check(callTimeoutMs > 0, `callTimeoutMs must be more than 0`);
    const shared =
      fleet &&
      new RedisQuota({
        ...{ ...fleet, quota, clock },
        onLost: (reason) => void this.#news.push({ kind: "fleet", route: name, state: "lost", reason }),
        onBack: () =>
          void this.#news.push({ kind: "fleet", route: name, state: "back", reason: "Redis answers again" }),
        use: () => this.status,
      });
    this.name = name;
    this.#clock = clock;
    this.#random = random;
    this.#callTimeoutMs = callTimeoutMs;
    this.breaker = new CircuitBreaker(clock, name);
    this.#ledger = tokensPerMinute === undefined ? undefined : new TokenLedger(tokensPerMinute * headroom, clock);
    this.#limiter = new QueueLimiter({
      ...{ name, requestsPerMinute, inFlight, highWater, clock },
      headroom: { start: headroom, most: Math.max(headroom, maxHeadroom) },
      ...(this.#ledger === undefined ? {} : { tokens: { perMinute: tokensPerMinute as number, ledger: this.#ledger } }),
      ...(shared === undefined ? {} : { shared }),
    });
  }

  /** What a call that started now would find. */
  forecast(): Forecast {
    const now = this.#clock.now();
    const brokenUntil = this.breaker.refusesUntil;
    if (brokenUntil !== undefined) {
      return { route: this.name, waitMs: brokenUntil - now, state: "broken", reason: this.breaker.explain() };
    }
    const { waitMs, reason } = this.#limiter.forecast();
    return reason === "pause"
      ? { route: this.name, waitMs, state: "paused", reason: `${this.name} is rate limited` }
      : { route: this.name, waitMs, state: "open" };
  }

  /** How it stands, for a person and for metrics. */
  get status(): PoolStatus {
    const { kind } = this.breaker.state;
    return { name: this.name, ...this.#limiter.status, ...this.#counts, breaker: kind };
  }

  /** What happened to the pool since somebody last asked. */
  takeNews(): readonly CapacityEvent[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  /** Lets go of the fleet. */
  close(): Promise<void> {
    return this.#limiter.close();
  }

  /** Lets no request leave for `ms` milliseconds. */
  pause(ms: number): void {
    this.#limiter.pause(ms);
  }

  /** Replaces the token estimate of a request by what the provider counted. */
  correctTokens(charged: number | undefined, usage: TokenUsage): void {
    const used = usage.inputTokens + usage.outputTokens;
    if (charged === undefined || used === 0) return;
    this.#limiter.correct(used - charged);
    this.#ledger?.learn(usage.outputTokens);
  }

  /**
   * Wraps a `fetch`. Each request waits for its turn first; then a timer of its own runs until the last byte, so no
   * time in the queue counts. Within a `GuardedChatModel` call the caller's signal is used instead of the one of the
   * client, whose own timer would count it.
   */
  gate(inner: typeof fetch): typeof fetch {
    return async (input, init) => {
      const call = callInProgress.getStore();
      const signal = call === undefined ? (init?.signal ?? undefined) : call.signal;
      const { host, pathname } = new URL(input instanceof Request ? input.url : input);
      const body = typeof init?.body === "string" ? init.body : "";
      if (call?.standIn !== undefined) return call.standIn(host + pathname, body);
      const charged = this.#ledger?.estimate(...sizeOf(init?.body));
      if (call !== undefined) call.last = { host, ...(charged === undefined ? {} : { charged }) };
      try {
        const slot = await this.#admit(call, signal, charged ?? 0);
        await this.#tell(call, host + pathname, body, slot);
        return await this.#send(inner, input, init, { call, signal, slot });
      } catch (error) {
        if (call !== undefined) call.last.thrown = error;
        throw error;
      }
    };
  }

  async #admit(call: CallInProgress | undefined, signal: AbortSignal | undefined, tokens: number): Promise<Slot> {
    // A signal shared by a whole fan-out is listened to once per call, on purpose; Node would warn from the eleventh on.
    if (signal !== undefined) setMaxListeners(0, signal);
    const from = this.#clock.now();
    try {
      const slot = await this.#limiter.acquire({
        key: call?.runKey ?? "",
        tokens,
        ...(call?.priority === undefined ? {} : { priority: call.priority }),
        ...(signal === undefined ? {} : { signal }),
        ...(call?.deadlineAt === undefined ? {} : { deadlineAt: call.deadlineAt }),
        ...(call === undefined
          ? {}
          : { maxPauseMs: call.pauseLeftMs, returned: call.requests > 0, onWait: call.onWait }),
      });
      if (signal?.aborted) {
        slot.release();
        throw signal.reason;
      }
      if (call !== undefined) call.pauseLeftMs -= slot.pausedMs;
      if (call !== undefined && !call.isProbe && this.breaker.refusesUntil !== undefined) {
        slot.release();
        call.last.kept = true;
        throw new Error(`${this.breaker.explain()}: found out while the request waited`);
      }
      return slot;
    } catch (error) {
      if (CapacityWaitError.isInstance(error)) this.#counts[error.code === "QUEUE_FULL" ? "shed" : "timedOut"] += 1;
      throw error;
    } finally {
      if (call !== undefined) call.queueMs += this.#clock.now() - from;
    }
  }

  /** A request that cannot be written down does not leave. */
  async #tell(call: CallInProgress | undefined, endpoint: string, body: string, slot: Slot): Promise<void> {
    try {
      await call?.witness?.sent(call.id, { provider: call.provider, endpoint, route: call.route, body });
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  async #send(
    inner: typeof fetch,
    input: Parameters<typeof fetch>[0],
    init: RequestInit | undefined,
    { call, signal, slot }: { call: CallInProgress | undefined; signal: AbortSignal | undefined; slot: Slot },
  ): Promise<Response> {
    const sentAt = this.#clock.now();
    const request = new AbortController();
    const timer = new AbortController();
    const aborted = (): void => request.abort(signal?.reason);
    const limitMs = Math.min(this.#callTimeoutMs, (call?.deadlineAt ?? Number.POSITIVE_INFINITY) - sentAt);
    const ended = (failure?: unknown): void => {
      timer.abort();
      signal?.removeEventListener("abort", aborted);
      slot.release();
      if (failure !== undefined && call !== undefined) call.last.thrown = failure;
    };
    signal?.addEventListener("abort", aborted, { once: true });
    this.#clock.sleep(limitMs, timer.signal).then(
      () => request.abort(new WireFailure("unanswered", `no complete answer within ${Math.ceil(limitMs)} ms`)),
      (error: unknown) => {
        if (!timer.signal.aborted) throw error;
      },
    );
    if (call !== undefined) call.requests += 1;
    try {
      const response = await inner(input, { ...init, signal: request.signal });
      if (call !== undefined) call.last.headers = limitHeaders(response.headers);
      const { witness, id = "" } = call ?? {};
      const whole = witness === undefined ? undefined : (raw: string) => witness.received(id, raw);
      const followed = followedToTheEnd(response, request.signal, ended, whole);
      if (response.status === 429) return await this.#refused(followed, sentAt, call);
      if (sentAt > this.#pauseBegan) this.#refusals = 0;
      this.#limiter.answered(remainingOf(response.headers));
      return followed;
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** A 429: pauses everybody, unless the account is empty and waiting would not help. */
  async #refused(response: Response, sentAt: number, call: CallInProgress | undefined): Promise<Response> {
    const { status, statusText, headers } = response;
    const text = await response.text();
    if (!saysQuotaExhausted(text)) {
      this.#counts.rateLimited += 1;
      this.#limiter.refused();
      const hint = retryAfterMs(headers, this.#clock.now());
      const pausedMs = this.#pauseAfterRefusal(hint, sentAt);
      if (call !== undefined) {
        call.rateLimited += 1;
        call.last.refused = { retryAfterMs: pausedMs, hinted: hint !== undefined };
      }
    }
    return new Response(text, { status, statusText, headers });
  }

  #pauseAfterRefusal(hint: number | undefined, sentAt: number): number {
    // Requests that left before the last pause began were refused by the same full quota: they do not escalate.
    const another = sentAt > this.#pauseBegan;
    if (another) this.#refusals += 1;
    else if (hint === undefined) return Math.max(0, this.#limiter.pausedUntil - this.#clock.now());
    const earlier = this.#refusals - 1;
    const jitter = hint === undefined || (another && earlier > 0) ? fullJitterMs(earlier, this.#random) : 0;
    const pausedMs = Math.min(LONGEST_HINT_MS, (hint ?? 0) + jitter);
    if (another) this.#pauseBegan = this.#clock.now();
    this.pause(pausedMs);
    return pausedMs;
  }
}

/** The size of a request for the token ledger: characters of its JSON, and the answer length it asks for at most. */
function sizeOf(body: unknown): [characters: number, maxAnswer?: number] {
  if (typeof body !== "string") return [0];
  const limit = /"max_(?:completion_)?tokens":\s*(\d+)/.exec(body)?.[1];
  return limit === undefined ? [body.length] : [body.length, Number(limit)];
}
