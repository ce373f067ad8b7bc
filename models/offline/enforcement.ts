// How a provider enforces its requests per minute. Providers differ and do not say: the same quota can be a sliding or a
// fixed window, a bucket with more or less burst, or one-second windows. One small port, and each of these behind it.

import { Bucket } from "./bucket.js";
import { RecentTimes } from "./recent-times.js";

/** How requests per minute are enforced. */
export type Enforcement =
  /** A bucket that refills continuously and holds `burstSeconds` of the rate, one request at least. */
  | { readonly kind: "bucket"; readonly burstSeconds: number }
  /** No span of `seconds` has more than floor(rate × span) requests, one at least. */
  | { readonly kind: "sliding-window"; readonly seconds: number }
  /** The same for spans that begin at whole multiples of `seconds` of the clock: twice that passes around a boundary. */
  | { readonly kind: "fixed-window"; readonly seconds: number };

/** The enforcements that the capacity layer is measured against (spec section 6), by name. */
export const ENFORCEMENTS = {
  "sliding-60s": { kind: "sliding-window", seconds: 60 },
  "fixed-60s": { kind: "fixed-window", seconds: 60 },
  "fixed-10s": { kind: "fixed-window", seconds: 10 },
  "fixed-1s": { kind: "fixed-window", seconds: 1 },
  "bucket-60s": { kind: "bucket", burstSeconds: 60 },
  "bucket-5s": { kind: "bucket", burstSeconds: 5 },
  "bucket-1s": { kind: "bucket", burstSeconds: 1 },
} as const satisfies Record<string, Enforcement>;

/** A name of {@link ENFORCEMENTS}. */
export type EnforcementName = keyof typeof ENFORCEMENTS;

/** What a model's quota is enforced with unless told otherwise. */
export const DEFAULT_ENFORCEMENT: Enforcement = ENFORCEMENTS["bucket-5s"];

/** Decides whether one more request passes. All times in milliseconds; `now` must not go back. */
export interface RequestLimit {
  /** Until a request would pass; 0: now. */
  waitMs(now: number): number;
  /** Books a request, whether it would have passed or not. */
  take(now: number): void;
  /** Books a refused request, for a provider that counts those. */
  refused(now: number): void;
  /** Requests that would pass now. */
  left(now: number): number;
  /** Until nothing is booked. */
  untilFullMs(now: number): number;
}

/** A limit with nothing booked. @throws RangeError when a span is not more than 0 s. */
export function requestLimit(enforcement: Enforcement, requestsPerMinute: number, now: number): RequestLimit {
  const seconds = enforcement.kind === "bucket" ? enforcement.burstSeconds : enforcement.seconds;
  const field = enforcement.kind === "bucket" ? "burstSeconds" : "seconds";
  if (!(seconds > 0)) throw new RangeError(`enforcement.${field} is ${seconds} and must be more than 0`);
  const inSpan = (requestsPerMinute * seconds) / 60;
  switch (enforcement.kind) {
    case "bucket":
      return new Bucket(requestsPerMinute, Math.max(1, inSpan), now);
    case "sliding-window":
      return slidingWindow(Math.max(1, Math.floor(inSpan)), seconds * 1_000);
    case "fixed-window":
      return fixedWindow(Math.max(1, Math.floor(inSpan)), seconds * 1_000);
  }
}

function slidingWindow(limit: number, windowMs: number): RequestLimit {
  const booked = new RecentTimes(windowMs);
  const take = (now: number): void => booked.add(now);
  return {
    waitMs: (now) => {
      const over = booked.count(now) - limit;
      return over < 0 ? 0 : booked.at(over) + windowMs - now;
    },
    take,
    refused: take,
    left: (now) => Math.max(0, limit - booked.count(now)),
    untilFullMs: (now) => {
      const count = booked.count(now);
      return count === 0 ? 0 : booked.at(count - 1) + windowMs - now;
    },
  };
}

function fixedWindow(limit: number, windowMs: number): RequestLimit {
  let window = Number.NaN;
  let booked = 0;
  const count = (now: number): number => {
    const current = Math.floor(now / windowMs);
    if (current !== window) booked = 0;
    window = current;
    return booked;
  };
  const untilNextMs = (now: number): number => (Math.floor(now / windowMs) + 1) * windowMs - now;
  const take = (now: number): void => {
    booked = count(now) + 1;
  };
  return {
    waitMs: (now) => (count(now) < limit ? 0 : untilNextMs(now)),
    take,
    refused: take,
    left: (now) => Math.max(0, limit - count(now)),
    untilFullMs: (now) => (count(now) === 0 ? 0 : untilNextMs(now)),
  };
}
