// What the harnesses have in common: how a task is run on one of them, and what each of them is given.

import type { Clock } from "../../../../capacity/index.js";
import type { Operator } from "../operator.js";
import type { Order } from "../order.js";
import type { RecordsProject } from "../records.js";
import type { Task } from "../tasks.js";

/** One task in one workspace. */
export interface Run {
  readonly task: Task;
  readonly thread: string;
  readonly workspace: string;
  /** Whether it was begun by a process that was killed. */
  readonly resume: boolean;
  readonly operator: Operator;
}

/** Drives tasks. */
export interface Harness {
  /** Runs a task to its answer. Rejects when there will be none. */
  run(run: Run): Promise<string>;
  close(): Promise<void>;
}

/** What every harness gets. */
export interface HarnessSetting {
  readonly order: Order;
  readonly clock: Clock;
  readonly project: RecordsProject;
  /** Called right after a tool has changed something that cannot be taken back. */
  onEffect(): void;
}

/** The address of a database of this cell. */
export const databaseIn = (folder: string): string => `sqlite:${folder}/threads.db`;
