// A person who changes what is asked, one who takes back what was done, and one who has it done again properly: as typed,
// on the bundled records.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./bulkhead.js";

const MINUTES = 60_000;
const DELETE = "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it.";
const REFUND = "Handle ticket 1077: refund the duplicate charge on order 7781.";
const MERGE = "Ticket 1085 asks us to merge two records of one customer. Handle it.";

const deletions = "select customer_id, reason from deletions";
const customers = "select customer_id from customers where customer_id in ('C-0033', 'C-0233') order by customer_id";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.clear());

describe("edit", { timeout: 5 * MINUTES }, () => {
  test("asks about the new arguments, and only what was approved then is done", async () => {
    const { result } = await place.run([DELETE]);
    const [first] = result.pending;
    const edited = { customer_id: "C-0212", reason: "asked for by the owner in ticket 1042" };
    const told = await place.bulkhead(["edit", first?.id ?? "", "--arguments", JSON.stringify(edited), "--json"]);
    expect(told.code).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({ id: first?.id, arguments: edited, decision: "edit" });

    const again = await place.run(["--thread", result.thread, "--resume"]);
    const [second, ...others] = again.result.pending;
    expect(again.code).toBe(3);
    expect(others).toEqual([]);
    expect(second).toMatchObject({ tool: "delete_customer", arguments: edited });
    expect(second?.id).not.toBe(first?.id);
    expect((await place.bulkhead(["approve", first?.id ?? ""])).stderr).toContain("is cancelled");
    expect(place.rows(deletions)).toEqual([]);

    expect((await place.bulkhead(["approve", second?.id ?? ""])).code).toBe(0);
    expect((await place.run(["--thread", result.thread, "--resume"])).code).toBe(0);
    expect(place.rows(deletions)).toEqual([edited]);
  });

  test("takes nothing but a JSON object", async () => {
    const { code, stderr } = await place.bulkhead(["edit", "approval-1", "--arguments", "[1]"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Write a JSON object with all arguments");
  });
});

describe("rewind", { timeout: 5 * MINUTES }, () => {
  const refunds = "select amount_cents from refunds where charge_id = 'CH-7781-2'";

  test("repairs what a fallback had spoilt, once the primary is back, and asks nobody", async () => {
    const stopped = await place.run([REFUND, "--fault", "outage:offline-large"]);
    expect({ code: stopped.code, pending: stopped.result.pending.length }).toEqual({ code: 3, pending: 1 });
    expect(stopped.result.next.at(-1)).toContain(`rewind ${stopped.result.thread}`);

    const { code, stdout, stderr } = await place.bulkhead(["rewind", stopped.result.thread]);
    expect(code).toBe(0);
    expect(stderr).toContain(`rewound ${stopped.result.thread} to step`);
    expect(stdout).toContain("trust 2 (▅▇▇▇ integrity 2)");
    expect(place.rows(refunds)).toEqual([{ amount_cents: 4900 }]);

    const threads = JSON.parse((await place.bulkhead(["threads", "--json"])).stdout);
    expect(threads.map(({ status }: { status: string }) => status).sort()).toEqual(["blocked", "finished"]);
    expect(JSON.parse((await place.bulkhead(["approvals", "--json"])).stdout)).toEqual([]);
  });

  test("goes by itself when told so, and only so often", async () => {
    const policy = join(place.workspace, "policy.json");
    mkdirSync(place.workspace, { recursive: true });
    writeFileSync(
      policy,
      '{ "name": "sure", "floor": 2, "tools": { "refund_order": { "floor": { "certainty": 3 } } } }',
    );
    const { code, stdout, stderr } = await place.bulkhead(
      ["run", REFUND, "--fault", "server-error:offline-large,times=1", "--on-low-trust", "rewind"],
      { env: { BULKHEAD_POLICY: policy } },
    );
    expect(stderr).toContain("rewound thread-");
    expect(stdout).toContain("Refunded 49.00");
    expect(code).toBe(0);
    expect(place.rows(refunds)).toEqual([{ amount_cents: 4900 }]);
  });
});

describe("effects compensate", { timeout: 5 * MINUTES }, () => {
  test("takes a merge back, once; the ledger and the record show it", async () => {
    const { result } = await place.run([MERGE, "--approve", "yes"]);
    expect(place.rows(customers)).toEqual([{ customer_id: "C-0033" }]);
    const { key } = result.effects.find(({ tool }) => tool === "merge_customers") ?? { key: "?" };

    const undone = await place.bulkhead(["effects", "compensate", key.slice(0, 12)]);
    expect(undone).toMatchObject({ code: 0 });
    expect(undone.stdout).toContain('taken back: merge_customers(keep_id: "C-0033", remove_id: "C-0233"');
    expect(place.rows(customers)).toEqual([{ customer_id: "C-0033" }, { customer_id: "C-0233" }]);

    expect((await place.bulkhead(["effects", "compensate", key])).code).toBe(0); // It says the same, and does nothing.
    expect(place.rows("select tool from effects where tool = 'undo merge_customers'")).toHaveLength(1);
    const listed = JSON.parse((await place.bulkhead(["effects", result.thread, "--json"])).stdout);
    expect(listed).toContainEqual(expect.objectContaining({ compensates: key, status: "committed" }));
  });
});

test("a refund that went well: nothing to rewind, and nothing that could take it back", {
  timeout: 5 * MINUTES,
}, async () => {
  const { result } = await place.run([REFUND]);
  const rewound = await place.bulkhead(["rewind", result.thread]);
  expect(rewound.code).toBe(1);
  expect(rewound.stderr).toContain("there is nothing to rewind");

  const { key } = result.effects.find(({ tool }) => tool === "refund_order") ?? { key: "?" };
  const { code, stderr } = await place.bulkhead(["effects", "compensate", key]);
  expect(code).toBe(1);
  expect(stderr).toContain("refund_order declares no compensate. Take it back at the provider, by hand.");
});
