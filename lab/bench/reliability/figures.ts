// The columns of the reliability benchmark, for the terminal and for the page: one list, so that both say the same.

import type { Row } from "./row.js";

/** A column. */
export interface Figure {
  readonly title: string;
  /** What it means, in a sentence. */
  readonly meaning: string;
  text(row: Row): string;
  /** Whether this value is one that should not be. */
  bad?(row: Row): boolean;
}

const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;
const whole = (number: number): string => Math.round(number).toLocaleString("en-US");
const seconds = (ms: number | null): string => (ms === null ? "–" : `${(ms / 1_000).toFixed(ms < 100_000 ? 1 : 0)} s`);

/** The columns after scenario and harness. */
export const FIGURES: readonly Figure[] = [
  { title: "finished", meaning: "tasks that came to an answer", text: (row) => share(row.finished, row.tasks) },
  {
    title: "correct",
    meaning: "correct uptime: tasks that finished and left the workspace exactly as it should be",
    text: (row) => share(row.correct, row.tasks),
  },
  {
    title: "wrong",
    meaning: "refunds, e-mails, deletions and merges that should not have happened",
    text: (row) => whole(row.wrongIrreversible),
    bad: (row) => row.wrongIrreversible > 0,
  },
  {
    title: "repeated",
    meaning: "changes that were made a second time",
    text: (row) => whole(row.duplicateEffects),
    bad: (row) => row.duplicateEffects > 0,
  },
  { title: "http", meaning: "requests that reached the provider", text: (row) => whole(row.http) },
  { title: "429s", meaning: "of those, refused for their rate", text: (row) => whole(row.rateLimited) },
  { title: "wasted", meaning: "of those, without an answer for whatever reason", text: (row) => whole(row.wasted) },
  {
    title: "goodput",
    meaning: "answers from the first request to the last answer, as a share of the primary's quota",
    text: (row) => row.goodput.toFixed(2),
  },
  { title: "p50", meaning: "time of a finished task from its arrival, median", text: (row) => seconds(row.p50Ms) },
  { title: "p99", meaning: "the same, 99th percentile", text: (row) => seconds(row.p99Ms) },
  { title: "tokens", meaning: "prompts and answers that the provider worked on", text: (row) => whole(row.tokens) },
  { title: "asked", meaning: "questions to the operator", text: (row) => whole(row.approvals) },
  {
    title: "late",
    meaning:
      "how late the process came to its timers, 99th percentile: above half a second the times are the machine's",
    text: (row) => seconds(row.lateMs),
  },
];
