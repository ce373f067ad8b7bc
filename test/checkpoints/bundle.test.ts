// A recording as a folder: verified without the database, with and without its key; changed; and taken over by another
// database. What earlier versions wrote can still be read.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Journal,
  openJournal,
  readBundle,
  verifyBundle,
  verifyThread,
  writeBundle,
} from "../../checkpoints/index.js";
import type { Recording } from "../../checkpoints/journal/recording.js";
import { TOP } from "../../trust/index.js";
import { asVersion4 } from "./older.js";
import { recordedFile } from "./recorded-file.js";
import { ann, approvalRequest, effectIntent } from "./support.js";
import { tampering } from "./tampering.js";

let folder: string;
let journal: Journal;
let recording: Recording;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ folder, journal, recording, remove } = await recordedFile());
});
afterEach(() => remove());

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

  it("that version 1 wrote, with its events in the clear, can still be read and taken over", async () => {
    await journal.close();
    await asVersion4(join(folder, "a.db"), ["t1", "t2"]);
    rmSync(join(folder, "a.db.key.heads"));
    const opened = openJournal("sqlite:a.db", { cwd: folder });
    const older = join(folder, "older");
    const { keys, texts, ...before } = await opened.recording("t1");
    expect([keys, texts]).toEqual([[], []]);
    await writeBundle(older, { ...before, keys, texts }, opened.seal, 1);
    const { seal, ...manifest } = JSON.parse(readFileSync(join(older, "manifest.json"), "utf8"));
    delete manifest.files["keys.json"];
    manifest.version = 1;
    rmSync(join(older, "keys.json"));
    const sealed = { ...manifest, seal: opened.seal.sign("bundle", manifest) };
    writeFileSync(join(older, "manifest.json"), JSON.stringify(sealed));
    const read = await readBundle(older);
    expect(verifyBundle(read, opened.seal)).toMatchObject({ ok: true, events: 15, heads: 3 });
    const other = openJournal("sqlite:b.db", { cwd: folder, keyFile: "a.db.key" });
    expect(await other.adopt(read.recording)).toBe(true);
    expect(await other.events({ thread: "t1" })).toEqual(await opened.events({ thread: "t1" }));
    expect(await verifyThread(other, "t1")).toMatchObject({ ok: true, events: 15, heads: 3 });
    await other.close();
    await opened.close();
  });
});

describe("a bundle with texts", () => {
  const bundle = () => join(folder, "bundle");
  const scope = { thread: "t1", run: "r4" };
  let whole: Recording;
  let digests: string[];

  beforeEach(async () => {
    const texts = ["what was asked", "what was answered: é \u2028", ""].map((text) => journal.keep(text));
    digests = texts.map(({ digest }) => digest);
    const [value = "", raw = ""] = digests;
    await journal.append(scope, { kind: "input", as: "input", value }, texts.slice(0, 1));
    await journal.append(scope, { kind: "model.error", error: "no", raw }, texts.slice(1));
    whole = await journal.recording("t1");
    await writeBundle(bundle(), whole, journal.seal, 1);
  });

  it("has them in files that say what they are, and comes back as it was", async () => {
    const [digest = ""] = digests;
    expect(readFileSync(join(bundle(), "texts", digest.slice(0, 2), `${digest}.txt`), "utf8")).toBe("what was asked");
    const { recording: read } = await readBundle(bundle());
    const { kept, unreadable, ...stored } = whole;
    expect({ ...read, texts: new Set(read.texts) }).toEqual({ ...stored, texts: new Set(stored.texts) });
    expect([kept.length, unreadable]).toEqual([2, 0]);
    expect(readFileSync(join(bundle(), "events.jsonl"), "utf8")).not.toContain("locked:");
  });

  it("verifies without any key at hand, and with it", async () => {
    const read = await readBundle(bundle());
    expect(verifyBundle(read, undefined)).toMatchObject({ ok: true, events: 17, heads: 0, texts: 2 });
    expect(verifyBundle(read, journal.seal)).toMatchObject({ ok: true, events: 17, heads: 4, texts: 2 });
  });

  it("says where when a text was changed, and when one is gone that an event names", async () => {
    const [digest = ""] = digests;
    writeFileSync(join(bundle(), "texts", digest.slice(0, 2), `${digest}.txt`), "what was not asked");
    const changed = verifyBundle(await readBundle(bundle()), undefined);
    const named = `run r4, event 1: text ${digest}, which it names, is`;
    expect(changed).toEqual({ ok: false, at: { run: "r4", seq: 1 }, problem: `${named} not what was written` });
    const manifest = JSON.parse(readFileSync(join(bundle(), "manifest.json"), "utf8"));
    delete manifest.files[`texts/${digest.slice(0, 2)}/${digest}.txt`];
    writeFileSync(join(bundle(), "manifest.json"), JSON.stringify(manifest));
    const gone = verifyBundle(await readBundle(bundle()), undefined);
    expect(gone).toEqual({ ok: false, at: { run: "r4", seq: 1 }, problem: `${named} missing` });
  });

  it("reads no file but those its digests name", async () => {
    const manifest = JSON.parse(readFileSync(join(bundle(), "manifest.json"), "utf8"));
    manifest.files["texts/../../../secret.txt"] = "../../secret";
    writeFileSync(join(folder, "secret.txt"), "secret");
    writeFileSync(join(bundle(), "manifest.json"), JSON.stringify(manifest));
    await expect(readBundle(bundle())).rejects.toThrow(/manifest.json cannot be used/);
  });

  it("is readable in another database with another key, under that key", async () => {
    const { recording: read } = await readBundle(bundle());
    const other = openJournal("sqlite:other.db", { cwd: folder });
    expect(await other.adopt(read)).toBe(true);
    expect(await other.events({ thread: "t1" })).toEqual(await journal.events({ thread: "t1" }));
    expect(await other.texts("t1", digests)).toEqual(await journal.texts("t1", digests));
    expect(other.seal.key).not.toBe(journal.seal.key);
    await other.close();
    const bytes = readFileSync(join(folder, "other.db")).toString("latin1");
    expect(bytes).not.toContain("what was asked");
    for (const { secret } of read.keys) expect(bytes).not.toContain(secret);
    const third = openJournal("sqlite:other.db", { cwd: folder, keyFile: "a.db.key" });
    await expect(third.events({ thread: "t1" })).rejects.toThrow(/BULKHEAD_KEY_FILE/);
    await third.close();
  });

  it("of an erased thread verifies, and has nothing of it", async () => {
    await journal.updateThread("t1", { task: "what was asked for" });
    await journal.erase("t1", "ann", "asked to");
    const after = join(folder, "after");
    await writeBundle(after, await journal.recording("t1"), journal.seal, 1);
    const read = await readBundle(after);
    expect(read.recording).toMatchObject({ keys: [], texts: [], effects: [], approvals: [] });
    expect(verifyBundle(read, journal.seal)).toMatchObject({ ok: true, events: 18, erased: 17, texts: 0 });
    const other = openJournal("sqlite:other.db", { cwd: folder, keyFile: "a.db.key" });
    expect(await other.adopt(read.recording)).toBe(true);
    expect(await verifyThread(other, "t1")).toMatchObject({ ok: true, erased: 17 });
    expect(await other.events({ thread: "t1" })).toMatchObject([{ event: { kind: "thread.erased", by: "ann" } }]);
    await other.close();
  });
});
