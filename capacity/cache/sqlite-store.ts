// A cache store in a SQLite file, for the processes of one machine. What it keeps survives them; the locks in it make
// equal calls of all of them one call. The file holds answers in clear text: only its owner can read it.

import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Libsql from "libsql";
import { z } from "zod";
import type { Clock } from "../clock.js";
import { boundsOf, type CacheBounds, type CacheStore } from "./store.js";

/** What {@link sqliteStore} takes. */
export interface SqliteStoreOptions extends CacheBounds {
  /** The file. It and its folder are made at first use. Not the journal's file: a cache may be deleted at any time. */
  readonly path: string;
  /** How long a statement waits for another process, in milliseconds; it blocks the event loop meanwhile. Default 100. */
  readonly lockTimeoutMs?: number;
  /** All processes that share the file go by the clock of their machine. */
  readonly clock: Clock;
}

// The index has the sizes in it: the oldest and the sum are found without reading an answer.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS kept_answers (
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  at REAL NOT NULL,
  until REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS kept_answers_by_age ON kept_answers (at, bytes);
CREATE TABLE IF NOT EXISTS answer_locks (
  name TEXT PRIMARY KEY,
  token TEXT NOT NULL,
  until REAL NOT NULL
);
`;

const keptRow = z.object({ text: z.string(), at: z.number(), until: z.number() });
const sizeRow = z.object({ entries: z.number(), bytes: z.number().nullable() });
const lockRow = z.object({ token: z.string() });

/**
 * A {@link CacheStore} that other processes of this machine can open too.
 *
 * @throws RangeError for bounds that make no sense. Its operations reject when the file cannot be used.
 */
export function sqliteStore({ path, lockTimeoutMs = 100, clock, ...bounds }: SqliteStoreOptions): CacheStore {
  const { maxEntries, maxBytes } = boundsOf(bounds);
  let opened: Libsql.Database | undefined;
  let closed = false;

  const database = (): Libsql.Database => {
    if (closed) throw new Error(`the answer cache ${path} was closed`);
    opened ??= open(path, lockTimeoutMs);
    return opened;
  };

  /** All or nothing, with the write lock from the start. */
  const writing = <Value>(work: (handle: Libsql.Database) => Value): Value => {
    const handle = database();
    return handle.transaction(() => work(handle)).immediate();
  };

  const makeRoom = (handle: Libsql.Database): void => {
    handle.prepare("DELETE FROM kept_answers WHERE until < ?").run([clock.now()]);
    for (;;) {
      const size = handle.prepare("SELECT COUNT(*) AS entries, SUM(bytes) AS bytes FROM kept_answers").get([]);
      const { entries, bytes } = sizeRow.parse(size);
      if (entries <= maxEntries && (bytes ?? 0) <= maxBytes) return;
      const tooMany = Math.max(1, entries - maxEntries);
      handle
        .prepare("DELETE FROM kept_answers WHERE name IN (SELECT name FROM kept_answers ORDER BY at, rowid LIMIT ?)")
        .run([tooMany]);
    }
  };

  return {
    async get(key) {
      const row: unknown = database().prepare("SELECT text, at, until FROM kept_answers WHERE name = ?").get([key]);
      if (row === undefined) return undefined;
      const { text, at, until } = keptRow.parse(row);
      const now = clock.now();
      return until < now ? undefined : { text, ageMs: Math.max(0, now - at) };
    },
    async put(key, text, keepMs) {
      const bytes = Buffer.byteLength(text);
      if (bytes > maxBytes) return;
      const now = clock.now();
      writing((handle) => {
        handle
          .prepare("INSERT OR REPLACE INTO kept_answers (name, text, bytes, at, until) VALUES (?, ?, ?, ?, ?)")
          .run([key, text, bytes, now, now + keepMs]);
        makeRoom(handle);
      });
    },
    lock: {
      async hold(key, token, leaseMs) {
        const now = clock.now();
        return writing((handle) => {
          handle
            .prepare(
              `INSERT INTO answer_locks (name, token, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE
               SET token = excluded.token, until = excluded.until WHERE token = excluded.token OR until <= ?`,
            )
            .run([key, token, now + leaseMs, now]);
          return lockRow.parse(handle.prepare("SELECT token FROM answer_locks WHERE name = ?").get([key])).token;
        });
      },
      async release(key, token) {
        database().prepare("DELETE FROM answer_locks WHERE name = ? AND token = ?").run([key, token]);
      },
    },
    async close() {
      closed = true;
      opened?.close();
      opened = undefined;
    },
  };
}

function open(path: string, lockTimeoutMs: number): Libsql.Database {
  try {
    makeFolder(dirname(path));
    const handle = new Libsql(path, { timeout: lockTimeoutMs });
    try {
      chmodSync(path, 0o600);
      useWriteAheadLog(handle);
      handle.pragma("synchronous=OFF"); // After a power cut an answer is made again.
      handle.exec(SCHEMA);
      return handle;
    } catch (error) {
      handle.close();
      throw error;
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the answer cache ${path} cannot be used (${why}): name another file, or delete this one`, {
      cause: error,
    });
  }
}

/** How often a new file is tried again that other processes are opening at the same moment. */
const WAL_ATTEMPTS = 5;

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

/** Not `mkdirSync` with `recursive`: on Node 20 that never returns where a file system lets nobody create (`/proc`). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path)) throw error; // Else another process was quicker.
  }
}
