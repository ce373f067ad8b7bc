// The workspace's database: one SQLite file that is made and filled on first use, in a single transaction, so that
// neither a crash nor a second process can leave half of it. Also the one place where an effect meets its key.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { z } from "zod";
import { WorkspaceError } from "./errors.js";
import { SCHEMA, SCHEMA_VERSION } from "./schema.js";
import { seedRecords } from "./seed/index.js";

/** What may be bound to a statement. libsql aborts the process on a boolean, so the type keeps them out. */
export type SqlValue = string | number | null;

/** Where the records of a workspace are. */
export const recordsFile = (workspace: string): string => join(workspace, "records.db");

const LOCK_WAIT_MS = 15_000;

/** An open `records.db`. */
export class RecordsDatabase {
  private readonly connection: Database.Database;

  /**
   * Opens the database in the directory `workspace`; makes and seeds both when they are not there.
   *
   * @param now - The time that is written into records. Default: the machine's clock.
   * @throws WorkspaceError when the file is damaged, locked for longer than 15 s, of another version, or cannot be made.
   */
  constructor(
    workspace: string,
    private readonly now: () => Date = () => new Date(),
  ) {
    const file = recordsFile(workspace);
    try {
      mkdirSync(workspace, { recursive: true });
      this.connection = new Database(file, { timeout: LOCK_WAIT_MS });
      this.connection.exec("pragma journal_mode = wal; pragma foreign_keys = on;");
      if (this.version() !== SCHEMA_VERSION) this.transaction(() => this.create(file));
    } catch (error) {
      if (error instanceof WorkspaceError) throw error;
      throw new WorkspaceError(`${file} cannot be opened: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** The time for a record, ISO 8601 in UTC. */
  timestamp(): string {
    return this.now().toISOString();
  }

  /** All rows of a query, each checked by `row`. */
  all<Row extends z.ZodType>(row: Row, sql: string, ...values: readonly SqlValue[]): z.output<Row>[] {
    return z.array(row).parse(this.connection.prepare(sql).all([...values]));
  }

  /** The first row of a query, or `undefined`. */
  first<Row extends z.ZodType>(row: Row, sql: string, ...values: readonly SqlValue[]): z.output<Row> | undefined {
    return this.all(row, sql, ...values)[0];
  }

  /** The number a `select count(*) as count …` gives. */
  count(sql: string, ...values: readonly SqlValue[]): number {
    return this.first(z.object({ count: z.number() }), sql, ...values)?.count ?? 0;
  }

  /** Runs a statement. Returns the id of the inserted row, for a table that has one. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.connection.prepare(sql).run([...values]).lastInsertRowid);
  }

  /** Inserts a row. The object's keys are the columns. */
  insert(table: string, row: Readonly<Record<string, SqlValue>>): number {
    const columns = Object.keys(row);
    const places = columns.map(() => "?").join(", ");
    return this.run(`insert into ${table} (${columns.join(", ")}) values (${places})`, ...Object.values(row));
  }

  /**
   * Makes a change once per key. The result is stored in the change's own transaction: a key that is known returns
   * the stored result and changes nothing, whatever process or run it comes from.
   */
  once(key: string, tool: string, change: () => unknown): unknown {
    return this.transaction(() => {
      const known = this.first(z.object({ result: z.string() }), "select result from effects where key = ?", key);
      if (known !== undefined) return JSON.parse(known.result);
      const result = change();
      this.insert("effects", { key, tool, result: JSON.stringify(result), at: this.timestamp() });
      return result;
    });
  }

  /** Closes the file. */
  close(): void {
    this.connection.close();
  }

  /** Runs `body` in one transaction, as the only writer. */
  transaction<Result>(body: () => Result): Result {
    return this.connection.transaction(body).immediate();
  }

  /** 0 for a file that was just made. */
  private version(): number {
    const row = z.object({ version: z.number() });
    return this.first(row, "select user_version as version from pragma_user_version")?.version ?? 0;
  }

  private create(file: string): void {
    const version = this.version();
    if (version === SCHEMA_VERSION) return; // Another process was first.
    if (version !== 0) {
      throw new WorkspaceError(
        `${file} has format ${version}, this version reads ${SCHEMA_VERSION}. Use another workspace directory, or delete the file to start with fresh records.`,
      );
    }
    this.connection.exec(SCHEMA);
    for (const [table, rows] of Object.entries(seedRecords())) this.insertAll(table, rows);
    this.connection.exec(`pragma user_version = ${SCHEMA_VERSION}`);
  }

  /** One statement for all rows: preparing one for each of thousands takes half a second. */
  private insertAll(table: string, rows: readonly Readonly<Record<string, SqlValue>>[]): void {
    const columns = Object.keys(rows[0] ?? {});
    const values = columns.map((column) => `value ->> '${column}'`);
    const sql = `insert into ${table} (${columns.join(", ")}) select ${values.join(", ")} from json_each(?)`;
    this.run(sql, JSON.stringify(rows));
  }
}

const advice: Readonly<Record<string, string>> = {
  SQLITE_BUSY: "another process holds it. Wait for that run to end, or use another workspace directory.",
  SQLITE_NOTADB: "it is not a SQLite database. Move the file away, or use another workspace directory.",
  SQLITE_CORRUPT: "it is damaged. Move the file away, or use another workspace directory.",
};

function reasonOf(error: unknown): string {
  const { code, message } = z.object({ code: z.string().catch(""), message: z.string().catch("") }).parse(error);
  return advice[code] ?? `${message}. Check that the directory exists and can be written to.`;
}
