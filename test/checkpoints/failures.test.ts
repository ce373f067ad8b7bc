// What a user sees when the database is not what it should be: one clear line, and nothing done.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { all, first, type Work } from "../../checkpoints/database/database.js";
import { openSqlite } from "../../checkpoints/database/sqlite.js";
import { parseDatabaseUrl } from "../../checkpoints/database/target.js";
import { type JournalError, openCheckpointer, openJournal, redactUrl, verifyThread } from "../../checkpoints/index.js";
import { BOTTOM, TOP } from "../../trust/index.js";
import { asVersion4, LATER } from "./older.js";
import { approvalRequest, effectIntent } from "./support.js";

let cwd: string;
let file: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "bulkhead-failures-"));
  file = join(cwd, "a.db");
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const checkpoint = {
  v: 4,
  id: "1ef4f797-8335-6428-8001-8a1503f9b875",
  ts: "2030-01-01T00:00:00.000Z",
  channel_values: {},
  channel_versions: {},
  versions_seen: {},
};

/** Writes one thing through the journal and through the checkpointer; returns what each of them threw. */
async function useBoth(url: string): Promise<JournalError[]> {
  const journal = openJournal(url, { cwd });
  const byJournal = await journal.beginThread("t1", "agent", TOP).catch((error: unknown) => error);
  await journal.close();
  const bySaver = await openCheckpointer(url, { cwd })
    .then(async ({ saver, close }) => {
      try {
        const config = { configurable: { thread_id: "t1", checkpoint_ns: "" } };
        await saver.put(config, checkpoint, { source: "input", step: -1, parents: {} }, {});
      } finally {
        await close();
      }
    })
    .catch((error: unknown) => error);
  return [byJournal, bySaver] as JournalError[];
}

const rowsOf = (statement: string): readonly Record<string, unknown>[] => {
  const handle = new Libsql(file);
  try {
    return handle.prepare(statement).all([]) as Record<string, unknown>[];
  } finally {
    handle.close();
  }
};

const tamper = (...statements: string[]) => {
  const handle = new Libsql(file);
  for (const statement of statements) handle.exec(statement);
  handle.close();
};

describe("a database that cannot be used", () => {
  it("is broken: not a database", async () => {
    writeFileSync(file, "Dear customer, this is not a database.\n".repeat(50));
    for (const error of await useBoth("sqlite:a.db")) {
      expect(error).toMatchObject({ name: "JournalError", code: "JOURNAL_BROKEN", subject: file });
      expect(error.message).toBe(
        `${file} cannot be used as a journal: file is not a database. Move it away or restore a copy, or name another database.`,
      );
    }
  });

  it("is locked by somebody else", async () => {
    await useBoth("sqlite:a.db");
    const other = new Libsql(file);
    other.exec("BEGIN IMMEDIATE");
    for (const error of await useBoth("sqlite:a.db")) {
      expect(error).toMatchObject({ code: "JOURNAL_LOCKED" });
      expect(error.message).toContain(`${file} is locked by another process`);
    }
    other.exec("ROLLBACK");
    other.close();
    expect(await useBoth("sqlite:a.db")).toEqual([false, undefined]);
  });

  it.each(["in-the-way/sub/a.db", "directory", "/proc/nothing/a.db"])("cannot be written: %s", async (path) => {
    writeFileSync(join(cwd, "in-the-way"), "");
    mkdirSync(join(cwd, "directory"));
    for (const error of await useBoth(`sqlite:${path}`)) {
      expect(error).toMatchObject({ code: "JOURNAL_UNAVAILABLE" });
      expect(error.message).toMatch(/^\/\S+ cannot be opened or written: .*Check that the folder exists/);
    }
  });

  it("is not a server", async () => {
    for (const error of await useBoth("postgres://ann:s3cr%40t@127.0.0.1:1/db?password=s3cr%40t")) {
      expect(error).toMatchObject({ code: "JOURNAL_UNAVAILABLE" });
      expect(error.message).toMatch(/^postgres:\/\/ann:\*\*\*@127\.0\.0\.1:1\/db\S* cannot be reached: .*ECONNREFUSED/);
      expect(`${error.message}${error.subject}`).not.toMatch(/s3cr/);
    }
  });

  it("is newer than this code", async () => {
    await useBoth("sqlite:a.db");
    tamper("UPDATE h_schema SET version = 99");
    const journal = openJournal("sqlite:a.db", { cwd });
    await expect(journal.threads()).rejects.toMatchObject({
      code: "JOURNAL_NEWER",
      message: expect.stringMatching(/was written by a newer version: its schema is version 99.*Update bulkhead/),
    });
    tamper("UPDATE h_schema SET version = 5");
    expect(await journal.threads()).toHaveLength(1); // A failed opening is tried again.
    await journal.close();
  });

  it("is older than this code: what it holds is kept and can be used", async () => {
    const before = openJournal("sqlite:a.db", { cwd });
    await before.beginThread("t1", "agent", TOP);
    await before.intendEffect(effectIntent());
    await before.requestApproval(approvalRequest(before.clock));
    await before.close();
    tamper(
      "ALTER TABLE h_effect DROP COLUMN resolution",
      "DROP INDEX h_effect_root",
      ...["h_effect", "h_thread"].map((table) => `ALTER TABLE ${table} DROP COLUMN root`),
      ...["h_effect", "h_thread"].map((table) => `ALTER TABLE ${table} DROP COLUMN seal`),
      "ALTER TABLE h_approval DROP COLUMN history",
      ...["h_label", "h_document", "h_pin", ...LATER].map((table) => `DROP TABLE ${table}`),
      "DROP INDEX h_head_thread",
      ...["thread", "seal"].map((column) => `ALTER TABLE h_head DROP COLUMN ${column}`),
      "UPDATE h_schema SET version = 1",
    );
    const journal = openJournal("sqlite:a.db", { cwd });
    expect(await journal.thread("t1")).toMatchObject({ root: "t1", floor: BOTTOM, forged: true });
    expect(await journal.approval("approval-1")).toMatchObject({ status: "forged" });
    expect(await journal.effect("key-1")).toMatchObject({ status: "forged", root: "t1", resolution: undefined });
    await expect(journal.dispatchEffect("key-1")).rejects.toMatchObject({ code: "EFFECT_FORGED" });
    await journal.intendEffect(effectIntent({ key: "key-2", mayRepeat: true }));
    await journal.dispatchEffect("key-2");
    await journal.settleEffect("key-2", { status: "in_doubt" });
    expect(await journal.resolveEffect("key-2", "failed", "ann", "no")).toMatchObject({ status: "failed" });
    await journal.close();
  });

  it("is from before bodies were encrypted: it opens, reads, verifies and goes on", async () => {
    const before = openJournal("sqlite:a.db", { cwd });
    await before.beginThread("t1", "agent", TOP);
    for (const ms of [1, 2, 3]) await before.append({ thread: "t1", run: "r1" }, { kind: "node.end", ms });
    await before.append({ thread: "t1", run: "r2" }, { kind: "run.end", status: "finished" });
    await before.close();
    rmSync(`${file}.key.heads`); // They name the hashes of the present format.
    await asVersion4(file, ["t1"]);
    const stored = () => rowsOf("SELECT body FROM h_event ORDER BY position").map(({ body }) => String(body));
    expect(stored()[0]).toBe('{"kind":"node.end","ms":1}');

    const journal = openJournal("sqlite:a.db", { cwd });
    const read = await journal.events({ thread: "t1" });
    expect(read.map(({ event }) => event)).toMatchObject([{ ms: 1 }, { ms: 2 }, { ms: 3 }, { status: "finished" }]);
    const intact = { ok: true, events: 4, runs: 2, heads: 2, erased: 0, completeFrom: { run: "r1", seq: 1 } };
    expect(await verifyThread(journal, "t1")).toMatchObject(intact);
    await journal.append({ thread: "t1", run: "r1" }, { kind: "node.end", ms: 4 });
    await journal.append({ thread: "t1", run: "r3" }, { kind: "node.end", ms: 5 });
    expect(stored().map((body) => body.startsWith("locked:"))).toEqual([false, false, false, false, true, true]);
    expect(await journal.events({ thread: "t1", run: "r1" })).toHaveLength(4);
    expect(await verifyThread(journal, "t1")).toMatchObject({ ...intact, events: 6, runs: 3, heads: 3 });
    await journal.erase("t1", "ann", "asked to");
    expect(stored().slice(0, 6).join("")).toBe("");
    expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, events: 7, erased: 6 });
    await journal.close();
  });

  it.each([
    "mysql://root:s3cret@h/db",
    "sqlite:",
    "bulkhead.db",
    "postgres://ann:s3cret@[/",
    "postgres://h/d?schema=A;B",
  ])("has no valid URL: %s", async (url) => {
    expect(() => openJournal(url)).toThrow(expect.objectContaining({ code: "JOURNAL_UNAVAILABLE" }));
    await expect(openCheckpointer(url)).rejects.toThrow(/Use sqlite:PATH, postgres:/);
    await expect(openCheckpointer(url)).rejects.not.toThrow(/s3cret/);
  });

  it.each([
    ["postgres://ann:p@ss:w/rd?x=@host/db", "postgres://ann:***@host/db"],
    ["postgres://ann@host/db?a=1&password=abc&b=2", "postgres://ann@host/db?a=1&password=***&b=2"],
    ["postgres://:pw@host/db", "postgres://:***@host/db"],
    ["postgres://host/db", "postgres://host/db"],
    ["sqlite:a@b.db", "sqlite:a@b.db"],
  ])("shows no password: %s", (url, shown) => expect(redactUrl(url)).toBe(shown));

  it("is relative to cwd, or absolute in both spellings", () => {
    expect(parseDatabaseUrl("sqlite:.b/x.db", "/home/ann")).toMatchObject({ path: "/home/ann/.b/x.db" });
    expect(parseDatabaseUrl("sqlite:/tmp/x.db", "/home/ann")).toMatchObject({ path: "/tmp/x.db" });
    expect(parseDatabaseUrl("sqlite:///tmp/x.db", "/home/ann")).toMatchObject({ path: "/tmp/x.db" });
  });

  it("is not touched before it is used", async () => {
    const journal = openJournal("sqlite:a.db", { cwd });
    expect(existsSync(file)).toBe(false);
    await journal.close();
    expect(existsSync(file)).toBe(false);
  });
});

describe("a damaged record", () => {
  const open = () => openJournal("sqlite:a.db", { cwd });
  const broken = (subject: string) => expect.objectContaining({ code: "JOURNAL_BROKEN", subject });

  beforeEach(async () => {
    const journal = open();
    await journal.beginThread("t1", "agent", TOP);
    await journal.requestApproval(approvalRequest(journal.clock));
    await journal.intendEffect(effectIntent());
    for (const ms of [1, 2]) await journal.append({ thread: "t1", run: "r1" }, { kind: "node.end", ms });
    await journal.close();
  });

  it.each(["", "not json", "null", '{"integrity":3,"fidelity":3,"currency":3,"certainty":4}'])(
    "has a floor that is no label (%j): bottom",
    async (floor) => {
      tamper(`UPDATE h_thread SET floor = '${floor}'`);
      const journal = open();
      expect((await journal.thread("t1"))?.floor).toEqual(BOTTOM);
      await journal.lowerFloor("t1", TOP);
      expect((await journal.thread("t1"))?.floor).toEqual(BOTTOM);
      await journal.close();
    },
  );

  it("has no considered label: bottom", async () => {
    tamper("UPDATE h_approval SET request = json_remove(request, '$.considered')");
    tamper("UPDATE h_effect SET intent = json_set(intent, '$.considered', 'high')");
    const journal = open();
    expect(await journal.approval("approval-1")).toMatchObject({ considered: BOTTOM });
    expect(await journal.effect("key-1")).toMatchObject({ considered: BOTTOM });
    await journal.close();
  });

  it("is refused, and never dispatched", async () => {
    tamper("UPDATE h_effect SET intent = 'x'", "UPDATE h_approval SET request = json_set(request, '$.arguments', 5)");
    const journal = open();
    await expect(journal.dispatchEffect("key-1")).rejects.toEqual(broken("effect key-1"));
    await expect(journal.effects()).rejects.toEqual(broken("effect key-1"));
    await expect(journal.approvals()).rejects.toEqual(broken("approval approval-1"));
    await journal.close();
    tamper(`UPDATE h_effect SET intent = '${JSON.stringify(effectIntent())}'`);
    const again = open();
    expect(await again.effect("key-1")).toMatchObject({ status: "intended", attempts: 0 });
    expect(await again.dispatchEffect("key-1")).toMatchObject({ status: "dispatched" });
    await again.close();
  });

  it.each([
    ["body", `'{"kind":"node.end","ms":3}'`],
    ["header", `replace(header, '"at":', '"at":1')`],
    ["prev", "'0'"],
  ])("is an event whose %s was changed", async (column, value) => {
    tamper(`UPDATE h_event SET ${column} = ${value} WHERE seq = 2`);
    const journal = open();
    await expect(journal.events({ thread: "t1" })).rejects.toEqual(broken("event 2 of run r1"));
    await journal.close();
  });
});

describe("durability on SQLite", () => {
  it("flushes what must survive a power cut, and only that", async () => {
    const database = openSqlite({ kind: "sqlite", name: file, path: file });
    const level = async (work: Work<unknown>, durable: boolean) => database.transaction(work, { durable });
    expect(await level(first("PRAGMA synchronous"), true)).toEqual({ synchronous: 2 });
    expect(await level(first("PRAGMA synchronous"), false)).toEqual({ synchronous: 1 });
    await expect(level(all("SELECT nonsense"), true)).rejects.toMatchObject({ code: "JOURNAL_BROKEN" });
    expect(await level(first("PRAGMA synchronous"), false)).toEqual({ synchronous: 1 });
    expect(await level(first("PRAGMA journal_mode"), false)).toEqual({ journal_mode: "wal" });
    await database.close();
  });
});
