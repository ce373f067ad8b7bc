// What `bench quota` puts its harnesses in front of: tasks that make one call after another, and providers that enforce one
// and the same quota in different ways.

import { ENFORCEMENTS, type Latency, type ProviderBehaviour } from "../../../models/index.js";

/** Who makes the calls. `bulkhead-fleet` does so from several processes that share the quota through Redis. */
export const QUOTA_HARNESSES = [
  "chatopenai",
  "bottleneck-reservoir",
  "bottleneck-mintime",
  "bulkhead",
  "bulkhead-fleet",
] as const;

/** One of {@link QUOTA_HARNESSES}. */
export type QuotaHarness = (typeof QUOTA_HARNESSES)[number];

/** A median of two seconds and a 99th percentile of five. */
const LATENCY: Latency = { medianMs: 2_000, p99Ms: 5_000 };

/**
 * What all providers have in common: refused requests count, a 429 says when to come back in whole seconds, and the headers
 * tell of a minute's quota.
 */
const COMMON: ProviderBehaviour = {
  latency: LATENCY,
  networkJitter: { minMs: 0, maxMs: 100 },
  countRefused: true,
  retryHint: "seconds",
  headersCount: "minute",
};

const enforcing = (name: keyof typeof ENFORCEMENTS): ProviderBehaviour => ({
  ...COMMON,
  enforcement: ENFORCEMENTS[name],
});

/** The providers, by name: the enforcements, an outsider on the same key under two of them, and one whose 429s give no hint. */
export const QUOTA_PROVIDERS = {
  "bucket-5s": enforcing("bucket-5s"),
  "sliding-60s": enforcing("sliding-60s"),
  "fixed-60s": enforcing("fixed-60s"),
  "fixed-10s": enforcing("fixed-10s"),
  "fixed-1s": enforcing("fixed-1s"),
  "bucket-60s": enforcing("bucket-60s"),
  "bucket-1s": enforcing("bucket-1s"),
  outsider: { ...enforcing("bucket-5s"), outsider: { share: 0.3 } },
  "outsider-sliding": { ...enforcing("sliding-60s"), outsider: { share: 0.3 } },
  "no-hint": { ...enforcing("bucket-5s"), retryHint: "none" },
} as const satisfies Record<string, ProviderBehaviour>;

/** A name of {@link QUOTA_PROVIDERS}. */
export type QuotaProvider = keyof typeof QUOTA_PROVIDERS;

/** One row of the benchmark: who calls whom, how often. */
export interface QuotaScenario {
  readonly provider: QuotaProvider;
  readonly harness: QuotaHarness;
  /** Tasks at once. A task ends at its first failed call. */
  readonly tasks: number;
  /** Calls of each task, one after another. */
  readonly calls: number;
  /** Requests per minute that the provider allows. */
  readonly requestsPerMinute: number;
  /** How many times as fast as the machine's time runs. */
  readonly scale: number;
  /** Latencies, network, the outsider and the callers' own chance follow from it. */
  readonly seed: number;
}

/**
 * Simulated minutes after which a row is cut: half as long again as the calls take at the full quota, and ten minutes more
 * at least.
 */
export function longestMinutes({ tasks, calls, requestsPerMinute }: QuotaScenario): number {
  const ideal = (tasks * calls) / requestsPerMinute;
  return Math.max(ideal * 1.5, ideal + 10);
}
