// `bulkhead bench quota`: what harnesses make of a provider's requests per minute, side by side.

import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { QuotaProgress, QuotaRow } from "../../lab/bench/quota/index.js";
import { CommandError, UsageError } from "../exit.js";
import { command, redis, wholeNumber, wholeNumbers, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { table } from "../text.js";

interface QuotaOptions {
  readonly tasks: readonly number[];
  readonly calls: string;
  readonly harness?: string;
  readonly provider: string;
  readonly scale: string;
  readonly rpm: string;
  readonly seed: string;
  readonly processes: string;
  readonly quota?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** Progress is told this often, in real ms. */
const TELL_MS = 5_000;

export const quotaBenchCommand = (terminal: Terminal): Command =>
  withJson(
    command("quota", "measure what harnesses make of a provider's requests per minute", [
      "bulkhead bench quota",
      "bulkhead bench quota --tasks 100,1000 --harness chatopenai,bulkhead",
      "bulkhead bench quota --tasks 1000 --harness bulkhead,bulkhead-fleet --quota redis://127.0.0.1:6379",
      "bulkhead bench quota --tasks 100 --provider sliding-60s,fixed-1s,outsider --out results",
    ]),
  )
    .option("--tasks <numbers>", "tasks at once; a row for each number", wholeNumbers, [25, 100])
    .option("--calls <number>", "calls of each task, one after another", wholeNumber, "20")
    .option(
      "--harness <names>",
      "chatopenai, bottleneck-reservoir, bottleneck-mintime, bulkhead, bulkhead-fleet (default: all; the last with --quota)",
    )
    .option(
      "--provider <names>",
      "bucket-5s, bucket-60s, bucket-1s, sliding-60s, fixed-60s, fixed-10s, fixed-1s, outsider, outsider-sliding, no-hint",
      "bucket-5s",
    )
    .option("--scale <number>", "how many times as fast as the machine's time runs", wholeNumber, "20")
    .option("--rpm <number>", "requests per minute that the provider allows", wholeNumber, "500")
    .option("--seed <number>", "latencies, network and the outsider follow from it", wholeNumber, "0")
    .option("--processes <number>", "processes of bulkhead-fleet", wholeNumber, "4")
    .option("--quota <url>", "Redis where bulkhead-fleet shares its quota", redis)
    .option("--out <directory>", "write quota.json and quota.txt there")
    .addHelpText(
      "after",
      "\nThe provider is a simulated one on loopback: nothing is paid for. Ctrl-C ends it; what was measured is printed.",
    )
    .action((options: QuotaOptions) => quota(options, terminal));

async function quota(options: QuotaOptions, terminal: Terminal): Promise<void> {
  const { benchQuota, QUOTA_HARNESSES, QUOTA_PROVIDERS } = await import("../../lab/bench/quota/index.js");
  const { calls, scale, rpm, seed, processes, quota: server, out, json = false } = options;
  for (const [name, value] of Object.entries({ calls, scale, rpm, processes })) {
    if (Number(value) === 0) throw new UsageError(`--${name} must be 1 or more.`);
  }
  const possible = QUOTA_HARNESSES.filter((name) => server !== undefined || name !== "bulkhead-fleet");
  const settings = {
    providers: namesIn(
      "--provider",
      options.provider,
      Object.keys(QUOTA_PROVIDERS) as (keyof typeof QUOTA_PROVIDERS)[],
    ),
    harnesses: namesIn("--harness", options.harness ?? possible.join(","), QUOTA_HARNESSES),
    tasks: options.tasks,
    calls: Number(calls),
    requestsPerMinute: Number(rpm),
    scale: Number(scale),
    seed: Number(seed),
    ...(server === undefined ? {} : { fleet: { processes: Number(processes), redis: server } }),
  };
  if (server === undefined && settings.harnesses.includes("bulkhead-fleet"))
    throw new UsageError("bulkhead-fleet shares its quota through Redis. Add --quota redis://HOST:PORT.");
  const aborting = new AbortController();
  const stopListening = terminal.onInterrupt(() => aborting.abort(new Error("interrupted")));
  try {
    const onProgress = terminal.interactive ? progress((line) => terminal.err(line)) : undefined;
    const rows = await benchQuota({
      ...settings,
      signal: aborting.signal,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    if (rows.length === 0) throw new CommandError("nothing was measured: it was interrupted before the first call.");
    const text = [headline(settings), "", ...table([COLUMNS, ...rows.map(cellsOf)]), ...notesOn(rows)].join("\n");
    const { fleet: _address, ...told } = settings; // An address may hold a password.
    const found = JSON.stringify({ ...told, processes: Number(processes), rows }, null, 2);
    terminal.out(json ? found : text);
    if (out !== undefined) {
      const directory = resolve(terminal.cwd, out);
      await mkdir(directory, { recursive: true });
      await writeFile(resolve(directory, "quota.json"), `${found}\n`);
      await writeFile(resolve(directory, "quota.txt"), `${text}\n`);
      if (!json) terminal.err(`\nwrote ${out}/quota.json and ${out}/quota.txt`);
    }
  } finally {
    stopListening();
  }
}

function namesIn<Name extends string>(option: string, text: string, known: readonly Name[]): readonly Name[] {
  return text.split(",").map((name) => {
    const found = known.find((each) => each === name);
    if (found === undefined)
      throw new UsageError(`${option} has no "${name}". Write one of ${known.join(", ")}, or several.`);
    return found;
  });
}

/** A line at the first call of a row, and then one every few seconds. */
function progress(tell: (line: string) => void): (now: QuotaProgress) => void {
  let row: unknown;
  let toldAt = 0;
  return ({ scenario, ended, rateLimited, minutes }) => {
    const now = performance.now();
    if (row === scenario && now - toldAt < TELL_MS) return;
    row = scenario;
    toldAt = now;
    const { provider, harness, tasks, calls } = scenario;
    tell(
      `${provider}, ${tasks} tasks, ${harness}: ${whole(ended)} of ${whole(tasks * calls)} calls, ` +
        `${whole(rateLimited)} refused, minute ${minutes.toFixed(1)}`,
    );
  };
}

const whole = (number: number): string => Math.round(number).toLocaleString("en-US");
const percent = (share: number): string => `${(share * 100).toFixed(share === 1 ? 0 : 1)} %`;
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

const headline = ({ requestsPerMinute, calls, scale, seed }: Record<string, unknown>): string =>
  `quota ${requestsPerMinute} requests/min, ${calls} calls a task, time x ${scale}, seed ${seed}; all times simulated`;

const COLUMNS = [
  "provider",
  "tasks",
  "harness",
  "finished",
  "calls ok",
  "HTTP",
  "429s",
  "goodput",
  "steady",
  "minutes",
  "p50 s",
  "p99 s",
  "p99/p50",
  "late ms",
];

const cellsOf = (row: QuotaRow): string[] => [
  row.provider,
  whole(row.tasks),
  row.harness,
  percent(row.finished),
  percent(row.ok / (row.tasks * row.calls)),
  whole(row.http),
  whole(row.rateLimited),
  row.goodput.toFixed(3),
  row.steady.toFixed(3),
  `${row.minutes.toFixed(1)}${row.cut ? " (cut)" : ""}`,
  seconds(row.p50Ms),
  seconds(row.p99Ms),
  row.spread.toFixed(2),
  whole(row.lateMs),
];

/** Simulated ms that a pacing limiter cannot be late without losing its pace at 500 requests a minute. */
const TOO_LATE_MS = 240;

function notesOn(rows: readonly QuotaRow[]): string[] {
  const slow = rows.some(({ lateMs }) => lateMs > TOO_LATE_MS);
  const cut = rows.some((row) => row.cut);
  const notes = [
    ...(cut ? ["(cut): stopped before all tasks had ended."] : []),
    ...(slow ? ["late ms above 240: this machine was too busy for this scale. Use a smaller --scale."] : []),
  ];
  return notes.length === 0 ? [] : ["", ...notes];
}
