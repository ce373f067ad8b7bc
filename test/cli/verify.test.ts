// `verify`, `export` and `import`: a recording that is whole, one that was changed, and one that went elsewhere.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { chainedBefore } from "../../checkpoints/journal/chain.js";
import { runProgram } from "../../cli/program.js";
import { TOP } from "../../trust/index.js";
import { record } from "../checkpoints/tampering.js";
import { testTerminal } from "./terminal.js";

let folder: string;
let db: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-verify-"));
  db = `sqlite:${join(folder, "threads.db")}`;
  const journal = openJournal(db);
  await journal.beginThread("t1", "agent", TOP);
  await record(journal);
  await journal.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function typed(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = { ...testTerminal({ cwd: folder }), env };
  const code = await runProgram(args, terminal);
  return { code, ...terminal.written };
}

function tamper(statement: string): void {
  const handle = new Libsql(join(folder, "threads.db"));
  handle.exec(statement);
  handle.close();
}

const exported = () => typed(["export", "t1", "--out", "evidence", "--db", db]);

describe("verify THREAD", () => {
  test("a recording that is whole", async () => {
    expect(await typed(["verify", "t1", "--db", db])).toEqual({
      code: 0,
      err: "",
      out: `Intact: 15 events in 3 runs of thread t1.\n3 sealed heads and 3 heads kept outside the database fit.\nNext:\n  bulkhead export t1 --out DIR --db ${db}\n`,
    });
    const { out } = await typed(["verify", "t1", "--db", db, "--json"]);
    expect(JSON.parse(out)).toEqual({
      ...{ thread: "t1", ok: true, events: 15, runs: 3, heads: 3, kept: 3, unreadable: 0, erased: 0, texts: 0 },
      ...{ sealsChecked: true, missingKey: null, completeFrom: { run: "r1", seq: 1 } },
    });
  });

  test("one that was changed: exit 1, and where", async () => {
    // One byte of the encrypted body, and then the whole of it, by one of the same run.
    tamper(
      "UPDATE h_event SET body = substr(body, 1, 60) || iif(substr(body, 61, 1) = 'A', 'B', 'A') || substr(body, 62) WHERE run = 'r2' AND seq = 2",
    );
    const { code, out, err } = await typed(["verify", "t1", "--db", db]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatch(/^Broken: run r2, event 2: its body is not what its digest names\.\nDo not rely on/);
    const listed = JSON.parse((await typed(["verify", "t1", "--db", db, "--json"])).out);
    expect(listed).toMatchObject({ thread: "t1", ok: false, at: { run: "r2", seq: 2 } });
    tamper(
      "UPDATE h_event SET body = (SELECT body FROM h_event WHERE run = 'r2' AND seq = 1) WHERE run = 'r2' AND seq = 2",
    );
    expect((await typed(["verify", "t1", "--db", db])).out).toMatch(/^Broken: run r2, event 2: its body is not what/);
  });

  test("one that was deleted, but for the heads kept outside", async () => {
    for (const table of ["h_event", "h_head", "h_thread"]) tamper(`DELETE FROM ${table} WHERE thread = 't1'`);
    const { code, out } = await typed(["verify", "t1", "--db", db]);
    expect({ code, out }).toEqual({
      code: 1,
      out: expect.stringMatching(/^Broken: run r1, event 1: it is missing: 6 events/),
    });
  });

  test("says which part of it cannot be vouched for", async () => {
    writeFileSync(join(folder, "threads.db.key.heads"), "torn\n");
    const torn = await typed(["verify", "t1", "--db", db]);
    expect(torn).toMatchObject({
      code: 0,
      out: expect.stringContaining("1 line of the heads kept outside the database"),
    });
    const journal = openJournal(db);
    const [first] = (await journal.recording("t1")).events;
    await journal.close();
    const hash = chainedBefore("", first?.header ?? "");
    tamper(`DELETE FROM h_event WHERE thread = 't1' AND (run <> 'r1' OR seq > 1);
      DELETE FROM h_head WHERE thread = 't1' AND run <> 'r1';
      UPDATE h_event SET hash = '${hash}' WHERE run = 'r1';
      UPDATE h_head SET length = 1, hash = '${hash}', seal = NULL WHERE run = 'r1'`);
    const earlier = await typed(["verify", "t1", "--db", db]);
    expect(earlier).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\nAll of it was recorded by an earlier version/),
    });
    const later = openJournal(db);
    await later.append({ thread: "t1", run: "r9" }, { kind: "node.start" });
    await later.close();
    expect((await typed(["verify", "t1", "--db", db])).out).toMatch(/before run r9 is from an earlier version/);
  });

  test("none", async () => {
    const { code, err } = await typed(["verify", "t9", "--db", db]);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^error: there is no thread t9 .*threads\n$/),
    });
  });
});

describe("export, verify BUNDLE and import", () => {
  test("verifies without the database: with its key, and without", async () => {
    const written = await exported();
    expect(written).toMatchObject({ code: 0, err: "" });
    expect(written.out).toMatch(/^Exported 15 events in 3 runs to evidence, sealed with key [0-9a-f]{16}\.\n/);
    expect(written.out).toMatch(/Next:\n {2}bulkhead verify evidence\n$/);
    expect(readdirSync(join(folder, "evidence")).sort()).toEqual([
      "approvals.json",
      "documents.json",
      "effects.json",
      "events.jsonl",
      "keys.json",
      "manifest.json",
    ]);
    const withKey = await typed(["verify", "evidence", "--db", db]);
    expect(withKey.out).toMatch(/^Intact: 15 events in 3 runs of thread t1\.\n3 sealed heads and 3 heads kept/);
    rmSync(join(folder, "threads.db"));
    const without = await typed(["verify", "evidence", "--db", `sqlite:${join(folder, "none.db")}`]);
    expect(without).toMatchObject({ code: 0, err: "" });
    expect(without.out).toMatch(/Its seals were not checked: key [0-9a-f]{16} is not here.*BULKHEAD_KEY_FILE/);
    expect(readdirSync(folder).filter((name) => name.startsWith("none"))).toEqual([]);
  });

  test("a bundle that was changed: exit 1, where, and it is not taken over", async () => {
    await exported();
    const file = join(folder, "evidence", "events.jsonl");
    writeFileSync(file, readFileSync(file, "utf8").replace("of r2", "of r1"));
    const problem = /run r2, event 1: its body is not what its digest names/;
    expect(await typed(["verify", "evidence", "--db", db])).toMatchObject({
      code: 1,
      out: expect.stringMatching(problem),
    });
    const other = `sqlite:${join(folder, "other.db")}`;
    const env = { BULKHEAD_KEY_FILE: join(folder, "threads.db.key") };
    const refused = await typed(["import", "evidence", "--db", other], env);
    expect(refused).toMatchObject({ code: 1, out: "", err: expect.stringMatching(problem) });
    expect((await typed(["threads", "--db", other], env)).out).toMatch(/^Nothing ran yet/);
  });

  test("is taken over by a database with the same key, once", async () => {
    await exported();
    const other = `sqlite:${join(folder, "other.db")}`;
    const env = { BULKHEAD_KEY_FILE: join(folder, "threads.db.key") };
    const refused = await typed(["import", "evidence", "--db", other]);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/was sealed with key .* is none yet\. Name the/),
    });
    expect(await typed(["import", "evidence", "--db", other], env)).toEqual({
      code: 0,
      err: "",
      out: `Imported 15 events in 3 runs of thread t1: to read, not to resume.\nNext:\n  bulkhead verify t1 --db ${other}\n`,
    });
    expect((await typed(["verify", "t1", "--db", other], env)).out).toMatch(/^Intact: 15 events in 3 runs/);
    const again = await typed(["import", "evidence", "--db", other], env);
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringMatching(/t1, or one of its runs, is in .* already\. Name/),
    });
  });

  test("what does not verify is not exported, and nothing is written over", async () => {
    await exported();
    expect(await exported()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/evidence is not empty\. Name a folder/),
    });
    tamper("DELETE FROM h_event WHERE run = 'r3' AND seq = 5");
    const refused = await typed(["export", "t1", "--out", "more", "--db", db]);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/does not verify: run r3, event 5: it is missing/),
    });
    expect(await typed(["import", "nowhere", "--db", db])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: .*nowhere is no bundle: manifest\.json cannot be read\. Name a folder/),
    });
  });
});
