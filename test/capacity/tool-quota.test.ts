// Quotas of tools' own APIs go through the same layer: paced, paused for everybody on a refusal, bounded, parked for.

import { describe, expect, test, vi } from "vitest";
import { QuotaPool, systemClock } from "../../capacity/index.js";
import { FakeClock } from "./support.js";

const QUOTA = { requestsPerMinute: 60_000, inFlight: 2, headroom: 1 };
const refusal = (hint?: string) =>
  Object.assign(new Error("slow down"), {
    status: 429,
    headers: new Headers(hint === undefined ? {} : { "retry-after-ms": hint }),
  });

describe("work under a quota", () => {
  test("never more at once than allowed, in turns over the runs, and its result comes back", async () => {
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA });
    let atOnce = 0;
    let most = 0;
    const look = (n: number) => async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await systemClock.sleep(3);
      atOnce -= 1;
      return n;
    };
    const found = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.run(look(n))));
    expect(found).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(most).toBe(2);
    expect(pool.status).toMatchObject({ admitted: 20, inFlight: 0, queued: 0, rateLimited: 0 });
  });

  test("a refusal for rate pauses everybody and is done again; the sixth is the caller's", async () => {
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA, random: () => 0.001 });
    const once = vi.fn().mockRejectedValueOnce(refusal("30")).mockResolvedValue("found");
    const forecast: unknown[] = [];
    const work = pool.run(async () => {
      const before = pool.forecast().state;
      forecast.push(before);
      return once();
    });
    expect(await work).toBe("found");
    expect(once).toHaveBeenCalledTimes(2);
    expect(pool.status).toMatchObject({ rateLimited: 1, share: 0.85 });
    const never = vi.fn().mockRejectedValue(refusal("1"));
    await expect(pool.run(never)).rejects.toMatchObject({ status: 429 });
    expect(never).toHaveBeenCalledTimes(6);
  });

  test("a 5xx that speaks of a limit is not done again: it may have done something", async () => {
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA });
    const error = Object.assign(new Error("rate limit exceeded"), { status: 500 });
    const work = vi.fn().mockRejectedValue(error);
    await expect(pool.run(work)).rejects.toBe(error);
    expect(work).toHaveBeenCalledTimes(1);
  });

  test("a tool's own body is the tool's to read", async () => {
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA });
    const gated = pool.gate(async () => Response.json({ errors: [{ message: "no such field" }], data: { id: 1 } }));
    const response = await gated("https://crm.example/graphql");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ data: { id: 1 } });
  });

  test("any other error comes out at once, and the slot comes back", async () => {
    const pool = new QuotaPool({ name: "crm-api", quota: { ...QUOTA, inFlight: 1 } });
    const broken = vi.fn().mockRejectedValue(new Error("no such customer"));
    await expect(pool.run(broken)).rejects.toThrow("no such customer");
    expect(broken).toHaveBeenCalledTimes(1);
    expect(await pool.run(async () => "next")).toBe("next");
  });

  test("ends with the signal, at the deadline, and when too many wait", async () => {
    const clock = new FakeClock();
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA, clock, highWater: 1 });
    pool.pause(10_000);
    const over = new AbortController();
    const waiting = pool.run(async () => 1, { signal: over.signal });
    const retryAt = clock.now() + 10_001; // The pause, and the turn of the one that waits.
    await expect(pool.run(async () => 1)).rejects.toMatchObject({ code: "QUEUE_FULL", retryAt });
    over.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    const late = pool.run(async () => 1, { deadlineAt: clock.now() + 9_000 });
    await expect(late).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
    await expect(pool.run(async () => 1, { maxWaitMs: 5_000 })).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
    expect(pool.status).toMatchObject({ shed: 1, queued: 0 });
  });

  test("at high water interactive work takes the place of the newest batch work", async () => {
    const clock = new FakeClock();
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA, clock, highWater: 2 });
    pool.pause(10_000);
    const done: string[] = [];
    const work = (name: string, priority: "interactive" | "batch") =>
      pool.run(async () => void done.push(name), { priority });
    const first = work("batch 1", "batch");
    const second = work("batch 2", "batch");
    const refused = expect(second).rejects.toMatchObject({ code: "QUEUE_FULL" });
    const urgent = work("interactive", "interactive");
    await refused;
    await expect(work("batch 3", "batch")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await clock.advance(10_000);
    await vi.waitFor(() => expect(done).toHaveLength(2));
    await Promise.all([first, urgent]);
    expect(done).toEqual(["interactive", "batch 1"]);
  });

  test("a guard can stand in front of it", () => {
    const clock = new FakeClock();
    const pool = new QuotaPool({ name: "crm-api", quota: QUOTA, clock });
    expect(pool.resource.forecast()).toEqual([{ route: "crm-api", waitMs: 0, state: "open" }]);
    pool.pause(4_000);
    expect(pool.resource.name).toBe("crm-api");
    expect(pool.resource.forecast()).toMatchObject([{ route: "crm-api", waitMs: 4_000, state: "paused" }]);
  });
});
