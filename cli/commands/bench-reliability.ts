// `bulkhead bench reliability`: Bulkhead beside the prebuilt agents of LangChain, in fair weather and foul.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { HarnessName, Row } from "../../lab/bench/reliability/index.js";
import { UsageError } from "../exit.js";
import { command, wholeNumber, wholeNumbers, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { table } from "../text.js";

interface ReliabilityOptions {
  readonly tasks: readonly number[];
  readonly scenario?: string;
  readonly harness?: string;
  readonly seed: string;
  readonly scale?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Adds it to `bulkhead bench`. */
export const reliabilityCommand = (terminal: Terminal): Command =>
  withJson(
    command("reliability", "run Bulkhead and prebuilt agents side by side, in fair weather and foul", [
      "bulkhead bench reliability",
      "bulkhead bench reliability --scenario outage,crash --out report",
      "bulkhead bench reliability --tasks 25,100 --harness deep-agent,bulkhead --json",
    ]),
  )
    .option("--tasks <numbers>", "how many tasks at a time; several numbers: one set of rows each", wholeNumbers, [25])
    .option("--scenario <names>", "only these (default: all of them)")
    .option("--harness <names>", "only these: create-agent, deep-agent, bulkhead (default: all three)")
    .option("--seed <number>", "of the provider: latencies, faults, its other users", wholeNumber, "0")
    .option("--scale <number>", "how many times as fast time runs (default: eight calls a real second)", wholeNumber)
    .option("--out <folder>", "write reliability.json and reliability.html there")
    .addHelpText(
      "after",
      "\nThe model is the offline one, over HTTP and in scaled time: nothing is paid for. All scenarios with 25 tasks take about a quarter of an hour.",
    )
    .action((options: ReliabilityOptions) => reliability(options, terminal));

const listOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");

function known<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
): readonly Name[] {
  if (given === undefined) return names;
  const stranger = listOf(given).find((each) => !names.some((name) => name === each));
  if (stranger !== undefined)
    throw new UsageError(`--${option} ${stranger} is unknown. There are: ${names.join(", ")}.`);
  return names.filter((name) => listOf(given).includes(name));
}

async function reliability(options: ReliabilityOptions, terminal: Terminal): Promise<void> {
  const { benchReliability, HARNESSES, reliabilityPage, SCENARIOS } = await import(
    "../../lab/bench/reliability/index.js"
  );
  if (Number(options.scale ?? 1) === 0) throw new UsageError("--scale must be 1 or more.");
  const scenarios = known(
    "scenario",
    options.scenario,
    SCENARIOS.map(({ name }) => name),
  );
  const harnesses: readonly HarnessName[] = known("harness", options.harness, HARNESSES);
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() =>
    aborting.abort(new Error("interrupted; what was written is removed")),
  );
  try {
    const rows = await benchReliability({
      ...{ tasks: options.tasks, scenarios, harnesses, seed: Number(options.seed), signal: aborting.signal },
      ...(options.scale === undefined ? {} : { scale: Number(options.scale) }),
      onCell: (cell) => {
        if (terminal.interactive) terminal.err(`${cell.scenario}, ${cell.harness}, ${cell.tasks} tasks`);
      },
    });
    if (options.out !== undefined) {
      const folder = resolve(terminal.cwd, options.out);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "reliability.json"), `${JSON.stringify(rows, null, 2)}\n`);
      const when = new Date().toISOString().slice(0, 16).replace("T", " ");
      const cores = `Measured on ${when} UTC, seed ${options.seed}, Node ${process.version}`;
      writeFileSync(join(folder, "reliability.html"), reliabilityPage(rows, cores));
      terminal.err(`Written: ${join(options.out, "reliability.json")}, ${join(options.out, "reliability.html")}`);
    }
    terminal.out(options.json ? JSON.stringify(rows, null, 2) : (await linesOf(rows)).join("\n"));
  } finally {
    stopListening();
  }
}

/** A table for each number of tasks, and what was not right in words. */
async function linesOf(rows: readonly Row[]): Promise<string[]> {
  const { FIGURES } = await import("../../lab/bench/reliability/index.js");
  return [...new Set(rows.map(({ tasks }) => tasks))].flatMap((tasks) => [
    `${tasks} tasks`,
    "",
    ...table([
      ["scenario", "harness", ...FIGURES.map(({ title }) => title)],
      ...rows
        .filter((row) => row.tasks === tasks)
        .map((row) => [row.scenario, row.harness, ...FIGURES.map(({ text }) => text(row))]),
    ]),
    "",
  ]);
}
