import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { remainingOf } from "../../capacity/headers.js";
import { afterAnswer, afterRefusal, freshHeadroom, type Headroom } from "../../capacity/headroom.js";

/** Answers, one a second. */
function seconds(headroom: Headroom, from: number, count: number, left?: number, wanted = true): Headroom {
  // Once it has said that much was left, the provider's word about little counts.
  let after = { ...headroom, highest: left === undefined ? 0 : 1000 };
  const said = left === undefined ? undefined : { limit: 1000, remaining: left * 1000 };
  for (let n = 1; n <= count; n += 1) after = afterAnswer(after, from + n * 1000, wanted, said);
  return after;
}

describe("headroom", () => {
  const fresh = freshHeadroom(0.8, 0.98, 0);

  test("silence raises it slowly to the most, and no further", () => {
    expect(seconds(fresh, 0, 10).share).toBeCloseTo(0.84);
    expect(seconds(fresh, 0, 100).share).toBe(0.98);
  });

  test("headers that say there is room raise it fast, and beyond the most", () => {
    expect(seconds(fresh, 0, 5, 0.5).share).toBeCloseTo(0.9);
    expect(seconds(fresh, 0, 30, 0.05).share).toBeCloseTo(0.92);
    expect(seconds(fresh, 0, 300, 0.05).share).toBe(0.99);
  });

  test("headers that say that next to nothing is left lower it, before anybody is refused", () => {
    expect(seconds(fresh, 0, 10, 0.001).share).toBeCloseTo(0.8 * 0.97 ** 10);
    expect(seconds(fresh, 0, 500, 0).share).toBe(0.05);
  });

  test("headers of a window of a second say nothing of how much may be used", () => {
    let headroom = fresh;
    for (let n = 1; n <= 60; n += 1) {
      headroom = afterAnswer(headroom, n * 1000, true, { limit: 500, remaining: n % 8 });
    }
    expect(headroom.share).toBe(0.98);
  });

  test("after a refusal headers encourage nobody, until it is forgotten", () => {
    const once = afterRefusal({ ...fresh, highest: 1000 }, 100_000);
    const later = seconds(once, 100_000, 10, 0.9);
    expect(later.share).toBeCloseTo(0.8 * 0.85 + 0.04);
    expect(seconds(later, 110_000, 1000, 0.9)).toMatchObject({ refusedAt: 2, share: 0.99 });
  });

  test("a quota that nobody waits for proves nothing", () => {
    expect(seconds(fresh, 0, 100, 0.9, false).share).toBe(0.8);
    expect(seconds(fresh, 0, 2, 0, false).share).toBeLessThan(0.8);
  });

  test("a refusal takes 15 % at once, those of the next five seconds nothing more, and it is careful from then on", () => {
    const high = seconds(fresh, 0, 100);
    const once = afterRefusal(high, 100_000);
    expect(once.share).toBeCloseTo(0.98 * 0.85);
    expect(afterRefusal(once, 104_999)).toBe(once);
    expect(afterRefusal(once, 105_000).share).toBeCloseTo(0.98 * 0.85 * 0.85);
    const back = seconds(once, 100_000, 30).share;
    expect(back).toBeGreaterThan(0.94);
    expect(seconds(once, 100_000, 60).share).toBeLessThan(back + 0.03);
  });

  test("what begins above the most stays there", () => {
    expect(seconds(freshHeadroom(1, 0.98, 0), 0, 100).share).toBe(1);
  });

  test("it stays between 5 % and the most, grows by 2 points a second at most, and never falls without a reason", () => {
    const anyEvent = fc.record({
      afterMs: fc.integer({ min: 0, max: 20_000 }),
      left: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      refused: fc.boolean(),
      wanted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyEvent), (events) => {
        let now = 0;
        let headroom = fresh;
        for (const { afterMs, left, refused, wanted } of events) {
          now += afterMs;
          const before = headroom.share;
          const said = left === undefined ? undefined : { limit: 100, remaining: left * 100 };
          headroom = refused ? afterRefusal(headroom, now) : afterAnswer(headroom, now, wanted, said);
          expect(headroom.share).toBeGreaterThanOrEqual(0.05);
          expect(headroom.share).toBeLessThanOrEqual(0.99);
          expect(headroom.share - before).toBeLessThanOrEqual(0.04 + 1e-9);
          if (!refused && !(left !== undefined && left <= 0.015)) expect(headroom.share).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });
});

describe("what headers say is left", () => {
  test.each([
    [{}, undefined],
    [{ requests: [500, 100] }, { limit: 500, remaining: 100 }],
    [
      { requests: [500, 100], tokens: [1000, 10] },
      { limit: 1000, remaining: 10 },
    ],
    [{ requests: [500, "many"] }, undefined],
    [{ requests: [0, 0] }, undefined],
    [{ requests: [500, -1] }, undefined],
    [{ requests: [500, ""] }, undefined],
  ] as const)("%j", (said, expected) => {
    const headers = new Headers();
    for (const [unit, [limit, remaining]] of Object.entries(said)) {
      headers.set(`x-ratelimit-limit-${unit}`, String(limit));
      headers.set(`x-ratelimit-remaining-${unit}`, String(remaining));
    }
    expect(remainingOf(headers)).toEqual(expected);
  });
});
