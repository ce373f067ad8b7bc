// Somebody has got hold of the database and wants an approval out of it. Whatever is changed there, the approval counts
// as forged: it is listed, cannot be decided, and allows nothing.

import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import { type Attackable, ann, approvalRequest, effectIntent, TestClock } from "./support.js";

type Document = Record<string, unknown>;

const text = (value: unknown): string => `'${JSON.stringify(value).replaceAll("'", "''")}'`;
const changed = (value: unknown): unknown => {
  if (typeof value === "number") return value + 1;
  if (typeof value === "string") return `${value}0`;
  if (Array.isArray(value)) return [];
  return { ...(value as Document), integrity: 0, amount: 1_000_000 };
};

/** Registers the suite for one kind of database, whose place gives a second connection. */
export function forgerySuite(name: string, place: () => Attackable): void {
  describe(`a forged approval on ${name}`, () => {
    let at: Attackable;
    let clock: TestClock;
    let journal: Journal;
    const open = (keyFile = at.keyFile) => openJournal(at.url, { clock, keyFile });

    const row = async (id = "approval-1"): Promise<Document> =>
      (await at.sql(`SELECT * FROM h_approval WHERE id = '${id}'`))[0] ?? {};
    const historyOf = async (id?: string): Promise<Document[]> => JSON.parse(String((await row(id))["history"]));
    const requestOf = async (): Promise<Document> => JSON.parse(String((await row())["request"]));
    const set = (assignments: string, id = "approval-1") =>
      at.sql(`UPDATE h_approval SET ${assignments} WHERE id = '${id}'`);

    /** Asks, lets `ann` approve when told so, and wants to use it for an effect. */
    const prepare = async (id = "approval-1", decide = true) => {
      await journal.requestApproval(approvalRequest(clock, { id }));
      if (decide) await journal.decideApproval(id, "approved", ann);
      await journal.intendEffect(effectIntent({ approval: id }));
    };

    const expectForged = async (why = /written or changed by something else/, by = journal) => {
      expect(await by.approval("approval-1")).toMatchObject({ status: "forged", decidedBy: undefined, hash: "" });
      expect((await by.approvals({ status: "forged" })).map(({ id }) => id)).toContain("approval-1");
      expect(await by.requestApproval(approvalRequest(clock))).toMatchObject({ status: "forged" });
      const refused = { name: "ApprovalError", code: "APPROVAL_FORGED", message: expect.stringMatching(why) };
      await expect(by.decideApproval("approval-1", "approved", ann)).rejects.toMatchObject(refused);
      await expect(by.editApproval("approval-1", {}, ann)).rejects.toMatchObject(refused);
      await by.cancelApproval("approval-1", "no");
      const own = by === journal; // To another key the effect itself is forged.
      await expect(by.dispatchEffect("key-1")).rejects.toMatchObject(own ? refused : { code: "EFFECT_FORGED" });
      expect(await by.effect("key-1")).toMatchObject({ status: own ? "intended" : "forged", attempts: 0 });
    };

    beforeEach(() => {
      at = place();
      clock = new TestClock();
      journal = open();
    });
    afterEach(async () => {
      await journal.close();
      await at.remove();
    });

    it.each([
      "thread = 't2'",
      "expires_at = expires_at + 1",
      "created_at = created_at + 1",
      "status = 'pending'",
      "used_by = 'key-1'",
      "request = request || ' '",
      "history = NULL",
      "history = ''",
      "history = '[]'",
      "history = '{}'",
    ])("has a changed column: %s", async (assignment) => {
      await prepare();
      await set(assignment);
      await expectForged();
    });

    it("was approved by a column", async () => {
      await prepare("approval-1", false);
      await set("status = 'approved'");
      await expectForged();
    });

    it("has any field of its request changed, added or taken away", async () => {
      await prepare();
      const request = await requestOf();
      expect(Object.keys(request).sort()).toEqual(Object.keys(approvalRequest(clock)).sort());
      for (const field of Object.keys(request)) {
        await set(`request = ${text({ ...request, [field]: changed(request[field]) })}`);
        expect(await journal.approval("approval-1"), field).toMatchObject({ status: "forged" });
      }
      for (const spare of ["root", "requester", "toolDigest", "view", "preconditions", "considered", "reasons"]) {
        const { [spare]: _, ...rest } = request;
        await set(`request = ${text(rest)}`);
        expect(await journal.approval("approval-1"), spare).toMatchObject({ status: "forged" });
      }
      await set(`request = ${text({ ...request, extra: 1 })}`);
      await expectForged();
      await set(`request = ${text(request)}`);
      expect(await journal.approval("approval-1")).toMatchObject({ status: "approved" });
    });

    it("has any field of its history changed, added or taken away, or an entry left out", async () => {
      await prepare();
      const history = await historyOf();
      const variants: [string, unknown][] = [["first left out", history.slice(1)]];
      history.forEach((entry, index) => {
        for (const field of Object.keys(entry).filter((each) => each !== "key")) {
          const { [field]: value, ...rest } = entry;
          variants.push([`${field} of ${index}`, history.with(index, { ...entry, [field]: changed(value) })]);
          variants.push([`no ${field} of ${index}`, history.with(index, rest)]);
        }
        variants.push([`extra in ${index}`, history.with(index, { ...entry, edited: {} })]);
        variants.push([`reason in ${index}`, history.with(index, { ...entry, reason: "sure" })]);
        variants.push([`twice ${index}`, history.toSpliced(index, 0, entry)]);
      });
      for (const [what, variant] of variants) {
        await set(`history = ${text(variant)}`);
        expect(await journal.approval("approval-1"), what).toMatchObject({ status: "forged" });
      }
      await expectForged();
    });

    it("took its history, or the whole row, from another one", async () => {
      await prepare("approval-2");
      await prepare("approval-1", false);
      const other = await row("approval-2");
      await set(`status = 'approved', history = ${text(await historyOf("approval-2"))}`);
      await expectForged();
      await set(`request = ${text(JSON.parse(String(other["request"])))}`);
      await expectForged();
    });

    it("was set back to an earlier state that the next one of its thread has seen the end of", async () => {
      await prepare("approval-1", false);
      const before = await historyOf();
      await journal.decideApproval("approval-1", "rejected", ann);
      await journal.requestApproval(approvalRequest(clock, { id: "approval-2" }));
      expect(await journal.approval("approval-1")).toMatchObject({ status: "rejected" });
      await set(`status = 'pending', history = ${text(before)}`);
      await expectForged();
      expect(await journal.approval("approval-2")).toMatchObject({ status: "pending" });
    });

    it("was sealed with another key: says which, and counts again under its own", async () => {
      await prepare();
      const key = journal.seal.key;
      const other = open(join((at.keyFile ?? at.url.replace("sqlite:", "")).replace(/[^/]*$/, ""), "other.key"));
      await expectForged(
        new RegExp(`sealed with the key ${key} and this journal has the key ${other.seal.key}`),
        other,
      );
      await other.close();
      expect(await journal.dispatchEffect("key-1")).toMatchObject({ status: "dispatched" });
    });

    it("is from before approvals were sealed, and does not keep the others from being listed", async () => {
      await prepare();
      const { root, requester, toolDigest, view, preconditions, reasons, violations, notBefore, ...old } =
        approvalRequest(clock, { id: "old" });
      await at.sql(
        `INSERT INTO h_approval (id, thread, request, expires_at, status, created_at)
         VALUES ('old', 't1', ${text(old)}, ${old.expiresAt}, 'approved', ${clock.now()})`,
      );
      expect(await journal.approvals()).toMatchObject([{ status: "approved" }, { id: "old", status: "forged" }]);
    });
  });

  describe(`a forged effect on ${name}`, () => {
    it.each([
      ["its arguments", `intent = replace(intent, '49', '4900')`],
      ["its approval", `intent = replace(intent, 'approval-1', 'approval-2')`],
      ["its status", "status = 'dispatched'"],
      ["its outcome", `outcome = '{"receipt":"R-1"}'`],
      ["its resolution", `resolution = '{"by":"ann","note":"done","at":1}'`],
      ["its thread", "thread = 't2'"],
      ["its root", "root = 't2'"],
      ["its seal", "seal = NULL"],
    ])("had %s changed: it is not sent, settled or resolved", async (_what, change) => {
      const at = place();
      try {
        const journal = openJournal(at.url, at.keyFile === undefined ? {} : { keyFile: at.keyFile });
        await journal.intendEffect(effectIntent({ approval: "approval-1" }));
        await at.sql(`UPDATE h_effect SET ${change}`);
        expect(await journal.effect("key-1")).toMatchObject({ status: "forged", resolution: undefined });
        const refused = { code: "EFFECT_FORGED" };
        await expect(journal.dispatchEffect("key-1")).rejects.toMatchObject(refused);
        await expect(journal.settleEffect("key-1", { status: "committed" })).rejects.toMatchObject(refused);
        await expect(journal.resolveEffect("key-1", "failed", "ann", "no")).rejects.toMatchObject(refused);
        await journal.close();
      } finally {
        await at.remove();
      }
    });
  });
}
