// The main job from one command, as a stranger types it: the right record is changed, and only after the gate.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Ended, Place } from "./bulkhead.js";

const MINUTES = 60_000;
const DELETE = "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it.";
const REFUND = "Handle ticket 1077: refund the duplicate charge on order 7781.";

const bakeries = "select customer_id from customers where name = 'Harbor Bakery' order by customer_id";
const refunds =
  "select amount_cents, charge_id from refunds join charges using (charge_id) where order_id = 7781".replace(
    "amount_cents",
    "refunds.amount_cents",
  );

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.clear());

describe("an irreversible action above its floor", { timeout: 5 * MINUTES }, () => {
  test("a clean refund passes without a person, once", async () => {
    const { code, result, events } = await place.run([REFUND]);
    expect({ code, status: result.status, pending: result.pending }).toEqual({
      code: 0,
      status: "finished",
      pending: [],
    });
    expect(result.answer).toContain("49.00");
    expect(place.rows(refunds)).toEqual([{ amount_cents: 4900, charge_id: "CH-7781-2" }]);
    expect(result.trust).toMatchObject({ integrity: 2, fidelity: 3, minTrust: 2 });
    expect(result.model).toEqual({ provider: "offline", model: "offline-large", offline: true });
    expect(result.effects.filter(({ tool }) => tool === "refund_order")).toMatchObject([{ status: "committed" }]);
    expect(result.usage["calls"]).toBe(events.filter(({ event }) => event.kind === "model.response").length);
    expect(result.usage["tokensIn"]).toBeGreaterThan(0);
  });
});

describe("an irreversible action below its floor", { timeout: 5 * MINUTES }, () => {
  const shared = new Place();
  const elsewhere = join(shared.folder, "elsewhere");
  /** What every test begins with: the run has asked, and nobody has answered. */
  let asked: Ended;
  let approval: { readonly id: string; readonly thread: string };
  beforeAll(async () => {
    const env = { BULKHEAD_WORKSPACE: elsewhere };
    asked = await shared.bulkhead(["run", "--workspace", shared.workspace, DELETE], { env });
    [approval] = JSON.parse((await shared.bulkhead(["approvals", "--json"])).stdout);
    shared.keep();
  }, 2 * MINUTES);
  beforeEach(() => shared.restore());
  afterAll(() => shared.clear());

  test("is asked about, with what is wrong and what to type", async () => {
    expect(asked.code).toBe(3);
    expect(asked.stderr).toMatch(/^model: offline-large, .*not a language model/);
    expect(shared.rows(bakeries)).toEqual([{ customer_id: "C-0107" }, { customer_id: "C-0212" }]);
    expect(approval).toMatchObject({
      tool: "delete_customer",
      arguments: { customer_id: "C-0212" },
      trust: { integrity: 2, fidelity: 3 },
      deficits: [{ axis: "integrity", rank: 2, floor: 3 }],
    });
    expect(JSON.parse((await shared.bulkhead(["approvals", "--json"])).stdout)).toEqual([approval]);
    expect(asked.stdout).toContain(`approve ${approval.id}`);
  });

  test("after `approve` and `--resume` it is done to the right customer and to no other, in the workspace where the thread began", async () => {
    const customers = shared.rows("select customer_id from customers").length;
    expect((await shared.bulkhead(["approve", approval.id])).code).toBe(0);
    const again = await shared.bulkhead(["approve", approval.id]);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toMatch(/^error: approval .* was decided already/);

    // Whatever this command is told by the environment, the thread goes on where it worked.
    const env = { BULKHEAD_WORKSPACE: elsewhere };
    const resumed = await shared.run(["--thread", approval.thread, "--resume"], { env });
    expect({ code: resumed.code, status: resumed.result.status }).toEqual({ code: 0, status: "finished" });
    expect(resumed.result.answer).toMatch(/C-0212/);
    expect(shared.rows(bakeries)).toEqual([{ customer_id: "C-0107" }]);
    expect(shared.rows("select customer_id from customers")).toHaveLength(customers - 1);
    expect(existsSync(elsewhere)).toBe(false);

    const shown = JSON.parse((await shared.bulkhead(["show", approval.thread, "--json"])).stdout);
    expect(shown).toMatchObject({ status: "finished", checkpoint: { next: [] }, trust: { minTrust: 2 } });
    expect(shown.approvals).toMatchObject([{ id: approval.id, status: "consumed" }]);

    const nothing = await shared.bulkhead(["run", "--thread", approval.thread, "--resume"]);
    expect(nothing.code).toBe(0);
    expect(nothing.stderr).toContain("nothing to resume");
    expect(nothing.stdout).toContain(resumed.result.answer);
  });

  test("`reject` is final: the run ends with 4 and nothing was done", async () => {
    await shared.bulkhead(["reject", approval.id, "--reason", "the customer called it off"]);
    const { code, result } = await shared.run(["--thread", approval.thread, "--resume"]);
    expect({ code, status: result.status }).toEqual({ code: 4, status: "blocked" });
    expect(result.answer).toMatch(/called it off/);
    expect(shared.rows(bakeries)).toHaveLength(2);
  });

  test("a new message withdraws what was asked", async () => {
    const { code, result } = await shared.run(["--thread", approval.thread, "How many tickets are open?"]);
    expect({ code, pending: result.pending }).toEqual({ code: 0, pending: [] });
    const late = await shared.bulkhead(["approve", approval.id]);
    expect(late.stderr).toMatch(/was decided already/);
  });
});

describe("trust that fell", { timeout: 5 * MINUTES }, () => {
  test("after a fallback the refund is asked about, with the cause", async () => {
    const { code, result } = await place.run(["--fault", "outage:offline-large", REFUND]);
    expect({ code, status: result.status }).toEqual({ code: 3, status: "waiting" });
    expect(result.trust).toMatchObject({ fidelity: 1, minTrust: 1 });
    expect(result.trust.causes.map(({ reason }) => reason).join()).toContain("fallback: offline-small");
    expect(result.usage["fallbacks"]).toBe(result.usage["calls"]);
    expect(place.rows(refunds)).toEqual([]);
  });

  test("with --approve no there is no refund, exit 4", async () => {
    const { code, result } = await place.run(["--fault", "outage:offline-large", "--approve", "no", REFUND]);
    expect({ code, status: result.status }).toEqual({ code: 4, status: "blocked" });
    expect(place.rows(refunds)).toEqual([]);
  });

  test("follows through subagents to the gate; with --approve no nothing irreversible ran", async () => {
    // The planner's first three answers are the primary's; the auditor is the first to meet the outage.
    const fault = "outage:offline-large,after=3";
    const { code, result, events } = await place.run(["--fault", fault, "--approve", "no", DELETE]);
    expect(code).toBe(4);
    const of = (kind: string) => events.filter(({ event }) => event.kind === kind).map(({ event }) => event);
    expect(of("subagent.end")[0]).toMatchObject({ subagent: "auditor", label: { fidelity: 1 } });
    expect(of("gate.decision")[0]).toMatchObject({ verdict: "ask", considered: { fidelity: 1 } });
    expect(result.effects).toEqual([]);
    expect(place.rows(bakeries)).toHaveLength(2);
  });

  test("the fallback takes the wrong customer, and the gate holds", async () => {
    const { code, result } = await place.run(["--fault", "outage:offline-large", DELETE]);
    expect(code).toBe(3);
    expect(result.pending).toMatchObject([{ tool: "delete_customer", arguments: { customer_id: "C-0107" } }]);
    expect(place.rows(bakeries)).toHaveLength(2);
  });

  test("a rate limit is waited for, at full trust", async () => {
    const { code, result, events } = await place.run(["--fault", "rate-limit:offline-large", DELETE]);
    expect(code).toBe(3);
    expect(result.usage["rateLimited"]).toBeGreaterThan(0);
    expect(result.usage["queueMs"]).toBeGreaterThan(500);
    expect(result.usage["fallbacks"]).toBe(0);
    expect(result.trust).toMatchObject({ integrity: 2, fidelity: 3, certainty: 3 }); // what it read, and nothing else
    expect(events.some(({ event }) => event.kind === "capacity")).toBe(true);
  });

  test("injected instructions are quoted and not obeyed, and block what comes after", async () => {
    const read = await place.run(["Quote the text of ticket 1063."]);
    expect(read.code).toBe(0);
    expect(read.result.answer).toMatch(/ignore all previous instructions/i);
    expect(read.result.trust).toMatchObject({ integrity: 0, minTrust: 0 });
    expect(read.result.effects).toEqual([]);
    expect(place.rows(bakeries)).toHaveLength(2);

    const { code, result } = await place.run(["--thread", read.result.thread, "--approve", "yes", REFUND]);
    expect({ code, status: result.status }).toEqual({ code: 4, status: "blocked" });
    expect(place.rows(refunds)).toEqual([]);
  });
});
