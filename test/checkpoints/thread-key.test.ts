// The key of a thread: what it locks nobody else opens, and what was changed does not open.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJournal, verifyThread } from "../../checkpoints/index.js";
import { lockedBody, openBody } from "../../checkpoints/journal/body.js";
import { keyOf } from "../../checkpoints/journal/thread-key.js";
import { runs } from "../properties/agent.js";
import { sqlitePlace } from "./support.js";

const key = keyOf("k1", "ab".repeat(32));

describe("a key", () => {
  it("opens what it locked, small and large, and nothing that was changed (property)", () => {
    const anyText = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => text.repeat(400)),
    );
    fc.assert(
      fc.property(anyText, fc.nat(), fc.integer({ min: 1, max: 255 }), (text, place, change) => {
        const locked = key.lock(text);
        expect(key.unlock(locked)).toBe(text);
        const changed = Buffer.from(locked);
        changed[place % changed.length] = (changed[place % changed.length] ?? 0) ^ change;
        expect(key.unlock(changed)).toBeUndefined();
        expect(key.unlock(locked.subarray(0, place % locked.length))).toBeUndefined();
        expect(keyOf("k1", "ac".repeat(32)).unlock(locked)).toBeUndefined();
      }),
      { numRuns: runs(300) },
    );
  });

  it("locks the same text to other bytes each time, and makes long texts shorter", () => {
    expect(key.lock("a").equals(key.lock("a"))).toBe(false);
    expect(key.lock("0123456789".repeat(1_000)).length).toBeLessThan(500);
  });

  it("names texts by a digest that only its holder can make", () => {
    expect(key.digest("a")).toMatch(/^[0-9a-f]{64}$/);
    expect(key.digest("a")).toBe(keyOf("other name", key.secret).digest("a"));
    expect(key.digest("a")).not.toBe(key.digest("b"));
    expect(key.digest("a")).not.toBe(keyOf("k1", "ac".repeat(32)).digest("a"));
  });

  it("does not open a body of which a character was changed (property)", () => {
    const body = '{"kind":"node.start"}';
    const locked = lockedBody(body, key);
    const keys = new Map([["k1", key]]);
    expect(openBody(locked, "hmac:1:x", keys)).toBe(locked); // Named by another key.
    const named = "hmac:1a:x";
    const byName = new Map([["1a", key]]);
    expect(openBody(locked, named, byName)).toBe(body);
    const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ ";
    fc.assert(
      fc.property(fc.nat(locked.length - 1), fc.constantFrom(...BASE64), (place, character) => {
        fc.pre(locked[place] !== character);
        const changed = locked.slice(0, place) + character + locked.slice(place + 1);
        expect(openBody(changed, named, byName)).toBe(changed);
      }),
      { numRuns: runs(1_000) },
    );
  });
});

describe("a journal with another key file", () => {
  const at = sqlitePlace();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bulkhead-other-key-"));
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true });
    await at.remove();
  });

  it("reads nothing, says why, and what it writes itself it can read", async () => {
    const journal = openJournal(at.url);
    const scope = { thread: "t1", run: "r1" };
    const text = journal.keep("what the first one kept");
    await journal.append(scope, { kind: "input", as: "input", value: text.digest }, [text]);
    await journal.close();

    const other = openJournal(at.url, { keyFile: join(folder, "other.key") });
    await expect(other.events({ thread: "t1" })).rejects.toMatchObject({
      code: "JOURNAL_BROKEN",
      message: expect.stringContaining("BULKHEAD_KEY_FILE"),
    });
    expect(await other.texts("t1", [text.digest])).toEqual(new Map());
    expect(await verifyThread(other, "t1")).toMatchObject({ ok: false, problem: expect.stringContaining("key") });
    expect((await other.recording("t1")).keys).toEqual([]);
    await other.append({ thread: "t1", run: "r0" }, { kind: "node.start" }); // From here on it has a key of its own.
    await expect(other.events(scope)).rejects.toThrow(/BULKHEAD_KEY_FILE/);
    const own = { thread: "t1", run: "r2" };
    await other.append(own, { kind: "input", as: "input", value: text.digest }, [text]);
    expect(await other.events(own)).toHaveLength(1);
    expect(await other.texts("t1", [text.digest])).toEqual(new Map([[text.digest, text.text]]));
    await other.close();
    const [row] = await at.sql("SELECT count(*) AS keys FROM h_key");
    expect(row).toEqual({ keys: 2 });
  });
});
