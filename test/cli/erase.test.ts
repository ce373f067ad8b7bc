// `erase`: what goes, what stays, who is asked, and how an erased thread reads afterwards.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { eraseFamily } from "../../cli/family.js";
import { readSettings } from "../../models/index.js";
import { approvalRequest, effectIntent } from "../checkpoints/support.js";
import { testTerminal } from "./terminal.js";
import { MARK, Threads } from "./threads.js";

const at = new Threads();
const { typed, withJournal, thread, rows, checkpointsOf, isErased, openEffect } = at;

describe("erase", () => {
  test("takes a thread and what was derived from it, and says what it did not take", async () => {
    await thread("t1");
    await thread("t2", 0, "failed", "t1");
    await thread("t9");
    await withJournal(async (journal) => {
      await journal.requestApproval(approvalRequest(journal.clock, { view: MARK }));
      await journal.intendEffect(effectIntent({ arguments: { MARK } }));
    });
    const { code, out, err } = await typed(["erase", "t1", "--yes", "--reason", "the customer asked"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(
      "Erased 6 events of thread t1 and of 1 thread derived from it, with their checkpoints.\n" +
        "The chain stays, and says by whom. Bundles, backups and memories are not erased: see to them.\n" +
        `Next:\n  bulkhead verify t1 --db ${at.db}\n`,
    );
    for (const name of ["t1", "t2"]) {
      expect(await isErased(name)).toBe(true);
      expect(checkpointsOf(name)).toBe(0);
      expect((await typed(["verify", name])).out).toMatch(
        /^Intact: 4 events in 2 runs of thread t\d\.\nThe contents of 3 events of them were erased, and the chain says so\./,
      );
    }
    expect([await isErased("t9"), checkpointsOf("t9")]).toEqual([false, 1]);
    await typed(["erase", "t9", "--yes"]);
    for (const path of [at.file, `${at.file}-wal`]) {
      let bytes = "";
      try {
        bytes = readFileSync(path, "latin1");
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOENT" });
      }
      expect(bytes).not.toContain(MARK);
    }
  });

  test("reads well afterwards: threads, show, verify, inspect", async () => {
    await thread("t1");
    await typed(["erase", "t1", "--yes", "--reason", "the customer asked"]);
    const today = new Date().toISOString().slice(0, 10);
    expect((await typed(["threads"])).out).toContain(`(erased on ${today})`);
    expect(JSON.parse((await typed(["threads", "--json"])).out)).toMatchObject([{ thread: "t1", task: null }]);
    const shown = (await typed(["show", "t1"])).out;
    expect(shown).toMatch(new RegExp(`erased +on ${today}\\S+ by cli erase \\(OS user \\S+\\): the customer asked`));
    expect(shown).not.toContain(MARK);
    const listed = JSON.parse((await typed(["show", "t1", "--json"])).out);
    expect(listed).toMatchObject({ erased: { reason: "the customer asked" }, task: null, checkpoint: null });
    expect(JSON.parse((await typed(["verify", "t1", "--json"])).out)).toMatchObject({ ok: true, erased: 3, texts: 0 });
    expect(await typed(["inspect", "t1"])).toMatchObject({ code: 0, out: expect.stringContaining("erased") });
  });

  test("tells a program what it did", async () => {
    await thread("t1");
    const { code, out } = await typed(["erase", "t1", "--yes", "--json"]);
    expect({ code, told: JSON.parse(out) }).toEqual({
      code: 0,
      told: {
        ...{ thread: "t1", threads: ["t1"], events: 3, by: expect.stringContaining("cli erase (OS user") },
        ...{ reason: "no reason given", next: `bulkhead verify t1 --db ${at.db}` },
      },
    });
  });

  test("asks a person first, and takes only yes for an answer", async () => {
    await thread("t1");
    for (const answer of ["", "n", "nonsense"]) {
      const refused = await typed(["erase", "t1"], { interactive: true, answers: [answer] });
      expect(refused).toMatchObject({ code: 0, out: "Nothing was erased.\n", questions: ["Erase it? [y/N] "] });
      expect(refused.err).toBe("thread t1: 3 events. This cannot be undone.\n");
    }
    expect(await isErased("t1")).toBe(false);
    expect(await typed(["erase", "t1"], { interactive: true, answers: ["y"] })).toMatchObject({ code: 0 });
    expect(await isErased("t1")).toBe(true);
  });

  test("needs --yes where nobody can be asked: exit 2", async () => {
    await thread("t1");
    const { code, err } = await typed(["erase", "t1"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("Where there is no terminal, add --yes.") });
    expect(await isErased("t1")).toBe(false);
  });

  test("refuses a thread that is not there, and a derived one: exit 1, and what to type", async () => {
    await thread("t1");
    await thread("t2", 0, "finished", "t1");
    expect(await typed(["erase", "t8", "--yes"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("there is no thread t8"),
    });
    expect(await typed(["erase", "t2", "--yes"])).toMatchObject({
      code: 1,
      err: expect.stringContaining(`all of them: bulkhead erase t1 --db ${at.db}`),
    });
    expect(await isErased("t1")).toBe(false);
  });

  test("refuses while one of the family runs, and erases nothing", async () => {
    await thread("t1");
    await thread("t2", 0, "finished", "t1");
    await withJournal(async (journal) => {
      const lease = await journal.lease("t2", "a run");
      const { code, err } = await typed(["erase", "t1", "--yes"]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("thread t2 is in use by run a run") });
      expect([checkpointsOf("t1"), checkpointsOf("t2")]).toEqual([1, 1]);
      await lease.release();
      expect(rows("SELECT * FROM h_lease")).toEqual([]); // Not even its own is left.
    });
    expect(await typed(["erase", "t1", "--yes"])).toMatchObject({ code: 0 });
  });

  test("gives every lease back at once, whether it erased or not", async () => {
    await thread("t1");
    await thread("t2", 0, "finished", "t1");
    const terminal = testTerminal({ cwd: at.folder });
    await withJournal(async (journal) => {
      const opened = { journal, settings: readSettings({ BULKHEAD_DB: at.db }), project: undefined };
      const lease = await journal.lease("t2", "a run");
      await expect(eraseFamily(opened, "t1", "", terminal, "erase")).rejects.toThrow(/t2 is in use/);
      await (await journal.lease("t1", "another run")).release();
      await lease.release();
      expect(await eraseFamily(opened, "t1", "", terminal, "erase")).toMatchObject({ threads: ["t1", "t2"] });
      expect(rows("SELECT * FROM h_lease")).toEqual([]);
    });
  });

  test.each(["dispatched", "in_doubt"] as const)(
    "refuses while an effect is %s, before anything went",
    async (status) => {
      await thread("t1");
      await openEffect("t1", status);
      const { code, err } = await typed(["erase", "t1", "--yes"]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("Settle it first: bulkhead effects") });
      expect([await isErased("t1"), checkpointsOf("t1")]).toEqual([false, 1]);
    },
  );
});
