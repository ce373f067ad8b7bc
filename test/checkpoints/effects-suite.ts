// What the effect ledger of every journal promises, whatever database it stands on.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ApprovalErrorCode, type Journal, openJournal } from "../../checkpoints/index.js";
import { ann, approvalRequest, effectIntent, type Place, TestClock } from "./support.js";

const refused = (code: ApprovalErrorCode) => expect.objectContaining({ name: "ApprovalError", code });

/** Registers the suite for one kind of database. */
export function effectsSuite(name: string, place: () => Place): void {
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

      it("counts every request, and believes no failure of one when another was sent since", async () => {
        await journal.intendEffect(effectIntent());
        expect(await journal.resendEffect("key-1")).toBeUndefined();
        await journal.dispatchEffect("key-1");
        expect(await journal.resendEffect("key-1")).toMatchObject({ status: "dispatched", attempts: 2 });
        for (const status of ["failed", "in_doubt"] as const) {
          const settle = journal.settleEffect("key-1", { status }, 1);
          await expect(settle).rejects.toMatchObject({ name: "EffectError", code: "EFFECT_STATE" });
          await expect(settle).rejects.toThrow("another worker has sent it again");
        }
        expect(await journal.settleEffect("key-1", { status: "committed" }, 1)).toMatchObject({ attempts: 2 });
        expect(await journal.resendEffect("key-1")).toBeUndefined();
      });

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
  });
}
