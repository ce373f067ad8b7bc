// What an approval promises on every database: it allows exactly what was shown, once, in time, and only as long as
// nobody but the harness wrote its record.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ApprovalErrorCode, type ApprovalRequest, type Journal, openJournal } from "../../checkpoints/index.js";
import { TOP } from "../../trust/index.js";
import { ann, approvalRequest, bob, effectIntent, type Place, TestClock } from "./support.js";

const refused = (code: ApprovalErrorCode) => expect.objectContaining({ name: "ApprovalError", code });
const settled = async (all: Promise<unknown>[]) => (await Promise.allSettled(all)).map(({ status }) => status);

/** Registers the suite for one kind of database. */
export function approvalsSuite(name: string, place: () => Place): void {
  describe(`approvals on ${name}`, () => {
    let at: Place;
    let clock: TestClock;
    let journal: Journal;
    const open = () => openJournal(at.url, { clock, keyFile: at.keyFile });
    const ask = (change: Partial<ApprovalRequest> = {}, openLimit?: number) =>
      journal.requestApproval(approvalRequest(clock, change), openLimit);

    beforeEach(() => {
      at = place();
      clock = new TestClock();
      journal = open();
    });
    afterEach(async () => {
      await journal.close();
      await at.remove();
    });

    it("keeps who decided and how that is known, and names each state by its own hash", async () => {
      const asked = await ask();
      const approved = await journal.decideApproval("approval-1", "approved", bob, "half a \ud83d character");
      expect(approved).toMatchObject({ status: "approved", decidedBy: "bob", authenticated: "server" });
      expect(approved.reason).toBe("half a \ud83d character");
      await journal.intendEffect(effectIntent({ approval: "approval-1" }));
      await journal.dispatchEffect("key-1");
      const used = await journal.approval("approval-1");
      expect(used).toMatchObject({ status: "consumed", usedBy: "key-1", decidedBy: "bob", decidedAt: clock.now() });
      expect(new Set([asked.hash, approved.hash, used?.hash]).size).toBe(3);
    });

    it("is cancelled by an edit, and keeps the edited arguments for the gate", async () => {
      await ask();
      const edited = JSON.parse('{"order_id":7781,"note":"\\ud83d","__proto__":{"x":1}}');
      await journal.editApproval("approval-1", edited, ann);
      const stored = await journal.approval("approval-1");
      expect(stored).toMatchObject({ status: "cancelled", decidedBy: "ann", arguments: { amount: 49 } });
      expect(JSON.stringify(stored?.edited)).toBe(JSON.stringify(edited));
      await expect(journal.decideApproval("approval-1", "approved", bob)).rejects.toEqual(refused("APPROVAL_DECIDED"));
      await expect(journal.editApproval("approval-1", {}, bob)).rejects.toEqual(refused("APPROVAL_DECIDED"));
      await journal.intendEffect(effectIntent({ approval: "approval-1" }));
      await expect(journal.dispatchEffect("key-1")).rejects.toEqual(refused("APPROVAL_REJECTED"));
      await expect(journal.editApproval("nothing", {}, bob)).rejects.toEqual(refused("APPROVAL_UNKNOWN"));
    });

    it("can be withdrawn while it is pending, and only then", async () => {
      await ask();
      await ask({ id: "approval-2" });
      await journal.decideApproval("approval-2", "approved", ann);
      for (const id of ["approval-1", "approval-2", "nothing"]) await journal.cancelApproval(id, "superseded");
      expect(await journal.approvals()).toMatchObject([
        { status: "cancelled", reason: "superseded", decidedBy: undefined },
        { status: "approved" },
      ]);
      await expect(journal.decideApproval("approval-1", "approved", bob)).rejects.toThrow("withdrawn: superseded");
    });

    it("is valid from its first moment to its last, for a decision and for its use", async () => {
      await ask({ notBefore: clock.now() + 10, expiresAt: clock.now() + 20 });
      const decide = () => journal.decideApproval("approval-1", "approved", ann);
      await expect(decide()).rejects.toEqual(refused("APPROVAL_EARLY"));
      clock.advance(10);
      await decide();
      await journal.intendEffect(effectIntent({ approval: "approval-1" }));
      clock.advance(-1); // Another machine's clock.
      await expect(journal.dispatchEffect("key-1")).rejects.toEqual(refused("APPROVAL_EARLY"));
      clock.advance(11);
      await expect(journal.dispatchEffect("key-1")).rejects.toEqual(refused("APPROVAL_EXPIRED"));
      clock.advance(-1);
      expect(await journal.dispatchEffect("key-1")).toMatchObject({ status: "dispatched" });
    });

    it("is for these arguments, whatever the binding says", async () => {
      await ask();
      await journal.decideApproval("approval-1", "approved", ann);
      await journal.intendEffect(
        effectIntent({ approval: "approval-1", arguments: { order_id: 2, amount: 1_000_000 } }),
      );
      await expect(journal.dispatchEffect("key-1")).rejects.toEqual(refused("APPROVAL_MISMATCH"));
      await journal.intendEffect(
        effectIntent({ key: "key-2", approval: "approval-1", arguments: { amount: 49, order_id: 7781 } }),
      );
      expect(await journal.dispatchEffect("key-2")).toMatchObject({ status: "dispatched" });
    });

    it("is not asked for when too many of the thread wait already", async () => {
      await ask({ id: "a" }, 2);
      await ask({ id: "b", expiresAt: clock.now() + 10 }, 2);
      await ask({ id: "other", thread: "t2" }, 1);
      await expect(ask({ id: "c" }, 2)).rejects.toEqual(refused("APPROVAL_FLOOD"));
      await expect(ask({ id: "c" }, 2)).rejects.toThrow(
        /t1 may have 2 approvals waiting, and has 2.*bulkhead approvals/,
      );
      expect(await journal.approval("c")).toBeUndefined();
      expect(await ask({ id: "a" }, 2)).toMatchObject({ status: "pending" });
      clock.advance(10);
      await ask({ id: "d" }, 2);
      await journal.decideApproval("a", "rejected", ann);
      await ask({ id: "e" }, 2);
      await expect(ask({ id: "f" }, 2)).rejects.toEqual(refused("APPROVAL_FLOOD"));
      await ask({ id: "f" });
    });

    it("belongs to its root: what was asked in a branch is found there", async () => {
      await journal.beginThread("branch", "agent", TOP, "t1");
      const root = "t1";
      await ask({ id: "a" });
      await ask({ id: "b", thread: "branch", root });
      await ask({ id: "other", thread: "t2", root: "t2" });
      await journal.decideApproval("b", "rejected", ann);
      expect((await journal.approvals({ root })).map(({ id }) => id)).toEqual(["a", "b"]);
      expect(await journal.approvals({ root, status: "rejected" })).toMatchObject([{ id: "b" }]);
      expect(await journal.approvals({ root, thread: "branch" })).toMatchObject([{ id: "b" }]);
    });

    it("is not asked for when the run has asked enough, wherever under its root and under whatever name", async () => {
      await journal.beginThread("branch", "agent", TOP, "t1");
      const root = "t1";
      const limited = (id: string, change: Partial<ApprovalRequest>) =>
        journal.requestApproval(approvalRequest(clock, { id, root, ...change }), 99, 2);
      await limited("a", { run: "r1", task: "pay" });
      await limited("b", { run: "r2", task: "pay", thread: "branch" });
      await journal.decideApproval("a", "rejected", ann);
      await expect(limited("c", { run: "r3", task: "pay" })).rejects.toEqual(refused("APPROVAL_FLOOD"));
      await expect(limited("c", { run: "r3", task: "pay" })).rejects.toThrow(
        /may ask 2 questions, and this one has asked 2/,
      );
      expect(await limited("a", { run: "r1", task: "pay" })).toMatchObject({ status: "rejected" });
      await limited("d", { run: "r4", task: "another" });
      await limited("e", { run: "r1", task: "a third" });
    });

    it("holds the limit when all ask at once, and believes all of them afterwards", async () => {
      const ids = Array.from({ length: 9 }, (_, index) => `approval-${index}`);
      const asked = await settled(ids.map((id) => ask({ id }, 4)));
      expect(asked.filter((status) => status === "fulfilled")).toHaveLength(4);
      const pending = await journal.approvals({ status: "pending" });
      expect(pending).toHaveLength(4);
      await Promise.all(pending.map(({ id }) => journal.decideApproval(id, "approved", ann)));
      expect(await journal.approvals({ status: "approved" })).toHaveLength(4);
    });

    it("has one winner, however many decide, edit and withdraw at once", async () => {
      await ask();
      const decisions = await settled([
        ...Array.from({ length: 4 }, () => journal.decideApproval("approval-1", "approved", ann)),
        ...Array.from({ length: 4 }, () => journal.decideApproval("approval-1", "rejected", bob)),
        journal.editApproval("approval-1", {}, bob),
      ]);
      expect(decisions.filter((status) => status === "fulfilled")).toHaveLength(1);
      expect((await journal.approval("approval-1"))?.status).not.toBe("forged");
    });

    it("is used by one effect, however many want it at once", async () => {
      await ask();
      await journal.decideApproval("approval-1", "approved", ann);
      const keys = Array.from({ length: 5 }, (_, index) => `key-${index}`);
      for (const key of keys)
        await journal.intendEffect(effectIntent({ key, mayRepeat: true, approval: "approval-1" }));
      const tries = await Promise.allSettled(keys.map((key) => journal.dispatchEffect(key)));
      const lost = tries.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
      expect(lost).toEqual(Array(4).fill(refused("APPROVAL_USED")));
      const dispatched = (await journal.effects()).filter(({ status }) => status === "dispatched");
      expect(dispatched.map(({ key }) => key)).toEqual([(await journal.approval("approval-1"))?.usedBy]);
    });
  });
}
