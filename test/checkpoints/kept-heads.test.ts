// The file of heads, made shorter: verification of what stays still succeeds, what others append meanwhile is not lost,
// and nothing goes that shows what was done to a record.

import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Journal, keptHeadsOf, openJournal, verifyThread } from "../../checkpoints/index.js";
import { keptHeads } from "../../checkpoints/journal/kept-heads.js";

let folder: string;
let journal: Journal;
const file = () => join(folder, "a.db.key.heads");
const lines = () => readFileSync(file(), "utf8").split("\n").slice(0, -1);
const heads = () => keptHeadsOf("sqlite:a.db", undefined, folder, journal.seal);
const end = (thread: string, run: string) => journal.append({ thread, run }, { kind: "run.end", status: "finished" });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-heads-"));
  journal = openJournal("sqlite:a.db", { cwd: folder });
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("shortening", () => {
  it("leaves the longest head of each run of the threads named, and verification succeeds", async () => {
    for (const _ of [1, 2, 3]) for (const run of ["r1", "r2"]) await end("t1", run);
    for (const _ of [1, 2]) await end("t2", "other");
    expect(lines()).toHaveLength(8);
    expect(await heads().shorten(["t1", "nobody"], Date.now())).toBe(4);
    const left = lines().map((line) => `${JSON.parse(line).run} ${JSON.parse(line).length}`);
    expect(left).toEqual(["r1 3", "r2 3", "other 1", "other 2"]);
    expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, kept: 2, unreadable: 0 });
    expect(await verifyThread(journal, "t2")).toMatchObject({ ok: true, kept: 2 });
    expect(await heads().shorten(["t1"], Date.now())).toBe(0);
    await end("t1", "r1");
    expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, kept: 3 });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file()}.new`)).toBe(false);
  });

  it("leaves alone what it cannot read, and what is of another database or key", async () => {
    for (const _ of [1, 2]) await end("t1", "r1");
    const other = openJournal("sqlite:b.db", { cwd: folder, keyFile: "a.db.key" });
    for (const _ of [1, 2]) await other.append({ thread: "t1", run: "r1" }, { kind: "run.end", status: "finished" });
    await other.close();
    const changed = lines()[0]?.replace('"length":1', '"length":9') ?? "";
    writeFileSync(file(), `${lines().join("\n")}\n${changed}\n{"torn`);
    expect(await heads().shorten(["t1"], Date.now())).toBe(1);
    expect(readFileSync(file(), "utf8").endsWith(`${changed}\n{"torn`)).toBe(true);
    expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, kept: 1, unreadable: 2 });
  });

  it("is done by one process at a time, and one that died at it is in nobody's way for ever", async () => {
    for (const _ of [1, 2]) await end("t1", "r1");
    writeFileSync(`${file()}.new`, "");
    expect(await heads().shorten(["t1"], Date.now())).toBe(0);
    const long = new Date(Date.now() - 700_000);
    utimesSync(`${file()}.new`, long, long);
    expect(await heads().shorten(["t1"], Date.now())).toBe(1);
    expect(lines()).toHaveLength(1);
  });

  it("does nothing where there is no file", async () => {
    expect(await heads().shorten(["t1"], Date.now())).toBe(0);
    expect(await keptHeadsOf("memory:", undefined, folder, journal.seal).shorten(["t1"], 0)).toBe(0);
    expect(existsSync(file())).toBe(false);
  });

  it("loses no line that other processes append meanwhile", async () => {
    await end("t1", "first");
    const PROCESSES = 3;
    const EACH = 150;
    const children = Array.from({ length: PROCESSES }, (_, number) =>
      fork(join(import.meta.dirname, "heads-worker.ts"), [folder, String(number), String(EACH)]),
    );
    const ended = Promise.all(
      children.map((child) => new Promise<number | null>((done) => void child.on("exit", (code) => done(code)))),
    );
    let working = true;
    void ended.then(() => {
      working = false;
    });
    let times = 0;
    while (working) {
      await heads().shorten(["t1"], Date.now());
      times += 1;
    }
    expect(await ended).toEqual(Array(PROCESSES).fill(0));
    await heads().shorten(["t1"], Date.now());
    const left = await keptHeads(join(folder, "a.db.key"), join(folder, "a.db"), journal.seal).of("t1");
    expect(left.unreadable).toBe(0);
    const runs = new Map(left.kept.map(({ run, length }) => [run, length]));
    expect(runs.size).toBe(1 + PROCESSES * EACH);
    expect(times).toBeGreaterThan(20);
  }, 60_000);
});
