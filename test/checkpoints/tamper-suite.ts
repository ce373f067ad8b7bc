// Property P14 on a database: flip, drop, swap, insert or truncate any event of any run, and verification says where.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { type Verification, verifyThread } from "../../checkpoints/journal/verify.js";
import type { Attackable } from "./support.js";
import { type Rows, recorded, tampering } from "./tampering.js";

const value = (given: unknown): string =>
  typeof given === "number" ? String(given) : given === null ? "NULL" : `'${String(given).replaceAll("'", "''")}'`;

const values = (rows: readonly object[]): string =>
  rows.map((row) => `(${Object.values(row).map(value).join(", ")})`).join(", ");

/** Registers the suite for one kind of database, whose place gives a second connection. */
export function tamperSuite(name: string, place: () => Attackable, numRuns: number): void {
  describe(`a record that somebody was at, on ${name}`, () => {
    let at: Attackable;

    beforeEach(async () => {
      at = place();
      await recorded(at.url, at.keyFile);
    });
    afterEach(() => at.remove());

    async function verify(): Promise<Verification> {
      const journal = openJournal(at.url, { keyFile: at.keyFile });
      try {
        return await verifyThread(journal, "t1");
      } finally {
        await journal.close();
      }
    }

    async function rows(): Promise<Rows> {
      const journal = openJournal(at.url, { keyFile: at.keyFile });
      const { events, heads } = await journal.recording("t1");
      await journal.close();
      return { events, heads };
    }

    async function write({ events, heads }: Rows): Promise<void> {
      await at.sql("DELETE FROM h_event WHERE thread = 't1'");
      await at.sql("DELETE FROM h_head WHERE thread = 't1'");
      if (events.length > 0) {
        const columns = Object.keys(events[0] ?? {}).join(", ");
        await at.sql(`INSERT INTO h_event (${columns}) VALUES ${values(events)}`);
      }
      if (heads.length > 0) {
        const columns = Object.keys(heads[0] ?? {}).join(", ");
        await at.sql(`INSERT INTO h_head (${columns}) VALUES ${values(heads)}`);
      }
    }

    it("passes as it was written", async () => {
      const whole = { ok: true, events: 15, runs: 3, heads: 3, kept: 3, unreadable: 0 };
      expect(await verify()).toEqual({ ...whole, completeFrom: { run: "r1", seq: 1 } });
    });

    it("fails at the place, whatever was done to it (P14)", async () => {
      const before = await rows();
      await fc.assert(
        fc.asyncProperty(tampering(before), async (tampered) => {
          await write(tampered);
          const { run, seq } = tampered.at;
          expect(await verify(), tampered.what).toMatchObject({ ok: false, at: { run, seq } });
          await write(before);
          expect(await verify()).toMatchObject({ ok: true });
        }),
        { numRuns },
      );
    }, 60_000);

    it.each(["r1", "r2", "r3"])("fails when run %s is missing as a whole", async (run) => {
      for (const table of ["h_event", "h_head"]) await at.sql(`DELETE FROM ${table} WHERE run = '${run}'`);
      const next = { r1: "r2", r2: "r3", r3: "r3" }[run];
      expect(await verify()).toMatchObject({ ok: false, at: { run: next, seq: 1 } });
    });

    it("fails when the database is set back to an earlier copy", async () => {
      const before = await rows();
      const journal = openJournal(at.url, { keyFile: at.keyFile });
      await journal.append({ thread: "t1", run: "r3" }, { kind: "run.end", status: "finished" });
      await journal.close();
      await write(before);
      const problem = expect.stringMatching(/^run r3, event 6: it is missing: 6 events of its run were there at 20/);
      expect(await verify()).toEqual({ ok: false, at: { run: "r3", seq: 6 }, problem });
      const later = openJournal(at.url, { keyFile: at.keyFile });
      await later.append({ thread: "t1", run: "r3" }, { kind: "run.end", status: "failed" });
      await later.close();
      const another = "run r3, event 6: it is another one than the heads kept outside the database name";
      expect(await verify()).toEqual({ ok: false, at: { run: "r3", seq: 6 }, problem: another });
    });

    it("does not get a new seal by going on", async () => {
      await at.sql("DELETE FROM h_event WHERE run = 'r2' AND seq = 4");
      await at.sql(
        "UPDATE h_head SET length = 3, hash = (SELECT hash FROM h_event WHERE run = 'r2' AND seq = 3) WHERE run = 'r2'",
      );
      const journal = openJournal(at.url, { keyFile: at.keyFile });
      await journal.append({ thread: "t1", run: "r2" }, { kind: "run.end", status: "failed" });
      await journal.append({ thread: "t1", run: "r2" }, { kind: "node.start" });
      await journal.close();
      const problem = expect.stringContaining("the seal of its run's head does not fit");
      expect(await verify()).toEqual({ ok: false, at: { run: "r2", seq: 5 }, problem });
    });
  });
}
