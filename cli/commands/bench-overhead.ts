// `bulkhead bench overhead`: what the harness costs beside a plain LangGraph agent, measured on this machine.

import type { Command } from "commander";
import type { OverheadFound } from "../../lab/bench/overhead.js";
import { UsageError } from "../exit.js";
import { command, wholeNumber, wholeNumbers, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { table } from "../text.js";

interface OverheadOptions {
  readonly steps: string;
  readonly promptBytes: string;
  readonly rounds: string;
  readonly parked: readonly number[];
  readonly json?: boolean;
}

/** How many calls are left waiting. */
const QUEUED = [1_000, 10_000, 100_000];

/** Adds it to `bulkhead bench`. */
export const overheadCommand = (terminal: Terminal): Command =>
  withJson(
    command("overhead", "measure an agent loop beside LangGraph's own, and what calls and runs cost that wait", [
      "bulkhead bench overhead",
      "bulkhead bench overhead --rounds 5 --parked 1000,10000 --json",
    ]),
  )
    .option("--steps <number>", "turns, each with a model call and a tool call", wholeNumber, "50")
    .option("--prompt-bytes <number>", "size of the agent's instructions", wholeNumber, "4096")
    .option("--rounds <number>", "runs of each of the three", wholeNumber, "3")
    .option("--parked <numbers>", "runs that are parked and woken; a row for each number", wholeNumbers, [1_000])
    .addHelpText("after", "\nThe model is the offline one and answers at once. What is written is removed afterwards.")
    .action((options: OverheadOptions) => overhead(options, terminal));

async function overhead(
  { steps, promptBytes, rounds, parked, json }: OverheadOptions,
  terminal: Terminal,
): Promise<void> {
  for (const [name, value] of Object.entries({ steps, rounds })) {
    if (Number(value) === 0) throw new UsageError(`--${name} must be 1 or more.`);
  }
  const { benchOverhead } = await import("../../lab/bench/overhead.js");
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() =>
    aborting.abort(new Error("interrupted; what was written is removed")),
  );
  try {
    const found = await benchOverhead({
      ...{ turns: Number(steps), promptBytes: Number(promptBytes), rounds: Number(rounds) },
      ...{ queued: QUEUED, parked },
      signal: aborting.signal,
      onPart: (part) => {
        if (terminal.interactive) terminal.err(part);
      },
    });
    terminal.out(json ? JSON.stringify(found, null, 2) : linesOf(found).join("\n"));
  } finally {
    stopListening();
  }
}

const whole = (number: number): string => Math.round(number).toLocaleString("en-US");

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function linesOf({ turns, promptBytes, rounds, costs, queues, parks }: OverheadFound): string[] {
  return [
    `${turns} turns, instructions of ${whole(promptBytes)} bytes, ${rounds} rounds each, in turns`,
    "",
    ...table([
      ["loop", "turn", "processor", "ratio", "heap per turn"],
      ...costs.map(({ variant, turnMs, processorMs, ratio, heapBytes }) => [
        variant,
        `${turnMs.toFixed(1)} ms`,
        `${processorMs.toFixed(1)} ms`,
        ratio.toFixed(2),
        `${whole(heapBytes)} bytes`,
      ]),
    ]),
    "",
    ...table([
      ["calls that wait", "taken in", "heap per call", "all of them", "cancelled", "the rest"],
      ...queues.map(({ calls, takeInMs, heapBytes, cancelled, cancelSomeMs, cancelRestMs }) => [
        whole(calls),
        `${whole(takeInMs)} ms`,
        `${whole(heapBytes)} bytes`,
        `${((heapBytes * calls) / 1e6).toFixed(1)} MB`,
        `${whole(cancelled)} in ${whole(cancelSomeMs)} ms`,
        `${whole(cancelRestMs)} ms`,
      ]),
    ]),
    "",
    ...table([
      ["runs that are parked", "parked in", "heap per run", "stored per run", "woken and finished in"],
      ...parks.map(({ runs, parkMs, heapBytes, storedBytes, wakeMs, finished }) => [
        whole(runs),
        seconds(parkMs),
        `${whole(heapBytes)} bytes`,
        `${whole(storedBytes)} bytes`,
        `${seconds(wakeMs)}${finished === runs ? "" : `, ${whole(runs - finished)} not`}`,
      ]),
    ]),
  ];
}
