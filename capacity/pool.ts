// The quota of one provider and model, and the floor under every call to it: a gate in the client's `fetch` that nobody
// can go round. It admits each HTTP request, holds its slot to the last byte, and stops everybody when the provider says 429.

import { setMaxListeners } from "node:events";
import { runKey, runPriority } from "./announce.js";
import { followedToTheEnd } from "./body.js";
import { CircuitBreaker } from "./breaker.js";
import { type CallInProgress, callInProgress } from "./call.js";
import { classifyError } from "./classify.js";
import { type Clock, systemClock } from "./clock.js";
import { limitHeaders, remainingOf } from "./headers.js";
import { bodyWatch, INCOMING, type IncomingLimits, onOneServer } from "./incoming.js";
import type { Limiter, Slot } from "./limiter.js";
import { checkOptions, type PoolRunOptions, type PoolStatus, type QuotaPoolOptions } from "./pool-options.js";
import { judged, type ProviderError } from "./provider-response.js";
import { QueueLimiter } from "./queue-limiter.js";
import { RedisQuota } from "./redis/quota.js";
import { Refusals } from "./refusals.js";
import { RetryBudget } from "./retry-budget.js";
import { sizeOf, TokenLedger } from "./token-ledger.js";
import type { CapacityEvent, CapacityResource, Forecast, TokenUsage } from "./types.js";
import { WireFailure } from "./wire.js";

/** How often {@link QuotaPool.run} does again what was refused for rate. */
const MOST_REFUSALS = 5;

/** One quota of one process. Make one per provider and model, and give all clients of that model its {@link gate}. */
export class QuotaPool {
  readonly name: string;
  /** Remembers that the route is dead, for all models that use this pool. */
  readonly breaker: CircuitBreaker;
  /** How often calls of this pool may be retried. */
  readonly retryBudget: RetryBudget;
  /** What the answers to model calls may be like. */
  readonly incoming: IncomingLimits;

  readonly #limiter: Limiter;
  readonly #ledger: TokenLedger | undefined;
  readonly #callTimeoutMs: number;
  readonly #clock: Clock;
  readonly #refusals: Refusals;
  /** What nobody has been told yet. */
  #news: CapacityEvent[] = [];
  #rateLimited = 0;

  /** @throws RangeError when the quota or the time limit cannot be met. */
  constructor(options: QuotaPoolOptions) {
    const { name, quota, fleet, callTimeoutMs = 120_000, highWater = 100_000 } = options;
    const { clock = systemClock, random = Math.random } = options;
    const { requestsPerMinute, tokensPerMinute, inFlight, headroom = 0.8, maxHeadroom = 0.98 } = quota;
    checkOptions(options);
    const shared =
      fleet &&
      new RedisQuota({
        ...{ ...fleet, quota, clock },
        onLost: (reason) => void this.#news.push({ kind: "fleet", route: name, state: "lost", reason }),
        onBack: () =>
          void this.#news.push({ kind: "fleet", route: name, state: "back", reason: "Redis answers again" }),
        onBroken: (forMs, why) => this.breaker.open(clock.now() + forMs, why),
        use: () => this.status,
      });
    this.name = name;
    this.incoming = { ...INCOMING, ...options.incoming };
    this.retryBudget = new RetryBudget(shared);
    this.#clock = clock;
    this.#refusals = new Refusals(clock, random);
    this.#callTimeoutMs = callTimeoutMs;
    this.breaker = new CircuitBreaker(clock, name, (state) => {
      if (state.kind === "open") shared?.broke(state.until - clock.now(), state.reason);
      if (state.kind === "closed") shared?.broke(0, "");
    });
    this.#ledger = tokensPerMinute === undefined ? undefined : new TokenLedger(tokensPerMinute * headroom, clock);
    this.#limiter = new QueueLimiter({
      ...{ name, requestsPerMinute, inFlight, highWater, clock, random },
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
      const { since = now } = this.breaker;
      return { route: this.name, waitMs: brokenUntil - now, state: "broken", since, reason: this.breaker.explain() };
    }
    const { waitMs, reason } = this.#limiter.forecast();
    return reason === "pause"
      ? { route: this.name, waitMs, state: "paused", reason: `${this.name} is rate limited` }
      : { route: this.name, waitMs, state: "open" };
  }

  /** How it stands, for a person and for metrics. */
  get status(): PoolStatus {
    const { kind } = this.breaker.state;
    return { name: this.name, ...this.#limiter.status, rateLimited: this.#rateLimited, breaker: kind };
  }

  /** For a guard node in front of a tool's own API: `capacityGuard(pool.resource, …)`. */
  get resource(): CapacityResource {
    return { name: this.name, forecast: () => [this.forecast()] };
  }

  /**
   * Does `work` under this quota: a request of a tool to an API with limits of its own, whatever client it uses. For a
   * client that takes a `fetch`, {@link gate} does the same for every request. What is refused for rate pauses everybody
   * and is done again, five times at most; every other error is the caller's.
   *
   * @throws what `work` throws; the signal's reason; `CapacityWaitError` when it cannot be done within the limits.
   */
  async run<Value>(work: () => Promise<Value>, options: PoolRunOptions = {}): Promise<Value> {
    const { tokens = 0, maxWaitMs = 60_000, priority = runPriority(), signal, deadlineAt } = options;
    const limits = { ...(signal === undefined ? {} : { signal }), ...(deadlineAt === undefined ? {} : { deadlineAt }) };
    for (let refusals = 0; ; refusals += 1) {
      const admittance = { key: runKey(), tokens, priority, maxPauseMs: maxWaitMs, returned: refusals > 0, ...limits };
      const slot = await this.#limiter.acquire(admittance);
      const sentAt = this.#clock.now();
      try {
        const value = await work();
        this.#refusals.answered(sentAt);
        this.#limiter.answered(undefined);
        return value;
      } catch (error) {
        const failure = classifyError(error, this.#clock.now());
        // A 5xx that speaks of a limit may have done something before it met it.
        if (failure.kind !== "rate-limit" || (failure.status ?? 0) >= 500) throw error;
        this.#pauseAfter(failure.retryAfterMs, sentAt);
        if (refusals >= MOST_REFUSALS) throw error;
      } finally {
        slot.release();
      }
    }
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
    const ofModel = async (
      call: CallInProgress,
      charged: number | undefined,
      input: Parameters<typeof fetch>[0],
      init: RequestInit | undefined,
    ): Promise<Response> => {
      const { host, pathname } = new URL(input instanceof Request ? input.url : input);
      const body = typeof init?.body === "string" ? init.body : "";
      if (call.standIn !== undefined) return call.standIn(host + pathname, body);
      call.last = { host, ...(charged === undefined ? {} : { charged }) };
      try {
        const slot = await this.#admit(call, charged ?? 0);
        await this.#tell(call, host + pathname, body, slot);
        return await this.#send(inner, input, init, { call, signal: call.signal, slot });
      } catch (error) {
        call.last.thrown = error;
        throw error;
      }
    };
    // Not an async function: of those that wait, each would keep a frame.
    return (input, init) => {
      const call = callInProgress.getStore();
      const charged = this.#ledger?.estimate(...sizeOf(init?.body));
      if (call !== undefined) return ofModel(call, charged, input, init);
      const signal = init?.signal ?? undefined;
      const limits = signal === undefined ? {} : { signal };
      return this.#limiter
        .acquire({ key: runKey(), tokens: charged ?? 0, priority: runPriority(), ...limits })
        .then((slot) => this.#send(inner, input, init, { call, signal, slot }));
    };
  }

  async #admit(call: CallInProgress, tokens: number): Promise<Slot> {
    const { runKey: key, priority, signal, deadlineAt } = call;
    const from = this.#clock.now();
    try {
      const slot = await this.#limiter.acquire({
        ...{ key, tokens, priority, maxPauseMs: call.pauseLeftMs, returned: call.requests > 0, onWait: call.onWait },
        ...(signal === undefined ? {} : { signal }),
        ...(deadlineAt === undefined ? {} : { deadlineAt }),
      });
      if (signal?.aborted) {
        slot.release();
        throw signal.reason;
      }
      call.pauseLeftMs -= slot.pausedMs;
      if (!call.isProbe && this.breaker.refusesUntil !== undefined) {
        slot.release();
        call.last.kept = true;
        throw new Error(`${this.breaker.explain()}: found out while the request waited`);
      }
      return slot;
    } finally {
      call.queueMs += this.#clock.now() - from;
    }
  }

  /** A request that cannot be written down does not leave. */
  async #tell(call: CallInProgress, endpoint: string, body: string, slot: Slot): Promise<void> {
    try {
      await call.witness?.sent(call.id, { provider: call.provider, endpoint, route: call.route, body });
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
    // A signal shared by a whole fan-out is listened to once per request, on purpose; Node would warn from the eleventh on.
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener("abort", aborted, { once: true });
    this.#clock.sleep(limitMs, timer.signal).then(
      () => request.abort(new WireFailure("unanswered", `no complete answer within ${Math.ceil(limitMs)} ms`)),
      (error: unknown) => {
        if (!timer.signal.aborted) throw error;
      },
    );
    if (call !== undefined) call.requests += 1;
    try {
      // What a tool's own client asks for is its own affair.
      const ask = call === undefined ? inner : onOneServer(inner);
      const response = await ask(input, { ...init, signal: request.signal });
      if (call !== undefined) call.last.headers = limitHeaders(response.headers);
      const refused = response.status === 429;
      if (!refused) this.#limiter.answered(remainingOf(response.headers));
      const { witness, id = "" } = call ?? {};
      const whole = witness === undefined ? undefined : (raw: string) => witness.received(id, raw);
      const watch = call && bodyWatch(this.incoming, this.#clock, timer.signal, request);
      const followed = followedToTheEnd(response, request.signal, ended, whole, watch);
      const answered = (): void => this.#refusals.answered(sentAt);
      if (call !== undefined || refused)
        return await judged(followed, { answered, failed: (error) => this.#failed(error, sentAt, call) });
      answered(); // What else a tool's own API says is the tool's to read.
      return followed;
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** The provider did not answer. That it is asked too fast pauses everybody. */
  #failed(error: ProviderError, sentAt: number, call: CallInProgress | undefined): void {
    if (call !== undefined) call.last.thrown = error;
    const { kind, retryAfterMs: hint } = classifyError(error, this.#clock.now());
    if (kind !== "rate-limit") {
      // It has not taken in a single token of what was too long: the others need not wait for them.
      if (kind === "context-length") this.#limiter.correct(-(call?.last.charged ?? 0));
      this.#refusals.answered(sentAt);
      return;
    }
    const pausedMs = this.#pauseAfter(hint, sentAt);
    if (call === undefined) return;
    call.rateLimited += 1;
    call.last.refused = { retryAfterMs: pausedMs, hinted: hint !== undefined };
  }

  /** A request that left at `sentAt` was refused for rate. Returns how long nobody leaves now, in milliseconds. */
  #pauseAfter(hint: number | undefined, sentAt: number): number {
    this.#rateLimited += 1;
    this.#limiter.refused();
    const pausedMs = this.#refusals.pauseMs(hint, sentAt, this.#limiter.pausedUntil);
    this.pause(pausedMs);
    return pausedMs;
  }
}
