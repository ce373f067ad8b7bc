// A run in the records workspace that is killed between the bank's payment and our record of it, with a bank that keeps
// no keys and cannot be asked: in doubt, said so, never paid twice, and settled by a person.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./bulkhead.js";

const MINUTES = 60_000;
const REFUND = "Handle ticket 1077: refund the duplicate charge on order 7781.";
const REFUNDS = "select refund_id from refunds join charges using (charge_id) where order_id = 7781";
const project = { cwd: join(import.meta.dirname, "bank") };

let place: Place;
beforeEach(() => {
  place = new Place();
  mkdirSync(place.workspace, { recursive: true });
  writeFileSync(join(place.workspace, "trap"), "");
});
afterEach(() => place.clear());

/** Kills the run right after the payment, and resumes it. */
async function crashAndResume() {
  const { signal, stderr } = await place.bulkhead(["run", REFUND], project);
  expect(signal).toBe("SIGKILL");
  expect(place.rows(REFUNDS)).toHaveLength(1);
  const thread = /thread-[0-9a-f-]{36}/.exec(stderr)?.[0] ?? "no thread was named";
  return { thread, resumed: await place.run(["--thread", thread, "--resume"], project) };
}

describe("killed after the bank has paid", { timeout: 3 * MINUTES }, () => {
  test.each(["committed", "failed"] as const)("in doubt on resume, then settled as %s", async (found) => {
    const { thread, resumed } = await crashAndResume();
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

  test("resumed three times, it pays no second time", async () => {
    const { thread } = await crashAndResume();
    for (let times = 0; times < 2; times += 1) {
      expect((await place.bulkhead(["run", "--thread", thread, "--resume"], project)).code).toBe(0);
    }
    expect(place.rows(REFUNDS)).toHaveLength(1);
  });

  test("the answer does not claim what nobody knows", async () => {
    const { resumed } = await crashAndResume();
    expect(resumed.result.answer).toMatch(/^Nobody knows whether .* happened/);
  });

  test("the run itself says it and shows how to resolve it", async () => {
    const { thread, resumed } = await crashAndResume();
    expect(resumed.result.next[0]).toMatch(/effects resolve [0-9a-f]{12} committed\|failed --note/);
    const { stdout } = await place.bulkhead(["run", "--thread", thread, "--resume"], project);
    expect(stdout).toMatch(/in doubt: refund_order [0-9a-f]{12} was sent and its outcome is not known/);
  });
});
