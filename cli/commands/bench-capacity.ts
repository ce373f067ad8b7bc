// `bulkhead bench capacity`: what the capacity layer promises, measured on this machine and set beside what is asked of it.

import { type Command, InvalidArgumentError } from "commander";
import type { CapacityRow, CapacityRowName } from "../../lab/bench/capacity/index.js";
import { CommandError, UsageError } from "../exit.js";
import { command, redis, wholeNumber, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { table } from "../text.js";

interface CapacityOptions {
  readonly only?: readonly string[];
  readonly scale: string;
  readonly redis?: string;
  readonly seed: string;
  readonly json?: boolean;
}

/** Adds it to `bulkhead bench`. */
export const capacityBenchCommand = (terminal: Terminal): Command =>
  withJson(
    command("capacity", "measure fairness, an outage, a second route, and what calls share, beside what is asked", [
      "bulkhead bench capacity",
      "bulkhead bench capacity --only fairness,outage --scale 5",
      "bulkhead bench capacity --redis redis://127.0.0.1:6379 --json",
    ]),
  )
    .option(
      "--only <names>",
      "fairness, outage, spill, single-flight, nested, short, admission (default: all; the last with --redis)",
      names,
    )
    .option("--scale <number>", "how many times as fast as the machine's time runs", wholeNumber, "10")
    .option("--redis <url>", "Redis for what processes share (default: a temporary SQLite file)", redis)
    .option("--seed <number>", "latencies and network follow from it", wholeNumber, "0")
    .addHelpText(
      "after",
      "\nThe provider is a simulated one on loopback: nothing is paid for. Ctrl-C ends it; what was measured is printed.\n" +
        "At scale 10 all rows take about two minutes; below 6 the longest of them, outage, takes more than one by itself.",
    )
    .action((options: CapacityOptions) => capacity(options, terminal));

async function capacity(options: CapacityOptions, terminal: Terminal): Promise<void> {
  const { benchCapacity, CAPACITY_ROWS, REDIS_ROWS } = await import("../../lab/bench/capacity/index.js");
  const { only, redis: server, json = false } = options;
  const [scale, seed] = [Number(options.scale), Number(options.seed)];
  if (scale === 0) throw new UsageError("--scale must be 1 or more.");
  const stranger = only?.find((name) => !CAPACITY_ROWS.some((known) => known === name));
  if (stranger !== undefined) {
    throw new UsageError(`--only has no "${stranger}". Write one of ${CAPACITY_ROWS.join(", ")}, or several.`);
  }
  const needs = (name: CapacityRowName): boolean => REDIS_ROWS.includes(name) && server === undefined;
  const left = CAPACITY_ROWS.filter((name) => only === undefined && needs(name));
  const rows = CAPACITY_ROWS.filter((name) => (only === undefined ? !needs(name) : only.includes(name)));
  const needy = rows.find(needs);
  if (needy !== undefined) throw new UsageError(`${needy} needs a Redis. Add --redis redis://HOST:PORT.`);
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() => aborting.abort(new Error("interrupted")));
  try {
    const found = await benchCapacity({
      ...{ rows, scale, seed, signal: aborting.signal },
      ...(server === undefined ? {} : { redis: server }),
      onRow: (name) => {
        if (terminal.interactive) terminal.err(`${name}, ${rows.indexOf(name) + 1} of ${rows.length}`);
      },
    });
    if (found.length === 0) throw new CommandError("nothing was measured: it was interrupted before the first row.");
    const { figureText } = await import("../../lab/bench/capacity/index.js");
    const lines = found.flatMap((row) => cellsOf(row, figureText));
    const headline = `time x ${scale}, seed ${seed}; all times simulated, but those of single-flight and admission`;
    terminal.out(
      json
        ? JSON.stringify({ scale, seed, redis: server !== undefined, rows: found }, null, 2)
        : [headline, "", ...table([COLUMNS, ...lines]), ...notesOn(found, left)].join("\n"),
    );
  } finally {
    stopListening();
  }
}

const names = (value: string): readonly string[] => {
  const given = value.split(",").map((name) => name.trim());
  if (given.every((name) => name !== "")) return given;
  throw new InvalidArgumentError("Write names, with commas between: fairness,outage.");
};

const COLUMNS = ["row", "what", "measured", "asked for", "late ms", ""];

type FigureText = typeof import("../../lab/bench/capacity/index.js").figureText;

/** A line for each figure. */
const cellsOf = ({ name, figures, lateMs, cut }: CapacityRow, text: FigureText): string[][] =>
  figures.map(({ what, measured, unit, asked = "", missed }) => [
    name,
    what,
    text(measured, unit),
    asked,
    Math.round(lateMs).toLocaleString("en-US"),
    [...(cut === undefined ? [] : [cut]), ...(missed && cut !== "interrupted" ? ["missed"] : [])].join(", "),
  ]);

/** Simulated ms that a pacing limiter cannot be late without losing its pace at 500 requests a minute. */
const TOO_LATE_MS = 240;

function notesOn(rows: readonly CapacityRow[], left: readonly string[]): string[] {
  const failed = rows.filter(({ failures }) => Object.keys(failures).length > 0);
  const notes = [
    ...failed.map(({ name, failures }) => {
      const counts = Object.entries(failures).map(([error, count]) => `${count} ${error}`);
      return `${name}: calls failed: ${counts.join(", ")}.`;
    }),
    ...(rows.some(({ cut }) => cut === "interrupted") ? ["interrupted: those figures say nothing."] : []),
    ...(rows.some(({ cut }) => cut === "overtime") ? ["overtime: it took so long that it was ended."] : []),
    ...(rows.some(({ lateMs }) => lateMs > TOO_LATE_MS)
      ? [`late ms above ${TOO_LATE_MS}: this machine was too busy for this scale. Use a smaller --scale.`]
      : []),
    ...left.map((name) => `${name} was left out: it needs --redis redis://HOST:PORT.`),
  ];
  return notes.length === 0 ? [] : ["", ...notes];
}
