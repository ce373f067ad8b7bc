// One cell of the benchmark: one harness in one scenario. Starts the provider here and the harness in a process of its own,
// kills that when the scenario says so and starts it again, and then looks into every workspace.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { OfflineProvider } from "../../../models/index.js";
import { answer as brain } from "../../../models/offline/brain/index.js";
import { type HarnessName, type Order, type Report, report } from "./order.js";
import { packageRoot } from "./root.js";
import { type Outcome, type Row, rowOf } from "./row.js";
import { arrivalsOf, BEHAVIOUR, quotaOf, type Scenario } from "./scenarios.js";
import { taskOf } from "./tasks.js";
import { sharedClock } from "./time.js";
import { counted, Traffic } from "./traffic.js";
import { judge, Workspaces } from "./workspace.js";

/** What a cell needs. */
export interface Cell {
  readonly scenario: Scenario;
  readonly harness: HarnessName;
  readonly tasks: number;
  readonly seed: number;
  /** How many times as fast as the machine's the clock runs. */
  readonly scale: number;
  /** An empty folder for this cell. It is removed. */
  readonly folder: string;
  /** A workspace that was made and not changed. */
  readonly workspace: string;
  readonly signal: AbortSignal;
}

const OPERATOR_MS = 20_000;

/** Tasks that are not through so long after the last one came count as not finished. In the cell's milliseconds. */
const PATIENCE_MS = 30 * 60_000;

/** A process that was started again goes on after this, in the cell's milliseconds. */
const RESTART_MS = 5_000;

interface Progress {
  readonly at: number;
  started?: number;
  ended?: number;
  report?: Outcome["report"];
}

/** Runs it. Rejects with the signal's reason when that aborts; its processes and files are gone by then. */
export async function runCell(cell: Cell): Promise<Row> {
  const { scenario, harness, tasks, seed, scale, folder, signal } = cell;
  signal.throwIfAborted();
  await mkdir(folder, { recursive: true });
  const epoch = Date.now();
  const clock = sharedClock(scale, epoch);
  const requestsPerMinute = quotaOf(tasks);
  const quota = { requestsPerMinute, inFlight: 256 };
  const behaviour = { ...BEHAVIOUR, ...scenario.behaviour };
  const outside = scenario.outsider === undefined ? {} : { outsider: scenario.outsider };
  const talking = counted(brain);
  const provider = new OfflineProvider({
    seed,
    clock,
    brain: talking.brain,
    faults: scenario.faults?.(tasks) ?? [],
    quotas: { "offline-large": quota, "offline-small": quota },
    behaviours: { "offline-large": { ...behaviour, ...outside }, "offline-small": behaviour },
  });
  const traffic = new Traffic(provider, clock.now);
  const progress = arrivalsOf(scenario, tasks).map((at): Progress => ({ at }));
  let origin: number | undefined;
  let approvals = 0;
  let processorMs = 0;
  let memoryBytes = 0;
  let lateMs = 0;
  const hear = (said: Report): void => {
    if (said.kind === "ready") {
      origin = said.at;
      return;
    }
    if (said.kind === "used") {
      processorMs += said.processorMs;
      memoryBytes = Math.max(memoryBytes, said.memoryBytes);
      lateMs = Math.max(lateMs, said.lateMs);
      return;
    }
    const of = progress[said.index] as Progress;
    if (said.kind === "asked") approvals += 1;
    else if (said.kind === "started") of.started ??= clock.now();
    else Object.assign(of, { ended: clock.now(), report: said });
  };
  try {
    const baseUrl = await provider.listen();
    const deadline = AbortSignal.timeout(Math.ceil(((progress.at(-1)?.at ?? 0) + PATIENCE_MS) / scale) + 60_000);
    const ending = AbortSignal.any([signal, deadline]);
    const begun = performance.now();
    for (let life = 0; ; life += 1) {
      const open = progress.flatMap((each, index) => (each.report === undefined ? [{ ...each, index }] : []));
      if (open.length === 0 || ending.aborted) break;
      const jobs = open.map(({ index, at, started }) => ({ index, at, resume: started !== undefined }));
      const killAfter = life < (scenario.kills ?? 0) ? Math.max(1, Math.round(tasks / 10)) : 0;
      const order: Order = {
        ...{ harness, baseUrl, scale, epoch, origin, jobs, killAfter, folder },
        ...{ primary: quota, fallback: quota, seed: cell.workspace, operatorMs: OPERATOR_MS },
      };
      const killed = await work(order, hear, ending);
      if (!killed) break;
      await clock.sleep(RESTART_MS, signal);
    }
    const seconds = (performance.now() - begun) / 1_000;
    signal.throwIfAborted();
    const counts = traffic.stop();
    const workspaces = new Workspaces(cell.workspace, folder);
    const outcomes = progress.map((each, index): Outcome => {
      const { started, ended, report } = each;
      const changes = started === undefined ? [] : workspaces.changes(index);
      const judgement = judge(taskOf(index), changes, report?.answer ?? "");
      return { task: taskOf(index), judgement, report, ms: (ended ?? 0) - (started ?? 0) };
    });
    return {
      ...{ scenario: scenario.name, harness, tasks },
      ...rowOf(outcomes, { ...counts, requestsPerMinute, tokens: talking.tokens(), approvals }),
      processor: processorMs / 1_000 / seconds,
      lateMs,
      memoryMiB: Math.round(memoryBytes / 2 ** 20),
    };
  } finally {
    traffic.stop();
    await provider.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs one process to its end. Returns whether it was killed by its order. */
async function work(order: Order, hear: (said: Report) => void, ending: AbortSignal): Promise<boolean> {
  const source = import.meta.url.endsWith(".ts");
  const worker = fileURLToPath(new URL(source ? "worker.ts" : "worker.js", import.meta.url));
  const path = join(order.folder, "order.json");
  await writeFile(path, JSON.stringify(order));
  const given = [...(source ? ["--import", "tsx"] : []), worker, path];
  // Nothing of the caller's environment: keys, tracing and quotas there are not this benchmark's.
  const child = spawn(process.execPath, given, { cwd: packageRoot(), env: {}, stdio: ["ignore", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = `${complaint}${text}`.slice(-2_000);
  });
  const end = () => child.kill("SIGKILL");
  ending.addEventListener("abort", end, { once: true });
  try {
    const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith("{")) hear(report.parse(JSON.parse(line)));
    }
    const [code, signal] = await closed;
    if (ending.aborted) return false;
    if (signal === "SIGKILL" && order.killAfter > 0) return true;
    if (code !== 0) throw new Error(`the process of ${order.harness} ended with ${signal ?? code}: ${complaint}`);
    return false;
  } finally {
    ending.removeEventListener("abort", end);
  }
}
