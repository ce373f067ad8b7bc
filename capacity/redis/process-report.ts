// What a process of a fleet tells about itself, in one line of JSON in Redis. For people who look at the fleet: no process
// ever decides anything by what another one reports.

import { hostname } from "node:os";
import { z } from "zod";
import type { RedisQuotaOptions } from "./quota.js";

/** How a process uses a quota. */
export interface ProcessUse {
  /** The share of the quota that it uses, more than 0, at most 1. */
  readonly share: number;
  readonly queued: number;
  /** Since the process began: requests that left, were refused by the provider, found no place, or waited in vain. */
  readonly admitted: number;
  readonly rateLimited: number;
  readonly shed: number;
  readonly timedOut: number;
  readonly breaker: "closed" | "open" | "half-open";
}

const count = z.number().nonnegative();
const report = z.object({
  host: z.string(),
  pid: z.number().int(),
  /** What the process takes the quota to be, per real minute. */
  requestsPerMinute: z.number().positive(),
  tokensPerMinute: z.number().positive().exactOptional(),
  slots: count,
  share: z.number().gt(0).max(1),
  queued: count,
  admitted: count,
  /** Admitted per minute since the report before. */
  perMinute: count,
  rateLimited: count,
  shed: count,
  timedOut: count,
  breaker: z.enum(["closed", "open", "half-open"]),
});

/** A report. */
export type ProcessReport = z.infer<typeof report>;

/** Makes what a process reports, each time anew; an empty text when there is nothing to tell. */
export function reportWriter({ quota, clock, use }: Pick<RedisQuotaOptions, "quota" | "clock" | "use">): () => string {
  if (use === undefined) return () => "";
  const { requestsPerMinute, tokensPerMinute, inFlight: slots } = quota;
  const scale = clock.scale ?? 1;
  const limits = {
    ...{ requestsPerMinute: requestsPerMinute * scale, slots },
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute: tokensPerMinute * scale }),
  };
  let before = { at: performance.now(), admitted: 0 };
  return () => {
    const { share, queued, admitted, rateLimited, shed, timedOut, breaker } = use();
    const now = { at: performance.now(), admitted };
    const minutes = (now.at - before.at) / 60_000;
    const perMinute = minutes > 0 ? Math.round((admitted - before.admitted) / minutes) : 0;
    before = now;
    return JSON.stringify({
      ...{ host: hostname(), pid: process.pid, ...limits, share },
      ...{ queued, admitted, perMinute, rateLimited, shed, timedOut, breaker },
    } satisfies ProcessReport);
  };
}

/** Reads `AT JSON`. `undefined`: another version of the package wrote it, or something else did. */
export function readReport(text: string): { readonly at: number; readonly report: ProcessReport } | undefined {
  const [, at = "", json = ""] = /^(\d+(?:\.\d+)?) (\{.*\})$/s.exec(text) ?? [];
  try {
    const read = report.safeParse(JSON.parse(json));
    return read.success ? { at: Number(at), report: read.data } : undefined;
  } catch {
    return undefined;
  }
}
