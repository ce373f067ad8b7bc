// The reliability benchmark: harnesses side by side, on the same tasks, with the same model, in the same weather.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCell } from "./cell.js";
import { HARNESSES, type HarnessName } from "./order.js";
import { recordsProject, runTypeScript } from "./records.js";
import type { Row } from "./row.js";
import { quotaOf, SCENARIOS } from "./scenarios.js";

export { FIGURES, type Figure } from "./figures.js";
export { HARNESSES, type HarnessName } from "./order.js";
export { reliabilityPage } from "./page.js";
export type { Row } from "./row.js";
export { SCENARIOS, type Scenario } from "./scenarios.js";

/** What is measured. */
export interface ReliabilityBench {
  /** How many tasks at a time; a set of rows for each. */
  readonly tasks: readonly number[];
  /** Default: all of {@link SCENARIOS}. */
  readonly scenarios?: readonly string[];
  /** Default: all of {@link HARNESSES}. */
  readonly harnesses?: readonly HarnessName[];
  /** Of the provider: latencies, faults, the neighbour. Default 0. */
  readonly seed?: number;
  /** How many times as fast as the machine's the clock runs. Default: see {@link scaleOf}. */
  readonly scale?: number;
  readonly signal: AbortSignal;
  /** Called before each cell. */
  readonly onCell?: (cell: {
    readonly scenario: string;
    readonly harness: HarnessName;
    readonly tasks: number;
  }) => void;
  /** Called with each row as soon as it is there. */
  readonly onRow?: (row: Row) => void;
}

/** Calls a second of real time that two cores take with room to spare, harness, provider and workspaces together. */
const CALLS_PER_SECOND = 8;

/** A scale at which the machine is not what is measured: the quota of so many tasks at {@link CALLS_PER_SECOND}. */
const scaleOf = (tasks: number): number => Math.max(1, CALLS_PER_SECOND / (quotaOf(tasks) / 60));

/** Measures. Rejects with the signal's reason when that aborts; nothing is left behind. */
export async function benchReliability(bench: ReliabilityBench): Promise<readonly Row[]> {
  const { scenarios = SCENARIOS.map(({ name }) => name), harnesses = HARNESSES, seed = 0, signal } = bench;
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-reliability-"));
  const rows: Row[] = [];
  try {
    const workspace = join(folder, "seed");
    await seedWorkspace(workspace);
    for (const tasks of bench.tasks) {
      for (const scenario of SCENARIOS.filter(({ name }) => scenarios.includes(name))) {
        for (const harness of harnesses) {
          bench.onCell?.({ scenario: scenario.name, harness, tasks });
          const scale = bench.scale ?? scaleOf(tasks);
          const cell = { scenario, harness, tasks, seed, scale, workspace, signal };
          const row = await runCell({ ...cell, folder: join(folder, `${scenario.name}-${harness}`) });
          rows.push(row);
          bench.onRow?.(row);
        }
      }
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes the records that every task gets a copy of. The first read of a tool makes them. */
async function seedWorkspace(workspace: string): Promise<void> {
  await runTypeScript();
  const reader = (await recordsProject()).tools({ workspace }).find(({ name }) => name === "list_customers");
  const signal = new AbortController().signal;
  await reader?.execute({}, { idempotencyKey: "seed", permit: undefined, signal, config: {} });
}
