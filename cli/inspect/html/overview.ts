// The record at a glance: the trust of each axis from the first line to the last, what capacity did, what the gate
// said. Drawn as SVG whose places are shares of the width, so that it needs neither a script nor inline styles.

import { AXES, type Axis, type Label, meet, type Rank, TOP } from "../../../trust/index.js";
import type { Tone } from "../describe.js";
import { html, type Markup } from "./markup.js";
import type { Row } from "./rows.js";

/** The height of an axis, and the distance between two ranks, in pixels. */
const HEIGHT = 30;
const RANK = 8;

/** How many marks a strip has at most. What falls into one is told together. */
const BINS = 120;

/** What an axis did: where it fell, and to what. */
interface Fall {
  readonly row: Row;
  readonly from: Rank;
  readonly to: Rank;
}

/** The chart. `rows` in the order of recording. */
export function overviewOf(rows: readonly Row[], trust: Label): Markup {
  const place = (row: Row): number => (rows.length < 2 ? 0 : (row.index / (rows.length - 1)) * 100);
  const decisions = rows.filter(({ kind, tone }) => kind === "gate.decision" && (tone === "warn" || tone === "bad"));
  return html`<section class="overview" aria-labelledby="overview-title">
<h2 id="overview-title">Trust, from the first line to the last</h2>
<div class="axes">${AXES.map((axis) => axisOf(axis, fallsOf(axis, rows), trust[axis], place))}
${stripOf("limits", rows.filter(isLimit), place, "waits, rate limits, retries, fallbacks")}
${stripOf("gate", rows.filter(isGate), place, "verdicts, approvals, effects")}</div>
<p class="hint">3 is nominal, 0 the worst; trust never rises. ${decisions.length === 0 ? "Nothing was asked or blocked." : ""}</p>
</section>`;
}

const isLimit = ({ kind, tone }: Row): boolean => (kind === "capacity" && tone !== "dim") || kind === "admission";

const isGate = ({ kind }: Row): boolean =>
  kind === "gate.decision" || kind === "effect" || kind.startsWith("approval.");

function fallsOf(axis: Axis, rows: readonly Row[]): readonly Fall[] {
  let before = TOP;
  return rows.flatMap((row) => {
    const after = meet(before, row.trust ?? TOP);
    const fall = after[axis] < before[axis] ? [{ row, from: before[axis], to: after[axis] }] : [];
    before = after;
    return fall;
  });
}

const heightOf = (rank: Rank): number => 3 + (3 - rank) * RANK;

const shareOf = (value: number): string => `${Math.round(value * 100) / 100}%`;

function axisOf(axis: Axis, falls: readonly Fall[], rank: Rank, place: (row: Row) => number): Markup {
  const told = falls.map(({ row, from, to }) => `fell from ${from} to ${to} ${whereOf(row)}`).join("; ");
  const steps = falls.map(({ row }, index) => ({ from: place(row), to: index + 1, rank: falls[index]?.to ?? rank }));
  const starts = [{ from: 0, rank: (falls[0]?.from ?? 3) as Rank }, ...steps];
  return html`<div class="axis rank-${rank}"><span class="name" id="axis-${axis}">${axis}</span>
<svg height="${HEIGHT}" role="group" aria-label="${axis}: ${told || "did not fall"}">
<line class="nominal" x1="0" x2="100%" y1="3" y2="3"/>
${starts.map(
  (
    { from, rank: at },
    index,
  ) => html`<rect class="under" x="${shareOf(from)}" width="${shareOf((starts[index + 1]?.from ?? 100) - from)}" y="${heightOf(at)}" height="${HEIGHT - heightOf(at)}"/>
<line class="level" x1="${shareOf(from)}" x2="${shareOf(starts[index + 1]?.from ?? 100)}" y1="${heightOf(at)}" y2="${heightOf(at)}"/>`,
)}
${falls.map(
  ({ row, from, to }) =>
    html`<a href="#e${row.index}" aria-label="${axis} ${from} to ${to} ${whereOf(row)}"><line class="level" x1="${shareOf(place(row))}" x2="${shareOf(place(row))}" y1="${heightOf(from)}" y2="${heightOf(to)}"/><circle cx="${shareOf(place(row))}" cy="${heightOf(to)}" r="4.5"/><title>${whereOf(row)}: ${row.text}</title></a>`,
)}
</svg><span class="rank">${falls.length === 0 ? rank : html`<s>3</s> ${rank}`}</span></div>`;
}

const whereOf = ({ step, node }: Row): string => `at step ${step ?? "?"}${node === undefined ? "" : `, ${node}`}`;

const WORST: readonly (Tone | undefined)[] = ["dim", undefined, "good", "warn", "bad"];

/** A strip of marks. Lines that lie too close to be told apart share one. */
function stripOf(name: string, rows: readonly Row[], place: (row: Row) => number, what: string): Markup {
  const bins = new Map<number, Row[]>();
  for (const row of rows) {
    const bin = Math.min(BINS - 1, Math.floor((place(row) / 100) * BINS));
    bins.set(bin, [...(bins.get(bin) ?? []), row]);
  }
  const most = Math.max(...[...bins.values()].map(({ length }) => length));
  const marks = [...bins].map(([bin, [first, ...more]]) => {
    if (first === undefined) return undefined;
    const tone = [first, ...more]
      .map((row) => row.tone)
      .toSorted((left, right) => WORST.indexOf(right) - WORST.indexOf(left))[0];
    const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
    const height = Math.round(5 + (7 * (more.length + 1)) / most);
    return html`<a href="#e${first.index}" tabindex="-1"><rect class="mark ${tone ?? ""}" x="${shareOf((bin / BINS) * 100)}" y="${13 - height}" width="0.6%" height="${height}"/><title>${whereOf(first)}: ${first.text}${others}</title></a>`;
  });
  return html`<div class="axis strip"><span class="name">${name}</span>
<svg height="14" role="img" aria-label="${name}: ${rows.length} lines (${what})"><line class="nominal" x1="0" x2="100%" y1="13" y2="13"/>${marks}</svg><span class="rank">${rows.length}</span></div>`;
}
