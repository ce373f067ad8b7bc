// Waiting in the limiter: pauses, aborts and deadlines, and what a waiter is told.

import { getEventListeners, setMaxListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { freshHeadroom } from "../../capacity/headroom.js";
import type { Clock } from "../../capacity/index.js";
import type { Wait } from "../../capacity/limiter.js";
import type { SharedQuota } from "../../capacity/shared-quota.js";
import { clock, INTERVAL, labels, limiterOf, send, standStill, TICKS, times } from "./limiter-time.js";

standStill();

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

describe("in a fleet that grants starts ahead", () => {
  function grantingFleet(startInMs: number) {
    const taken: string[] = [];
    const given: string[] = [];
    const shared: SharedQuota = {
      ...{ available: true, onChange: undefined, fleet: { headroom: freshHeadroom(1, 1, 0), processes: 1 } },
      retry: async () => true,
      take: async (id) => {
        taken.push(id);
        return { granted: true, startInMs };
      },
      giveBack: (id) => void given.push(id),
      ...{ hold: () => {}, correct: () => {}, pause: () => {}, broke: () => {}, refused: () => {}, answered: () => {} },
      close: async () => {},
    };
    return { taken, given, limiter: limiterOf({ shared }), starts: [] as string[] };
  }

  test("a start that was reserved before a pause gives its slot back, and waits for its end", async () => {
    const { taken, given, limiter, starts } = grantingFleet(50);
    void send(limiter, starts, "a");
    await vi.advanceTimersByTimeAsync(20);
    expect(taken).toEqual(["1"]);
    limiter.pause(5000);
    await vi.advanceTimersByTimeAsync(4900);
    expect({ starts, given }).toEqual({ starts: [], given: ["1"] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(labels(starts)).toBe("a");
  });

  test("so many starts are taken as there are requests: what nobody needs is another process's", async () => {
    const { taken, limiter, starts } = grantingFleet(500);
    for (const label of ["a", "b", "c"]) void send(limiter, starts, label);
    await vi.advanceTimersByTimeAsync(3000);
    expect(labels(starts)).toBe("a b c");
    expect(taken).toHaveLength(3);
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
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1); // However many wait on it.
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

  test("who has left listens to nothing any more", async () => {
    const limiter = limiterOf();
    const { signal } = new AbortController();
    const slots = await Promise.all(
      [0, 1].map(async (n) => {
        const waiting = limiter.acquire({ key: `${n}`, tokens: 0, signal });
        await vi.advanceTimersByTimeAsync(2 * INTERVAL);
        return waiting;
      }),
    );
    expect(slots).toHaveLength(2);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
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
