// Prints the rows into docs/providers.md, so that the page says what the tests have seen. `npx tsx test/wire/page.ts`
// rewrites it after rows have changed; a test fails until then.

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { WireExpectation, WireRow } from "./row.js";
import { rows } from "./rows/index.js";

const PAGE = resolve(import.meta.dirname, "../../docs/providers.md");
const BEGIN = "<!-- The table is made from test/wire/rows: npx tsx test/wire/page.ts -->";
const END = "<!-- end of the table -->";

/** What stands in the page between its two marks. */
export const printed = (): string => between(readFileSync(PAGE, "utf8"))[1];

/** What should stand there. */
export function table(): string {
  const byFamily = [...rows].sort((left, right) => order(left.family).localeCompare(order(right.family)));
  const lines = byFamily.map(
    (row) => `| ${[row.family, row.behaviour, howOf(row), verdictOf(row)].map(cell).join(" | ")} |`,
  );
  return ["", "| server | what it does | answer | what Bulkhead does |", "|---|---|---|---|", ...lines, ""].join("\n");
}

const order = (family: string): string => (family === "any" ? "" : family.toLowerCase());
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const howOf = ({ streamed }: WireRow): string => (streamed === "both" ? "both" : streamed ? "streamed" : "whole");

function verdictOf(row: WireRow): string {
  const { expect: verdict, replies, fallback } = row;
  const requests = verdict.requests ?? replies.length;
  const parts = [
    ...(verdict.pauses ?? []).map((pause) =>
      pause === "guess" ? "pauses the quota for a guess" : `pauses the quota ${pause / 1000} s`,
    ),
    ...(requests > 1 && row.task === undefined ? [`asks ${requests} times`] : []),
    ...((verdict.fallbackRequests ?? fallback?.length ?? 0) > 0 ? ["asks the fallback"] : []),
    ...(verdict.breaker === "open" ? ["remembers the route as dead"] : []),
    ...(verdict.ran === undefined || verdict.ran.length === 0 ? [] : [`runs ${verdict.ran.map(code).join(", ")}`]),
    endOf(row, verdict),
    ...(verdict.note === undefined ? [] : [verdict.note]),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function endOf(row: WireRow, { error, asks, toolCalls, route, label }: WireExpectation): string {
  if (error !== undefined) {
    const kind = [error.code, error.reason].filter((part) => part !== undefined);
    return `${row.task === undefined ? "fails" : "the run fails"}${kind.length === 0 ? "" : ` (${kind.map(code).join(", ")})`}: “${error.says}”`;
  }
  if (asks) return "asks a person";
  const lowered = Object.entries(label ?? {}).filter(([, rank]) => typeof rank === "number" && rank < 3);
  const mark = lowered.length === 0 ? "" : `, ${lowered.map(([axis, rank]) => `${axis} ${rank}`).join(", ")}`;
  const who = route === "fallback" ? "the fallback answers" : row.task === undefined ? "answers" : "the run finishes";
  return `${who}${toolCalls?.length ? ` with ${toolCalls.map(({ name }) => code(name)).join(", ")}` : ""}${mark}`;
}

const code = (text: string): string => `\`${text}\``;

function between(page: string): readonly [string, string, string] {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${PAGE} has lost the marks around its table`);
  return [page.slice(0, from + BEGIN.length), page.slice(from + BEGIN.length, to), page.slice(to)];
}

if (process.argv[1] === import.meta.filename) {
  const [before, , after] = between(readFileSync(PAGE, "utf8"));
  writeFileSync(PAGE, `${before}\n${table()}\n${after}`);
}
