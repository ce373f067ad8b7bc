// The process that runs one row of the benchmark, or a part of its tasks: what it does to timers and connections ends with
// it. It is told its job by its parent, tells of its calls while they end, and goes when its parent does.

import { setMaxListeners } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { CallRecord } from "./measure.js";
import { speedUp } from "./scaled-timers.js";
import type { QuotaScenario } from "./scenario.js";

/** What a worker is to do. */
export interface QuotaJob {
  readonly kind: "run";
  readonly scenario: QuotaScenario;
  readonly url: string;
  /** The number of its first task; it has `tasks` of them. */
  readonly firstTask: number;
  readonly tasks: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** What a worker is told: its job, and to stop before it is done. */
export type ToWorker = QuotaJob | { readonly kind: "stop" };

/** What a worker tells: the calls that ended since the last time, and in the end how its tasks did. */
export type FromWorker =
  | { readonly kind: "calls"; readonly calls: readonly CallRecord[] }
  | {
      readonly kind: "done";
      readonly finished: number;
      readonly deaths: Readonly<Record<string, number>>;
      /** How late this process came to its timers, 99th percentile, in real ms. */
      readonly lateMs: number;
    }
  | { readonly kind: "failed"; readonly message: string };

/** How often it tells, in real ms. */
const TELL_MS = 250;

/** How often it looks whether it is late, in real ms. */
const LOOK_MS = 5;

const stopping = new AbortController();
setMaxListeners(0, stopping.signal); // One for each call under way, on purpose.
const tell = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};

/** Works: all tasks at once, each ended by its first failed call. */
async function work({ scenario, url, firstTask, tasks, settings }: QuotaJob): Promise<void> {
  const { calls, scale, seed } = scenario;
  const { openCaller, ownsItsTimers, warmUp } = await import("./caller.js");
  const { inRun, seededRandom } = await import("./run-context.js");
  // Simulated time since 1970, the same in every worker of a row.
  const now = (): number => (performance.timeOrigin + performance.now()) * scale;
  let untold: CallRecord[] = [];
  const tellCalls = (): void => {
    if (untold.length > 0) tell({ kind: "calls", calls: untold });
    untold = [];
  };
  const timer = setInterval(tellCalls, TELL_MS);
  await warmUp(url);
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
  delays.enable();
  if (ownsItsTimers(scenario)) speedUp(scale);
  const caller = openCaller({ ...scenario, url, settings, random: seededRandom(seed + firstTask) });
  const deaths: Record<string, number> = {};
  let finished = 0;
  const { signal } = stopping;
  const oneTask = async (task: number): Promise<void> => {
    for (let step = 1; step <= calls; step += 1) {
      const from = now();
      try {
        await unlessStopped(caller.call(`Task ${task}, step ${step} of ${calls}.`, signal));
        untold.push({ from, to: now(), ok: true });
      } catch (error) {
        if (signal.aborted) return;
        untold.push({ from, to: now(), ok: false });
        const name = error instanceof Error ? error.name : String(error);
        deaths[name] = (deaths[name] ?? 0) + 1;
        return;
      }
    }
    finished += 1;
  };
  const all = Array.from({ length: tasks }, (_, index) => firstTask + index);
  await Promise.all(all.map((task) => inRun(`task-${task}`, () => oneTask(task))));
  clearInterval(timer);
  tellCalls();
  delays.disable();
  tell({ kind: "done", finished, deaths, lateMs: Math.max(0, delays.percentile(99) / 1e6 - LOOK_MS) });
  await caller.close();
}

/** The call; rejects at once when the worker is stopped, for what waits in a limiter hears of it late or never. */
function unlessStopped(call: Promise<void>): Promise<void> {
  const { signal } = stopping;
  return new Promise((resolve, reject) => {
    const stopped = (): void => reject(signal.reason);
    if (signal.aborted) stopped();
    signal.addEventListener("abort", stopped, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener("abort", stopped));
  });
}

process.on("message", (message: ToWorker) => {
  if (message.kind === "stop") {
    stopping.abort(new Error("stopped"));
    return;
  }
  work(message).catch((error: unknown) => tell({ kind: "failed", message: String(error) }));
});
// Ctrl-C reaches the whole group of processes; the parent decides what it means.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());
