// Long runs take less room: of every 64 events of a run the rows are folded into one, headers compressed together, bodies
// compressed together and encrypted. The very rows come out again: hashes follow from headers, and the beginning of each
// is kept, so that verification can say where somebody was at it. Rows that somebody was at before are not folded.

import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import { all, type Row, type SqlValue, type Work } from "../database/database.js";
import { openBody } from "./body.js";
import { chained, headerColumn, isNamed, keyIdOf } from "./chain.js";
import { bytes, damaged, integer, readRow } from "./rows.js";
import type { ThreadKey } from "./thread-key.js";

/** Events per fold. */
export const FOLD = 64;

/** What a fold may take when it is unfolded, in bytes: what a tampered one is made to take is damage. */
const LARGEST = 64 * 1024 * 1024;

/** What a body is that the keys do not open. A body is JSON and no such thing, so every check fails on it. */
const UNREADABLE = "locked:";

/** How much of a hash is kept, in hexadecimal digits: to name a place. The chain is held by the whole hashes around. */
const BEGINNING = 8;

const place = { position: integer, run: z.string(), seq: integer, thread: z.string(), header: z.string() };
const linkRows = z.array(z.object({ ...place, prev: z.string(), hash: z.string() }));
type LinkRow = z.output<typeof linkRows>[number];

/** `prev`: of the first one. `hash`: its beginning. */
const links = z.object({ prev: z.string(), rows: z.array(z.object({ ...place, hash: z.string() })) });

const bodiesOf = z.array(z.string());

const foldRow = z.object({ run: z.string(), seq: integer, key: z.string(), links: bytes, bodies: bytes.nullable() });

/** A row of an event, its body in the clear where it was folded. */
export type EventRow = Row & { readonly position: unknown };

/** Folds the events of the run before event `seq`, when there are enough of them. The newest row always stays a row. */
export function* fold(run: string, seq: number, key: ThreadKey): Work<void> {
  const from = seq - FOLD;
  if (from < 1 || from % FOLD !== 1) return;
  const range = "run = ? AND seq >= ? AND seq < ?";
  const columns = "SELECT position, run, seq, thread, header, prev, hash, body FROM h_event";
  const rows = yield* all(`${columns} WHERE ${range} ORDER BY seq`, run, from, seq);
  const bodies = rows.map((row) => soundBody(row, key));
  const { data = [] } = linkRows.safeParse(rows);
  const { thread = "", prev = "" } = data[0] ?? {};
  if (data.length !== FOLD || bodies.includes(undefined)) return;
  if (data.some((row, index) => row.thread !== thread || row.prev !== (data[index - 1]?.hash ?? prev))) return;
  const kept = { prev, rows: data.map(({ prev: _, hash, ...row }) => ({ ...row, hash: hash.slice(0, BEGINNING) })) };
  yield* all(`DELETE FROM h_event WHERE ${range}`, run, from, seq);
  const folded: SqlValue[] = [deflateRawSync(JSON.stringify(kept)), key.lock(JSON.stringify(bodies))];
  yield* all(
    "INSERT INTO h_fold (run, seq, thread, length, key, links, bodies) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ...[run, from, thread, FOLD, key.id, ...folded],
  );
}

/** The body of a row that is as it was written, with this key. */
function soundBody(row: Row, key: ThreadKey): string | undefined {
  const named = headerColumn.safeParse(row["header"]).data?.body ?? "";
  const keys = new Map([[key.id, key]]);
  const body = openBody(String(row["body"]), named, keys);
  return keyIdOf(named) === key.id && isLinked(row) && isNamed(body, named, keys) ? body : undefined;
}

const isLinked = ({ prev, header, hash }: Row): boolean => hash === chained(String(prev), String(header));

const COLUMNS = "SELECT run, seq, key, links, bodies FROM h_fold";

/** The folds where `condition` holds. */
export const findFolds = (condition: string, ...values: readonly SqlValue[]): Work<readonly Row[]> =>
  all(`${COLUMNS} WHERE ${condition} ORDER BY run, seq`, ...values);

/** The rows that were folded. @throws JournalError when somebody was at them. */
export function unfold(folded: Row, keys: ReadonlyMap<string, ThreadKey>): readonly EventRow[] {
  const what = `the events from ${String(folded["seq"])} of run ${String(folded["run"])}`;
  const { key, bodies, ...row } = readRow(foldRow, folded, what);
  const { data } = links.safeParse(parsed(() => inflateRawSync(row.links, { maxOutputLength: LARGEST }).toString()));
  if (data === undefined) throw damaged(what, "they are not what was written");
  const rows = linked(data);
  if (bodies === null) return rows.map((each) => ({ ...each, body: "" })); // They were erased.
  const opened = bodiesOf.safeParse(parsed(() => keys.get(key)?.unlock(bodies) ?? ""));
  return rows.map((each, index) => ({ ...each, body: opened.data?.[index] ?? UNREADABLE }));
}

/** With their whole hashes. One that is not what was kept of it stays what it is: no hash, as every check will find. */
function linked({ prev, rows }: z.output<typeof links>): readonly LinkRow[] {
  let before = prev;
  return rows.map((row) => {
    const hash = chained(before, row.header);
    const whole = { ...row, prev: before, hash: row.hash === hash.slice(0, BEGINNING) ? hash : row.hash };
    before = hash;
    return whole;
  });
}

function parsed(text: () => string): unknown {
  try {
    return JSON.parse(text());
  } catch {
    return undefined; // For whoever checks the shape to say so.
  }
}

/** In the order of recording. */
export const inOrder = <Each extends Row>(rows: readonly Each[]): readonly Each[] =>
  rows.toSorted((left, right) => Number(left["position"]) - Number(right["position"]));

/** Erases the bodies that were folded. Returns how many events had one. */
export function* eraseFolded(thread: string): Work<number> {
  const erased = "UPDATE h_fold SET bodies = NULL WHERE thread = ? AND bodies IS NOT NULL RETURNING length";
  return (yield* all(erased, thread)).reduce((sum, { length }) => sum + Number(length), 0);
}
