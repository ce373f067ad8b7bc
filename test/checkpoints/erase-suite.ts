// What every journal promises about texts and about erasing, whatever database it stands on.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HarnessEvent, type Journal, openJournal, verifyThread } from "../../checkpoints/index.js";
import { label, TOP } from "../../trust/index.js";
import { type Attackable, approvalRequest, effectIntent, TestClock } from "./support.js";

const scope = { thread: "t1", run: "r1" };
const BLOB = { sqlite: "x'00'", postgres: "'\\x00'::bytea" } as const;

/** Registers the suite for one kind of database, whose place gives a second connection. */
export function eraseSuite(name: keyof typeof BLOB, place: () => Attackable): void {
  let at: Attackable;
  let clock: TestClock;
  let journal: Journal;

  const open = () => openJournal(at.url, { clock, keyFile: at.keyFile });
  const counted = async (table: string, thread = "t1") =>
    Number((await at.sql(`SELECT count(*) AS n FROM ${table} WHERE thread = '${thread}'`))[0]?.["n"]);

  /** An event that names a text, and the text. */
  const kept = (text: string, thread = "t1", run = "r1") => {
    const made = journal.keep(text);
    return journal.append({ thread, run }, { kind: "input", as: "input", value: made.digest }, [made]);
  };

  beforeEach(async () => {
    at = place();
    clock = new TestClock();
    journal = open();
    await journal.beginThread("t1", "agent", TOP);
  });
  afterEach(async () => {
    await journal.close();
    await at.remove();
  });

  describe(`texts on ${name}`, () => {
    it("come back as they were, once each, to their thread alone", async () => {
      const texts = ["", "short", "é 😀 \u0000 \u2028", "long ".repeat(2_000)].map((text) => journal.keep(text));
      const event: HarnessEvent = { kind: "node.start" };
      for (const _ of [1, 2]) await journal.append(scope, event, texts);
      const digests = texts.map(({ digest }) => digest);
      expect([...(await journal.texts("t1", [...digests, "nothing"])).values()].sort()).toEqual(
        texts.map(({ text }) => text).sort(),
      );
      expect(await counted("h_text")).toBe(4);
      expect(await journal.texts("t2", digests)).toEqual(new Map());
      expect(await journal.texts("t1", [])).toEqual(new Map());
      expect(texts.map(({ bytes }) => bytes)).toEqual([0, 5, 13, 10_000]);
      const again = open();
      expect((await again.texts("t1", digests)).size).toBe(4);
      await again.append({ thread: "t2", run: "r2" }, event, texts); // Of another thread: under its own key.
      expect((await again.texts("t2", digests)).size).toBe(4);
      await again.close();
    });

    it("are found by the thousand", async () => {
      const texts = Array.from({ length: 1_203 }, (_, index) => journal.keep(`text ${index}`));
      await journal.append(scope, { kind: "node.start" }, texts);
      const found = await journal.texts(
        "t1",
        texts.map(({ digest }) => digest),
      );
      expect(found.size).toBe(1_203);
    });

    it("are not kept when the event is not", async () => {
      const text = journal.keep("never");
      const bad = { kind: "node.end", ms: 1n } as unknown as HarnessEvent;
      await expect(journal.append(scope, bad, [text])).rejects.toThrow(TypeError);
      await journal.append(scope, { kind: "node.start" }, [text]);
      expect((await journal.texts("t1", [text.digest])).size).toBe(1); // The failed append had not been remembered.
    });

    it("lose what UTF-8 cannot have, before they are named", () => {
      expect(journal.keep("a\ud800b")).toEqual(journal.keep("a\ufffdb"));
    });

    it.each([
      ["is gone", "DELETE FROM h_text WHERE thread = 't1'", /text [0-9a-f]{64}, which it names, is missing$/],
      ["was changed", `UPDATE h_text SET content = ${BLOB[name]}`, /which it names, is not what was written$/],
      [
        "has another's place",
        "UPDATE h_text SET content = (SELECT content FROM h_text ORDER BY size LIMIT 1)",
        /not what/,
      ],
    ])("verification says where when one %s", async (_, change, problem) => {
      await kept("one");
      const { scope: of, seq } = await kept("another one");
      await journal.append(scope, { kind: "node.end", ms: 1 });
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, texts: 2 });
      await at.sql(`${change}${change.startsWith("DELETE") ? " AND size > 3" : ""}`);
      const found = await verifyThread(journal, "t1");
      expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
      if (!change.includes("00")) expect(found).toMatchObject({ at: { run: of.run, seq } });
      if (change.startsWith("UPDATE")) {
        const { digest } = journal.keep("another one");
        await expect(journal.texts("t1", [digest])).rejects.toMatchObject({ code: "JOURNAL_BROKEN" });
      }
    });
  });

  describe(`erasing on ${name}`, () => {
    beforeEach(async () => {
      await journal.beginThread("t2", "agent", TOP, "t1");
      await journal.beginThread("t9", "agent", TOP);
      for (const thread of ["t1", "t2", "t9"]) {
        const run = `run of ${thread}`;
        await journal.updateThread(thread, { task: `task of ${thread}`, status: "finished" });
        await kept(`text of ${thread}`, thread, run);
        await journal.append({ thread, run }, { kind: "run.end", status: "finished" });
        await journal.recordLabels(thread, [{ digest: "ab".repeat(32), label: TOP }]);
        await journal.requestApproval(approvalRequest(clock, { id: `approval of ${thread}`, thread }));
        const arguments_ = { of: thread };
        await journal.intendEffect(
          effectIntent({ key: `key of ${thread}`, thread, root: thread, arguments: arguments_ }),
        );
      }
      await journal.pinTool("t1", "send", "cd".repeat(32));
    });

    it("takes the contents of the whole family, and of nobody else", async () => {
      expect(await journal.erase("t1", "ann", "asked to")).toBe(4);
      for (const thread of ["t1", "t2"]) {
        const told = await journal.events({ thread });
        expect(told.map(({ event }) => event)).toEqual([
          { kind: "thread.erased", by: "ann", reason: "asked to", events: 2 },
        ]);
        expect(await journal.thread(thread)).toMatchObject({ task: undefined, status: "finished", forged: false });
        expect(await journal.labels(thread, ["ab".repeat(32)])).toEqual(new Map());
        expect(await journal.approvals({ thread })).toEqual([]);
        expect(await journal.effects({ thread })).toEqual([]);
        for (const table of ["h_key", "h_text", "h_label", "h_approval", "h_effect"]) {
          expect(await counted(table, thread), table).toBe(0);
          expect(await counted(table, "t9"), table).toBe(1);
        }
      }
      expect(await at.sql("SELECT * FROM h_pin")).toEqual([]);
      expect(await journal.events({ thread: "t9" })).toHaveLength(2);
      expect(await verifyThread(journal, "t9")).toMatchObject({ ok: true, erased: 0, texts: 1 });
    });

    it("leaves a chain that verifies, and goes on: what comes later can be read", async () => {
      await journal.erase("t1", "ann", "asked to");
      const erased = { ok: true, events: 3, runs: 2, heads: 2, kept: 2, erased: 2, texts: 0, unreadable: 0 };
      for (const thread of ["t1", "t2"]) expect(await verifyThread(journal, thread)).toMatchObject(erased);
      await kept("text of t1", "t1", "later"); // The same text again: it must be written again, too.
      expect((await journal.events({ thread: "t1" })).map(({ event }) => event.kind)).toEqual([
        "thread.erased",
        "input",
      ]);
      expect((await journal.texts("t1", [journal.keep("text of t1").digest])).size).toBe(1);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, events: 4, erased: 2, texts: 1 });
      expect(await journal.erase("t1", "bob", "again")).toBe(1);
      const told = (await journal.events({ thread: "t1" })).map(({ event }) => event);
      expect(told).toMatchObject([
        { by: "ann", events: 2 },
        { by: "bob", events: 1 },
      ]);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, events: 5, erased: 3 });
    });

    it("takes long runs, too, whose events are folded", async () => {
      const LENGTH = 150;
      const run = { thread: "t1", run: "long" };
      for (let ms = 0; ms < LENGTH; ms += 1) await journal.append(run, { kind: "node.end", ms });
      expect(Number((await at.sql("SELECT count(*) AS n FROM h_event WHERE run = 'long'"))[0]?.["n"])).toBeLessThan(
        LENGTH,
      );
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, events: LENGTH + 2 });
      expect(await journal.erase("t1", "ann", "asked to")).toBe(LENGTH + 4);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, events: LENGTH + 3, erased: LENGTH + 2 });
      expect(await journal.events({ thread: "t1" })).toHaveLength(1);
      for (let ms = 0; ms < 90; ms += 1) await journal.append(run, { kind: "node.end", ms }); // The run goes on.
      expect(await journal.events({ thread: "t1" })).toHaveLength(91);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, erased: LENGTH + 2 });
      expect(await journal.erase("t1", "ann", "again")).toBe(90);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, erased: LENGTH + 92 });
    });

    it("tells the subscribers, and a journal that is opened later finds the same", async () => {
      const heard: string[] = [];
      journal.subscribe(({ event, scope: { thread } }) => heard.push(`${event.kind} ${thread}`));
      await journal.erase("t1", "ann", "asked to");
      expect(heard).toEqual(["thread.erased t1", "thread.erased t2"]);
      const later = open();
      expect(await later.events({ thread: "t1" })).toHaveLength(1);
      expect(await verifyThread(later, "t1")).toMatchObject({ ok: true, erased: 2 });
      await later.close();
    });

    it("is done by one process, and another one that is at work writes again what it had written before", async () => {
      const other = open();
      const text = other.keep("text of t1");
      const event = { kind: "input", as: "input", value: text.digest } as const;
      await other.append({ thread: "t1", run: "of another" }, event, [text]);
      await journal.erase("t1", "ann", "asked to");
      await other.append({ thread: "t1", run: "of another" }, event, [text]);
      expect((await journal.texts("t1", [text.digest])).size).toBe(1);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, erased: 3, texts: 1 });
      await other.close();
    });

    it("refuses a derived thread, and one that is not there", async () => {
      await expect(journal.erase("t2", "ann", "")).rejects.toThrow(/thread t2 was derived from t1\. Erase that one/);
      await expect(journal.erase("t8", "ann", "")).rejects.toThrow(/there is no thread t8/);
      expect(await journal.events({ thread: "t1" })).toHaveLength(2);
    });

    it.each(["dispatched", "in_doubt"] as const)(
      "refuses while an effect is %s, also of a derived thread",
      async (status) => {
        const key = "key of a relative";
        await journal.intendEffect(
          effectIntent({ key, thread: "t2", root: "t1", arguments: { n: 1 }, mayRepeat: true }),
        );
        await journal.dispatchEffect(key);
        if (status === "in_doubt") await journal.settleEffect(key, { status });
        await expect(journal.erase("t1", "ann", "")).rejects.toMatchObject({ code: "EFFECT_STATE", key });
        expect(await journal.events({ thread: "t1" })).toHaveLength(2);
        if (status === "in_doubt") await journal.resolveEffect(key, "failed", "ann", "looked");
        else await journal.settleEffect(key, { status: "failed", error: "no" });
        expect(await journal.erase("t1", "ann", "")).toBe(4);
      },
    );

    it("has no secret in what it says for good", async () => {
      const careful = openJournal(at.url, { clock, keyFile: at.keyFile, secrets: { values: ["hunter22"] } });
      await careful.erase("t1", "ann", "it had hunter22 in it");
      expect((await careful.events({ thread: "t1" }))[0]?.event).toMatchObject({
        reason: expect.not.stringContaining("hunter"),
      });
      await careful.close();
    });

    it("cannot be claimed by somebody without the key", async () => {
      await at.sql("UPDATE h_event SET body = '' WHERE thread = 't1' AND seq = 1");
      const problem = "run run of t1, event 1: its body is missing, and no event says who erased it";
      const missing = { ok: false, at: { run: "run of t1", seq: 1 }, problem };
      expect(await verifyThread(journal, "t1")).toEqual(missing);
      await journal.append({ thread: "t1", run: "later" }, { kind: "model.error", error: '{"kind":"thread.erased"}' });
      expect(await verifyThread(journal, "t1")).toEqual(missing);
    });

    it("covers what was recorded before it, and nothing later", async () => {
      await journal.erase("t1", "ann", "asked to");
      await journal.append({ thread: "t1", run: "later" }, { kind: "node.end", ms: 1 });
      await at.sql("UPDATE h_event SET body = '' WHERE run = 'later'");
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: false, at: { run: "later", seq: 1 } });
    });

    it("is verified by the chain: its event cannot be changed or dropped", async () => {
      await journal.erase("t1", "ann", "asked to");
      const [told] = await at.sql("SELECT run, body FROM h_event WHERE thread = 't1' AND body <> ''");
      const run = String(told?.["run"]);
      await at.sql(`UPDATE h_event SET body = replace(body, 'ann', 'bob') WHERE run = '${run}'`);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: false, at: { run, seq: 1 } });
      await at.sql(`DELETE FROM h_event WHERE run = '${run}'`);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: false, at: { run: "run of t1", seq: 1 } });
    });

    it("keeps floors: what was low stays low", async () => {
      await journal.lowerFloor("t1", label({ fidelity: 1 }));
      await journal.erase("t1", "ann", "asked to");
      expect((await journal.thread("t1"))?.floor).toEqual(label({ fidelity: 1 }));
      expect(await journal.beginThread("t1", "agent", TOP)).toBe(false);
    });
  });
}
