// Runs that stop in the middle: killed, interrupted, two on one thread. What was done stays done, once, and the
// command that goes on works.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Place } from "./bulkhead.js";

const MINUTES = 60_000;
const REFUND = "Handle ticket 1077: refund the duplicate charge on order 7781.";
const refunds = "select refund_id from refunds join charges using (charge_id) where order_id = 7781";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.clear());

const threadIn = (text: string): string => /thread-[0-9a-f-]{36}/.exec(text)?.[0] ?? "no thread was named";

/** Resumes what was killed: it comes to the same end, with one refund. */
async function expectOneRefund(thread: string): Promise<void> {
  const { code, result } = await place.run(["--thread", thread, "--resume"]);
  expect({ code, status: result.status }).toEqual({ code: 0, status: "finished" });
  expect(place.rows(refunds)).toHaveLength(1);
  expect(result.effects.filter(({ tool }) => tool === "refund_order")).toMatchObject([{ status: "committed" }]);
}

describe("kill -9", { timeout: 5 * MINUTES }, () => {
  // The model's next answer after the moment is late, so that there is time to kill.
  test.for([
    ["before the first model call", /thread: thread-/, 0],
    ["when it has read", /read_order\(/, 2],
    ["at the gate", /gate .*refund_order/, 3],
    ["right after the effect", /effect .*refund_order/, 3],
  ] as const)("%s: resume comes to the same end, with one refund", async ([, moment, answers]) => {
    const running = place.start(["run", "--fault", `slow,after=${answers}`, REFUND]);
    await running.until(moment);
    running.child.kill("SIGKILL");
    const killed = await running.ended;
    expect(killed.signal).toBe("SIGKILL");
    await expectOneRefund(threadIn(killed.stderr));
  });

  test("while it plans: listed as running, then as interrupted; resume comes to the same end, with one refund", async () => {
    const running = place.start(["run", "--fault", "slow,after=1", REFUND]);
    await running.until(/planner .*write_todos/);
    const alive = JSON.parse((await place.bulkhead(["threads", "--json"])).stdout);
    expect(alive).toMatchObject([{ status: "running" }]);
    running.child.kill("SIGKILL");
    const killed = await running.ended;
    expect(killed.signal).toBe("SIGKILL");
    const dead = JSON.parse((await place.bulkhead(["threads", "--json"])).stdout);
    expect(dead).toMatchObject([{ status: "interrupted", task: REFUND }]);
    await expectOneRefund(threadIn(killed.stderr));
  });
});

describe("Ctrl-C", { timeout: 5 * MINUTES }, () => {
  test("stops at the next superstep; the printed command goes on", async () => {
    const running = place.start(["run", "--fault", "slow,after=1", REFUND]);
    await running.until(/planner .*write_todos/);
    running.child.kill("SIGINT");
    const stopped = await running.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain("Stopping after this step");
    expect(stopped.stdout).toContain("interrupted");
    const [command] = /run --thread \S+ --resume/.exec(stopped.stdout) ?? [];
    const { code } = await place.run((command ?? "").split(" ").slice(1));
    expect(code).toBe(0);
    expect(place.rows(refunds)).toHaveLength(1);
  });

  test("twice stops at once, even while a call hangs", async () => {
    const running = place.start(["run", "--fault", "timeout:offline-large", REFUND], {
      env: { BULKHEAD_CALL_TIMEOUT_MS: "600000" },
    });
    await running.until(/recall/);
    running.child.kill("SIGINT");
    await running.until(/Stopping after this step/);
    await new Promise((resume) => setTimeout(resume, 700)); // Two within half a second are one: npm repeats them.
    running.child.kill("SIGINT");
    const stopped = await running.ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain("--resume");
  });
});

test("a second run on the same thread is refused and names the first", { timeout: 5 * MINUTES }, async () => {
  const first = place.start(["run", "--fault", "slow,after=1", REFUND]);
  await first.until(/planner .*write_todos/);
  const thread = threadIn(first.stderr);
  const second = await place.bulkhead(["run", "--thread", thread, "--resume"]);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(new RegExp(`error: thread ${thread} is in use by run .*process ${first.child.pid}`));
  expect((await first.ended).code).toBe(0);
  expect(place.rows(refunds)).toHaveLength(1);
});
