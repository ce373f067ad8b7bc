// The limiter: how fast requests leave, and whose turn it is.

import { setMaxListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { TokenLedger } from "../../capacity/token-ledger.js";
import { clock, INTERVAL, labels, limiterOf, send, standStill, TICKS, times } from "./limiter-time.js";

standStill();

describe("pace", () => {
  test("starts are a minimum interval apart, from the first on, and none is lost", async () => {
    const limiter = limiterOf();
    const starts: string[] = [];
    for (let n = 0; n < 20; n += 1) void send(limiter, starts, `${n}`);
    await vi.advanceTimersByTimeAsync(20 * INTERVAL + 50);
    const at = times(starts);
    expect(at).toHaveLength(20);
    for (let n = 1; n < at.length; n += 1)
      expect((at[n] ?? 0) - (at[n - 1] ?? 0)).toBeGreaterThanOrEqual(INTERVAL - TICKS);
    // The ticks do not add up: the pace is exact over any number of starts.
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(19 * INTERVAL - TICKS);
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeLessThanOrEqual(19 * INTERVAL + TICKS);
  });

  test("never more in flight than allowed", async () => {
    const limiter = limiterOf({ inFlight: 2 });
    const starts: string[] = [];
    for (let n = 0; n < 6; n += 1) void send(limiter, starts, `${n}`, {}, 1000);
    await vi.advanceTimersByTimeAsync(500);
    expect(starts).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(4000);
    expect(starts).toHaveLength(6);
    const at = times(starts);
    for (let n = 2; n < 6; n += 1) expect((at[n] ?? 0) - (at[n - 2] ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  test("a slot that is given back twice counts once", async () => {
    const limiter = limiterOf({ inFlight: 1 });
    const first = limiter.acquire({ key: "", tokens: 0 });
    await vi.advanceTimersByTimeAsync(3000);
    const slot = await first;
    slot.release();
    slot.release();
    const starts: string[] = [];
    for (let n = 0; n < 3; n += 1) void send(limiter, starts, `${n}`, {}, 10_000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(starts).toHaveLength(1);
    // One in flight and two before it: three times the 3 s that the first slot was held.
    expect(limiter.forecast().reason).toBe("in-flight");
    expect(limiter.forecast().waitMs).toBeGreaterThan(8000);
  });

  test("tokens per minute: a fifth of a minute's may leave at once, then they are paced", async () => {
    const limiter = limiterOf({
      requestsPerMinute: 60_000,
      tokens: { perMinute: 60_000, ledger: new TokenLedger(60_000, clock) }, // One token a millisecond.
    });
    const starts: string[] = [];
    for (let n = 0; n < 16; n += 1) void send(limiter, starts, `${n}`, { tokens: 1000 });
    await vi.advanceTimersByTimeAsync(200);
    expect(starts).toHaveLength(12);
    await vi.advanceTimersByTimeAsync(4000);
    expect(starts).toHaveLength(16);
  });
});

describe("fairness", () => {
  test("runs are served in turn, so a fan-out cannot starve a single call", async () => {
    const limiter = limiterOf();
    const starts: string[] = [];
    for (let n = 0; n < 6; n += 1) void send(limiter, starts, `bulk${n}`, { key: "bulk" });
    await vi.advanceTimersByTimeAsync(10);
    void send(limiter, starts, "single", { key: "single" });
    await vi.advanceTimersByTimeAsync(10 * INTERVAL);
    expect(labels(starts)).toBe("bulk0 single bulk1 bulk2 bulk3 bulk4 bulk5");
  });

  test.each(["interactive", "batch"] as const)(
    "twenty people behind six hundred calls that are %s wait five seconds at most, and nothing is lost by it",
    async (priority) => {
      const limiter = limiterOf({ requestsPerMinute: 500, inFlight: 64 });
      const starts: string[] = [];
      const waits: number[] = [];
      for (let n = 0; n < 600; n += 1) void send(limiter, starts, "bulk", { key: "bulk", priority }, 2000);
      const person = async (key: string) => {
        for (let n = 0; n < 5; n += 1) {
          const { waitedMs } = await send(limiter, starts, key, { key }, 2000);
          waits.push(waitedMs);
          await clock.sleep(2000);
        }
      };
      for (let n = 0; n < 20; n += 1) void person(`person ${n}`);
      await vi.advanceTimersByTimeAsync(120_000);
      expect(starts).toHaveLength(700);
      expect(waits.sort((left, right) => left - right)[98]).toBeLessThanOrEqual(5_000);
      // 700 starts at 500 a minute, and not one turn empty.
      expect(times(starts).at(-1)).toBeLessThanOrEqual(700 * 120 + 100);
    },
  );

  test("a hundred thousand wait in one queue, and any of them can leave it", async () => {
    const limiter = limiterOf({ highWater: 200_000 });
    const over = new AbortController();
    setMaxListeners(0, over.signal);
    const left: Promise<unknown>[] = [];
    for (let n = 0; n < 100_000; n += 1) {
      const leaves = n % 200 === 7;
      const waiting = limiter.acquire({
        key: `run ${n % 1000}`,
        tokens: 0,
        ...(leaves ? { signal: over.signal } : {}),
      });
      if (leaves) left.push(waiting.catch((error: unknown) => error));
    }
    expect(limiter.status.queued).toBe(100_000);
    over.abort("enough");
    expect(await Promise.all(left)).toEqual(Array.from({ length: 500 }, () => "enough"));
    expect(limiter.status).toMatchObject({ queued: 99_500, admitted: 0 });
    await vi.advanceTimersByTimeAsync(10 * INTERVAL);
    expect(limiter.status).toMatchObject({ admitted: 8, inFlight: 8 });
    await limiter.close();
  });

  test("a returned request goes to the head of its run", async () => {
    const limiter = limiterOf();
    const starts: string[] = [];
    for (let n = 0; n < 3; n += 1) void send(limiter, starts, `${n}`);
    await vi.advanceTimersByTimeAsync(10);
    void send(limiter, starts, "again", { returned: true });
    await vi.advanceTimersByTimeAsync(10 * INTERVAL);
    expect(labels(starts)).toBe("0 again 1 2");
  });
});
