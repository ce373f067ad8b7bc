// The rows about many calls at one provider: fairness between runs, an outage, a second route, and a short run.

import { ENFORCEMENTS, type ProviderBehaviour, parseFault } from "../../../models/index.js";
import { measure, type QuotaRow } from "../quota/measure.js";
import { QUOTA_PROVIDERS, type QuotaScenario } from "../quota/scenario.js";
import { quantile } from "../statistics.js";
import { type CapacityRow, figure } from "./figure.js";
import type { Crowd, CrowdCall } from "./job.js";
import { ASKED, type CapacitySizes } from "./sizes.js";
import { type Found, patienceOf, play, type Run } from "./stage.js";

/** More than ever are in flight: the quota in requests per minute is what is to be measured. */
const IN_FLIGHT = "200";

const BUCKET = QUOTA_PROVIDERS["bucket-5s"];

/** Quick answers after 100 to 300 ms of network: how long the model takes is not what is measured. */
const QUICK: ProviderBehaviour = {
  enforcement: ENFORCEMENTS["bucket-5s"],
  countRefused: true,
  retryHint: "seconds",
  headersCount: "minute",
  networkJitter: { minMs: 100, maxMs: 300 },
};

/** People behind a fan-out; and as many calls of a fan-out alone, to compare with. */
export async function fairness(sizes: CapacitySizes["fairness"], run: Run): Promise<CapacityRow> {
  const { fanOut, people, calls, requestsPerMinute } = sizes;
  const all = fanOut + people * calls;
  const playWith = (...crowds: readonly Crowd[]): Promise<Found> =>
    play(
      {
        provider: oneRoute(requestsPerMinute, QUICK),
        settings: limits(requestsPerMinute),
        jobs: [{ kind: "load", crowds }],
        longestMinutes: patienceOf(all / requestsPerMinute),
      },
      run,
    );
  const mixed = await playWith(
    { name: "fan-out", tasks: fanOut, calls: 1, fanOut: true },
    { name: "person", tasks: people, calls },
  );
  const rest = mixed.cut === "interrupted" ? undefined : await playWith({ ...FAN_OUT, tasks: all });
  const waits = mixed.calls
    .filter(({ crowd, ok }) => crowd === "person" && ok)
    .map(({ from, to }) => (to - from) / 1_000);
  const minutes = minutesOf(mixed.calls);
  return {
    ...rowOf("fairness", mixed, rest),
    figures: [
      figure("interactive call, median", quantile(waits, 0.5), "s"),
      figure("interactive call, p99", quantile(waits, 0.99), "s", { most: ASKED.interactiveP99Seconds }),
      figure("calls answered", mixed.calls.filter(({ ok }) => ok).length / all, "share", { exactly: 1 }),
      figure("time for all, of that at the whole quota", minutes / (all / requestsPerMinute), "ratio"),
      ...(rest === undefined
        ? []
        : [figure("time for all, of that of a fan-out alone", minutes / minutesOf(rest.calls), "ratio", SLOWDOWN)]),
    ],
  };
}

const FAN_OUT = { name: "fan-out", calls: 1, fanOut: true } as const;

const SLOWDOWN = { most: ASKED.slowdown };

/** A minute in which the primary answers nothing but 503, and nobody else may answer. */
export async function outage(sizes: CapacitySizes["outage"], run: Run): Promise<CapacityRow> {
  const { tasks, calls, requestsPerMinute, after, forMs } = sizes;
  const found = await play(
    {
      provider: {
        ...oneRoute(requestsPerMinute, BUCKET),
        faults: [parseFault(`outage:offline-large,for=${forMs}ms,after=${after}`)],
      },
      settings: limits(requestsPerMinute),
      jobs: [{ kind: "load", crowds: [{ name: "task", tasks, calls }], admission: "primary-only" }],
      longestMinutes: patienceOf((tasks * calls) / requestsPerMinute + forMs / 60_000),
    },
    run,
  );
  const { http, counters, finished } = found;
  return {
    ...rowOf("outage", found),
    figures: [
      figure("tasks finished", finished / tasks, "share", { least: ASKED.outageFinished }),
      // What the quota let in was answered with 200; what a fault struck never got there.
      figure("requests without a 200", http - counters["offline-large"].admitted, "count", {
        most: ASKED.outageWasted,
      }),
      figure("requests", http, "count"),
      figure(
        "minutes, of those at the whole quota",
        minutesOf(found.calls) / ((tasks * calls) / requestsPerMinute),
        "ratio",
      ),
    ],
  };
}

/** More work than one quota takes, and a second route with a quota of its own. */
export async function spill(sizes: CapacitySizes["spill"], run: Run): Promise<CapacityRow> {
  const { tasks, calls, requestsPerMinute, fallbackRequestsPerMinute, spillMs } = sizes;
  const both = requestsPerMinute + fallbackRequestsPerMinute;
  const { quotas, behaviours } = oneRoute(requestsPerMinute, BUCKET);
  const found = await play(
    {
      provider: {
        quotas: { ...quotas, "offline-small": { requestsPerMinute: fallbackRequestsPerMinute, inFlight: Infinity } },
        behaviours: { ...behaviours, "offline-small": BUCKET },
      },
      settings: {
        ...limits(requestsPerMinute),
        BULKHEAD_FALLBACK_MODEL: "offline-small",
        BULKHEAD_FALLBACK_REQUESTS_PER_MINUTE: String(fallbackRequestsPerMinute),
        BULKHEAD_FALLBACK_IN_FLIGHT: IN_FLIGHT,
        BULKHEAD_SPILL_MS: String(spillMs),
      },
      jobs: [{ kind: "load", crowds: [{ name: "task", tasks, calls }] }],
      longestMinutes: patienceOf((tasks * calls) / both),
    },
    run,
  );
  const { "offline-large": large, "offline-small": small } = found.counters;
  const row = quotaRowOf({ tasks, calls, requestsPerMinute: both, ...run }, found);
  return {
    ...rowOf("spill", found),
    figures: [
      figure("steady goodput, of both quotas", row.steady, "ratio", { least: ASKED.spillGoodput }),
      figure("goodput with ramp and tail", row.goodput, "ratio"),
      figure("tasks finished", found.finished / tasks, "share", { exactly: 1 }),
      figure("answers of the fallback", small.admitted / Math.max(1, large.admitted + small.admitted), "share"),
      figure("429s", large.refused + small.refused, "count", { exactly: 0 }),
    ],
  };
}

/** A run so short that finding out how much may be used is a good part of it. */
export async function short(sizes: CapacitySizes["short"], run: Run): Promise<CapacityRow> {
  const { tasks, calls, requestsPerMinute } = sizes;
  const found = await play(
    {
      provider: oneRoute(requestsPerMinute, BUCKET),
      settings: limits(requestsPerMinute),
      jobs: [{ kind: "load", crowds: [{ name: "task", tasks, calls }] }],
      longestMinutes: patienceOf((tasks * calls) / requestsPerMinute),
    },
    run,
  );
  const { goodput, steady, rateLimited } = quotaRowOf({ tasks, calls, requestsPerMinute, ...run }, found);
  return {
    ...rowOf("short", found),
    figures: [
      figure("goodput", goodput, "ratio", { least: ASKED.shortGoodput }),
      figure("steady goodput", steady, "ratio"),
      figure("tasks finished", found.finished / tasks, "share", { exactly: 1 }),
      figure("429s", rateLimited, "count", { exactly: 0 }),
    ],
  };
}

const limits = (requestsPerMinute: number): Readonly<Record<string, string>> => ({
  BULKHEAD_REQUESTS_PER_MINUTE: String(requestsPerMinute),
  BULKHEAD_IN_FLIGHT: IN_FLIGHT,
});

const oneRoute = (requestsPerMinute: number, behaviour: ProviderBehaviour) => ({
  quotas: { "offline-large": { requestsPerMinute, inFlight: Infinity } },
  behaviours: { "offline-large": behaviour },
});

/** Simulated minutes from the first call to the last end of one. */
function minutesOf(calls: readonly CrowdCall[]): number {
  const began = calls.reduce((earliest, { from }) => Math.min(earliest, from), Infinity);
  const ended = calls.reduce((latest, { to }) => Math.max(latest, to), -Infinity);
  return calls.length === 0 ? 0 : (ended - began) / 60_000;
}

/** The row that the benchmark of the quota would make of it. */
function quotaRowOf(
  { tasks, calls, requestsPerMinute, scale, seed }: Omit<QuotaScenario, "provider" | "harness">,
  { calls: records, finished, failures, cut, lateMs, counters }: Found,
): QuotaRow {
  const scenario: QuotaScenario = {
    ...{ provider: "bucket-5s", harness: "bulkhead" },
    ...{ tasks, calls, requestsPerMinute, scale, seed },
  };
  return measure(
    scenario,
    { calls: records, finished, deaths: failures, cut: cut !== undefined, lateMs: lateMs / scale },
    counters["offline-large"],
  );
}

/** What all rows say beside their figures. */
export function rowOf(name: string, ...plays: readonly (Found | undefined)[]): Omit<CapacityRow, "figures"> {
  const found = plays.filter((each) => each !== undefined);
  const cut = found.find((each) => each.cut !== undefined)?.cut;
  return {
    name,
    lateMs: Math.max(...found.map(({ lateMs }) => lateMs)),
    failures: Object.assign({}, ...found.map(({ failures }) => failures)),
    ...(cut === undefined ? {} : { cut }),
  };
}
