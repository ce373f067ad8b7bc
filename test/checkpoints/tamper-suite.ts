// Property P14 on a database: flip, drop, swap, insert or truncate any event of any run, and verification says where.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import type { StoredEvent } from "../../checkpoints/journal/chain.js";
import { type Verification, verifyThread } from "../../checkpoints/journal/verify.js";
import type { Attackable } from "./support.js";
import { flipped, type Rows, recorded, tampering } from "./tampering.js";

const value = (given: unknown): string =>
  typeof given === "number" ? String(given) : given === null ? "NULL" : `'${String(given).replaceAll("'", "''")}'`;

const values = (rows: readonly object[]): string =>
  rows.map((row) => `(${Object.values(row).map(value).join(", ")})`).join(", ");

const isReadable = (header: string): boolean => {
  try {
    return typeof JSON.parse(header) === "object";
  } catch {
    return false; // Somebody changed it.
  }
};

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

    /** How the table has the body of an event, by what it is. */
    const locked = new Map<string, string>();
    const named = ({ body, header }: Pick<StoredEvent, "body" | "header">) => `${body} ${JSON.parse(header).body}`;

    async function rows(): Promise<Rows> {
      const journal = openJournal(at.url, { keyFile: at.keyFile });
      const { events, heads } = await journal.recording("t1");
      await journal.close();
      for (const event of events) {
        const [row] = await at.sql(`SELECT body FROM h_event WHERE run = '${event.run}' AND seq = ${event.seq}`);
        expect(row?.["body"]).toMatch(/^locked:/);
        locked.set(named(event), String(row?.["body"]));
      }
      return { events, heads };
    }

    const asStored = (event: StoredEvent): StoredEvent => {
      const body = isReadable(event.header) ? locked.get(named(event)) : undefined;
      return body === undefined ? event : { ...event, body };
    };

    async function write({ events: opened, heads }: Rows): Promise<void> {
      const events = opened.map(asStored);
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
      const whole = { ok: true, events: 15, runs: 3, heads: 3, kept: 3, unreadable: 0, erased: 0, texts: 0 };
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

    it("fails at the place, whatever character of an event's row was changed (P14)", async () => {
      const stored = await at.sql("SELECT run, seq, header, body, prev, hash FROM h_event WHERE thread = 't1'");
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...stored),
          fc.constantFrom("header", "body", "prev", "hash"),
          fc.nat(2_000),
          async (row, column, choice) => {
            const before = String(row[column]);
            fc.pre(before !== "");
            const where = `WHERE run = '${row["run"]}' AND seq = ${row["seq"]}`;
            await at.sql(`UPDATE h_event SET ${column} = ${value(flipped(before, choice))} ${where}`);
            const place = { run: row["run"], seq: Number(row["seq"]) };
            expect(await verify()).toMatchObject({ ok: false, at: place });
            await at.sql(`UPDATE h_event SET ${column} = ${value(before)} ${where}`);
          },
        ),
        { numRuns },
      );
      expect(await verify()).toMatchObject({ ok: true });
    }, 60_000);

    it.each(["id", "wrapped", "sealed_by"])(
      "fails when %s of the thread's key was changed, or the key is gone",
      async (column) => {
        const [row] = await at.sql(`SELECT ${column} FROM h_key WHERE thread = 't1'`);
        const before = String(row?.[column]);
        const broken = { ok: false, at: { run: "r1", seq: 1 }, problem: expect.stringMatching(/the key .* is gone/) };
        await at.sql(`UPDATE h_key SET ${column} = ${value(flipped(before, 3))} WHERE thread = 't1'`);
        expect(await verify()).toEqual(broken);
        await at.sql("DELETE FROM h_key WHERE thread = 't1'");
        expect(await verify()).toEqual(broken);
      },
    );

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
