// The report as one HTML file: charts that are tables, so that they can be read aloud, and all figures. It needs no network
// and no script.

import { FIGURES } from "./figures.js";
import { HARNESSES } from "./order.js";
import { STYLE } from "./page-style.js";
import type { Row } from "./row.js";
import { SCENARIOS } from "./scenarios.js";

interface Chart {
  readonly title: string;
  readonly note: string;
  value(row: Row): number;
  text(row: Row): string;
  /** The end of the scale. Default: the largest value. */
  readonly end?: number;
}

const percent = (number: number): string => `${(100 * number).toFixed(0)} %`;

const CHARTS: readonly Chart[] = [
  {
    title: "Correct uptime",
    note: "finished, and the workspace is exactly as it should be",
    value: (row) => row.correct / row.tasks,
    text: (row) => percent(row.correct / row.tasks),
    end: 1,
  },
  {
    title: "Wrong irreversible actions",
    note: "refunds, e-mails, deletions, merges that should not be",
    value: (row) => row.wrongIrreversible,
    text: (row) => String(row.wrongIrreversible),
  },
  {
    title: "Repeated effects",
    note: "changes that were made a second time",
    value: (row) => row.duplicateEffects,
    text: (row) => String(row.duplicateEffects),
  },
  {
    title: "Requests without an answer",
    note: "429s, 5xx and those given up, per task",
    value: (row) => row.wasted / row.tasks,
    text: (row) => (row.wasted / row.tasks).toFixed(1),
  },
  {
    title: "Questions to the operator",
    note: "per task; fewer is better while nothing wrong is done",
    value: (row) => row.approvals / row.tasks,
    text: (row) => (row.approvals / row.tasks).toFixed(2),
  },
  {
    title: "Median time of a task",
    note: "of those that finished",
    value: (row) => row.p50Ms ?? 0,
    text: (row) => (row.p50Ms === null ? "none finished" : `${(row.p50Ms / 1_000).toFixed(0)} s`),
  },
];

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const unique = <Item>(items: readonly Item[]): readonly Item[] => [...new Set(items)];

/** The page. `when` is shown as it is. */
export function reliabilityPage(rows: readonly Row[], when: string): string {
  const names = unique(rows.map(({ harness }) => harness));
  const scenarios = SCENARIOS.filter(({ name }) => rows.some((row) => row.scenario === name));
  const sections = unique(rows.map(({ tasks }) => tasks)).map((tasks) => {
    const of = rows.filter((row) => row.tasks === tasks);
    return `<section aria-labelledby="tasks-${tasks}"><h2 id="tasks-${tasks}">${tasks} tasks</h2>
<div class="charts">${CHARTS.map((chart) => chartOf(chart, of)).join("\n")}</div>
<h2>All figures, ${tasks} tasks</h2>${figuresOf(of, tasks)}</section>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Bulkhead: reliability, side by side</title><style>${STYLE}</style></head><body>
<header><h1>Reliability, side by side</h1>
<p class="quiet">${escaped(when)}. Same model brain, same tasks, same seed, same operator for all, against the offline provider over HTTP.
Times are the provider's, which runs faster than the wall clock.</p>
<ul class="key">${HARNESSES.filter((name) => names.includes(name))
    .map((name) => `<li><i class="${name}"></i>${name}</li>`)
    .join("")}</ul></header>
<main>${sections.join("\n")}
<h2>Scenarios</h2><dl>${scenarios.map(({ name, description }) => `<dt>${name}</dt><dd>${escaped(description)}</dd>`).join("")}</dl>
<h2>Columns</h2><dl>${FIGURES.map(({ title, meaning }) => `<dt>${title}</dt><dd>${escaped(meaning)}</dd>`).join("")}</dl></main>
<footer>Made by <code>bulkhead bench reliability</code>.</footer></body></html>
`;
}

function chartOf({ title, note, value, text, end }: Chart, rows: readonly Row[]): string {
  const most = end ?? Math.max(1e-9, ...rows.map(value));
  const bodies = unique(rows.map(({ scenario }) => scenario)).map((scenario) => {
    const of = rows.filter((row) => row.scenario === scenario);
    const lines = of.map((row, index) => {
      const size = ((62 * value(row)) / most).toFixed(1);
      const head = index === 0 ? `<th scope="rowgroup" rowspan="${of.length}">${scenario}</th>` : "";
      const bar = value(row) > 0 ? `<i class="${row.harness}" style="inline-size:${size}%"></i>` : "";
      return `<tr>${head}<th scope="row" class="hidden">${row.harness}</th><td><div class="bar">${bar}${text(row)}</div></td></tr>`;
    });
    return `<tbody>${lines.join("")}</tbody>`;
  });
  return `<div class="chart"><table><caption>${title}<small>${note}</small></caption>${bodies.join("")}</table></div>`;
}

function figuresOf(rows: readonly Row[], tasks: number): string {
  const heads = ["scenario", "harness", ...FIGURES.map(({ title }) => title)];
  const lines = rows.map((row) => {
    const cells = FIGURES.map(({ text, bad }) => `<td${bad?.(row) ? ' class="bad"' : ""}>${text(row)}</td>`);
    return `<tr><th scope="row">${row.scenario}</th><td>${row.harness}</td>${cells.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="All figures of ${tasks} tasks"><table class="figures">
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead><tbody>${lines.join("")}</tbody></table></div>`;
}
