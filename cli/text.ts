// Small pieces of text that several commands print: labels, durations, numbers, calls, tables. Pure; colour comes
// in as a style, so that the same lines can be plain.

import { styleText } from "node:util";
import { visible } from "../nodes/view.js";
import type { Deficit } from "../trust/index.js";
import { AXES, type Label, type Rank } from "../trust/label.js";

/** How text may be set apart. Every function returns its argument unchanged when there is no colour. */
export interface Style {
  dim(text: string): string;
  bold(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

const same = (text: string): string => text;

/** No colour. */
export const PLAIN: Style = { dim: same, bold: same, good: same, warn: same, bad: same };

/** ANSI colours. */
export const COLOURED: Style = {
  dim: (text) => styleText("dim", text),
  bold: (text) => styleText("bold", text),
  good: (text) => styleText("green", text),
  warn: (text) => styleText("yellow", text),
  bad: (text) => styleText("red", text),
};

const BARS: Readonly<Record<Rank, string>> = { 3: "▇", 2: "▅", 1: "▃", 0: "▁" };

/** The four ranks as four bars, in the order of {@link AXES}: `▅▇▇▇`. */
export const barsOf = (label: Label): string => AXES.map((axis) => BARS[label[axis]]).join("");

/** `integrity 2, fidelity 1`: the axes below nominal; `nominal` when there are none. */
export const describeLabel = (label: Label): string =>
  AXES.filter((axis) => label[axis] < 3)
    .map((axis) => `${axis} ${label[axis]}`)
    .join(", ") || "nominal";

/** `integrity 2 below 3, fidelity 1 below 3` */
export const describeDeficits = (deficits: readonly Deficit[]): string =>
  deficits.map(({ axis, rank, floor }) => `${axis} ${rank} below ${floor}`).join(", ");

/** `0.4 s`, `12 s`, `3 min` */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** `1 call`, `2 calls` */
export const count = (amount: number, noun: string): string =>
  `${amount.toLocaleString("en-US")} ${noun}${amount === 1 ? "" : "s"}`;

/** Cuts to `width` characters and puts it on one line. */
export function cut(text: string, width: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line;
}

/** A tool call in passing: lists and objects as their size, cut to `width` characters. */
export function callInShort(tool: string, args: Readonly<Record<string, unknown>> | undefined, width: number): string {
  if (args === undefined) return tool;
  const short = Object.entries(args).map(([name, value]) => {
    if (typeof value !== "object" || value === null)
      return `${visible(name)}: ${visible(JSON.stringify(value) ?? "undefined")}`;
    return `${visible(name)}: ${Array.isArray(value) ? `[${value.length}]` : "{…}"}`;
  });
  return cut(`${visible(tool)}(${short.join(", ")})`, width);
}

/** A word for a shell: quoted when it has to be. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Rows as columns, two blanks between, each as wide as its widest cell. The last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "),
  );
}
