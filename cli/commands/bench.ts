// `bulkhead bench recorder`: what recording costs in time and in bytes, measured on this machine.

import { Command } from "commander";
import type { RecorderFound } from "../../lab/bench/index.js";
import { UsageError } from "../exit.js";
import { command, wholeNumber, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { table } from "../text.js";
import { capacityBenchCommand } from "./bench-capacity.js";
import { overheadCommand } from "./bench-overhead.js";
import { quotaBenchCommand } from "./bench-quota.js";
import { reliabilityCommand } from "./bench-reliability.js";

interface RecorderOptions {
  readonly steps: string;
  readonly promptBytes: string;
  readonly latencyMs: string;
  readonly rounds: string;
  readonly db?: string;
  readonly json?: boolean;
}

export const benchCommand = (terminal: Terminal): Command =>
  new Command("bench")
    .description("measure what the harness costs")
    .addCommand(
      withJson(
        command("recorder", "measure an agent loop with the recorder on and off, in turns", [
          "bulkhead bench recorder",
          "bulkhead bench recorder --rounds 5 --json",
          "bulkhead bench recorder --db postgres://postgres@127.0.0.1:5432/test",
        ]),
      )
        .option("--steps <number>", "planner turns, each with a model call and a tool call", wholeNumber, "50")
        .option("--prompt-bytes <number>", "size of the agent's instructions", wholeNumber, "4096")
        .option(
          "--latency-ms <number>",
          "how long the model takes to answer; 0 is measured as well",
          wholeNumber,
          "300",
        )
        .option("--rounds <number>", "runs with the recorder, and as many without it", wholeNumber, "3")
        .option("--db <url>", "beside this SQLite file, or on this Postgres server (default: a temporary directory)")
        .addHelpText(
          "after",
          "\nThe model is the offline one: nothing is paid for. What is written is removed afterwards.",
        )
        .action((options: RecorderOptions) => recorder(options, terminal)),
    )
    .addCommand(quotaBenchCommand(terminal))
    .addCommand(capacityBenchCommand(terminal))
    .addCommand(reliabilityCommand(terminal))
    .addCommand(overheadCommand(terminal));

async function recorder(options: RecorderOptions, terminal: Terminal): Promise<void> {
  const { steps, promptBytes, latencyMs, rounds, db, json = false } = options;
  for (const [name, value] of Object.entries({ steps, rounds })) {
    if (Number(value) === 0) throw new UsageError(`--${name} must be 1 or more.`);
  }
  if (db === "memory:") throw new UsageError("memory: has no size to measure. Write sqlite:PATH or postgres://….");
  const { benchRecorder } = await import("../../lab/bench/index.js");
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() =>
    aborting.abort(new Error("interrupted; what was written is removed")),
  );
  try {
    const found = await benchRecorder({
      turns: Number(steps),
      promptBytes: Number(promptBytes),
      latenciesMs: [...new Set([Number(latencyMs), 0])],
      rounds: Number(rounds),
      ...(db === undefined ? {} : { database: db }),
      signal: aborting.signal,
      onRun: ({ latencyMs, round, recorder }) => {
        if (!terminal.interactive) return;
        terminal.err(`latency ${latencyMs} ms, round ${round} of ${rounds}, recorder ${recorder ? "on" : "off"}`);
      },
    });
    terminal.out(json ? JSON.stringify(found, null, 2) : linesOf(found).join("\n"));
  } finally {
    stopListening();
  }
}

const MIB = 1024 * 1024;
const milliseconds = (ms: number): string => `${ms.toFixed(2)} ms`;
const whole = (number: number): string => Math.round(number).toLocaleString("en-US");

function linesOf({ turns, promptBytes, rounds, times, size }: RecorderFound): string[] {
  const kinds = Object.entries(size.kinds).map(([kind, count]) => `${kind} ${count}`);
  const tables = Object.entries(size.tables).map(([name, bytes]) => `${name} ${whole(bytes)}`);
  return [
    `${turns} turns, instructions of ${whole(promptBytes)} bytes, ${rounds} rounds each, on and off in turns`,
    "",
    ...table([
      ["model latency", "turn on", "turn off", "difference", "share", "processor", "append, median", "append, p99"],
      ...times.map((time) => [
        `${time.latencyMs} ms`,
        milliseconds(time.turnOnMs),
        milliseconds(time.turnOffMs),
        milliseconds(time.differenceMs),
        `${(time.share * 100).toFixed(1)} %`,
        milliseconds(time.processorMs),
        milliseconds(time.appendMedianMs),
        milliseconds(time.appendP99Ms),
      ]),
    ]),
    "",
    ...table([
      ["recording", `${whole(size.bytes)} bytes (${(size.bytes / MIB).toFixed(2)} MiB) for the loop`],
      ["per turn", `${whole(size.bytesPerTurn)} bytes, ${size.eventsPerTurn.toFixed(1)} events`],
      ["per superstep", `${whole(size.bytesPerSuperstep)} bytes, of ${size.supersteps} supersteps`],
      ["tables", tables.join(", ")],
      ["events", kinds.join(", ")],
      ["requests as sent", `${whole(size.requestBytes)} bytes (${(size.requestBytes / MIB).toFixed(2)} MiB)`],
      ["rest of the journal", `${whole(size.otherBytes)} bytes, recorder on or off`],
    ]),
  ];
}
