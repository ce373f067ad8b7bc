// Quotas as Prometheus metrics, in the text exposition format 0.0.4. Made when somebody asks: nothing is counted here.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/

import { type Clock, systemClock } from "./clock.js";
import type { PoolStatus } from "./pool-options.js";

/** The content type of {@link metricsText}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** One number of a {@link Metric}. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its samples. Counters end in `_total`; units are base units. */
export interface Metric {
  readonly name: string;
  /** One sentence without a full stop. */
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}

const BREAKER = ["closed", "half-open", "open"] as const;

/**
 * The metrics of quotas, one `route` each. Quotas with the same name, as two graphs of one process have them, are one
 * route: what can be added is added, of the rest the worse counts.
 */
export function metricsOf(
  pools: Iterable<{ readonly status: PoolStatus }>,
  clock: Pick<Clock, "now"> = systemClock,
): readonly Metric[] {
  const routes = new Map<string, PoolStatus[]>();
  for (const { status } of new Set(pools)) routes.set(status.name, [...(routes.get(status.name) ?? []), status]);
  const now = clock.now();
  const metric = (
    type: Metric["type"],
    name: string,
    help: string,
    read: (all: readonly PoolStatus[]) => readonly Sample[] | number | undefined,
  ): Metric => {
    const samples = [...routes].flatMap(([route, all]) => {
      const value = read(all) ?? [];
      const each = typeof value === "number" ? [{ value }] : value;
      return each.map(({ labels, value }) => ({ labels: { route, ...labels }, value }));
    });
    return { name: `bulkhead_${name}`, help, type, samples };
  };
  const sum = (of: (status: PoolStatus) => number) => (all: readonly PoolStatus[]) =>
    all.reduce((total, status) => total + of(status), 0);
  const most = (all: readonly PoolStatus[], of: (status: PoolStatus) => number) => Math.max(...all.map(of));
  const fleets = (all: readonly PoolStatus[]) => all.flatMap(({ fleet }) => fleet ?? []);
  return [
    metric(
      "counter",
      "requests_admitted_total",
      "Requests that left",
      sum(({ admitted }) => admitted),
    ),
    metric(
      "counter",
      "requests_rate_limited_total",
      "Requests answered with a 429",
      sum((each) => each.rateLimited),
    ),
    metric(
      "counter",
      "requests_shed_total",
      "Requests refused because too many wait",
      sum(({ shed }) => shed),
    ),
    metric(
      "counter",
      "requests_timed_out_total",
      "Requests that waited in vain",
      sum(({ timedOut }) => timedOut),
    ),
    metric(
      "gauge",
      "requests_in_flight",
      "Requests that hold a slot",
      sum(({ inFlight }) => inFlight),
    ),
    metric(
      "gauge",
      "requests_queued",
      "Requests that wait for their turn",
      sum(({ queued }) => queued),
    ),
    metric("gauge", "quota_share_ratio", "Share of the quota that is used at most now", (all) =>
      Math.min(...all.map(({ share }) => share)),
    ),
    metric("gauge", "quota_pause_seconds", "Seconds until requests may leave again after a 429", (all) =>
      most(all, ({ pausedUntil }) => Math.max(0, pausedUntil - now) / 1_000),
    ),
    metric("gauge", "breaker_state", "State of the circuit breaker, 1 for the one it is in", (all) => {
      const worst = most(all, ({ breaker }) => BREAKER.indexOf(breaker));
      return BREAKER.map((state, index) => ({ labels: { state }, value: index === worst ? 1 : 0 }));
    }),
    metric("gauge", "fleet_available", "Whether the Redis that keeps the quota answers", (all) => {
      const states = fleets(all).map(({ available }) => Number(available));
      return states.length === 0 ? undefined : Math.min(...states);
    }),
    metric("gauge", "fleet_processes", "Processes that share the quota", (all) => {
      const counts = fleets(all).map(({ processes }) => processes);
      return counts.length === 0 ? undefined : Math.max(...counts);
    }),
  ];
}

/** Writes metrics as a Prometheus server reads them. Those without samples are left out. Names must differ. */
export function metricsText(metrics: Iterable<Metric>): string {
  let text = "";
  for (const { name, help, type, samples } of metrics) {
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
    for (const { labels = {}, value } of samples) text += `${name}${braced(labels)} ${numeral(value)}\n`;
  }
  return text;
}

function braced(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${label}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const numeral = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
