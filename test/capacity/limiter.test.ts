// The limiter under fake timers: Bottleneck and our clock both run on them, so starts can be compared exactly.

import { setMaxListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../../capacity/index.js";
import type { Admittance, Slot, Wait } from "../../capacity/limiter.js";
import { QueueLimiter, type QueueLimiterOptions } from "../../capacity/queue-limiter.js";
import { TokenLedger } from "../../capacity/token-ledger.js";

const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

const INTERVAL = 100;
/** Bottleneck counts the interval from when it takes a job in, a timer tick or two before the job starts. */
const TICKS = 2;

function limiterOf(options: Partial<QueueLimiterOptions> = {}): QueueLimiter {
  return new QueueLimiter({
    ...{ name: "large", requestsPerMinute: 60_000 / INTERVAL, inFlight: 8, highWater: 1000, clock },
    headroom: { start: 1, most: 1 },
    ...options,
  });
}

/** Acquires, notes when it was let go as `label@ms`, and gives the slot back after `holdMs`. */
function send(
  limiter: QueueLimiter,
  starts: string[],
  label: string,
  admittance: Partial<Admittance> = {},
  holdMs = 1,
): Promise<Slot> {
  const promise = limiter.acquire({ key: "", tokens: 0, ...admittance });
  promise.then(
    (slot) => {
      starts.push(`${label}@${Date.now()}`);
      setTimeout(() => slot.release(), holdMs);
    },
    () => {},
  );
  return promise;
}

const times = (starts: readonly string[]): number[] => starts.map((start) => Number(start.split("@")[1]));
const labels = (starts: readonly string[]): string => starts.map((start) => start.split("@")[0]).join(" ");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

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
    expect(labels(starts)).toBe("bulk0 bulk1 single bulk2 bulk3 bulk4 bulk5");
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

describe("pause", () => {
  test("stops everybody, also what Bottleneck holds already, and ends without a burst", async () => {
    const limiter = limiterOf();
    const starts: string[] = [];
    for (let n = 0; n < 6; n += 1) void send(limiter, starts, `${n}`);
    await vi.advanceTimersByTimeAsync(150);
    expect(starts).toHaveLength(2);
    limiter.pause(5000);
    limiter.pause(1000); // The later end counts.
    await vi.advanceTimersByTimeAsync(4990);
    expect(starts).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1000);
    const at = times(starts);
    expect(at).toHaveLength(6);
    expect(at[2]).toBeGreaterThanOrEqual(5150);
    for (let n = 3; n < 6; n += 1) expect((at[n] ?? 0) - (at[n - 1] ?? 0)).toBeGreaterThanOrEqual(INTERVAL - TICKS);
  });

  test("ends also for those who look at the time while it ends", async () => {
    // Every look at this clock takes a while, so that a pause ends between any two of them.
    for (let pauseMs = 0.5; pauseMs < 12; pauseMs += 0.5) {
      let looks = 0;
      const look = (): number => {
        looks += 1;
        return Date.now() + looks * 0.4;
      };
      const slow: Clock = { now: look, sleep: clock.sleep };
      const limiter = limiterOf({ clock: slow });
      const starts: string[] = [];
      limiter.pause(pauseMs);
      void send(limiter, starts, "a");
      await vi.advanceTimersByTimeAsync(3 * INTERVAL);
      expect([pauseMs, ...labels(starts)]).toEqual([pauseMs, "a"]);
    }
  });

  test("a wait longer than allowed is refused at once; waiting for one's turn does not count", async () => {
    const limiter = limiterOf();
    const starts: string[] = [];
    for (let n = 0; n < 30; n += 1) void send(limiter, starts, `${n}`, { maxPauseMs: 1000 });
    const patient = send(limiter, starts, "patient", { maxPauseMs: 6000 });
    await vi.advanceTimersByTimeAsync(2500); // More than 1000 ms in the queue, without a pause.
    expect(starts.length).toBeGreaterThanOrEqual(25);
    const refused = expect(send(limiter, starts, "impatient", { maxPauseMs: 1000 })).rejects.toMatchObject({
      code: "CAPACITY_TIMEOUT",
      retryAt: Date.now() + 5000,
    });
    limiter.pause(5000);
    await refused;
    await expect(limiter.acquire({ key: "", tokens: 0, maxPauseMs: 10 })).rejects.toMatchObject({
      code: "CAPACITY_TIMEOUT",
    });
    await vi.advanceTimersByTimeAsync(6000);
    expect((await patient).pausedMs).toBe(5000);
    expect(labels(starts)).not.toContain("impatient");
  });
});

describe("leaving the queue", () => {
  test("an abort takes effect at once and takes nothing", async () => {
    const limiter = limiterOf();
    const starts: string[] = [];
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    void send(limiter, starts, "first");
    const queued = Array.from({ length: 49 }, (_, n) => send(limiter, starts, `${n}`, { signal: abort.signal }));
    await vi.advanceTimersByTimeAsync(20);
    abort.abort(new Error("enough"));
    const before = Date.now();
    const settled = await Promise.allSettled(queued);
    expect(settled.every((result) => result.status === "rejected" && result.reason.message === "enough")).toBe(true);
    expect(Date.now()).toBe(before);
    void send(limiter, starts, "next");
    await vi.advanceTimersByTimeAsync(INTERVAL);
    expect(labels(starts)).toBe("first next");
    expect(times(starts)[1]).toBeLessThanOrEqual(INTERVAL + 10);
    await expect(limiter.acquire({ key: "", tokens: 0, signal: abort.signal })).rejects.toThrow("enough");
  });

  test("a deadline: refused at once when it is clear, else when it comes", async () => {
    const limiter = limiterOf({ inFlight: 1 });
    const starts: string[] = [];
    void send(limiter, starts, "long", {}, 10_000);
    await vi.advanceTimersByTimeAsync(10);
    const late = limiter.acquire({ key: "", tokens: 0, deadlineAt: Date.now() + 2000 });
    const refused = expect(late).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
    await vi.advanceTimersByTimeAsync(2000);
    await refused;
    limiter.pause(60_000);
    const clear = limiter.acquire({ key: "", tokens: 0, deadlineAt: Date.now() + 59_000 });
    await expect(clear).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
  });

  test("when all have left, no timer keeps the process alive", async () => {
    const limiter = limiterOf();
    const abort = new AbortController();
    limiter.pause(600_000);
    const queued = limiter.acquire({ key: "", tokens: 0, signal: abort.signal, onWait: () => {} });
    const over = expect(queued).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(10);
    expect(vi.getTimerCount()).toBe(1);
    abort.abort();
    await over;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("saying so", () => {
  test("a long wait is announced when it begins, a short one not at all, an unforeseen one when it is long", async () => {
    const limiter = limiterOf({ inFlight: 1 });
    const waits: Wait[] = [];
    const onWait = (wait: Wait): void => void waits.push(wait);
    const starts: string[] = [];
    void send(limiter, starts, "0", { onWait });
    void send(limiter, starts, "1", { onWait });
    await vi.advanceTimersByTimeAsync(INTERVAL + 20);
    expect(waits).toEqual([]);
    limiter.pause(4000);
    void send(limiter, starts, "2", { onWait }, 900);
    expect(waits).toEqual([{ waitMs: 4000, reason: "pause" }]);
    await vi.advanceTimersByTimeAsync(4010);
    waits.length = 0;
    void send(limiter, starts, "3", { onWait });
    await vi.advanceTimersByTimeAsync(240);
    expect(waits).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(waits).toHaveLength(1);
    expect(waits[0]?.waitMs).toBeGreaterThanOrEqual(250);
  });

  test("the forecast names what is short", async () => {
    const limiter = limiterOf({ inFlight: 1 });
    const starts: string[] = [];
    expect(limiter.forecast()).toEqual({ waitMs: 0, reason: "pace" });
    void send(limiter, starts, "0", {}, 3000);
    await vi.advanceTimersByTimeAsync(3010);
    void send(limiter, starts, "1", {}, 3000);
    await vi.advanceTimersByTimeAsync(10);
    expect(limiter.forecast()).toEqual({ waitMs: 3000, reason: "in-flight" });
    limiter.pause(7000);
    expect(limiter.forecast()).toEqual({ waitMs: 7000, reason: "pause" });
  });
});
