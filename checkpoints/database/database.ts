// The port to SQL that the journal is written against, small enough that SQLite and Postgres mean the same by it.
// A transaction is a generator of statements: Postgres awaits each one, SQLite runs them all without giving up the
// event loop. So no other connection of this process can wait for a lock that only we could release.

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
  return yield { sql, values };
}

/** The first row of a statement, or `undefined`. */
export function* first(sql: string, ...values: readonly SqlValue[]): Work<Row | undefined> {
  return (yield { sql, values })[0];
}
