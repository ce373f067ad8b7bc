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
import { ann, approvalRequest, bob, effectIntent, type Place, TestClock } from "./support.js";

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

    describe("effects", () => {
      const prepare = async (change = {}) => {
        await journal.requestApproval(approvalRequest(clock));
        await journal.intendEffect(effectIntent({ approval: "approval-1", ...change }));
      };

      it("goes intended → dispatched → committed, each once", async () => {
        expect(await journal.effect("key-1")).toBeUndefined();
        const intent = effectIntent({ callId: "c\u0000" });
        expect(await journal.intendEffect(intent)).toEqual({
          ...intent,
          status: "intended",
          receipt: undefined,
          error: undefined,
          resolution: undefined,
          attempts: 0,
          updatedAt: clock.now(),
        });
        clock.advance(1);
        expect(await journal.dispatchEffect("key-1")).toMatchObject({ ...intent, status: "dispatched", attempts: 1 });
        expect(await journal.dispatchEffect("key-1")).toBeUndefined();
        const settled = await journal.settleEffect("key-1", { status: "committed", receipt: "r\u0000\ud800" });
        expect(settled).toMatchObject({ status: "committed", receipt: "r\u0000\ud800", updatedAt: clock.now() });
        expect(await journal.effects({ thread: "t1" })).toEqual([settled]);
        expect(await journal.effects({ thread: "t2" })).toEqual([]);
        expect(await journal.effects()).toEqual([settled]);
      });

      it.each(["intended", "committed", "failed", "in_doubt"] as const)(
        "refuses to settle what is %s",
        async (state) => {
          await journal.intendEffect(effectIntent());
          if (state !== "intended") {
            await journal.dispatchEffect("key-1");
            await journal.settleEffect("key-1", { status: state, error: "why" });
          }
          const settle = journal.settleEffect("key-1", { status: "committed" });
          await expect(settle).rejects.toMatchObject({ name: "EffectError", code: "EFFECT_STATE" });
          if (state !== "intended") expect(await journal.dispatchEffect("key-1")).toBeUndefined();
          const again = await journal.intendEffect(effectIntent({ binding: "later" }));
          expect(again.status).toBe(state);
          expect(again.binding).toBe(state === "intended" ? "later" : "binding-1");
        },
      );

      it("refuses an unknown key and a key that stands for something else", async () => {
        const unknown = { name: "EffectError", code: "EFFECT_UNKNOWN" };
        await expect(journal.dispatchEffect("none")).rejects.toMatchObject(unknown);
        await expect(journal.settleEffect("none", { status: "failed" })).rejects.toMatchObject(unknown);
        await journal.intendEffect(effectIntent());
        for (const other of [{ arguments: { order_id: 1 } }, { tool: "send_email" }, { root: "t2" }]) {
          const intend = journal.intendEffect(effectIntent(other));
          await expect(intend).rejects.toMatchObject({ name: "EffectError", code: "EFFECT_MISMATCH" });
        }
        const reordered = effectIntent({ arguments: { amount: 49, order_id: 7781 } });
        expect(await journal.intendEffect(reordered)).toMatchObject({ status: "intended" });
      });

      it("uses an approval once, in the same step", async () => {
        await prepare();
        await journal.decideApproval("approval-1", "approved", ann);
        await journal.intendEffect(effectIntent({ key: "key-2", mayRepeat: true, approval: "approval-1" }));
        expect(await journal.dispatchEffect("key-1")).toMatchObject({ status: "dispatched", approval: "approval-1" });
        expect(await journal.approval("approval-1")).toMatchObject({ status: "consumed" });
        await expect(journal.dispatchEffect("key-2")).rejects.toEqual(refused("APPROVAL_USED"));
        expect(await journal.effect("key-2")).toMatchObject({ status: "intended", attempts: 0 });
        clock.advance(100_000);
        expect(await journal.approval("approval-1")).toMatchObject({ status: "consumed" });
      });

      it("dispatches nothing on an approval that is missing, open, rejected, expired or for something else", async () => {
        const dispatch = () => journal.dispatchEffect("key-1");
        await journal.intendEffect(effectIntent({ approval: "approval-1" }));
        await expect(dispatch()).rejects.toEqual(refused("APPROVAL_UNKNOWN"));
        await prepare();
        await expect(dispatch()).rejects.toEqual(refused("APPROVAL_UNDECIDED"));
        await journal.decideApproval("approval-1", "approved", ann);
        await journal.intendEffect(effectIntent({ approval: "approval-1", binding: "swapped" }));
        await expect(dispatch()).rejects.toEqual(refused("APPROVAL_MISMATCH"));
        await prepare();
        clock.advance(60_000);
        await expect(dispatch()).rejects.toEqual(refused("APPROVAL_EXPIRED"));
        await journal.requestApproval(approvalRequest(clock, { id: "approval-2" }));
        await journal.intendEffect(effectIntent({ approval: "approval-2" }));
        await journal.decideApproval("approval-2", "rejected", ann, "wrong order");
        await expect(dispatch()).rejects.toEqual(refused("APPROVAL_REJECTED"));
        expect(await journal.effect("key-1")).toMatchObject({ status: "intended", attempts: 0 });
        expect(await journal.approval("approval-1")).toMatchObject({ status: "expired" });
      });

      it.each(["committed", "failed"] as const)("keeps who resolved a doubt as %s, and why", async (status) => {
        await journal.intendEffect(effectIntent());
        await journal.dispatchEffect("key-1");
        await journal.settleEffect("key-1", { status: "in_doubt", error: "lost" });
        clock.advance(1);
        const resolution = { by: "ann", note: "looked\u0000it up", at: clock.now() };
        const resolved = await journal.resolveEffect("key-1", status, "ann", resolution.note);
        expect(resolved).toMatchObject({ status, error: "lost", resolution, updatedAt: clock.now() });
        expect(await journal.effect("key-1")).toEqual(resolved);
        const other = journal.resolveEffect("key-1", "failed", "bob", "no");
        await expect(other).rejects.toMatchObject({ name: "EffectError", code: "EFFECT_STATE" });
        expect(await journal.effect("key-1")).toEqual(resolved);
      });

      it.each(["intended", "dispatched", "committed", "failed"] as const)(
        "lets nobody resolve what is %s",
        async (state) => {
          await journal.intendEffect(effectIntent());
          if (state !== "intended") await journal.dispatchEffect("key-1");
          if (state === "committed" || state === "failed") await journal.settleEffect("key-1", { status: state });
          const resolve = (key: string) => journal.resolveEffect(key, "committed", "ann", "sure");
          await expect(resolve("key-1")).rejects.toMatchObject({ name: "EffectError", code: "EFFECT_STATE" });
          await expect(resolve("none")).rejects.toMatchObject({ name: "EffectError", code: "EFFECT_UNKNOWN" });
          expect(await journal.effect("key-1")).toMatchObject({ status: state, resolution: undefined });
        },
      );

      it("lets one of many dispatch", async () => {
        await journal.intendEffect(effectIntent());
        const tries = await Promise.all(Array.from({ length: 10 }, () => journal.dispatchEffect("key-1")));
        expect(tries.filter((each) => each !== undefined)).toHaveLength(1);
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
