// Long runs are folded: the very events come out again, in order, in a bundle, after an erasure; and whoever was at a
// fold is named.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HarnessEvent, type Journal, openJournal } from "../../checkpoints/index.js";
import { FOLD } from "../../checkpoints/journal/folding.js";
import { verifyThread } from "../../checkpoints/journal/verify.js";
import { TOP } from "../../trust/index.js";
import type { Attackable } from "./support.js";

const LENGTH = 2 * FOLD + 10;

const eventAt = (run: string, number: number): HarnessEvent => ({ kind: "node.end", ms: number, error: `of ${run}` });

/** Registers the suite for one kind of database. */
export function foldingSuite(name: string, place: () => Attackable): void {
  describe(`a long run, on ${name}`, () => {
    let at: Attackable;
    let journal: Journal;

    const open = (): Journal => openJournal(at.url, at.keyFile === undefined ? {} : { keyFile: at.keyFile });
    const count = async (table: string): Promise<number> =>
      Number((await at.sql(`SELECT count(*) AS rows FROM ${table} WHERE thread = 't1'`))[0]?.["rows"]);
    const changed = async (sql: string, whole: RegExp): Promise<void> => {
      await at.sql(sql);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: false, problem: expect.stringMatching(whole) });
    };

    /** Two runs of one thread that take turns, and a run of another one. */
    beforeEach(async () => {
      at = place();
      journal = open();
      await journal.beginThread("t1", "agent", TOP);
      for (let number = 1; number <= LENGTH; number += 1) {
        for (const run of ["r1", "r2"]) await journal.append({ thread: "t1", run }, eventAt(run, number));
        await journal.append({ thread: "t2", run: "other" }, eventAt("other", number));
      }
    });
    afterEach(async () => {
      await journal.close();
      await at.remove();
    });

    it("is folded, and reads as it was written", async () => {
      expect([await count("h_fold"), await count("h_event")]).toEqual([4, 20]);
      for (const each of [journal, open()]) {
        const events = await each.events({ thread: "t1" });
        const expected = Array.from({ length: LENGTH }, (_, index) =>
          ["r1", "r2"].map((run) => [run, index + 1]),
        ).flat();
        expect(events.map(({ scope, seq }) => [scope.run, seq])).toEqual(expected);
        for (const { scope, seq, event } of events) expect(event).toEqual(eventAt(scope.run, seq));
        const own = await each.events({ thread: "t1", run: "r2" });
        expect(own).toEqual(events.filter(({ scope }) => scope.run === "r2"));
        expect(await verifyThread(each, "t1")).toMatchObject({ ok: true, events: 2 * LENGTH, runs: 2 });
        if (each !== journal) await each.close();
      }
    });

    it("does not show what is in it", async () => {
      const [row] = await at.sql("SELECT * FROM h_fold WHERE run = 'r1'");
      for (const value of Object.values(row ?? {})) {
        const text = value instanceof ArrayBuffer ? Buffer.from(value).toString("latin1") : String(value);
        expect(text).not.toContain("of r1");
      }
    });

    it("is adopted by another database, and goes on there", async () => {
      const recording = await journal.recording("t1");
      const elsewhere = openJournal("memory:");
      expect(await elsewhere.adopt(recording)).toBe(true);
      expect((await elsewhere.recording("t1")).events).toEqual(recording.events);
      await elsewhere.close();
    });

    it("loses its bodies in an erasure, and verifies", async () => {
      expect(await journal.erase("t1", "ann", "asked")).toBe(2 * LENGTH);
      expect(await verifyThread(journal, "t1")).toMatchObject({ ok: true, erased: 2 * LENGTH });
      expect(await journal.events({ thread: "t1" })).toMatchObject([{ event: { kind: "thread.erased" } }]);
      expect((await journal.events({ thread: "t2" })).length).toBe(LENGTH);
    });

    it("goes missing: the place is named", async () => {
      const missing = new RegExp(`^run r1, event ${FOLD + 1}: it is missing`);
      await changed(`DELETE FROM h_fold WHERE run = 'r1' AND seq = ${FOLD + 1}`, missing);
    });

    it("is put in another place: the place is named", async () => {
      await at.sql("DELETE FROM h_fold WHERE run = 'r2' AND seq = 1");
      await changed("UPDATE h_fold SET run = 'r2' WHERE run = 'r1' AND seq = 1", /^run r[12], event 1: /);
    });

    it.each(["links", "bodies"])("has other %s: the place is named, and reading does not make do", async (column) => {
      const other = `(SELECT ${column} FROM h_fold WHERE run = 'r2' AND seq = ${FOLD + 1})`;
      await changed(`UPDATE h_fold SET ${column} = ${other} WHERE run = 'r2' AND seq = 1`, /^run r2, event \d+: /);
      await expect(journal.events({ thread: "t1" })).rejects.toMatchObject({ code: "JOURNAL_BROKEN" });
    });

    it("has bytes that say nothing: the place is named, and reading does not make do", async () => {
      const missing = new RegExp(`^run r1, event ${FOLD + 1}: it is missing`);
      await changed(`UPDATE h_fold SET links = bodies WHERE run = 'r1' AND seq = ${FOLD + 1}`, missing);
      await expect(journal.events({ thread: "t1" })).rejects.toMatchObject({ code: "JOURNAL_BROKEN" });
    });

    it("has no bodies, and nobody erased them: the place is named", async () => {
      const missing = /^run r1, event 1: its body is missing, and no event says who erased it/;
      await changed("UPDATE h_fold SET bodies = NULL WHERE run = 'r1' AND seq = 1", missing);
    });

    it("is not folded over what somebody was at", async () => {
      await at.sql(`UPDATE h_event SET body = 'locked:' WHERE run = 'r1' AND seq = ${2 * FOLD + 3}`);
      for (let number = LENGTH; number <= 4 * FOLD; number += 1) {
        await journal.append({ thread: "t1", run: "r1" }, eventAt("r1", number));
      }
      const place = new RegExp(`^run r1, event ${2 * FOLD + 3}: its body is not what its digest names`);
      const folded = await at.sql("SELECT seq FROM h_fold WHERE run = 'r1' ORDER BY seq");
      expect(folded.map(({ seq }) => Number(seq))).toEqual([1, FOLD + 1, 3 * FOLD + 1]);
      await changed("UPDATE h_event SET seq = seq WHERE thread = 't1'", place);
    });
  });
}
