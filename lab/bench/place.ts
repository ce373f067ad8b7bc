// Databases to measure in, each its own: a file in a temporary directory, or a schema of a Postgres server. And how many
// bytes each table of the journal takes there, page by page.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openPostgresPool } from "../../checkpoints/database/postgres.js";
import { openSqliteHandle } from "../../checkpoints/database/sqlite.js";
import { parseDatabaseUrl } from "../../checkpoints/database/target.js";

/** Bytes by table, each with its indexes. */
export type TableSizes = Readonly<Record<string, number>>;

/** A database for one run of a benchmark. */
export interface Place {
  readonly url: string;
  /** For the journal's key: it goes with the place. */
  readonly keyFile: string;
  /** The journal's tables: pages of the database that are theirs and their indexes'. */
  sizes(): Promise<TableSizes>;
  /** All of the database. */
  bytes(): Promise<number>;
  remove(): Promise<void>;
}

const FOLDER = "bulkhead-bench-";

/**
 * A new database. `database` says where: beside that SQLite file, which is not touched, or on that Postgres server, in a
 * schema of its own. Default: the system's temporary directory.
 *
 * @throws JournalError for a URL that is none, RangeError for `memory:`, which has no size.
 */
export async function openPlace(database?: string): Promise<Place> {
  const target = database === undefined ? undefined : parseDatabaseUrl(database, process.cwd());
  if (target?.kind === "memory")
    throw new RangeError("memory: has no size to measure; use sqlite:PATH or postgres://…");
  const folder = await mkdtemp(join(target?.kind === "sqlite" ? dirname(target.path) : tmpdir(), FOLDER));
  const keyFile = join(folder, "bench.key");
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  if (target?.kind === "postgres") return postgresPlace(String(database), keyFile, removeFolder);
  const path = join(folder, "bench.db");
  return {
    ...{ url: `sqlite:${path}`, keyFile, remove: removeFolder },
    sizes: async () => sqliteSizes(path),
    bytes: async () => sqliteBytes(path),
  };
}

const SQLITE_SIZES = `SELECT tbl_name AS name, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name)
  WHERE tbl_name LIKE 'h\\_%' ESCAPE '\\' GROUP BY tbl_name`;

const sqliteSizes = (path: string): TableSizes => sizesOf(askSqlite(path, SQLITE_SIZES));

const SQLITE_BYTES = "SELECT 'all' AS name, page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";

const sqliteBytes = (path: string): number => Number(askSqlite(path, SQLITE_BYTES)[0]?.bytes ?? 0);

function askSqlite(path: string, sql: string): readonly SizeRow[] {
  const handle = openSqliteHandle({ kind: "sqlite", name: path, path });
  try {
    return handle.prepare(sql).all([]) as SizeRow[];
  } finally {
    handle.close();
  }
}

const POSTGRES_SIZES = `SELECT relname AS name, pg_total_relation_size(pg_class.oid) AS bytes FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' AND relname LIKE 'h\\_%' AND nspname = $1`;

const POSTGRES_BYTES = `SELECT 'all' AS name, sum(pg_total_relation_size(pg_class.oid)) AS bytes FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' AND nspname = $1`;

/** The schema is made by the journal at its first statement. */
function postgresPlace(database: string, keyFile: string, removeFolder: () => Promise<void>): Place {
  const schema = `bulkhead_bench_${randomBytes(8).toString("hex")}`;
  const url = new URL(database);
  url.searchParams.set("schema", schema);
  const ask = async (sql: string, ...values: readonly string[]): Promise<readonly SizeRow[]> => {
    const target = parseDatabaseUrl(url.href, process.cwd());
    if (target.kind !== "postgres") return [];
    const pool = openPostgresPool(target);
    try {
      return (await pool.query<SizeRow>(sql, [...values])).rows;
    } finally {
      await pool.end();
    }
  };
  return {
    url: url.href,
    keyFile,
    sizes: async () => sizesOf(await ask(POSTGRES_SIZES, schema)),
    bytes: async () => Number((await ask(POSTGRES_BYTES, schema))[0]?.bytes ?? 0),
    remove: async () => {
      await ask(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      await removeFolder();
    },
  };
}

interface SizeRow {
  readonly name: string;
  readonly bytes: number | string;
}

const sizesOf = (rows: readonly SizeRow[]): TableSizes =>
  Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)]));
