// Runs the benchmark: for each row a provider of its own in this process, and the harness in a process of its own, one row
// after another, so that none takes time from another.

import { type ChildProcess, fork } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { type Clock, scaledClock } from "../../../capacity/index.js";
import { type Brain, OfflineProvider } from "../../../models/index.js";
import { type CallRecord, measure, type QuotaRow, type QuotaRun } from "./measure.js";
import {
  longestMinutes,
  QUOTA_PROVIDERS,
  type QuotaHarness,
  type QuotaProvider,
  type QuotaScenario,
} from "./scenario.js";
import type { FromWorker, QuotaJob, ToWorker } from "./worker.js";

/** What is measured: a row for each provider, number of tasks and harness. */
export interface QuotaBench {
  readonly providers: readonly QuotaProvider[];
  readonly harnesses: readonly QuotaHarness[];
  readonly tasks: readonly number[];
  readonly calls: number;
  readonly requestsPerMinute: number;
  readonly scale: number;
  readonly seed: number;
  /** Of `bulkhead-fleet`: how many processes have the tasks of a row, and the Redis where they share the quota. */
  readonly fleet?: { readonly processes: number; readonly redis: string };
  /** When it aborts, the running row is cut, and no further one begins. */
  readonly signal: AbortSignal;
  /** Called about four times a second. */
  readonly onProgress?: (progress: QuotaProgress) => void;
  /** Called after each row. */
  readonly onRow?: (row: QuotaRow) => void;
}

/** How far a row is. */
export interface QuotaProgress {
  readonly scenario: QuotaScenario;
  /** Calls that ended. */
  readonly ended: number;
  readonly rateLimited: number;
  /** Simulated minutes. */
  readonly minutes: number;
}

/** How often this process looks whether it is late, in real ms. */
const LOOK_MS = 5;

/** Requests per minute that nobody gets to. */
const PLENTY = 1_000_000;

/** What the provider says: nothing that matters. */
const BRAIN: Brain = () => ({ content: "Done.", toolCalls: [] });

/**
 * Runs all rows. After an abort it returns those there are, the last one `cut`.
 *
 * @throws RangeError for `bulkhead-fleet` without a fleet.
 */
export async function benchQuota(bench: QuotaBench): Promise<readonly QuotaRow[]> {
  const { providers, harnesses, tasks, calls, requestsPerMinute, scale, seed } = bench;
  const rows: QuotaRow[] = [];
  for (const provider of providers) {
    for (const count of tasks) {
      for (const harness of harnesses) {
        if (bench.signal.aborted) return rows;
        const scenario = { provider, harness, tasks: count, calls, requestsPerMinute, scale, seed };
        const row = await runRow(scenario, bench);
        rows.push(row);
        bench.onRow?.(row);
      }
    }
  }
  return rows;
}

async function runRow(scenario: QuotaScenario, bench: QuotaBench): Promise<QuotaRow> {
  const clock = scaledClock(scenario.scale);
  const provider = new OfflineProvider({
    brain: BRAIN,
    clock,
    seed: scenario.seed,
    quotas: {
      "offline-large": { requestsPerMinute: scenario.requestsPerMinute, inFlight: Infinity },
      "offline-small": { requestsPerMinute: PLENTY, inFlight: Infinity }, // For warming up.
    },
    behaviours: { "offline-large": QUOTA_PROVIDERS[scenario.provider] },
  });
  const began = clock.now();
  const url = await provider.listen();
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
  delays.enable();
  try {
    const run = await runWorkers(scenario, url, clock, bench, (ended) =>
      bench.onProgress?.({
        scenario,
        ended,
        rateLimited: provider.counters["offline-large"].refused,
        minutes: (clock.now() - began) / 60_000,
      }),
    );
    // The provider must not be late either.
    const lateMs = Math.max(run.lateMs, delays.percentile(99) / 1e6 - LOOK_MS);
    return measure(scenario, { ...run, lateMs }, provider.counters["offline-large"]);
  } finally {
    delays.disable();
    await provider.close();
  }
}

/** The tasks in their processes, until all have ended, or time or the signal cuts them. */
async function runWorkers(
  scenario: QuotaScenario,
  url: string,
  clock: Clock,
  { fleet, signal }: QuotaBench,
  onCalls: (ended: number) => void,
): Promise<QuotaRun> {
  const shared = scenario.harness === "bulkhead-fleet" ? fleet : { processes: 1, redis: undefined };
  if (shared === undefined) throw new RangeError("bulkhead-fleet needs a Redis: name one in fleet");
  const { processes, redis } = shared;
  const settings: QuotaJob["settings"] = redis === undefined ? {} : { BULKHEAD_QUOTA: redis };
  const calls: CallRecord[] = [];
  const deaths: Record<string, number> = {};
  let finished = 0;
  let lateMs = 0;
  const cut = new AbortController();
  const stop = (): void => cut.abort();
  signal.addEventListener("abort", stop, { once: true });
  const ended = new AbortController();
  const alarm = clock.sleep(longestMinutes(scenario) * 60_000, ended.signal).then(stop, () => undefined);
  const take = (message: FromWorker): void => {
    if (message.kind === "calls") {
      calls.push(...message.calls);
      onCalls(calls.length);
    } else if (message.kind === "done") {
      finished += message.finished;
      lateMs = Math.max(lateMs, message.lateMs);
      for (const [name, count] of Object.entries(message.deaths)) deaths[name] = (deaths[name] ?? 0) + count;
    }
  };
  const workers = shares(scenario.tasks, processes).map(async ({ firstTask, tasks }) => {
    try {
      await runWorker({ kind: "run", scenario, url, firstTask, tasks, settings }, cut.signal, take);
    } catch (error) {
      stop(); // The others need not go on.
      throw error;
    }
  });
  const outcomes = await Promise.allSettled(workers);
  signal.removeEventListener("abort", stop);
  ended.abort();
  await alarm;
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { calls, finished, deaths, cut: cut.signal.aborted, lateMs };
}

/** This file's ending: the workers are run as it is, from the sources or compiled. */
const WORKER = fileURLToPath(new URL(`./worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));

/** How long a worker that was told to stop, or to go, may take, in real ms. */
const STOP_MS = 5_000;

/** One worker, until it is gone. Rejects when it fails or dies before it is done. */
async function runWorker(
  job: Extract<ToWorker, { kind: "run" }>,
  cut: AbortSignal,
  take: (message: FromWorker) => void,
): Promise<void> {
  // Nothing of the environment: a key or a tracer there would make the rows differ.
  const worker: ChildProcess = fork(WORKER, { serialization: "advanced", env: {} });
  const gone = new Promise<string>((resolve) => worker.once("exit", (code, signal) => resolve(String(signal ?? code))));
  let late: NodeJS.Timeout | undefined;
  const killLater = (): void => {
    late ??= setTimeout(() => worker.kill("SIGKILL"), STOP_MS);
  };
  const stop = (): void => {
    if (worker.connected) worker.send({ kind: "stop" } satisfies ToWorker);
    killLater();
  };
  cut.addEventListener("abort", stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", (message: FromWorker) => {
        take(message);
        if (message.kind === "done") resolve();
        if (message.kind === "failed") reject(new Error(`a worker of bench quota failed: ${message.message}`));
      });
      // One that did not stop in time and was killed: what it told until then counts.
      void gone.then((how) => (cut.aborted ? resolve() : reject(new Error(`a worker of bench quota ended: ${how}`))));
      worker.send(job);
      if (cut.aborted) stop();
    });
  } finally {
    cut.removeEventListener("abort", stop);
    if (worker.connected) worker.disconnect();
    killLater();
    await gone;
    clearTimeout(late);
  }
}

/** Splits tasks 0 to `tasks - 1` into `parts` runs of neighbours, as even as can be. */
function shares(tasks: number, parts: number): { readonly firstTask: number; readonly tasks: number }[] {
  const bounds = Array.from({ length: parts + 1 }, (_, part) => Math.round((tasks * part) / parts));
  return bounds
    .slice(0, -1)
    .map((firstTask, part) => ({ firstTask, tasks: (bounds[part + 1] ?? tasks) - firstTask }))
    .filter((share) => share.tasks > 0);
}
