// Opens the database of a journal and brings its tables to the present version, whichever process comes first.

import type { Database, Work } from "../database/database.js";
import { databaseFailure } from "../database/failure.js";
import { claimSchema, openPostgres } from "../database/postgres.js";
import { openSqlite } from "../database/sqlite.js";
import type { DatabaseTarget } from "../database/target.js";
import { migrate } from "./schema.js";

/** Opens it. @throws JournalError when it cannot be opened, or is newer than this code */
export async function openDatabase(target: DatabaseTarget): Promise<Database> {
  const refuse = (found: number, known: number) =>
    databaseFailure(target, "JOURNAL_NEWER", `its schema is version ${found}, this one knows ${known}`);
  const database = target.kind === "postgres" ? openPostgres(target) : openSqlite(target);
  function* prepare(): Work<void> {
    if (target.kind === "postgres") yield* claimSchema(target);
    yield* migrate(target.kind === "postgres" ? "postgres" : "sqlite", refuse);
  }
  try {
    await database.transaction(prepare());
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
