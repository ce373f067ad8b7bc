// The quota that the offline provider really enforces, one meter for each model: requests per minute as its behaviour
// says, a token bucket that refills continuously, and a count of requests in flight. Refused requests take nothing, unless
// the behaviour counts them. It also keeps the counts that tests and benchmarks go by.

import type { Clock, Quota } from "../../capacity/index.js";
import { checkBehaviour, outsiderGapMs, type ProviderBehaviour } from "./behaviour.js";
import { Bucket } from "./bucket.js";
import { DEFAULT_ENFORCEMENT, ENFORCEMENTS, type RequestLimit, requestLimit } from "./enforcement.js";
import { RecentTimes } from "./recent-times.js";

/** Why a request was refused, and when it would pass. */
export interface Refusal {
  readonly limit: "requests" | "tokens" | "in-flight";
  readonly message: string;
  readonly retryAfterMs: number;
}

/** A granted request. Settle it exactly once when the answer has left. */
export interface Grant {
  /** Gives the slot back and charges the tokens of the answer. */
  settle(outputTokens: number): void;
}

/** What one model has seen since the provider was made. */
export interface ModelCounters {
  /** Requests that the quota let in. */
  readonly admitted: number;
  /** Requests that were answered with 429, by the quota or by a fault. */
  readonly refused: number;
  /** Requests of the outsider, see `ProviderBehaviour`. In none of the other counts. */
  readonly outsider: number;
  /** Requests in flight now. */
  readonly inFlight: number;
  /** The most that ever were. */
  readonly mostInFlight: number;
  /** The most that were admitted in any second. */
  readonly mostInSecond: number;
  /** The most that were admitted in any minute, not only in whole ones of the clock. */
  readonly mostInMinute: number;
}

type Counts = { -readonly [Key in keyof ModelCounters]: ModelCounters[Key] };

/** An outsider's arrivals from longer ago than this say nothing about now. */
const OUTSIDER_LOOKS_BACK_MS = 120_000;

/** Enforces one model's quota. */
export class QuotaMeter {
  readonly #model: string;
  readonly #quota: Quota;
  readonly #behaviour: ProviderBehaviour;
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #requests: RequestLimit;
  /** What the headers show of requests; the limit itself unless it shows a minute's. */
  readonly #shown: RequestLimit;
  readonly #tokens: Bucket;
  readonly #counts: Counts = {
    admitted: 0,
    refused: 0,
    outsider: 0,
    inFlight: 0,
    mostInFlight: 0,
    mostInSecond: 0,
    mostInMinute: 0,
  };
  readonly #lastSecond = new RecentTimes(1_000);
  readonly #lastMinute = new RecentTimes(60_000);
  #outsiderAt: number;

  /**
   * @param seed The outsider's arrivals follow from it. Default 0.
   * @throws RangeError when the behaviour is not possible.
   */
  constructor(model: string, quota: Quota, clock: Clock, behaviour: ProviderBehaviour = {}, seed = 0) {
    checkBehaviour(behaviour);
    const perMinute = quota.requestsPerMinute;
    const now = clock.now();
    this.#model = model;
    this.#quota = quota;
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#seed = seed;
    this.#requests = requestLimit(behaviour.enforcement ?? DEFAULT_ENFORCEMENT, perMinute, now);
    this.#shown =
      behaviour.headersCount === "minute" ? requestLimit(ENFORCEMENTS["bucket-60s"], perMinute, now) : this.#requests;
    this.#tokens = new Bucket(quota.tokensPerMinute ?? Infinity, quota.tokensPerMinute ?? Infinity, now);
    this.#outsiderAt = behaviour.outsider === undefined ? Infinity : now;
  }

  /** What has been seen so far. */
  get counters(): ModelCounters {
    return { ...this.#counts };
  }

  /** Grants a request with this many prompt tokens, or says why not. */
  request(promptTokens: number): Grant | Refusal {
    const { requestsPerMinute, tokensPerMinute, inFlight } = this.#quota;
    const now = this.#now();
    if (this.#counts.inFlight >= inFlight) {
      return this.#refuse(now, "in-flight", "requests in flight", inFlight, () => 1_000);
    }
    if (this.#requests.waitMs(now) > 0) {
      const wait = (): number => this.#requests.waitMs(now);
      return this.#refuse(now, "requests", "requests per min (RPM)", requestsPerMinute, wait);
    }
    const tokenWaitMs = this.#tokens.waitMs(now, promptTokens);
    if (tokenWaitMs > 0) {
      return this.#refuse(now, "tokens", "tokens per min (TPM)", tokensPerMinute ?? Infinity, () => tokenWaitMs);
    }
    this.#book((limit) => limit.take(now));
    this.#tokens.take(now, promptTokens);
    this.#countAdmitted(now);
    return {
      settle: (outputTokens) => {
        this.#counts.inFlight -= 1;
        this.#tokens.take(this.#clock.now(), outputTokens);
      },
    };
  }

  /** Counts a 429 that was none of the quota's doing. */
  refusedByFault(): void {
    this.#counts.refused += 1;
  }

  /** The `x-ratelimit-*` headers as they stand; none when the behaviour has none. */
  headers(): Record<string, string> {
    if (this.#behaviour.rateLimitHeaders === false) return {};
    const now = this.#now();
    const headers: Record<string, string> = {
      "x-ratelimit-limit-requests": String(this.#quota.requestsPerMinute),
      "x-ratelimit-remaining-requests": String(this.#shown.left(now)),
      "x-ratelimit-reset-requests": durationText(this.#shown.untilFullMs(now)),
    };
    if (this.#quota.tokensPerMinute === undefined) return headers;
    return {
      ...headers,
      "x-ratelimit-limit-tokens": String(this.#quota.tokensPerMinute),
      "x-ratelimit-remaining-tokens": String(this.#tokens.left(now)),
      "x-ratelimit-reset-tokens": durationText(this.#tokens.untilFullMs(now)),
    };
  }

  /** The headers of a 429 that say when to come back. */
  hintHeaders({ retryAfterMs }: Refusal): Record<string, string> {
    const hint = this.#behaviour.retryHint ?? "both";
    const seconds = { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
    const milliseconds = { "retry-after-ms": String(Math.ceil(retryAfterMs)) };
    return {
      ...(hint === "both" || hint === "seconds" ? seconds : {}),
      ...(hint === "both" || hint === "milliseconds" ? milliseconds : {}),
    };
  }

  #book(request: (limit: RequestLimit) => void): void {
    request(this.#requests);
    if (this.#shown !== this.#requests) request(this.#shown);
  }

  /** The time, with everything booked that the outsider did until then. */
  #now(): number {
    const now = this.#clock.now();
    const { outsider } = this.#behaviour;
    if (outsider === undefined) return now;
    if (this.#outsiderAt < now - OUTSIDER_LOOKS_BACK_MS) this.#outsiderAt = now - OUTSIDER_LOOKS_BACK_MS;
    while (this.#outsiderAt <= now) {
      const at = this.#outsiderAt;
      this.#book((limit) => limit.take(at));
      this.#counts.outsider += 1;
      const key = `${this.#seed}:${this.#model}:outsider-${this.#counts.outsider}`;
      this.#outsiderAt += outsiderGapMs(outsider, this.#quota.requestsPerMinute, key);
    }
    return now;
  }

  /** The wait is asked for after the refusal was booked: it must be long enough for what that took as well. */
  #refuse(now: number, limit: Refusal["limit"], words: string, allowed: number, waitMs: () => number): Refusal {
    this.#counts.refused += 1;
    if (this.#behaviour.countRefused === true) this.#book((limit) => limit.refused(now));
    const retryAfterMs = waitMs();
    const reached = `Rate limit reached for ${this.#model} on ${words}: Limit ${allowed}.`;
    const silent = this.#behaviour.retryHint === "none";
    const message = silent ? reached : `${reached} Please try again in ${durationText(retryAfterMs)}.`;
    return { limit, message, retryAfterMs };
  }

  #countAdmitted(now: number): void {
    const counts = this.#counts;
    counts.admitted += 1;
    counts.inFlight += 1;
    counts.mostInFlight = Math.max(counts.mostInFlight, counts.inFlight);
    this.#lastSecond.add(now);
    this.#lastMinute.add(now);
    counts.mostInSecond = Math.max(counts.mostInSecond, this.#lastSecond.count(now));
    counts.mostInMinute = Math.max(counts.mostInMinute, this.#lastMinute.count(now));
  }
}

/** A duration as OpenAI writes it in headers: `120ms`, `1.5s`, `6m0s`. */
const durationText = (ms: number): string => {
  const whole = Math.max(0, Math.ceil(ms));
  if (whole < 1_000) return `${whole}ms`;
  if (whole < 60_000) return `${whole / 1_000}s`;
  return `${Math.floor(whole / 60_000)}m${Math.ceil((whole % 60_000) / 1_000)}s`;
};
