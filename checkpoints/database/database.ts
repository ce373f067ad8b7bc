// The port to SQL that the journal is written against, small enough that SQLite and Postgres mean the same by it.
// A transaction is a generator of statements: Postgres awaits each one, SQLite runs them all without giving up the
// event loop. So no other connection of this process can wait for a lock that only we could release.

import { isStorable } from "../../trust/storable.js";
import { JournalError } from "../errors.js";

/** What a statement may be given. */
export type SqlValue = string | number | Uint8Array | null;

/** One row, unchecked. */
export type Row = Readonly<Record<string, unknown>>;

/** One statement with `?` for each value. It answers with rows; one that only writes answers with `RETURNING`. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** A piece of work inside a transaction. Compose with `yield*`; throwing rolls everything back. */
export type Work<Result> = Generator<Statement, Result, readonly Row[]>;

/** What a transaction promises beyond atomicity. */
export interface TransactionOptions {
  /** Whether it must survive a power cut once it is committed, at the price of a disk flush. Default `false`. */
  readonly durable?: boolean;
}

/** An open database. Every method rejects with `JournalError` when the database fails; errors of the work pass as they are. */
export interface Database {
  /** Runs work that only reads, or consists of a single statement. */
  read<Result>(work: Work<Result>): Promise<Result>;
  /** Runs work atomically. On SQLite it holds the one write lock from its start. */
  transaction<Result>(work: Work<Result>, options?: TransactionOptions): Promise<Result>;
  /** Makes sure that what was deleted cannot be read in the files any more, as far as the database is able to. */
  scrub(): Promise<void>;
  close(): Promise<void>;
}

/** All rows of a statement. */
export function* all(sql: string, ...values: readonly SqlValue[]): Work<readonly Row[]> {
  return yield { sql, values: values.map(requireStorable) };
}

/** The first row of a statement, or `undefined`. */
export function* first(sql: string, ...values: readonly SqlValue[]): Work<Row | undefined> {
  return (yield { sql, values: values.map(requireStorable) })[0];
}

/** Whatever anybody wrote is JSON here, which escapes it: only an id can hold such a character. */
function requireStorable(value: SqlValue): SqlValue {
  if (typeof value === "string") requireStorableId(value);
  return value;
}

/** @throws JournalError for an id that not every database keeps as it is. */
export function requireStorableId(id: string): void {
  if (isStorable(id)) return;
  const shown = JSON.stringify(id);
  const what = "holds a NUL character or half of a surrogate pair, which no database keeps";
  throw new JournalError("JOURNAL_BROKEN", shown, `the id ${shown} ${what}. Choose another id.`);
}
