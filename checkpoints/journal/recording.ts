// Everything the journal has of one thread, as it is stored: for verification, which must see what reading would refuse,
// and for export and import, which must not change a byte that a digest or a seal is over.

import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { all, first, type Row, type SqlValue, type Work } from "../database/database.js";
import { JournalError } from "../errors.js";
import { lockedBody, openBody } from "./body.js";
import { headerColumn, keyIdOf, type StoredEvent, sha256, storedEvent, storedHead } from "./chain.js";
import { findFolds, inOrder, unfold } from "./folding.js";
import type { KeptHead } from "./kept-heads.js";
import { integer, readRow } from "./rows.js";
import { keepTexts, storedTexts } from "./texts.js";
import { findKeys, keepKey, keyOf, requireKey, type ThreadKey } from "./thread-key.js";

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

/** A key of the thread, as an export has it: whoever may read the export may read what it is of. */
const storedKey = z.object({ id: text, secret: text });
export type StoredKey = z.output<typeof storedKey>;

/** A text that events name. */
const storedText = z.object({ digest: text, text });
export type StoredText = z.output<typeof storedText>;

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
  keys: z.array(storedKey),
  texts: z.array(storedText),
});
export type StoredRecording = z.output<typeof storedRecording>;

/** With what was kept outside the database. */
export interface Recording extends StoredRecording {
  readonly kept: readonly KeptHead[];
  /** Lines beside them that were torn, changed, or written with another key. */
  readonly unreadable: number;
}

const DIGEST = /"([0-9a-f]{64})"/g;

/** How many digests one statement asks for: below the limits on parameters of both databases. */
const PAGE = 500;

/** Documents are named by their digests, wherever that stands in a body. */
function* findDocuments(events: readonly StoredEvent[]): Work<readonly Row[]> {
  const named = events.flatMap(({ body }) => [...body.matchAll(DIGEST)].map(([, digest = ""]) => digest));
  const digests = [...new Set(named)];
  const found: Row[] = [];
  for (let from = 0; from < digests.length; from += PAGE) {
    const page = digests.slice(from, from + PAGE);
    const places = page.map(() => "?").join(", ");
    found.push(...(yield* all(`SELECT * FROM h_document WHERE digest IN (${places}) ORDER BY digest`, ...page)));
  }
  return found;
}

/** Reads a thread at one moment. `snapshot`: whether the database has to be told that (Postgres). */
export function* findRecording(thread: string, snapshot: boolean, seal: Seal): Work<StoredRecording> {
  if (snapshot) yield* all("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  const what = `the recording of thread ${thread}`;
  const of = (table: string): Work<readonly Row[]> =>
    all(`SELECT * FROM ${table} WHERE thread = ? ORDER BY position`, thread);
  const tables = ["h_head", "h_event", "h_fold"];
  const runs = tables.map((table) => `SELECT run FROM ${table} WHERE thread = ?`).join(" UNION ");
  const places = tables.map(() => thread);
  const rows = yield* all(`SELECT * FROM h_event WHERE run IN (${runs})`, ...places);
  const folds = yield* findFolds(`run IN (${runs})`, ...places);
  const keys = yield* findKeys(thread, seal);
  const stored = inOrder([...rows, ...folds.flatMap((each) => unfolded(each, keys))]);
  const events = readRow(z.object({ events: z.array(storedEvent) }), { events: stored }, what).events.map((event) => {
    const named = headerColumn.safeParse(event.header).data?.body ?? "";
    return { ...event, body: openBody(event.body, named, keys) };
  });
  return readRow(
    storedRecording,
    {
      thread,
      record: (yield* first("SELECT * FROM h_thread WHERE thread = ?", thread)) ?? null,
      events,
      heads: yield* all(`SELECT * FROM h_head WHERE run IN (${runs}) ORDER BY run`, ...places),
      documents: yield* findDocuments(events),
      approvals: yield* of("h_approval"),
      effects: yield* of("h_effect"),
      keys: [...keys.values()].map(({ id, secret }) => ({ id, secret })),
      texts: yield* storedTexts(thread, keys),
    },
    what,
  );
}

/** A fold that somebody was at has no events: verification says that they are missing, and from where on. */
function unfolded(row: Row, keys: ReadonlyMap<string, ThreadKey>): readonly Row[] {
  try {
    return unfold(row, keys);
  } catch (error) {
    if (JournalError.isInstance(error)) return [];
    throw error;
  }
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
export function* adoptRecording(recording: StoredRecording, seal: Seal): Work<boolean> {
  if (yield* isKnown(recording)) return false;
  const { thread, record, events, heads, documents, effects, texts } = recording;
  const keys = new Map(recording.keys.map(({ id, secret }) => [id, keyOf(id, secret)]));
  yield* insert("h_thread", record === null ? [] : [record]);
  for (const key of keys.values()) yield* keepKey(thread, key, seal);
  yield* insert(
    "h_event",
    events.map((event) => ({ ...event, body: lockedAgain(event, keys) })),
  );
  const [key = yield* requireKey(thread, seal)] = keys.values();
  const named = texts.map((each) => ({ ...each, bytes: Buffer.byteLength(each.text) }));
  yield* keepTexts(
    thread,
    named.filter((each) => sha256(each.text) === each.digest),
    key,
  );
  yield* insert("h_head", heads);
  yield* insert("h_document", documents, "ON CONFLICT (digest) DO NOTHING");
  yield* insert("h_effect", effects, "ON CONFLICT (key) DO NOTHING");
  return true;
}

/** As it was in the database it comes from: encrypted with the key that names it. */
function lockedAgain({ header, body }: StoredEvent, keys: ReadonlyMap<string, ThreadKey>): string {
  const id = keyIdOf(headerColumn.safeParse(header).data?.body ?? "");
  const key = id === undefined ? undefined : keys.get(id);
  return key === undefined || body === "" ? body : lockedBody(body, key);
}
