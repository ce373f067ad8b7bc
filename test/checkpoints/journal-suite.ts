// What every journal promises, whatever database it stands on.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type ApprovalErrorCode,
  type HarnessEvent,
  type Journal,
  openJournal,
  type RecordedEvent,
} from "../../checkpoints/index.js";
import { BOTTOM, label, TOP } from "../../trust/index.js";
import { EVENTS } from "./recorded-events.js";
import { ann, approvalRequest, bob, type Place, TestClock } from "./support.js";

const scope = { thread: "t1", run: "r1" };
const note = (ms: number): HarnessEvent => ({ kind: "node.end", ms });
const refused = (code: ApprovalErrorCode) => expect.objectContaining({ name: "ApprovalError", code });

/** Registers the suite for one kind of database. */
export function journalSuite(name: string, place: () => Place): void {
  describe(`journal on ${name}`, () => {
    let at: Place;
    let clock: TestClock;
    let journal: Journal;

    beforeEach(() => {
      at = place();
      clock = new TestClock();
      journal = openJournal(at.url, { clock, keyFile: at.keyFile });
    });
    afterEach(async () => {
      await journal.close();
      await at.remove();
    });

    describe("events", () => {
      it("keeps every kind as it was, with scope and time, counted from 1 within its run", async () => {
        for (const event of EVENTS) await journal.append({ ...scope, node: "n", step: 2, lane: "a|0" }, event);
        await journal.append({ thread: "t1", run: "r2" }, note(1));
        await journal.append({ thread: "other", run: "r3" }, note(1));
        const recorded = await journal.events({ thread: "t1", run: "r1" });
        expect(recorded.map((each) => each.event)).toEqual(EVENTS);
        expect(recorded.map((each) => each.seq)).toEqual(EVENTS.map((_, index) => index + 1));
        expect(recorded[3]).toMatchObject({
          at: clock.now(),
          scope: { thread: "t1", run: "r1", node: "n", step: 2, lane: "a|0" },
        });
        const both = await journal.events({ thread: "t1" });
        expect(both.at(-1)).toEqual({ scope: { thread: "t1", run: "r2" }, seq: 1, at: clock.now(), event: note(1) });
        expect(both).toHaveLength(EVENTS.length + 1);
      });

      it.each(["\0", "\ud800"])("keeps texts with %j in them, and refuses an id with it", async (odd) => {
        const event = { ...(EVENTS[0] as HarnessEvent & { kind: "run.start" }), graph: `g${odd}`, task: `do${odd}` };
        await journal.beginThread("t1", `g${odd}`, TOP);
        await journal.append(scope, event, [journal.keep(`text${odd}`)]);
        await journal.updateThread("t1", { task: `do${odd}`, graph: `g${odd}` });
        await journal.recordDocument("tool", "d1", { text: odd, [odd]: 1 });
        expect((await journal.events({ thread: "t1" }))[0]?.event).toEqual(event);
        expect(await journal.thread("t1")).toMatchObject({ task: `do${odd}`, graph: "g\ufffd", forged: false });
        expect(await journal.document("d1")).toEqual({ text: odd, [odd]: 1 });
        const refused = { name: "JournalError", message: expect.stringContaining("Choose another id") };
        const id = `t${odd}`;
        for (const used of [
          () => journal.beginThread(id, "g", TOP),
          () => journal.thread(id),
          () => journal.updateThread(id, { status: "finished" }),
          () => journal.append({ thread: id, run: "r1" }, note(1)),
          () => journal.append({ thread: "t1", run: id }, note(1)),
          () => journal.events({ thread: id }),
          () => journal.lease(id, "r1"),
          () => journal.effects({ thread: id }),
          () => journal.approval(id),
        ]) {
          await expect(used()).rejects.toMatchObject(refused);
        }
      });

      it("tells subscribers in order and after the commit, whoever throws", async () => {
        const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
        const seen: RecordedEvent[] = [];
        const stored: Promise<number>[] = [];
        journal.subscribe(() => {
          throw new Error("broken display");
        });
        const stop = journal.subscribe((event) => {
          seen.push(event);
          stored.push(journal.events({ thread: "t1" }).then((events) => events.length));
        });
        const appended = await Promise.all(Array.from({ length: 8 }, (_, ms) => journal.append(scope, note(ms))));
        stop();
        await journal.append(scope, note(99));
        expect(seen).toEqual(appended);
        expect(seen.map((each) => each.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
        for (const [index, length] of (await Promise.all(stored)).entries()) expect(length).toBeGreaterThan(index);
        expect(warned).toHaveBeenCalledTimes(9);
        expect(warned.mock.calls[0]?.[0]).toMatchObject({ message: "broken display" });
        warned.mockRestore();
      });

      it("goes on after an append that failed", async () => {
        const loop: Record<string, unknown> = {};
        loop["loop"] = loop;
        const bad = journal.append(scope, { kind: "model.error", error: loop as unknown as string });
        const good = journal.append(scope, note(1));
        await expect(bad).rejects.toThrow(TypeError);
        expect(await good).toMatchObject({ seq: 1 });
      });
    });

    describe("threads", () => {
      it("begins a thread once", async () => {
        expect(await journal.thread("t1")).toBeUndefined();
        expect(await journal.beginThread("t1", "agent", label({ integrity: 2 }))).toBe(true);
        const createdAt = clock.now();
        clock.advance(5);
        expect(await journal.beginThread("t1", "other", TOP)).toBe(false);
        expect(await journal.thread("t1")).toEqual({
          thread: "t1",
          root: "t1",
          graph: "agent",
          createdAt,
          updatedAt: createdAt,
          status: "running",
          task: undefined,
          forged: false,
          floor: label({ integrity: 2 }),
        });
      });

      it("updates what is given and lists the latest first", async () => {
        await journal.beginThread("t1", "agent", TOP);
        await journal.beginThread("t2", "agent", TOP);
        clock.advance(5);
        await journal.updateThread("t1", { status: "waiting", task: "a \u0000 task" });
        await journal.updateThread("t1", { graph: "council" });
        expect(await journal.threads()).toMatchObject([
          { thread: "t1", graph: "council", status: "waiting", task: "a \u0000 task", updatedAt: clock.now() },
          { thread: "t2", graph: "agent", status: "running" },
        ]);
      });

      it("lowers floors and never raises them, also when two lower at once", async () => {
        await journal.beginThread("t1", "agent", TOP);
        await Promise.all([
          journal.lowerFloor("t1", label({ fidelity: 1 })),
          journal.lowerFloor("t1", label({ integrity: 2, fidelity: 2 })),
          journal.lowerFloor("t1", label({ currency: 0 })),
        ]);
        await journal.lowerFloor("t1", TOP);
        expect((await journal.thread("t1"))?.floor).toEqual(label({ integrity: 2, fidelity: 1, currency: 0 }));
      });

      it("puts a thread it does not know at the bottom", async () => {
        await journal.lowerFloor("stranger", TOP);
        await journal.updateThread("old", { status: "finished" });
        expect((await journal.thread("stranger"))?.floor).toEqual(BOTTOM);
        expect(await journal.thread("old")).toMatchObject({ floor: BOTTOM, status: "finished" });
        expect(await journal.beginThread("stranger", "agent", TOP)).toBe(false);
      });
    });

    describe("approvals", () => {
      const ask = (change = {}) => journal.requestApproval(approvalRequest(clock, change));

      it("stores a request once and returns it as it stands", async () => {
        const request = approvalRequest(clock, {
          arguments: JSON.parse('{"note":"\\u0000","__proto__":1}'),
        });
        const stored = await journal.requestApproval(request);
        expect(stored).toEqual({
          ...request,
          status: "pending",
          createdAt: clock.now(),
          decidedBy: undefined,
          authenticated: undefined,
          reason: undefined,
          decidedAt: undefined,
          edited: undefined,
          usedBy: undefined,
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        });
        expect(Object.keys(stored.arguments)).toEqual(["note", "__proto__"]);
        await journal.decideApproval("approval-1", "approved", ann, "looks\u0000right");
        clock.advance(1);
        expect(await journal.requestApproval(request)).toMatchObject({
          status: "approved",
          decidedBy: "ann",
          reason: "looks\u0000right",
          decidedAt: clock.now() - 1,
        });
        await expect(ask({ binding: "another" })).rejects.toEqual(refused("APPROVAL_MISMATCH"));
      });

      it("decides once", async () => {
        await ask();
        await journal.decideApproval("approval-1", "rejected", ann, "no");
        await expect(journal.decideApproval("approval-1", "approved", bob)).rejects.toEqual(
          refused("APPROVAL_DECIDED"),
        );
        await expect(journal.decideApproval("nothing", "approved", bob)).rejects.toEqual(refused("APPROVAL_UNKNOWN"));
        expect(await journal.approval("approval-1")).toMatchObject({ status: "rejected", decidedBy: "ann" });
      });

      it("derives expiry from the clock", async () => {
        await ask();
        await ask({ id: "approval-2", thread: "t2" });
        await journal.decideApproval("approval-2", "approved", ann);
        clock.advance(59_999);
        expect(await journal.approvals({ status: "pending" })).toMatchObject([{ id: "approval-1" }]);
        clock.advance(1);
        expect(await journal.approvals({ status: "pending" })).toEqual([]);
        expect(await journal.approvals({ status: "expired" })).toMatchObject([
          { id: "approval-1" },
          { id: "approval-2" },
        ]);
        expect(await journal.approvals({ thread: "t2" })).toMatchObject([{ status: "expired", decidedBy: "ann" }]);
        await expect(journal.decideApproval("approval-1", "approved", bob)).rejects.toEqual(
          refused("APPROVAL_EXPIRED"),
        );
        await expect(journal.decideApproval("approval-2", "approved", bob)).rejects.toEqual(
          refused("APPROVAL_DECIDED"),
        );
      });
    });

    it("makes ids with the prefix asked for and the source given", async () => {
      expect(journal.id("thread")).toMatch(/^thread-[0-9a-f-]{36}$/);
      expect(openJournal(at.url, { ids: () => "7" }).id("run")).toBe("run-7");
    });

    it("writes what was appended before it closes", async () => {
      const appended = journal.append(scope, note(1));
      await journal.close();
      expect(await appended).toMatchObject({ seq: 1 });
    });

    it("closes twice, and says so afterwards", async () => {
      await journal.append(scope, note(1));
      await Promise.all([journal.close(), journal.close()]);
      await expect(journal.threads()).rejects.toMatchObject({ code: "JOURNAL_UNAVAILABLE" });
    });
  });
}
