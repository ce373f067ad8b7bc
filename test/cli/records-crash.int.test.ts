// A run in the records workspace that is killed between the bank's payment and our record of it, with a bank that keeps
// no keys and cannot be asked: in doubt, said so, never paid twice, and settled by a person.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./bulkhead.js";

const MINUTES = 60_000;
const REFUND = "Handle ticket 1077: refund the duplicate charge on order 7781.";
const REFUNDS = "select refund_id from refunds join charges using (charge_id) where order_id = 7781";
const project = { cwd: join(import.meta.dirname, "bank") };

/** Killed right after the payment and resumed once; each test goes on with a copy. */
const crashed = new Place();
let thread: string;
let resumed: Awaited<ReturnType<Place["run"]>>;
beforeAll(async () => {
  mkdirSync(crashed.workspace, { recursive: true });
  writeFileSync(join(crashed.workspace, "trap"), "");
  const { signal, stderr } = await crashed.bulkhead(["run", REFUND], project);
  expect(signal).toBe("SIGKILL");
  expect(crashed.rows(REFUNDS)).toHaveLength(1);
  thread = /thread-[0-9a-f-]{36}/.exec(stderr)?.[0] ?? "no thread was named";
  resumed = await crashed.run(["--thread", thread, "--resume"], project);
}, 3 * MINUTES);
afterAll(() => crashed.clear());

let place: Place;
beforeEach(() => {
  place = new Place();
  cpSync(crashed.folder, place.folder, { recursive: true });
});
afterEach(() => place.clear());

describe("killed after the bank has paid", { timeout: 3 * MINUTES }, () => {
  test("in doubt on resume", async () => {
    const [refund] = resumed.result.effects.filter(({ tool }) => tool === "refund_order");
    const key = refund?.key ?? "";
    expect(refund?.status).toBe("in_doubt");
    expect(resumed.code).toBe(0);
    expect(resumed.result.trust.causes).toContainEqual(
      expect.objectContaining({ axis: "certainty", reason: "outcome of refund_order unknown" }),
    );
    const told = resumed.events.find(({ event }) => event.kind === "tool.response" && event["tool"] === "refund_order");
    expect(told?.event["error"]).toContain(`In doubt: refund_order was sent and its outcome is unknown.`);
    expect(told?.event["error"]).toContain(`bulkhead effects resolve ${key.slice(0, 12)} committed|failed --note`);

    const listed = await place.bulkhead(["effects"], project);
    expect(listed.stdout).toMatch(/^STATUS.*\nin doubt +refund_order/);
    expect(listed.stdout).toContain("effects resolve KEY committed|failed --note TEXT");
  });

  test.each(["committed", "failed"] as const)("in doubt on resume, then settled as %s", async (found) => {
    const key = resumed.result.effects.find(({ tool }) => tool === "refund_order")?.key ?? "";
    const note = "looked at the bank's list";
    const resolved = await place.bulkhead(["effects", "resolve", key.slice(0, 12), found, "--note", note], project);
    expect({ code: resolved.code, out: resolved.stdout }).toEqual({
      code: 0,
      out: expect.stringContaining(`${found}: refund_order(`),
    });
    const again = await place.run(["--thread", thread, `refund_order is ${found}: ${note}`], project);
    // What did not happen is to be done again, and that is the gate's to ask about.
    const ended = found === "committed" ? { code: 0, status: "finished" } : { code: 3, status: "waiting" };
    expect({ code: again.code, status: again.result.status }).toEqual(ended);
    expect(place.rows(REFUNDS)).toHaveLength(1);
    const effects = JSON.parse((await place.bulkhead(["effects", thread, "--json"], project)).stdout);
    expect(effects).toContainEqual(expect.objectContaining({ key, status: found, attempts: 1 }));
  });

  test("resumed three times, it pays no second time, and says each time what is in doubt", async () => {
    for (let times = 0; times < 2; times += 1) {
      const { code, stdout } = await place.bulkhead(["run", "--thread", thread, "--resume"], project);
      expect(code).toBe(0);
      expect(stdout).toMatch(/in doubt: refund_order [0-9a-f]{12} was sent and its outcome is not known/);
    }
    expect(place.rows(REFUNDS)).toHaveLength(1);
  });

  test("the answer does not claim what nobody knows", () => {
    expect(resumed.result.answer).toMatch(/^Nobody knows whether .* happened/);
  });

  test("the run itself shows how to resolve it", () => {
    expect(resumed.result.next[0]).toMatch(/effects resolve [0-9a-f]{12} committed\|failed --note/);
  });
});
