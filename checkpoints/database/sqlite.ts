// SQLite through libsql, whose synchronous interface is that of better-sqlite3. Write-ahead log, so that readers never
// wait for a writer; a writer waits for another one for at most five seconds.

import { dirname } from "node:path";
import Libsql from "libsql";
import type { Database, Row, Statement, TransactionOptions, Work } from "./database.js";
import { makeDirectory } from "./directory.js";
import { databaseFailure, toJournalError } from "./failure.js";
import type { DatabaseTarget } from "./target.js";

/** How long a statement waits for the lock of another process, in milliseconds. It blocks the event loop meanwhile. */
const BUSY_TIMEOUT_MS = 5_000;

type SqliteTarget = Extract<DatabaseTarget, { kind: "sqlite" | "memory" }>;

/**
 * Opens the file, creating it and its directory, and sets it up for several processes.
 *
 * @throws JournalError
 */
export function openSqliteHandle(target: SqliteTarget): Libsql.Database {
  try {
    if (target.kind === "sqlite") makeDirectory(dirname(target.path));
    const handle = new Libsql(target.kind === "sqlite" ? target.path : ":memory:", { timeout: BUSY_TIMEOUT_MS });
    try {
      useWriteAheadLog(handle);
      handle.pragma("synchronous=NORMAL");
      handle.pragma("secure_delete=ON"); // What is deleted or replaced is overwritten with zeros.
      return handle;
    } catch (error) {
      handle.close();
      throw error;
    }
  } catch (error) {
    throw toJournalError(target, error);
  }
}

/** How often a new file is tried again that other processes are opening at the same moment. */
const WAL_ATTEMPTS = 20;

/** Changing the mode does not wait for a lock, as everything else does. Writing nothing waits in its place. */
function useWriteAheadLog(handle: Libsql.Database): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      handle.pragma("journal_mode=WAL");
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "SQLITE_BUSY" || attempt === WAL_ATTEMPTS) throw error;
      handle.exec("BEGIN IMMEDIATE; COMMIT");
    }
  }
}

/** How many statements are kept prepared. The journal has fewer; lists of different lengths can make more. */
const PREPARED = 200;

class SqliteDatabase implements Database {
  private readonly prepared = new Map<string, Libsql.Statement>();

  constructor(
    private readonly target: SqliteTarget,
    private readonly handle: Libsql.Database,
  ) {}

  async read<Result>(work: Work<Result>): Promise<Result> {
    return this.drive(work);
  }

  async transaction<Result>(work: Work<Result>, { durable = false }: TransactionOptions = {}): Promise<Result> {
    // The pragma cannot change inside a transaction. Nothing can come between: this function does not await.
    if (durable) this.execute({ sql: "PRAGMA synchronous=FULL", values: [] });
    try {
      this.execute({ sql: "BEGIN IMMEDIATE", values: [] });
      try {
        const result = this.drive(work);
        this.execute({ sql: "COMMIT", values: [] });
        return result;
      } catch (error) {
        if (this.handle.inTransaction) this.execute({ sql: "ROLLBACK", values: [] });
        throw error;
      }
    } finally {
      if (durable) this.execute({ sql: "PRAGMA synchronous=NORMAL", values: [] });
    }
  }

  /** Deleted rows are zeros already; the write-ahead log still has what they were. */
  async scrub(): Promise<void> {
    const [row] = this.execute({ sql: "PRAGMA wal_checkpoint(TRUNCATE)", values: [] });
    if (row?.["busy"] === 0) return;
    throw databaseFailure(
      this.target,
      "JOURNAL_LOCKED",
      "what was deleted is gone from the tables, but its write-ahead log still has it, because somebody reads the database. Do it again when they are done",
    );
  }

  async close(): Promise<void> {
    this.prepared.clear();
    this.handle.close();
  }

  private drive<Result>(work: Work<Result>): Result {
    let step = work.next();
    while (!step.done) step = work.next(this.execute(step.value));
    return step.value;
  }

  private execute({ sql, values }: Statement): readonly Row[] {
    try {
      const statement = this.prepare(sql);
      if (statement.reader) return statement.all(values) as readonly Row[];
      statement.run(values); // Half the time of asking for rows that there are not.
      return [];
    } catch (error) {
      this.prepared.delete(sql); // What failed half-way is not used again.
      throw toJournalError(this.target, error);
    }
  }

  private prepare(sql: string): Libsql.Statement {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    if (this.prepared.size >= PREPARED) this.prepared.clear();
    const statement = this.handle.prepare(sql);
    // SQLite may do what a pragma says when it is prepared, not when it is run (its manual, PRAGMA statements).
    if (!sql.startsWith("PRAGMA")) this.prepared.set(sql, statement);
    return statement;
  }
}

/** Opens SQLite as a {@link Database}. */
export const openSqlite = (target: SqliteTarget): Database => new SqliteDatabase(target, openSqliteHandle(target));
