// The rows about what calls share: one answer for equal calls of several processes, one slot for a whole tree of tasks, and
// one quota in Redis.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../capacity/index.js";
import { RedisQuota } from "../../../capacity/redis/quota.js";
import { quantile } from "../statistics.js";
import { rowOf } from "./crowds.js";
import { type CapacityRow, figure } from "./figure.js";
import type { EqualJob } from "./job.js";
import { watchLateness } from "./lateness.js";
import type { RedisPlace } from "./redis-place.js";
import { ASKED, type CapacitySizes } from "./sizes.js";
import { play, type Run } from "./stage.js";

/** Requests per minute that nobody gets to. */
const PLENTY = 1_000_000;

/** How fast they are is not what these rows measure. */
const NOT_WARM = { warmUp: false };

/** Equal calls of several processes at once. Their leases are in real time: this row is not sped up. */
export async function singleFlight(
  { processes, calls, latencyMs }: CapacitySizes["single-flight"],
  run: Run,
  redis: RedisPlace | undefined,
): Promise<CapacityRow> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-bench-capacity-"));
  const sealKey = randomBytes(32).toString("hex");
  const cache: EqualJob["cache"] =
    redis === undefined
      ? { kind: "sqlite", path: join(folder, "cache.db") }
      : { kind: "redis", url: redis.url, prefix: redis.prefix };
  try {
    const found = await play(
      {
        provider: {
          quotas: { "offline-large": { requestsPerMinute: PLENTY, inFlight: Infinity } },
          behaviours: { "offline-large": { latency: { medianMs: latencyMs, p99Ms: latencyMs } } },
        },
        settings: { BULKHEAD_REQUESTS_PER_MINUTE: String(PLENTY), BULKHEAD_IN_FLIGHT: String(processes * calls) },
        jobs: Array.from({ length: processes }, () => ({ kind: "equal", calls, cache, sealKey }) as const),
        longestMinutes: 1,
      },
      { ...run, ...NOT_WARM, scale: 1 },
    );
    return {
      ...rowOf("single-flight", found),
      figures: [
        figure("requests that reached the provider", found.http, "count", { exactly: 1 }),
        figure("calls answered", found.finished / (processes * calls), "share", { exactly: 1 }),
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tasks that wait for tasks of their own, with one slot for all their calls. */
export async function nested(
  { width, depth, longestMinutes }: CapacitySizes["nested"],
  run: Run,
): Promise<CapacityRow> {
  const levels = Array.from({ length: depth }, (_, level) => width ** (level + 1));
  const tasks = levels.reduce((sum, each) => sum + each, 0);
  const found = await play(
    {
      provider: {
        quotas: { "offline-large": { requestsPerMinute: PLENTY, inFlight: Infinity } },
        behaviours: { "offline-large": { latency: { medianMs: 500, p99Ms: 500 } } },
      },
      settings: { BULKHEAD_REQUESTS_PER_MINUTE: String(PLENTY), BULKHEAD_IN_FLIGHT: "1" },
      jobs: [{ kind: "tree", width, depth }],
      longestMinutes,
    },
    { ...run, ...NOT_WARM },
  );
  return {
    ...rowOf("nested", found),
    figures: [
      figure("tasks finished", found.finished / tasks, "share", { exactly: 1 }),
      figure("most in flight at the provider", found.counters["offline-large"].mostInFlight, "count", { exactly: 1 }),
      figure("requests", found.http, "count"),
    ],
  };
}

/** Admissions that count for nothing: code gets compiled, and Redis learns the script. */
const WARM_UP_TAKES = 500;

/** Admissions of a quota that never refuses, with all its dimensions, each as long as its caller waits for it. */
export async function admission(
  { takes }: CapacitySizes["admission"],
  { signal, warmUp = true }: Run,
  { url, prefix }: RedisPlace,
): Promise<CapacityRow> {
  const quota = new RedisQuota({
    ...{ url, prefix, name: "admission", clock: systemClock },
    quota: { requestsPerMinute: PLENTY * 1_000, tokensPerMinute: PLENTY * 1_000_000, inFlight: PLENTY },
  });
  const lateness = watchLateness();
  const tookMs: number[] = [];
  try {
    const before = warmUp ? WARM_UP_TAKES : 1; // The first one connects.
    for (let index = 0; index < before + takes && !signal.aborted; index += 1) {
      const from = performance.now();
      const { granted } = await quota.take(String(index), 1_000);
      if (index >= before) tookMs.push(performance.now() - from);
      if (!granted) throw new Error("bench capacity: an admission was refused by a quota that has room");
      quota.giveBack(String(index));
      // The slot is on its way back before the next question is timed.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    await quota.close();
  }
  return {
    name: "admission",
    lateMs: lateness(),
    failures: {},
    ...(signal.aborted ? { cut: "interrupted" } : {}),
    figures: [
      figure("one admission, median", quantile(tookMs, 0.5), "ms", { most: ASKED.admissionMedianMs }),
      figure("one admission, p99", quantile(tookMs, 0.99), "ms"),
    ],
  };
}
