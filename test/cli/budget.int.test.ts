// A budget as a stranger types it: the run stops in time, says so, and goes on; also after it was killed.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./bulkhead.js";

const MINUTES = 60_000;
const DELETE = "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it.";
const bakeries = "select customer_id from customers where name = 'Harbor Bakery' order by customer_id";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.clear());

/** What the last line says of the budget. */
const budgetIn = (result: object) => (result as { budget?: Record<string, { used: number; limit: number }> }).budget;

describe("--budget", { timeout: 5 * MINUTES }, () => {
  test("stops the run with exit code 7; with more it goes on where it was, and both replay", async () => {
    const { code, result, events, stderr } = await place.run(["--budget", "calls=4,time=10m", DELETE]);
    expect({ code, status: result.status, stderr }).toEqual({ code: 7, status: "spent", stderr: "" });
    expect(result.answer).toMatch(/^Stopped before the end: .*4 of 4 model calls used/);
    expect(result.answer).toContain("Unfinished:\n- ");
    expect(budgetIn(result)).toMatchObject({ calls: { used: 4, limit: 4 }, time: { limit: 600_000 } });
    expect(events.filter(({ event }) => event.kind === "model.response")).toHaveLength(4);
    expect(result.next).toEqual([expect.stringMatching(/--resume.* --budget calls=8$/)]);
    expect((await place.bulkhead(["replay", result.thread])).code).toBe(0);

    const more = await place.run(["--thread", result.thread, "--resume", "--budget", "calls=8"]);
    expect({ code: more.code, status: more.result.status }).toEqual({ code: 3, status: "waiting" });
    expect(budgetIn(more.result)?.["calls"]?.used).toBe(4 + (more.result.usage["calls"] ?? 0));
    expect(budgetIn(more.result)?.["calls"]?.limit).toBe(8);
    expect(budgetIn(more.result)?.["time"]?.limit).toBe(600_000);
    expect((await place.bulkhead(["replay", result.thread])).code).toBe(0);
    expect(place.rows(bakeries)).toHaveLength(2);
  });

  test("counts what a run used before it was killed", async () => {
    const running = place.start(["run", "--budget", "calls=3", DELETE]);
    await running.until(/thread: /);
    await running.until(/search_customers/);
    running.child.kill("SIGKILL");
    await running.ended;
    const thread = /thread: (\S+)/.exec(running.stderr)?.[1] ?? "";
    const { code, result } = await place.run(["--thread", thread, "--resume"]);
    expect({ code, status: result.status }).toEqual({ code: 7, status: "spent" });
    expect(budgetIn(result)?.["calls"]).toEqual({ used: 3, limit: 3 });
    expect(result.usage["calls"]).toBeLessThan(3);
  });

  test("shows a person what was used, and what to type", async () => {
    const { code, stdout, stderr } = await place.bulkhead(["run", "--budget", "calls=5", DELETE]);
    expect(code).toBe(7);
    expect(stderr).toContain("budget: 4 of 5 model calls used");
    expect(stdout).toMatch(/stopped: the budget is spent · .* · budget 5 of 5 model calls · thread-/);
    expect(stdout).toMatch(/Next:\n {2}.* run --thread \S+ --resume.* --budget calls=10$/m);
  });

  test.for([
    [
      ["--budget", "calls=none"],
      {},
      /'calls=none' is invalid. "calls=none" is no limit: write limits such as calls=50/,
    ],
    [[], { BULKHEAD_BUDGET: "50" }, /BULKHEAD_BUDGET must be limits such as calls=50.*Correct it, or unset it\./],
  ] as const)("%j is a usage error", async ([args, env, why]) => {
    const { code, stderr } = await place.bulkhead(["run", ...args, "How many tickets are open?"], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(why);
  });
});

describe("money", { timeout: 5 * MINUTES }, () => {
  const table = (models: object) => {
    const path = join(place.folder, "prices.json");
    writeFileSync(path, JSON.stringify({ date: "2030-01-01", notes: "invented", models }));
    return path;
  };

  test("is counted by the table, and stops the run", async () => {
    const price = { input: 1_000, output: 1_000 };
    const BULKHEAD_PRICES = table({ "offline-large": price, "offline-small": price });
    const env = { BULKHEAD_PRICES, BULKHEAD_BUDGET: "usd=15" };
    const { code, result } = await place.run([DELETE], { env });
    expect({ code, status: result.status }).toEqual({ code: 7, status: "spent" });
    const tokens = (result.usage["tokensIn"] ?? 0) + (result.usage["tokensOut"] ?? 0);
    expect(budgetIn(result)?.["usd"]).toEqual({ used: tokens / 1_000, limit: 15 });
    expect(result.usage["calls"]).toBe(1);
  });

  test("without a price for a model stops before anything starts, and names both", async () => {
    const env = { BULKHEAD_PRICES: table({ "offline-large": { input: 1, output: 1 } }), BULKHEAD_BUDGET: "usd=1" };
    const { code, stderr } = await place.bulkhead(["run", DELETE], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/needs the price of offline-small, and \/.*prices\.json has none: add it there/);
    expect(JSON.parse((await place.bulkhead(["threads", "--json"])).stdout)).toEqual([]);
  });
});
