// The quota that the offline provider really enforces, one meter for each model: two token buckets that refill
// continuously, and a count of requests in flight. Refused requests take nothing.

import type { Clock, Quota } from "../../capacity/index.js";

/** Seconds of the request rate that may leave in one burst. */
const REQUEST_BURST_SECONDS = 5;

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

/** Enforces one model's quota. */
export class QuotaMeter {
  readonly #model: string;
  readonly #quota: Quota;
  readonly #requests: Bucket;
  readonly #tokens: Bucket;
  #inFlight = 0;

  constructor(model: string, quota: Quota, clock: Clock) {
    const perMinute = quota.requestsPerMinute;
    this.#model = model;
    this.#quota = quota;
    this.#requests = new Bucket(perMinute, Math.max(1, (perMinute * REQUEST_BURST_SECONDS) / 60), clock);
    this.#tokens = new Bucket(quota.tokensPerMinute ?? Infinity, quota.tokensPerMinute ?? Infinity, clock);
  }

  /** Grants a request with this many prompt tokens, or says why not. */
  request(promptTokens: number): Grant | Refusal {
    const { requestsPerMinute, tokensPerMinute, inFlight } = this.#quota;
    if (this.#inFlight >= inFlight) return this.#refuse("in-flight", "requests in flight", inFlight, 1_000);
    const requestWait = this.#requests.wait(1);
    if (requestWait > 0) return this.#refuse("requests", "requests per min (RPM)", requestsPerMinute, requestWait);
    const tokenWait = this.#tokens.wait(promptTokens);
    if (tokenWait > 0) return this.#refuse("tokens", "tokens per min (TPM)", tokensPerMinute ?? Infinity, tokenWait);

    this.#requests.take(1);
    this.#tokens.take(promptTokens);
    this.#inFlight += 1;
    return {
      settle: (outputTokens) => {
        this.#inFlight -= 1;
        this.#tokens.take(outputTokens);
      },
    };
  }

  /** The `x-ratelimit-*` headers as they stand. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {
      "x-ratelimit-limit-requests": String(this.#quota.requestsPerMinute),
      "x-ratelimit-remaining-requests": String(this.#requests.left()),
      "x-ratelimit-reset-requests": durationText(this.#requests.untilFull()),
    };
    if (this.#quota.tokensPerMinute === undefined) return headers;
    return {
      ...headers,
      "x-ratelimit-limit-tokens": String(this.#quota.tokensPerMinute),
      "x-ratelimit-remaining-tokens": String(this.#tokens.left()),
      "x-ratelimit-reset-tokens": durationText(this.#tokens.untilFull()),
    };
  }

  #refuse(limit: Refusal["limit"], words: string, allowed: number, retryAfterMs: number): Refusal {
    const message =
      `Rate limit reached for ${this.#model} on ${words}: Limit ${allowed}. ` +
      `Please try again in ${durationText(retryAfterMs)}.`;
    return { limit, message, retryAfterMs };
  }
}

/** A level that rises by `perMinute` up to `capacity`, and may go below zero when an answer was longer than expected. */
class Bucket {
  readonly #perMs: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  #level: number;
  #at: number;

  constructor(perMinute: number, capacity: number, clock: Clock) {
    this.#perMs = perMinute / 60_000;
    this.#capacity = capacity;
    this.#clock = clock;
    this.#level = capacity;
    this.#at = clock.now();
  }

  /** Milliseconds until `amount` is there. What never fits waits for a full bucket, so nothing starves for ever. */
  wait(amount: number): number {
    const missing = Math.min(amount, this.#capacity) - this.#refill();
    return missing <= 0 || Number.isNaN(missing) ? 0 : missing / this.#perMs;
  }

  take(amount: number): void {
    this.#level = this.#refill() - amount;
  }

  left(): number {
    return Math.max(0, Math.floor(this.#refill()));
  }

  untilFull(): number {
    return (this.#capacity - this.#refill()) / this.#perMs;
  }

  #refill(): number {
    const now = this.#clock.now();
    const gained = Math.max(0, now - this.#at) * this.#perMs;
    this.#at = now;
    // 0 × ∞ is NaN: an unlimited bucket stays full instead.
    this.#level = this.#capacity === Infinity ? Infinity : Math.min(this.#capacity, this.#level + gained);
    return this.#level;
  }
}

/** A duration as OpenAI writes it in headers: `120ms`, `1.5s`, `6m0s`. */
const durationText = (ms: number): string => {
  const whole = Math.max(0, Math.ceil(ms));
  if (whole < 1_000) return `${whole}ms`;
  if (whole < 60_000) return `${whole / 1_000}s`;
  return `${Math.floor(whole / 60_000)}m${Math.ceil((whole % 60_000) / 1_000)}s`;
};
