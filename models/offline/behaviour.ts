// How a model of the offline provider behaves beyond its quota's figures: how it enforces them, what its 429s say, who else
// uses the key, how long the network and the model take. All of it repeats: it follows from seed and request, see `chance`.

import { type Enforcement, requestLimit } from "./enforcement.js";
import { chance } from "./faults.js";

/**
 * What a 429 says about when to come back: `retry-after` in whole seconds, `retry-after-ms`, both, or nothing. The error's
 * text says it as well, as OpenAI's does, except with `none`.
 */
export type RetryHint = "both" | "seconds" | "milliseconds" | "none";

/** Somebody else who uses the same key. */
export interface Outsider {
  /** The share of the requests per minute that is gone, more than 0, less than 1. It is never refused. */
  readonly share: number;
  /**
   * `steady`: gaps of 0.5 to 1.5 times their mean, evenly distributed. `poisson`: exponentially distributed, so that
   * bursts come as they do from many independent users. Default `steady`.
   */
  readonly arrivals?: "steady" | "poisson";
}

/** How long the model takes to answer, log-normally distributed. */
export interface Latency {
  /** In ms, 0 or more. */
  readonly medianMs: number;
  /** The 99th percentile without the tail, in ms, `medianMs` or more. Default: three times the median. */
  readonly p99Ms?: number;
  /** A share of requests (0 to 1) takes `factor` (1 or more) times as long as it would have. Default: none. */
  readonly tail?: { readonly share: number; readonly factor: number };
}

/** What goes on around a model's quota. Everything has the default of a friendly provider on a fast network. */
export interface ProviderBehaviour {
  /** How requests per minute are enforced. Default: a bucket with 5 s of burst. See `ENFORCEMENTS`. */
  readonly enforcement?: Enforcement;
  /** Whether a refused request counts against requests per minute, as OpenAI says it does. Default `false`. */
  readonly countRefused?: boolean;
  /** Default `both`. */
  readonly retryHint?: RetryHint;
  /** Whether answers carry `x-ratelimit-*`. Default `true`. */
  readonly rateLimitHeaders?: boolean;
  /**
   * What `x-ratelimit-remaining-requests` counts. `enforced`: the requests that would pass now, which is far below the limit
   * where the enforcement is for short spans. `minute`: what is left of a minute's quota that refills continuously, whatever
   * the enforcement; published samples of OpenAI's headers look like that (limit 500, remaining 499, reset 120 ms).
   * Default `enforced`.
   */
  readonly headersCount?: "enforced" | "minute";
  /** Default: nobody. */
  readonly outsider?: Outsider;
  /** Default: none, the answer comes at once. The slot in flight is held meanwhile. */
  readonly latency?: Latency;
  /** How long a request is under way before the quota sees it, evenly distributed, in ms. Default: no time. */
  readonly networkJitter?: { readonly minMs: number; readonly maxMs: number };
}

/** Checks what types cannot. @throws RangeError naming the field and what it may be. */
export function checkBehaviour({ enforcement, outsider, latency, networkJitter }: ProviderBehaviour): void {
  const check = (holds: boolean, field: string, value: number, allowed: string): void => {
    if (!holds) throw new RangeError(`behaviour.${field} is ${value} and must be ${allowed}`);
  };
  if (enforcement !== undefined) requestLimit(enforcement, 1, 0);
  if (outsider !== undefined) {
    check(outsider.share > 0 && outsider.share < 1, "outsider.share", outsider.share, "more than 0 and less than 1");
  }
  if (latency !== undefined) {
    const { medianMs, p99Ms = medianMs, tail } = latency;
    check(medianMs >= 0, "latency.medianMs", medianMs, "0 or more");
    check(p99Ms >= medianMs, "latency.p99Ms", p99Ms, `${medianMs} (the median) or more`);
    if (tail !== undefined) {
      check(tail.share >= 0 && tail.share <= 1, "latency.tail.share", tail.share, "from 0 to 1");
      check(tail.factor >= 1, "latency.tail.factor", tail.factor, "1 or more");
    }
  }
  if (networkJitter !== undefined) {
    const { minMs, maxMs } = networkJitter;
    check(minMs >= 0, "networkJitter.minMs", minMs, "0 or more");
    check(maxMs >= minMs, "networkJitter.maxMs", maxMs, `${minMs} (minMs) or more`);
  }
}

/** How long the request `identity` takes to answer, in ms. */
export function latencyMs(latency: Latency | undefined, identity: string): number {
  if (latency === undefined || latency.medianMs === 0) return 0;
  const { medianMs, p99Ms = 3 * medianMs, tail = { share: 0, factor: 1 } } = latency;
  const sigma = Math.log(p99Ms / medianMs) / NORMAL_99;
  const body = medianMs * Math.exp(sigma * standardNormal(`${identity}:latency`));
  return chance(`${identity}:tail`) < tail.share ? body * tail.factor : body;
}

/** How long the request `identity` is under way, in ms. */
export function networkMs(jitter: ProviderBehaviour["networkJitter"], identity: string): number {
  if (jitter === undefined) return 0;
  return jitter.minMs + (jitter.maxMs - jitter.minMs) * chance(`${identity}:network`);
}

/** The time between an outsider's arrivals, in ms. `key` names the arrival. */
export function outsiderGapMs(
  { share, arrivals = "steady" }: Outsider,
  requestsPerMinute: number,
  key: string,
): number {
  const luck = chance(key);
  const meanMs = 60_000 / (requestsPerMinute * share);
  return meanMs * (arrivals === "steady" ? 0.5 + luck : -Math.log(1 - luck));
}

/** The 99th percentile of the standard normal distribution. */
const NORMAL_99 = 2.326_347_874;

/** By Box and Muller. */
const standardNormal = (key: string): number =>
  Math.sqrt(-2 * Math.log(1 - chance(`${key}-radius`))) * Math.cos(2 * Math.PI * chance(`${key}-angle`));
