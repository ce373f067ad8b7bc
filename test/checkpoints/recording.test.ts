// A recording apart from its database: in memory; from an earlier version; and with damage to the file of heads.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Journal, openJournal, verifyThread } from "../../checkpoints/index.js";
import { chainedBefore, type StoredEvent, type StoredHead } from "../../checkpoints/journal/chain.js";
import type { Recording } from "../../checkpoints/journal/recording.js";
import { type Verification, verifyRecording } from "../../checkpoints/journal/verify.js";
import { asVersion4 } from "./older.js";
import { recordedFile } from "./recorded-file.js";
import { record, tampering } from "./tampering.js";

function onFile(file: string, statements: readonly string[]): void {
  const handle = new Libsql(file);
  for (const statement of statements) handle.exec(statement);
  handle.close();
}

let folder: string;
let journal: Journal;
let recording: Recording;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ folder, journal, recording, remove } = await recordedFile());
});
afterEach(() => remove());

describe("in memory", () => {
  it("verifies, and names the place of any tampering (P14)", async () => {
    const inMemory = openJournal("memory:");
    await record(inMemory);
    const { ok } = await verifyThread(inMemory, "t1");
    expect(ok).toBe(true);
    const rows = await inMemory.recording("t1");
    fc.assert(
      fc.property(tampering(rows), (tampered) => {
        const { run, seq } = tampered.at;
        const { keys } = rows;
        expect(verifyRecording({ ...tampered, keys }, inMemory.seal), tampered.what).toMatchObject({
          ok: false,
          at: { run, seq },
        });
      }),
      { numRuns: 500 },
    );
    await inMemory.close();
  });
});

describe("says what is wrong", () => {
  const of = (change: (events: StoredEvent[], heads: StoredHead[]) => void): Verification => {
    const { events, heads, keys } = structuredClone(recording);
    change(events, heads);
    return verifyRecording({ events, heads, keys }, journal.seal);
  };

  it.each<[string, number, (events: StoredEvent[], heads: StoredHead[]) => void]>([
    ["it is missing", 3, (events) => events.splice(2, 1)],
    [
      "it does not stand in its place: event 4 comes before it",
      3,
      (events) => events.splice(2, 2, ...events.slice(2, 4).reverse()),
    ],
    ["it is there twice, or not in its place", 3, (events) => events.splice(3, 0, ...events.slice(2, 3))],
    ["its hash is not that of its header in this place", 3, (events) => Object.assign(events[2] ?? {}, { prev: "" })],
    [
      "its header is that of event 3 of run r1 of thread t1",
      3,
      (events) => Object.assign(events[2] ?? {}, { thread: "t3" }),
    ],
    ["the head of the run counts 5 events only", 6, (_, heads) => Object.assign(heads[0] ?? {}, { length: 5 })],
    [
      "it is missing: the head of the run counts 7 events",
      7,
      (_, heads) => Object.assign(heads[0] ?? {}, { length: 7 }),
    ],
    ["it is not the one that the head of its run names", 6, (_, heads) => Object.assign(heads[0] ?? {}, { hash: "0" })],
    ["the head of its run has no seal", 6, (_, heads) => Object.assign(heads[0] ?? {}, { seal: null })],
    ["its run has no head", 6, (_, heads) => heads.shift()],
    ["it is missing, with all 6 events of its run", 1, (events) => events.splice(0, 15)],
  ])("%s", (what, seq, change) => {
    expect(of(change)).toEqual({ ok: false, at: { run: "r1", seq }, problem: `run r1, event ${seq}: ${what}` });
  });

  it("of runs that are linked otherwise", () => {
    const missing = "run r2, event 1: what was recorded before its run is missing, or does not stand before it";
    expect(of((events, heads) => [events.splice(0, 6), heads.shift()])).toMatchObject({ problem: missing });
    expect(of((events) => events.push(...events.splice(0, 6)))).toMatchObject({ problem: missing });
  });

  it("of a run that is made to look like one from before, after others", () => {
    const changed = of((events, heads) => {
      const last = events.filter(({ run }) => run === "r2").at(-1);
      const hash = chainedBefore(last?.prev ?? "", last?.header ?? "");
      Object.assign(last ?? {}, { hash });
      Object.assign(heads[1] ?? {}, { hash, seal: null });
    });
    expect(changed).toMatchObject({ problem: "run r2, event 1: its run is not linked to the one before it" });
  });
});

describe("the heads kept outside", () => {
  const file = () => join(folder, "a.db.key.heads");

  it("are written when a run ends and when the journal is closed, not with every event", async () => {
    const runs = () =>
      readFileSync(file(), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).run);
    expect(runs()).toEqual(["r1", "r2", "other"]);
    await journal.close();
    expect(runs()).toEqual(["r1", "r2", "other", "r3"]);
  });

  it("count as nothing when they are torn or changed, and that is said", async () => {
    writeFileSync(file(), `${readFileSync(file(), "utf8").replace('"length":6', '"length":5')}{"run":`);
    expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, kept: 1, unreadable: 2 });
  });

  it("of another database with the same key are not this one's", async () => {
    const other = openJournal("sqlite:b.db", { cwd: folder, keyFile: "a.db.key" });
    await other.append({ thread: "t1", run: "x1" }, { kind: "run.end", status: "finished" });
    expect(await verifyThread(other, "t1")).toMatchObject({ ok: true, runs: 1, kept: 1 });
    expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, runs: 3, kept: 2 });
    await other.close();
  });

  it("cannot be written: a warning, and the record goes on", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    rmSync(file());
    mkdirSync(file());
    await journal.append({ thread: "t1", run: "r3" }, { kind: "run.end", status: "finished" });
    expect(warned.mock.calls[0]?.[0]).toMatchObject({ code: "EISDIR" });
    rmSync(file(), { recursive: true });
    await journal.close();
    expect(readFileSync(file(), "utf8")).toContain('"run":"r3"'); // Tried again at the end.
    warned.mockRestore();
  });
});

describe("what an earlier version recorded", () => {
  it("is read and verified; what came later is complete from its first run on", async () => {
    await journal.close();
    rmSync(join(folder, "a.db.key.heads"));
    await asVersion4(join(folder, "a.db"), ["t1", "t2"]);
    const later = openJournal("sqlite:a.db", { cwd: folder });
    recording = await later.recording("t1");
    await later.close();
    // The rows as that version wrote them: every run begins anew, and no head has a seal.
    const legacy = new Map<string, string>();
    const sql: string[] = [];
    for (const { run, seq, header } of recording.events.filter(({ run }) => run !== "r3")) {
      const prev = seq === 1 ? "" : (legacy.get(run) ?? "");
      const hash = chainedBefore(prev, header);
      legacy.set(run, hash);
      sql.push(`UPDATE h_event SET prev = '${prev}', hash = '${hash}' WHERE run = '${run}' AND seq = ${seq}`);
    }
    for (const [run, hash] of legacy) sql.push(`UPDATE h_head SET hash = '${hash}', seal = NULL WHERE run = '${run}'`);
    sql.push("DELETE FROM h_event WHERE run = 'r3'", "DELETE FROM h_head WHERE run = 'r3'");
    onFile(join(folder, "a.db"), sql);
    const opened = openJournal("sqlite:a.db", { cwd: folder });
    expect(await opened.events({ thread: "t1" })).toHaveLength(10);
    expect(await verifyThread(opened, "t1")).toMatchObject({ ok: true, events: 10, heads: 0, completeFrom: undefined });
    await opened.append({ thread: "t1", run: "r2" }, { kind: "node.start" });
    await opened.append({ thread: "t1", run: "r4" }, { kind: "node.start" });
    const first = { run: "r4", seq: 1 };
    expect(await verifyThread(opened, "t1")).toMatchObject({ ok: true, events: 12, heads: 1, completeFrom: first });
    onFile(join(folder, "a.db"), [
      'UPDATE h_event SET body = \'{"kind":"node.end","ms":9}\' WHERE run = \'r1\' AND seq = 2',
    ]);
    const problem = "run r1, event 2: its body is not what its digest names";
    expect(await verifyThread(opened, "t1")).toEqual({ ok: false, at: { run: "r1", seq: 2 }, problem });
    await opened.close();
  });
});
