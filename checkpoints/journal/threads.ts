// Threads and their floors. A floor only ever falls, and a thread that nobody began here starts at the bottom. So does
// one whose root or floor was changed by something else than this harness.

import { z } from "zod";
import { BOTTOM, type Label, meet } from "../../trust/label.js";
import type { Seal } from "../../trust/seal.js";
import { storable } from "../../trust/storable.js";
import { all, first, type Row, requireStorableId, type Work } from "../database/database.js";
import type { HarnessEvent, RunStatus, Scope } from "./events.js";
import { integer, json, labelColumn, readRow, runStatus } from "./rows.js";
import type { ThreadRecord } from "./types.js";

/** The graph of a thread that was not begun through the journal. */
const UNKNOWN_GRAPH = "unknown";

const rowSchema = z.object({
  thread: z.string(),
  root: z.string(),
  graph: z.string(),
  status: runStatus,
  task: json(z.string()).nullable(),
  floor: labelColumn,
  created_at: integer,
  updated_at: integer,
  seal: z.string().nullable(),
});

const signed = (thread: string, root: string, floor: Label, seal: Seal): string =>
  seal.sign("thread", { thread, root, floor });

function readThread(row: Row, by: Seal): ThreadRecord {
  const read = readRow(rowSchema, row, `thread ${String(row["thread"])}`);
  const { thread, root, graph, status, task, floor, created_at: createdAt, updated_at: updatedAt, seal } = read;
  const forged = seal !== signed(thread, root, floor, by);
  return {
    ...{ thread, root, graph, status, createdAt, updatedAt, forged },
    task: task ?? undefined,
    floor: forged ? BOTTOM : floor,
  };
}

/** A thread that begins. */
export interface ThreadBeginning {
  readonly thread: string;
  readonly graph: string;
  readonly label: Label;
  /** The thread it is derived from. Default: none. */
  readonly from?: string;
}

/** Registers a thread that is not known yet, under the root of the thread it comes from. Returns whether it was fresh. */
export function* beginThread(
  { thread, graph, label, from = thread }: ThreadBeginning,
  seal: Seal,
  now: number,
): Work<boolean> {
  requireStorableId(thread);
  const root = (from === thread ? undefined : yield* findThread(from, seal))?.root ?? from;
  const fresh = yield* first(
    `INSERT INTO h_thread (thread, root, graph, status, task, floor, created_at, updated_at, seal)
     VALUES (?, ?, ?, 'running', NULL, ?, ?, ?, ?) ON CONFLICT (thread) DO NOTHING RETURNING thread`,
    ...[thread, root, storable(graph), JSON.stringify(label), now, now, signed(thread, root, label, seal)],
  );
  return fresh !== undefined;
}

/** The thread, or `undefined` when nobody told the journal of it. */
export function* findThread(thread: string, seal: Seal): Work<ThreadRecord | undefined> {
  const row = yield* first("SELECT * FROM h_thread WHERE thread = ?", thread);
  return row && readThread(row, seal);
}

/** All threads, the most recently updated first. */
export function* listThreads(seal: Seal): Work<readonly ThreadRecord[]> {
  const rows = yield* all("SELECT * FROM h_thread ORDER BY updated_at DESC, thread");
  return rows.map((row) => readThread(row, seal));
}

/** What may change about a thread beside its floor. */
export interface ThreadChange {
  readonly status?: RunStatus;
  readonly task?: string;
  readonly graph?: string;
}

/** Changes what is given. A thread that nobody began is registered at the bottom. */
export function* updateThread(
  thread: string,
  { status, task, graph }: ThreadChange,
  seal: Seal,
  now: number,
): Work<void> {
  yield* beginThread({ thread, graph: UNKNOWN_GRAPH, label: BOTTOM }, seal, now);
  yield* all(
    `UPDATE h_thread SET status = COALESCE(?, status), task = COALESCE(?, task), graph = COALESCE(?, graph),
       updated_at = ? WHERE thread = ?`,
    ...[status ?? null, task === undefined ? null : JSON.stringify(task), storable(graph ?? null), now, thread],
  );
}

/**
 * How a thread stands follows from what is recorded of its runs, in the same transaction: killed in between, it would say
 * that it has finished what it has not begun. A thread that nobody began stays unknown.
 */
export function* followRun({ thread }: Scope, event: HarnessEvent, now: number): Work<void> {
  const change = changeBy(event);
  if (change === undefined) return;
  const { status, graph = null, task } = change;
  yield* all(
    `UPDATE h_thread SET status = ?, task = COALESCE(?, task), graph = COALESCE(?, graph), updated_at = ? WHERE thread = ?`,
    ...[status, task === undefined ? null : JSON.stringify(task), storable(graph), now, thread],
  );
}

function changeBy(event: HarnessEvent): (ThreadChange & Required<Pick<ThreadChange, "status">>) | undefined {
  switch (event.kind) {
    case "run.start": {
      const { graph, task } = event;
      return { status: "running", graph, ...(task === undefined ? {} : { task }) };
    }
    case "input":
      return { status: "running" }; // A server's run says nothing else of its beginning.
    case "run.end":
      return { status: event.status };
    default:
      return undefined;
  }
}

/** Meets `label` into the floor. The first update takes the row, so that concurrent falls add up. */
export function* lowerFloor(thread: string, label: Label, seal: Seal, now: number): Work<void> {
  yield* beginThread({ thread, graph: UNKNOWN_GRAPH, label: BOTTOM }, seal, now);
  const row = yield* first("UPDATE h_thread SET updated_at = ? WHERE thread = ? RETURNING *", now, thread);
  if (row === undefined) return;
  const { root, floor, forged } = readThread(row, seal);
  if (forged) return; // It is at the bottom, and a new seal would hide why.
  const next = meet(floor, label);
  const set = "UPDATE h_thread SET floor = ?, seal = ? WHERE thread = ?";
  yield* all(set, JSON.stringify(next), signed(thread, root, next, seal), thread);
}
