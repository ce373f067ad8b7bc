// How a quota of a fleet stands, in numbers for all of its processes together. Pure.

import type { FleetProcess, FleetQuota } from "../../capacity/index.js";
import { newestOf } from "../../capacity/redis/fleet-view.js";

/** What is known of a quota. Counts are of the processes that live now, since they began. */
export interface QuotaStanding extends FleetQuota {
  /** The limits as the process has them that was heard of last. Unset: none has said. */
  readonly limits?: Pick<FleetProcess, "requestsPerMinute" | "tokensPerMinute" | "slots">;
  /** Whether the processes were given different limits for it. */
  readonly differ: boolean;
  /** Tokens that were used ahead of the rate. Unset: tokens are not limited, or nobody has said. */
  readonly owedTokens?: number;
  /** Requests that leave in a minute, as of the last reports. */
  readonly perMinute: number;
  readonly queued: number;
  readonly admitted: number;
  readonly rateLimited: number;
  readonly shed: number;
  readonly timedOut: number;
  /** How many processes have a breaker of their own in which state. */
  readonly breakers: Readonly<Record<FleetProcess["breaker"], number>>;
}

/** Adds up what the processes report. */
export function standingOf(quota: FleetQuota): QuotaStanding {
  const { reports, share, owedMs } = quota;
  const sum = (of: (report: FleetProcess) => number): number => reports.reduce((total, each) => total + of(each), 0);
  const { requestsPerMinute, tokensPerMinute, slots } = newestOf(reports) ?? {};
  const inState = (state: FleetProcess["breaker"]): number => sum(({ breaker }) => Number(breaker === state));
  return {
    ...quota,
    ...(requestsPerMinute === undefined || slots === undefined
      ? {}
      : { limits: { requestsPerMinute, slots, ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }) } }),
    differ:
      new Set(reports.map((each) => [each.requestsPerMinute, each.tokensPerMinute, each.slots].join(" "))).size > 1,
    ...(share === undefined || tokensPerMinute === undefined
      ? {}
      : { owedTokens: Math.round((owedMs * tokensPerMinute * share) / 60_000) }),
    perMinute: sum(({ perMinute }) => perMinute),
    queued: sum(({ queued }) => queued),
    admitted: sum(({ admitted }) => admitted),
    rateLimited: sum(({ rateLimited }) => rateLimited),
    shed: sum(({ shed }) => shed),
    timedOut: sum(({ timedOut }) => timedOut),
    breakers: { closed: inState("closed"), "half-open": inState("half-open"), open: inState("open") },
  };
}
