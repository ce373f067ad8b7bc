// The port to SQLite itself: what a transaction promises, the second time as well as the first.

import { afterEach, beforeEach, expect, test } from "vitest";
import { all, type Database, first, type Work } from "../../checkpoints/database/database.js";
import { openSqlite } from "../../checkpoints/database/sqlite.js";
import { parseDatabaseUrl } from "../../checkpoints/database/target.js";
import { type Attackable, sqlitePlace } from "./support.js";

let place: Attackable;
let database: Database;

beforeEach(() => {
  place = sqlitePlace();
  const target = parseDatabaseUrl(place.url, "/");
  if (target.kind !== "sqlite") throw new Error("not SQLite");
  database = openSqlite(target);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

function* level(): Work<unknown> {
  return (yield* first("PRAGMA synchronous"))?.["synchronous"];
}

test("a durable transaction is flushed to the disk each time, and only that", async () => {
  const [NORMAL, FULL] = [1, 2];
  for (let time = 1; time <= 3; time += 1) {
    expect(await database.transaction(level(), { durable: true })).toBe(FULL);
    expect(await database.transaction(level())).toBe(NORMAL);
    expect(await database.read(level())).toBe(NORMAL);
  }
});

test("a statement that failed can be run again", async () => {
  await database.transaction(all("CREATE TABLE t (a TEXT PRIMARY KEY)"));
  const insert = (value: string) => database.transaction(all("INSERT INTO t (a) VALUES (?)", value));
  await insert("one");
  await expect(insert("one")).rejects.toThrow();
  await insert("two");
  expect(await database.read(all("SELECT a FROM t ORDER BY a"))).toEqual([{ a: "one" }, { a: "two" }]);
});

test("a statement goes on working when the table changes", async () => {
  await database.transaction(all("CREATE TABLE t (a TEXT)"));
  const rows = () => database.read(all("SELECT * FROM t"));
  await database.transaction(all("INSERT INTO t (a) VALUES (?)", "one"));
  expect(await rows()).toEqual([{ a: "one" }]);
  await place.sql("ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'b'");
  expect(await rows()).toEqual([{ a: "one", b: "b" }]);
});
