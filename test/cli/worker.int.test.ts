// The queue with real workers on real servers: a worker that is killed, one that is asked to stop, a run that parks, a run
// that waits for a person. Nothing is lost and nothing is done twice.

import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QueuePlace, type RunningWorker, withoutServers } from "./worker-place.js";

const MINUTES = 60_000;

/** How many runs the big one has. The issue asks for 50. */
const RUNS = Number(process.env["BULKHEAD_TEST_RUNS"] ?? 12);

const letter = (index: number) => `Send an e-mail to customer C-0154 saying "This is message number ${index}."`;
const DELETE = "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it.";

describe.skipIf(await withoutServers())("workers", { timeout: 5 * MINUTES }, () => {
  let place: QueuePlace;
  beforeEach(() => {
    place = new QueuePlace();
  });
  afterEach(() => place.clear());

  const sent = () =>
    place.place
      .rows("select body from outbox")
      .map(({ body }) => Number(/number (\d+)/.exec(String(body))?.[1]))
      .sort((left, right) => left - right);

  /** Each run has sent its own letter, once, and the ledger says so. */
  async function expectEachOnce(threads: readonly string[]): Promise<void> {
    const ledger = await place.journal((journal) => journal.effects());
    expect(ledger.map(({ thread, tool, status, error = "" }) => `${thread} ${tool} ${status}${error}`).sort()).toEqual(
      threads.map((thread) => `${thread} send_email committed`).sort(),
    );
    expect(sent()).toEqual(threads.map((_, index) => index));
  }

  const threadsOf = (worker: RunningWorker, type: string) => worker.lines(type).map(({ thread }) => thread);

  test(`one is killed in the middle of ${RUNS} runs: all finish on the other, each effect once`, async () => {
    const slow = ["--fault", "slow,rate=0.3", "--concurrency", String(Math.ceil(RUNS / 4))];
    const [first, second] = await Promise.all([place.worker(slow), place.worker(slow)]);
    const threads = await place.submit(Array.from({ length: RUNS }, (_, index) => letter(index)));
    await first.said("end", Math.max(1, Math.floor(RUNS / 6)));
    const ended = threadsOf(first, "end");
    const dying = threadsOf(first, "start").filter((thread) => !ended.includes(thread));
    first.kill("SIGKILL");
    expect(dying.length).toBeGreaterThan(0);
    await place.until("done", RUNS);
    await expectEachOnce(threads);
    expect(threadsOf(second, "taken over")).toEqual(expect.arrayContaining([expect.any(String)]));
    const statuses = await place.journal(async (journal) => (await journal.threads()).map(({ status }) => status));
    expect(statuses).toEqual(threads.map(() => "finished"));
  });

  test("one that is asked to stop ends its steps and hands its runs over", async () => {
    const first = await place.worker(["--fault", "slow"]);
    const threads = await place.submit([letter(0), letter(1)]);
    await first.said("start", 2);
    first.kill("SIGTERM");
    const { code } = await first.process.ended;
    expect(code).toBe(0);
    expect(threadsOf(first, "returned")).toEqual(expect.arrayContaining([...threads]));
    expect(first.lines().at(-1)).toMatchObject({ type: "stopped", message: "every run was handed back" });
    const second = await place.worker();
    await place.until("done", 2);
    expect(second.lines("taken over")).toEqual([]);
    await expectEachOnce(threads);
    const starts = await place.journal(async (journal) =>
      (await journal.events({ thread: "thread-0" })).filter(({ event }) => event.kind === "run.start"),
    );
    expect(starts).toMatchObject([{ event: { resumed: false } }, { event: { resumed: true } }]);
  });

  test("a second signal stops a worker whose step hangs, and its run goes on elsewhere", async () => {
    const first = await place.worker(["--fault", "timeout"], { BULKHEAD_CALL_TIMEOUT_MS: "600000" });
    const threads = await place.submit([letter(0)]);
    await first.said("start");
    first.kill("SIGTERM");
    await first.said("draining");
    await new Promise((resume) => setTimeout(resume, 700)); // Two within half a second are one: npm repeats them.
    first.kill("SIGTERM");
    await first.process.ended;
    expect(first.lines("returned")).toHaveLength(1);
    await place.worker();
    await place.until("done", 1);
    await expectEachOnce(threads);
  });

  test("a run without capacity parks, and goes on by itself when there is some", async () => {
    // The fallback is out: it would answer as soon as its own pause is over, and a person would be asked then.
    const faults = ["--fault", "rate-limit:offline-large,for=3s", "--fault", "outage:offline-small"];
    const worker = await place.worker(faults, { BULKHEAD_MAX_WAIT_MS: "300" });
    const threads = await place.submit([letter(0)]);
    await worker.said("parked");
    const parked = await (await place.queue()).find("thread-0");
    expect(parked?.state).not.toBe("failed");
    await place.until("done", 1);
    await expectEachOnce(threads);
  });

  test("a run that asks a person goes on after the decision, with and without word to the queue", async () => {
    const worker = await place.worker();
    const queue = await place.queue();
    const [thread = ""] = await place.submit([DELETE]);
    await worker.said("waiting");
    await place.until("waiting", 1);
    // Decided where nobody knows of a queue, as from Studio: the worker looks for itself.
    await place.journal(async (journal) => {
      const [approval] = await journal.approvals({ thread, status: "pending" });
      await journal.decideApproval(approval?.id ?? "", "rejected", { by: "ann", authenticated: "server" });
    });
    await place.until("done", 1);
    expect(await queue.find(thread)).toMatchObject({ state: "done", status: "blocked" });

    const waited = await place.bulkhead(["submit", "--json", "--wait", DELETE]);
    expect(waited.code).toBe(3);
    const { pending, next } = JSON.parse(waited.stdout);
    expect(next.at(-1)).toMatch(/ queue$/);
    await place.redis((redis) => forgetLooks(redis, place.prefix));
    const approved = await place.bulkhead(["approve", pending[0].id, "--json"]);
    expect(JSON.parse(approved.stdout).next).toMatch(/ queue$/);
    await place.until("done", 2);
    const rows = place.place.rows("select customer_id from customers where name = 'Harbor Bakery'");
    expect(rows).toEqual([{ customer_id: "C-0107" }]);
  });

  test("a run that kills its workers fails in the end, and can be put in again", async () => {
    const first = await place.worker(["--fault", "slow"]);
    const threads = await place.submit([letter(0)]);
    await first.said("start");
    await place.redis((redis) => redis.hset(`${place.prefix}:runs:thread-0`, "stc", "10"));
    first.kill("SIGKILL");
    const second = await place.worker();
    await second.said("failed");
    const found = await (await place.queue()).find("thread-0");
    expect(found).toMatchObject({ state: "failed", takenOver: 11, message: expect.stringMatching(/^11 workers died/) });
    const again = await place.bulkhead(["submit", "--thread", "thread-0", "--resume", "--wait", "--json"]);
    expect(again.code, again.stderr).toBe(0);
    await expectEachOnce(threads);
  });
});

/** Puts the next look of every sleeping run far away, so that only word of the decision can wake it. */
async function forgetLooks(redis: Redis, prefix: string): Promise<void> {
  const key = `${prefix}:runs:delayed`;
  for (const id of await redis.zrange(key, "0", "-1"))
    await redis.zadd(key, String((Date.now() + 3_600_000) * 0x1000), id);
}
