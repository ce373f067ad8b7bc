// The SQLite file under the store: opened at first use, shared with other processes, its errors in words. The tables
// have names of their own, because the checkpoints and the journal may live in the same file.

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { StoreError } from "./errors.js";

// `fields` is what a put said about its index: NULL for the store's own fields, false for none, or a list of paths.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS memory_items (
  id INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  fields TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (namespace, key)
);
CREATE TABLE IF NOT EXISTS memory_vectors (
  item INTEGER NOT NULL REFERENCES memory_items (id) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  embedder TEXT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (item, part)
);
CREATE INDEX IF NOT EXISTS memory_vectors_embedder ON memory_vectors (embedder);
`;

/** A SQLite file that is opened when it is first needed. */
export class SqliteFile {
  #database: Database.Database | undefined;
  #closed = false;

  constructor(
    readonly path: string,
    private readonly lockTimeout: number,
  ) {}

  /**
   * Runs `work` in one transaction: all of it or nothing. `write` takes the write lock at once, waiting for it up to
   * `lockTimeout` ms.
   * @throws StoreError `UNAVAILABLE`, `LOCKED` or `CLOSED`
   */
  transaction<Result>(mode: "read" | "write", work: (database: Database.Database) => Result): Result {
    if (this.#closed) throw new StoreError("CLOSED", `The store ${this.path} was closed. Open it again to use it.`);
    try {
      this.#database ??= open(this.path, this.lockTimeout);
      const database = this.#database;
      const run = database.transaction(() => work(database));
      return mode === "write" ? run.immediate() : run.deferred();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Closes the file. Calling it again does nothing. */
  close(): void {
    this.#closed = true;
    this.#database?.close();
    this.#database = undefined;
  }

  #explain(error: unknown): unknown {
    const { code, message } = error as { code?: string; message?: string };
    if (code === "SQLITE_BUSY") {
      return new StoreError(
        "LOCKED",
        `${this.path} is locked by another process. Wait for it or stop it, then try again.`,
        error,
      );
    }
    if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT") {
      return new StoreError(
        "UNAVAILABLE",
        `${this.path} is not a SQLite database, or is damaged. Move it away or name another file.`,
        error,
      );
    }
    if (this.#database === undefined) {
      return new StoreError(
        "UNAVAILABLE",
        `${this.path} cannot be opened (${message}). Check that the folder exists and may be written to.`,
        error,
      );
    }
    return error;
  }
}

function open(path: string, lockTimeout: number): Database.Database {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path);
  try {
    database.pragma(`busy_timeout = ${Math.trunc(lockTimeout)}`); // First, so that the next line waits too.
    database.pragma("journal_mode = WAL");
    database.pragma("foreign_keys = ON");
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
