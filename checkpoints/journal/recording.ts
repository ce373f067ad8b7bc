// Everything the journal has of one thread, as it is stored: for verification, which must see what reading would refuse,
// and for export and import, which must not change a byte that a digest or a seal is over.

import { z } from "zod";
import { all, first, type Row, type SqlValue, type Work } from "../database/database.js";
import { type StoredEvent, storedEvent, storedHead } from "./chain.js";
import type { KeptHead } from "./kept-heads.js";
import { integer, readRow } from "./rows.js";

const text = z.string();
const nullable = text.nullable();

const threadRow = z.object({
  thread: text,
  root: text,
  graph: text,
  status: text,
  task: nullable,
  floor: text,
  created_at: integer,
  updated_at: integer,
  seal: nullable,
});

const documentRow = z.object({ digest: text, kind: text, document: text });

const approvalRow = z.object({
  id: text,
  thread: text,
  request: text,
  expires_at: integer,
  status: text,
  created_at: integer,
  decision: nullable,
  used_by: nullable,
  history: nullable,
});

const effectRow = z.object({
  key: text,
  thread: text,
  root: text,
  intent: text,
  status: text,
  outcome: nullable,
  attempts: integer,
  updated_at: integer,
  resolution: nullable,
  seal: nullable,
});

/** What a database has of a thread. */
export const storedRecording = z.object({
  thread: text,
  /** `null` when nobody told the journal of the thread. */
  record: threadRow.nullable(),
  /** In the order of recording, of all runs of the thread. */
  events: z.array(storedEvent),
  heads: z.array(storedHead),
  /** Policies, tools and whatever else the events name by digest. */
  documents: z.array(documentRow),
  approvals: z.array(approvalRow),
  effects: z.array(effectRow),
});
export type StoredRecording = z.output<typeof storedRecording>;

/** With what was kept outside the database. */
export interface Recording extends StoredRecording {
  readonly kept: readonly KeptHead[];
  /** Lines beside them that were torn, changed, or written with another key. */
  readonly unreadable: number;
}

const DIGEST = /"([0-9a-f]{64})"/g;

/** Documents are named by their digests, wherever that stands in a body. */
function* findDocuments(events: readonly StoredEvent[]): Work<readonly Row[]> {
  const digests = new Set(events.flatMap(({ body }) => [...body.matchAll(DIGEST)].map(([, digest = ""]) => digest)));
  const found: Row[] = [];
  for (const digest of digests) {
    const row = yield* first("SELECT * FROM h_document WHERE digest = ?", digest);
    if (row !== undefined) found.push(row);
  }
  return found;
}

/** Reads a thread at one moment. `snapshot`: whether the database has to be told that (Postgres). */
export function* findRecording(thread: string, snapshot: boolean): Work<StoredRecording> {
  if (snapshot) yield* all("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  const what = `the recording of thread ${thread}`;
  const of = (table: string): Work<readonly Row[]> =>
    all(`SELECT * FROM ${table} WHERE thread = ? ORDER BY position`, thread);
  const runs = "SELECT run FROM h_head WHERE thread = ? UNION SELECT run FROM h_event WHERE thread = ?";
  const rows = yield* all(`SELECT * FROM h_event WHERE run IN (${runs}) ORDER BY position`, thread, thread);
  const { events } = readRow(z.object({ events: z.array(storedEvent) }), { events: rows }, what);
  return readRow(
    storedRecording,
    {
      thread,
      record: (yield* first("SELECT * FROM h_thread WHERE thread = ?", thread)) ?? null,
      events,
      heads: yield* all(`SELECT * FROM h_head WHERE run IN (${runs}) ORDER BY run`, thread, thread),
      documents: yield* findDocuments(events),
      approvals: yield* of("h_approval"),
      effects: yield* of("h_effect"),
    },
    what,
  );
}

function* insert(table: string, rows: readonly Readonly<Record<string, SqlValue>>[], otherwise = ""): Work<void> {
  for (const row of rows) {
    const columns = Object.keys(row);
    yield* all(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")}) ${otherwise}`,
      ...Object.values(row),
    );
  }
}

function* isKnown({ thread, events, heads }: StoredRecording): Work<boolean> {
  if ((yield* first("SELECT thread FROM h_thread WHERE thread = ?", thread)) !== undefined) return true;
  if ((yield* first("SELECT run FROM h_event WHERE thread = ?", thread)) !== undefined) return true;
  for (const run of new Set([...events, ...heads].map((each) => each.run))) {
    if ((yield* first("SELECT run FROM h_head WHERE run = ?", run)) !== undefined) return true;
  }
  return false;
}

/** Writes a recording into a database that knows neither the thread nor its runs. */
export function* adoptRecording(recording: StoredRecording): Work<boolean> {
  if (yield* isKnown(recording)) return false;
  const { record, events, heads, documents, effects } = recording;
  yield* insert("h_thread", record === null ? [] : [record]);
  yield* insert("h_event", events);
  yield* insert("h_head", heads);
  yield* insert("h_document", documents, "ON CONFLICT (digest) DO NOTHING");
  yield* insert("h_effect", effects, "ON CONFLICT (key) DO NOTHING");
  return true;
}
