// `gc`: which families of threads go, which stay and why, and what it says.

import { describe, expect, test } from "vitest";
import { DAY, Threads } from "./threads.js";

const at = new Threads();
const { typed, withJournal, thread, rows, checkpointsOf, isErased, openEffect } = at;

describe("gc", () => {
  const gc = (...args: string[]) => typed(["gc", "--older-than", "30d", ...args]);
  const told = async (...args: string[]) => JSON.parse((await gc("--json", ...args)).out);

  test("erases families that ended long ago, whole, and keeps the others", async () => {
    await thread("old", 40);
    await thread("failed", 40, "failed");
    await thread("blocked", 40, "blocked");
    await thread("killed", 40, "running"); // Nobody has its lease: it was interrupted.
    await thread("young", 20);
    await thread("root", 40);
    await thread("child of root", 20, "finished", "root");
    await thread("other root", 40);
    await thread("waiting child", 40, "waiting", "other root");
    await thread("parked", 40, "parked");
    const planned = await told("--dry-run");
    expect(planned).toMatchObject({ dryRun: true, headsDropped: 0, kept: { recent: 2, unfinished: 2 } });
    expect(await isErased("old")).toBe(false);
    const { erased, kept, headsDropped } = await told();
    expect(erased).toEqual(planned.erased);
    expect(erased.map((each: { thread: string }) => each.thread).sort()).toEqual([
      "blocked",
      "failed",
      "killed",
      "old",
    ]);
    expect(kept).toEqual({ recent: 2, unfinished: 2, openEffects: 0, broken: 0 });
    expect(headsDropped).toBe(4); // Of the two that each run had.
    for (const name of ["old", "failed", "blocked", "killed"]) {
      expect([await isErased(name), checkpointsOf(name)], name).toEqual([true, 0]);
      expect(await typed(["verify", name]), name).toMatchObject({ code: 0 });
    }
    for (const name of ["young", "root", "child of root", "other root", "waiting child", "parked"]) {
      expect([await isErased(name), checkpointsOf(name)], name).toEqual([false, 1]);
      expect(await typed(["verify", name]), name).toMatchObject({ code: 0 });
    }
    const again = await gc();
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(again.out).toBe(
      `Erased: 0. Kept: 2 younger than that, 2 running, waiting or parked.\nNext:\n  bulkhead threads --db ${at.db}\n`,
    );
  });

  test("says what went, thread by thread", async () => {
    await thread("old", 40);
    await thread("child", 40, "finished", "old");
    const on = new Date(Date.now() - 40 * DAY).toISOString().slice(0, 10);
    const dry = await gc("--dry-run");
    expect(dry.out).toMatch(
      new RegExp(
        `^would erase old  ${on} \\d\\d:\\d\\d, with 1 thread derived from it\nTo be erased: 1\\. Kept: none\\.\n`,
      ),
    );
    expect(dry.out).toContain("Next:\n  bulkhead gc --older-than 30d --db");
    expect((await gc()).out).toMatch(/^erased old {2}.*\nErased: 1\. Kept: none\.\n2 lines of the file of heads were/);
  });

  test("keeps what runs, has an open effect, or does not verify", async () => {
    await thread("running", 40, "running");
    await thread("doubtful", 40);
    await openEffect("doubtful", "in_doubt");
    await thread("broken", 40);
    rows("DELETE FROM h_event WHERE thread = 'broken' AND seq = 2 RETURNING seq");
    await withJournal(async (journal) => {
      const lease = await journal.lease("running", "a run");
      const { erased, kept } = await told();
      expect(erased).toEqual([]);
      expect(kept).toEqual({ recent: 0, unfinished: 1, openEffects: 1, broken: 1 });
      await lease.release();
    });
  });

  test("erases again what went on after it was erased", async () => {
    await thread("old", 50);
    expect((await told()).erased).toHaveLength(1);
    await withJournal(async (journal) => {
      await journal.append({ thread: "old", run: "later" }, { kind: "node.start" });
    }, 40);
    expect((await told()).erased).toHaveLength(1);
    expect((await told()).erased).toHaveLength(0);
    expect(await typed(["verify", "old"])).toMatchObject({ code: 0 });
  });

  test.each(["", "30", "d", "0d", "-3d", "1.5h", "30 d", "3w"])("refuses the age %j: exit 2", async (age) => {
    const { code, err } = await typed(["gc", "--older-than", age]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("30d, 12h, 90m") });
  });

  test("needs an age, and takes hours and minutes", async () => {
    expect(await typed(["gc"])).toMatchObject({ code: 2 });
    await thread("old", 1);
    for (const [age, erased] of [
      ["25h", 0],
      ["1500m", 0],
      ["1430m", 1],
    ] as const) {
      const { out } = await typed(["gc", "--older-than", age, "--dry-run", "--json"]);
      expect(JSON.parse(out).erased, age).toHaveLength(erased);
    }
  });
});
