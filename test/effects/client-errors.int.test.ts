// The ledger's word for what pg throws, against a Postgres that refuses, cancels and ends the session.

import pg from "pg";
import { describe, expect, test } from "vitest";
import { POSTGRES_URL, withoutPostgres } from "../checkpoints/support.js";
import { word } from "./word.js";

const query =
  (sql: string, url = POSTGRES_URL) =>
  async () => {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await client.query(sql);
    } finally {
      await client.end().catch(() => undefined);
    }
  };

describe.skipIf(await withoutPostgres())("pg against Postgres", () => {
  test.each([
    ["a statement that is refused", query("SELECT 1 / 0"), "failed"],
    ["no such table", query("INSERT INTO no_such_table VALUES (1)"), "failed"],
    ["no such database", query("SELECT 1", POSTGRES_URL.replace(/\/test$/, "/no_such_database")), "failed"],
    ["nobody listens", query("SELECT 1", POSTGRES_URL.replace(":5432", ":1")), "failed"],
    ["cancelled", query("SET statement_timeout = 1; SELECT pg_sleep(10)"), "in_doubt"],
    ["the session is ended in the middle", query("SELECT pg_terminate_backend(pg_backend_pid())"), "in_doubt"],
    [
      "the session is ended in COMMIT",
      query("BEGIN; SELECT pg_terminate_backend(pg_backend_pid()); COMMIT"),
      "in_doubt",
    ],
  ] as const)("%s", async (_, run, expected) => {
    expect(await word(run)).toBe(expected);
  });
});
