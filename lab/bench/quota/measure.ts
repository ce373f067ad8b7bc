// From the calls of a run to its row in the table. Pure.

import type { ModelCounters } from "../../../models/index.js";
import { quantile } from "../statistics.js";
import type { QuotaScenario } from "./scenario.js";

/** One call as its task saw it, in milliseconds of simulated time; retries and waiting are in it. */
export interface CallRecord {
  readonly from: number;
  readonly to: number;
  readonly ok: boolean;
}

/** What a harness did. */
export interface QuotaRun {
  readonly calls: readonly CallRecord[];
  /** Tasks whose calls were all answered. */
  readonly finished: number;
  /** Tasks that died, by the name of the error. */
  readonly deaths: Readonly<Record<string, number>>;
  /** Whether it was stopped before every task had ended. */
  readonly cut: boolean;
  /** How late the processes, the provider's as well, came to their timers: 99th percentile, in real ms. */
  readonly lateMs: number;
}

/** A row: what came of one harness against one provider. */
export interface QuotaRow {
  readonly provider: string;
  readonly harness: string;
  readonly tasks: number;
  readonly calls: number;
  /** The share of tasks whose calls were all answered. */
  readonly finished: number;
  /** Calls that were answered. */
  readonly ok: number;
  /** HTTP requests that reached the provider. */
  readonly http: number;
  /** Of those, how many got a 429. */
  readonly rateLimited: number;
  /**
   * Answers as a share of what the quota allowed between the first call and the last end of one. A harness that kills its
   * tasks early can look good here: read it beside `finished`.
   */
  readonly goodput: number;
  /** The same between the 10th and the 90th percentile of the answers' moments: without ramp and tail. */
  readonly steady: number;
  /** Simulated minutes from the first call to the last end of one. */
  readonly minutes: number;
  /** Of answered calls, waiting and retries included, in simulated ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** `p99Ms / p50Ms`; 0 without answers. */
  readonly spread: number;
  /** The most requests the provider admitted in any minute. */
  readonly mostInMinute: number;
  /** Whether it was stopped before every task had ended: after too long, or by Ctrl-C. */
  readonly cut: boolean;
  /**
   * How late the processes of harness and provider came to their timers, 99th percentile, in simulated ms. Well above the
   * pace (120 ms between calls at 500 a minute): the machine was too slow for this scale, and the row says little.
   */
  readonly lateMs: number;
  /** Tasks that died, by the name of the error. */
  readonly deaths: Readonly<Record<string, number>>;
}

/** Makes the row. */
export function measure(
  { provider, harness, tasks, calls, requestsPerMinute, scale }: QuotaScenario,
  run: QuotaRun,
  { admitted, refused, mostInMinute }: Pick<ModelCounters, "admitted" | "refused" | "mostInMinute">,
): QuotaRow {
  const answered = run.calls.filter(({ ok }) => ok);
  const lasted = answered.map(({ from, to }) => to - from);
  const ends = answered.map(({ to }) => to);
  const began = run.calls.reduce((earliest, { from }) => Math.min(earliest, from), Infinity);
  const ended = run.calls.reduce((latest, { to }) => Math.max(latest, to), -Infinity);
  const spanMs = run.calls.length === 0 ? 0 : ended - began;
  const share = (answers: number, ms: number): number => (ms <= 0 ? 0 : answers / ((ms / 60_000) * requestsPerMinute));
  const [from, to] = [quantile(ends, 0.1), quantile(ends, 0.9)];
  const [p50Ms, p99Ms] = [quantile(lasted, 0.5), quantile(lasted, 0.99)];
  return {
    provider,
    harness,
    tasks,
    calls,
    finished: run.finished / tasks,
    ok: answered.length,
    http: admitted + refused,
    rateLimited: refused,
    goodput: share(answered.length, spanMs),
    steady: share(ends.filter((end) => end > from && end <= to).length, to - from),
    minutes: spanMs / 60_000,
    p50Ms,
    p99Ms,
    spread: p50Ms === 0 ? 0 : p99Ms / p50Ms,
    mostInMinute,
    cut: run.cut,
    lateMs: run.lateMs * scale,
    deaths: run.deaths,
  };
}
