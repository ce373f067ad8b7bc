// Postgres through node-postgres. Transactions run at READ COMMITTED; the work is written so that each decision is one
// conditional statement. How durable a commit is, is the server's setting (`synchronous_commit`, on by default).

import pg from "pg";
import { all, type Database, type Row, type Statement, type Work } from "./database.js";
import { toJournalError } from "./failure.js";
import type { DatabaseTarget } from "./target.js";

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 10_000;

type PostgresTarget = Extract<DatabaseTarget, { kind: "postgres" }>;

/** A pool that does not keep the process alive and gives up on an absent server after five seconds. */
export function openPostgresPool({ connectionString, schema }: PostgresTarget): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    allowExitOnIdle: true,
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
  });
  // An idle connection that breaks is dropped by the pool; the next statement opens another one or fails with its reason.
  pool.on("error", () => undefined);
  return pool;
}

const numbered = (sql: string): string => {
  let count = 0;
  return sql.replaceAll("?", () => `$${++count}`);
};

/** The journal's tables, and those of the checkpoints where they are in the same place. */
const OWN_TABLES = `SELECT tablename AS name FROM pg_tables
  WHERE schemaname = current_schema() AND (tablename LIKE 'h\\_%' OR tablename LIKE 'checkpoint%')`;

class PostgresDatabase implements Database {
  constructor(
    private readonly target: PostgresTarget,
    private readonly pool: pg.Pool,
  ) {}

  async read<Result>(work: Work<Result>): Promise<Result> {
    return this.drive(this.pool, work);
  }

  async transaction<Result>(work: Work<Result>): Promise<Result> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw toJournalError(this.target, error);
    });
    let broken: Error | undefined;
    try {
      await this.execute(client, { sql: "BEGIN", values: [] });
      const result = await this.drive(client, work);
      await this.execute(client, { sql: "COMMIT", values: [] });
      return result;
    } catch (error) {
      broken = await client.query("ROLLBACK").then(
        () => undefined,
        (failure: Error) => failure,
      );
      throw error;
    } finally {
      client.release(broken); // A connection that could not roll back is thrown away, and its transaction with it.
    }
  }

  /** Old row versions go; the server's write-ahead log and backups are the operator's. */
  async scrub(): Promise<void> {
    const tables = await this.execute(this.pool, { sql: OWN_TABLES, values: [] });
    for (const { name } of tables) await this.execute(this.pool, { sql: `VACUUM "${String(name)}"`, values: [] });
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async drive<Result>(client: pg.Pool | pg.PoolClient, work: Work<Result>): Promise<Result> {
    let step = work.next();
    while (!step.done) step = work.next(await this.execute(client, step.value));
    return step.value;
  }

  private async execute(client: pg.Pool | pg.PoolClient, { sql, values }: Statement): Promise<readonly Row[]> {
    try {
      return (await client.query<Record<string, unknown>>(numbered(sql), [...values])).rows;
    } catch (error) {
      throw toJournalError(this.target, error);
    }
  }
}

/** Opens Postgres as a {@link Database}. Connects at the first statement. */
export const openPostgres = (target: PostgresTarget): Database =>
  new PostgresDatabase(target, openPostgresPool(target));

/** "bulkhead" in ASCII, cut to 31 bits: the advisory lock under which processes that start at once migrate in turn. */
const MIGRATION_LOCK = 0x62756c6b;

/** Runs `work` while no other process migrates this database. */
export async function whileMigrating(pool: pg.Pool, work: () => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await work();
  } finally {
    client.release(true); // Closing the connection is what gives the lock back, whatever happened.
  }
}

/** Waits for the right to change the schema, which ends with the transaction, and creates the schema if one was named. */
export function* claimSchema({ schema }: PostgresTarget): Work<void> {
  yield* all("SELECT pg_advisory_xact_lock(?)", MIGRATION_LOCK);
  if (schema !== undefined) yield* all(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
}
