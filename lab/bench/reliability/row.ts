// What a cell of the reliability benchmark comes to: one row of figures, from what became of each task and what the
// provider saw.

import { quantile } from "../statistics.js";
import type { HarnessName, Report } from "./order.js";
import type { Task } from "./tasks.js";
import type { TrafficCounts } from "./traffic.js";
import type { Judgement } from "./workspace.js";

/** What came of a cell. Times are in its milliseconds. */
export interface Row {
  readonly scenario: string;
  readonly harness: HarnessName;
  readonly tasks: number;
  /** Tasks that came to an answer. */
  readonly finished: number;
  /** Finished, and the workspace is as it should be: correct uptime, as a number of tasks. */
  readonly correct: number;
  /** Refunds, e-mails, deletions and merges that should not have happened. */
  readonly wrongIrreversible: number;
  /** Changes that were made again. */
  readonly duplicateEffects: number;
  /** Requests that reached the provider. */
  readonly http: number;
  readonly rateLimited: number;
  /** Requests that brought no answer. */
  readonly wasted: number;
  /** Answers in the time from the first request to the last answer, as a share of the primary's quota. */
  readonly goodput: number;
  /** Of the tasks that finished, from their arrival; null without any. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly tokens: number;
  /** How often the operator was asked. */
  readonly approvals: number;
  /** How long all of it took. */
  readonly minutes: number;
  /** How busy the process was: 1 is a whole core. */
  readonly processor: number;
  /** How late its timers came, 99th percentile. Above about 500 the times are those of the machine, not of the harness. */
  readonly lateMs: number;
  /** The largest of its processes when it ended, in MiB. */
  readonly memoryMiB: number;
  /** Why tasks did not finish, the most frequent reason first. */
  readonly errors: readonly { readonly message: string; readonly count: number }[];
  /** What was not right, by task. */
  readonly faults: readonly { readonly task: string; readonly count: number; readonly example: string }[];
}

/** What became of a task. */
export interface Outcome {
  readonly task: Task;
  readonly judgement: Judgement;
  /** Unset: it was still under way at the end. */
  readonly report: Extract<Report, { kind: "ended" }> | undefined;
  /** From its arrival to its end. */
  readonly ms: number;
}

interface Around extends Pick<TrafficCounts, "http" | "answered" | "rateLimited" | "spanMs"> {
  /** The primary's quota. */
  readonly requestsPerMinute: number;
  readonly tokens: number;
  readonly approvals: number;
}

/** The figures. Pure. */
export function rowOf(outcomes: readonly Outcome[], around: Around) {
  const { http, answered, rateLimited, spanMs, requestsPerMinute, tokens, approvals } = around;
  const finished = outcomes.filter(({ report }) => report?.finished === true);
  const times = finished.map(({ ms }) => ms);
  const sum = (of: (judgement: Judgement) => number) =>
    outcomes.reduce((total, { judgement }) => total + of(judgement), 0);
  const minutes = spanMs / 60_000;
  const unfinished = outcomes.filter((outcome) => !finished.includes(outcome));
  const wrong = outcomes.filter(({ judgement }) => !judgement.correct);
  return {
    finished: finished.length,
    correct: finished.filter(({ judgement }) => judgement.correct).length,
    wrongIrreversible: sum(({ wrongIrreversible }) => wrongIrreversible),
    duplicateEffects: sum(({ duplicates }) => duplicates),
    ...{ http, rateLimited, wasted: http - answered },
    goodput: minutes === 0 ? 0 : answered / (minutes * requestsPerMinute),
    p50Ms: times.length === 0 ? null : quantile(times, 0.5),
    p99Ms: times.length === 0 ? null : quantile(times, 0.99),
    ...{ tokens, approvals, minutes },
    errors: mostFrequent(unfinished.map(({ report }) => report?.error ?? "still under way at the end")).map(
      ({ item, count }) => ({ message: item, count }),
    ),
    faults: mostFrequent(wrong.map(({ task }) => task.name)).map(({ item, count }) => {
      const first = wrong.find(({ task }) => task.name === item);
      const said = first?.report?.error ?? first?.report?.answer ?? "";
      return { task: item, count, example: `[${first?.judgement.changes.join(", ")}] ${said}`.slice(0, 300) };
    }),
  };
}

function mostFrequent(items: readonly string[]): { readonly item: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].map(([item, count]) => ({ item, count })).toSorted((left, right) => right.count - left.count);
}
