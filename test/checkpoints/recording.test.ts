// A recording apart from its database: in memory, in a bundle, in another database; from an earlier version; and with
// damage to the file of heads.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Journal,
  openJournal,
  readBundle,
  verifyBundle,
  verifyThread,
  writeBundle,
} from "../../checkpoints/index.js";
import { chainedBefore, type StoredEvent, type StoredHead } from "../../checkpoints/journal/chain.js";
import type { Recording } from "../../checkpoints/journal/recording.js";
import { type Verification, verifyRecording } from "../../checkpoints/journal/verify.js";
import { TOP } from "../../trust/index.js";
import { ann, approvalRequest, effectIntent } from "./support.js";
import { record, tampering } from "./tampering.js";

function onFile(file: string, statements: readonly string[]): void {
  const handle = new Libsql(file);
  for (const statement of statements) handle.exec(statement);
  handle.close();
}

let folder: string;
let journal: Journal;
let recording: Recording;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-recording-"));
  journal = openJournal("sqlite:a.db", { cwd: folder });
  await journal.beginThread("t1", "agent", TOP);
  await record(journal);
  recording = await journal.recording("t1");
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

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
        expect(verifyRecording(tampered, inMemory.seal), tampered.what).toMatchObject({ ok: false, at: { run, seq } });
      }),
      { numRuns: 500 },
    );
    await inMemory.close();
  });
});

describe("says what is wrong", () => {
  const of = (change: (events: StoredEvent[], heads: StoredHead[]) => void): Verification => {
    const { events, heads } = structuredClone(recording);
    change(events, heads);
    return verifyRecording({ events, heads }, journal.seal);
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

describe("a bundle", () => {
  const bundle = () => join(folder, "bundle");

  it("verifies without the database, and says without the key that no seal was checked", async () => {
    await writeBundle(bundle(), recording, journal.seal, 1);
    const read = await readBundle(bundle());
    expect(verifyBundle(read, journal.seal)).toMatchObject({ ok: true, events: 15, runs: 3, heads: 3, kept: 2 });
    expect(verifyBundle(read, undefined)).toMatchObject({ ok: true, events: 15, heads: 0 });
    expect(verifyBundle(read, openJournal("memory:").seal)).toMatchObject({ ok: true, heads: 0 });
    await expect(writeBundle(bundle(), recording, journal.seal, 1)).rejects.toThrow(/is not empty\. Name a folder/);
  });

  it("names the place of any tampering with its events (P14)", async () => {
    await writeBundle(bundle(), recording, journal.seal, 1);
    const file = join(bundle(), "events.jsonl");
    await fc.assert(
      fc.asyncProperty(tampering(recording), async ({ what, at: { run, seq }, events }) => {
        writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
        const found = verifyBundle(await readBundle(bundle()), journal.seal);
        expect(found, what).toMatchObject({ ok: false, at: { run } });
        // The manifest's heads are as they were: what was cut off is named by its first event.
        if (what === "truncate") expect(found).toMatchObject({ at: { seq: seq + 1 } });
        else if (what !== "rewrite") expect(found).toMatchObject({ at: { seq } });
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["events.jsonl", "node.end", "node.ends", /^run r1, event 1: its hash is not that of its header/],
    ["events.jsonl", "{", "[", /^run r1, event 1: it is missing$/],
    ["effects.json", "refund_order", "cancel_order", /^effects.json is not what the manifest names$/],
    ["approvals.json", "approved", "rejected", /^approvals.json is not what the manifest names$/],
    ["documents.json", "50", "60", /^documents.json is not what the manifest names$/],
    ["manifest.json", '"agent"', '"other"', /^the seal of manifest.json does not fit$/],
    ["manifest.json", '"exportedAt": 1', '"exportedAt": 2', /^the seal of manifest.json does not fit$/],
  ])("is refused when %s was changed", async (name, from, to, problem) => {
    const digest = "ab".repeat(32);
    await journal.recordDocument("policy", digest, { limit: 50 });
    await journal.append({ thread: "t1", run: "r3" }, { kind: "model.error", error: digest });
    await journal.requestApproval(approvalRequest(journal.clock));
    await journal.decideApproval("approval-1", "approved", ann);
    await journal.intendEffect(effectIntent());
    await writeBundle(bundle(), await journal.recording("t1"), journal.seal, 1);
    const file = join(bundle(), name);
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace(from, to));
    expect(readFileSync(file, "utf8")).not.toBe(before);
    const found = verifyBundle(await readBundle(bundle()), journal.seal);
    expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });

  it("is taken over as it is, once, without its approvals", async () => {
    await journal.requestApproval(approvalRequest(journal.clock));
    await journal.intendEffect(effectIntent());
    const whole = await journal.recording("t1");
    const other = openJournal("sqlite:b.db", { cwd: folder, keyFile: "a.db.key" });
    expect(await other.adopt(whole)).toBe(true);
    expect(await other.recording("t1")).toMatchObject({ events: whole.events, heads: whole.heads, approvals: [] });
    expect(await other.thread("t1")).toMatchObject({ forged: false, floor: TOP });
    expect(await other.effects()).toEqual(await journal.effects());
    expect(await verifyThread(other, "t1")).toMatchObject({ ok: true, events: 15, heads: 3, kept: 3 });
    expect(await other.adopt(whole)).toBe(false);
    expect(await other.adopt({ ...whole, thread: "t9", record: null })).toBe(false);
    await other.close();
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
