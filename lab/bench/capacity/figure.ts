// What the benchmark of the capacity layer reports: figures, each beside what was asked for. A figure that misses is marked
// and nothing else happens: it is a report, no test.

/** How a figure is counted. `share` is of 1; `ratio` is one quantity against another; `ms` and `s` may be simulated. */
export type FigureUnit = "share" | "ratio" | "count" | "s" | "ms";

/** What is asked of a figure. */
export type Target = { readonly most: number } | { readonly least: number } | { readonly exactly: number };

/** One figure. */
export interface CapacityFigure {
  readonly what: string;
  readonly measured: number;
  readonly unit: FigureUnit;
  /** In words, for a person. Unset: nothing is asked, the figure explains the others. */
  readonly asked?: string;
  /** Whether it is not what was asked for. A figure that is no number misses every target. */
  readonly missed: boolean;
}

/** The figures of one row. */
export interface CapacityRow {
  readonly name: string;
  readonly figures: readonly CapacityFigure[];
  /**
   * How late the processes came to their timers, 99th percentile, in ms of the row's time. When that is long beside what
   * the row measures, the machine was too slow for this scale, and the row says little.
   */
  readonly lateMs: number;
  /** `overtime`: it took so long that it was ended. `interrupted`: the signal ended it, and its figures say nothing. */
  readonly cut?: "overtime" | "interrupted";
  /** Calls that failed, by the name of the error. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Makes a figure. */
export function figure(what: string, measured: number, unit: FigureUnit, target?: Target): CapacityFigure {
  if (target === undefined) return { what, measured, unit, missed: false };
  if ("most" in target) {
    return { what, measured, unit, asked: `≤ ${figureText(target.most, unit)}`, missed: !(measured <= target.most) };
  }
  if ("least" in target) {
    return { what, measured, unit, asked: `≥ ${figureText(target.least, unit)}`, missed: !(measured >= target.least) };
  }
  return { what, measured, unit, asked: figureText(target.exactly, unit), missed: measured !== target.exactly };
}

/** A figure as it is printed: `97.5 %`, `1.018`, `2,104`, `4.7 s`, `0.21 ms`. */
export function figureText(value: number, unit: FigureUnit): string {
  switch (unit) {
    case "share":
      return `${Number((value * 100).toFixed(1))} %`;
    case "ratio":
      return value.toFixed(3);
    case "count":
      return value.toLocaleString("en-US");
    case "s":
      return `${value.toFixed(1)} s`;
    case "ms":
      return `${value.toFixed(2)} ms`;
  }
}
