// The weather that the harnesses are measured in: what the provider does, when tasks come, and whether the process dies.
// All of it follows from the scenario's name, the number of tasks and the seed.

import { type Fault, type Outsider, type ProviderBehaviour, parseFault } from "../../../models/index.js";

/** One kind of weather. */
export interface Scenario {
  readonly name: string;
  /** One line for the reader of the report. */
  readonly description: string;
  /** How many of the provider's quota's calls the tasks come with, if each makes {@link CALLS_PER_TASK}. `"at-once"`: all at the same time. */
  readonly arrivals: number | "at-once";
  /** Changes to {@link BEHAVIOUR}, for both models. */
  readonly behaviour?: ProviderBehaviour;
  /** Who else uses the primary model's quota. Default: nobody. */
  readonly outsider?: Outsider;
  /** Faults for so many tasks. */
  faults?(tasks: number): readonly Fault[];
  /** How often the process is killed. Default 0. */
  readonly kills?: number;
}

/** About what a task of `TASKS` takes, on average over the harnesses. */
const CALLS_PER_TASK = 4;

/** An ordinary provider: two seconds an answer, a bucket with five seconds of burst, refused requests count. */
export const BEHAVIOUR: ProviderBehaviour = {
  countRefused: true,
  latency: { medianMs: 2_000, p99Ms: 6_000 },
  networkJitter: { minMs: 50, maxMs: 150 },
};

/** All scenarios, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "quiet", description: "tasks come at half of the quota, nothing goes wrong", arrivals: 0.5 },
  { name: "saturated", description: "all tasks at once: several times the quota", arrivals: "at-once" },
  {
    name: "storm",
    description: "all tasks at once, no hint in any 429, and 15 s in which everything is a 429",
    arrivals: "at-once",
    behaviour: { retryHint: "none", rateLimitHeaders: false },
    faults: (tasks) => [parseFault(`rate-limit-no-header:offline-large,for=15s,after=${tasks}`)],
  },
  {
    name: "outage",
    description: "the primary model answers 503 for two minutes; the fallback is weaker",
    arrivals: 0.5,
    faults: (tasks) => [parseFault(`outage:offline-large,for=2m,after=${Math.ceil(tasks / 2)}`)],
  },
  {
    name: "server-errors",
    description: "15 % of requests get a 500",
    arrivals: 0.5,
    faults: () => [parseFault("server-error,rate=0.15")],
  },
  {
    name: "slow-tail",
    description: "5 % of answers take twenty times as long, most of them longer than half a minute",
    arrivals: 0.5,
    behaviour: { latency: { medianMs: 2_000, p99Ms: 6_000, tail: { share: 0.05, factor: 20 } } },
  },
  {
    name: "neighbour",
    description: "all tasks at once, and somebody else uses 30 % of the primary's quota",
    arrivals: "at-once",
    outsider: { share: 0.3, arrivals: "poisson" },
  },
  {
    name: "crash",
    description: "the process is killed three times, each time right after an action was done; it is started again",
    arrivals: 0.5,
    kills: 3,
  },
];

/** What the provider allows for so many tasks, in requests a minute: five for each, from 60 to 500. */
export const quotaOf = (tasks: number): number => Math.min(500, Math.max(60, 5 * tasks));

/** When each task comes, in milliseconds after the start. */
export function arrivalsOf({ arrivals }: Scenario, tasks: number): readonly number[] {
  if (arrivals === "at-once") return Array<number>(tasks).fill(0);
  const gapMs = (CALLS_PER_TASK * 60_000) / (arrivals * quotaOf(tasks));
  return Array.from({ length: tasks }, (_, index) => index * gapMs);
}
