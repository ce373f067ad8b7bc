// Threads and their floors. A floor only ever falls, and a thread that nobody began here starts at the bottom.

import { z } from "zod";
import { BOTTOM, type Label, meet } from "../../trust/index.js";
import { all, first, type Row, type Work } from "../database/database.js";
import type { RunStatus } from "./events.js";
import { integer, json, labelColumn, readRow, runStatus } from "./rows.js";
import type { ThreadRecord } from "./types.js";

/** The graph of a thread that was not begun through the journal. */
const UNKNOWN_GRAPH = "unknown";

const rowSchema = z
  .object({
    thread: z.string(),
    root: z.string(),
    graph: z.string(),
    status: runStatus,
    task: json(z.string()).nullable(),
    floor: labelColumn,
    created_at: integer,
    updated_at: integer,
  })
  .transform(
    ({ created_at: createdAt, updated_at: updatedAt, task, ...rest }): ThreadRecord => ({
      ...rest,
      task: task ?? undefined,
      createdAt,
      updatedAt,
    }),
  );

const readThread = (row: Row): ThreadRecord => readRow(rowSchema, row, `thread ${String(row["thread"])}`);

/** Registers a thread that is not known yet, under the root of the thread it comes from. Returns whether it was fresh. */
export function* beginThread(thread: string, graph: string, label: Label, from: string, now: number): Work<boolean> {
  const origin = from === thread ? undefined : yield* findThread(from);
  const fresh = yield* first(
    `INSERT INTO h_thread (thread, root, graph, status, task, floor, created_at, updated_at)
     VALUES (?, ?, ?, 'running', NULL, ?, ?, ?) ON CONFLICT (thread) DO NOTHING RETURNING thread`,
    ...[thread, origin?.root ?? from, graph, JSON.stringify(label), now, now],
  );
  return fresh !== undefined;
}

/** The thread, or `undefined` when nobody told the journal of it. */
export function* findThread(thread: string): Work<ThreadRecord | undefined> {
  const row = yield* first("SELECT * FROM h_thread WHERE thread = ?", thread);
  return row && readThread(row);
}

/** All threads, the most recently updated first. */
export function* listThreads(): Work<readonly ThreadRecord[]> {
  return (yield* all("SELECT * FROM h_thread ORDER BY updated_at DESC, thread")).map(readThread);
}

/** What may change about a thread beside its floor. */
export interface ThreadChange {
  readonly status?: RunStatus;
  readonly task?: string;
  readonly graph?: string;
}

/** Changes what is given. A thread that nobody began is registered at the bottom. */
export function* updateThread(thread: string, { status, task, graph }: ThreadChange, now: number): Work<void> {
  yield* beginThread(thread, UNKNOWN_GRAPH, BOTTOM, thread, now);
  yield* all(
    `UPDATE h_thread SET status = COALESCE(?, status), task = COALESCE(?, task), graph = COALESCE(?, graph),
       updated_at = ? WHERE thread = ?`,
    ...[status ?? null, task === undefined ? null : JSON.stringify(task), graph ?? null, now, thread],
  );
}

/** Meets `label` into the floor. The first update takes the row, so that concurrent falls add up. */
export function* lowerFloor(thread: string, label: Label, now: number): Work<void> {
  yield* beginThread(thread, UNKNOWN_GRAPH, BOTTOM, thread, now);
  const row = yield* first("UPDATE h_thread SET updated_at = ? WHERE thread = ? RETURNING floor", now, thread);
  const floor = labelColumn.parse(row?.["floor"]);
  yield* all("UPDATE h_thread SET floor = ? WHERE thread = ?", JSON.stringify(meet(floor, label)), thread);
}
