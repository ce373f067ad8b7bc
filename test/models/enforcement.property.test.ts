// What each enforcement promises, under any arrivals: never above its limit in any of its windows, and always right about
// when the next request passes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ENFORCEMENTS, type Enforcement, type EnforcementName } from "../../models/offline/enforcement.js";
import { QuotaMeter } from "../../models/offline/meter.js";
import { stoppedClock } from "./support.js";

const names = Object.keys(ENFORCEMENTS) as EnforcementName[];
const rates = fc.constantFrom(1, 7, 60, 500, 1_200);
/** Bursts, trickles and pauses, in whole milliseconds. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ max: 300, min: 0 }), fc.integer({ min: 0, max: 40_000 })), {
  minLength: 1,
  maxLength: 400,
});

/** The moments at which requests were admitted, one request after each gap. */
function admissions(meter: QuotaMeter, clock: ReturnType<typeof stoppedClock>, waits: readonly number[]): number[] {
  return waits.flatMap((gap) => {
    clock.advance(gap);
    const result = meter.request(0);
    if ("limit" in result) return [];
    result.settle(0);
    return [clock.now()];
  });
}

const mostWithin = (times: readonly number[], spanMs: number): number =>
  Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + spanMs).length));

/** The most that may pass within a span, by the enforcement's own words. */
function allowed(enforcement: Enforcement, perMinute: number, spanMs: number): number {
  if (enforcement.kind === "bucket") {
    return Math.max(1, (perMinute * enforcement.burstSeconds) / 60) + (perMinute * spanMs) / 60_000;
  }
  const inWindow = Math.max(1, Math.floor((perMinute * enforcement.seconds) / 60));
  const windows = Math.ceil(spanMs / (enforcement.seconds * 1_000));
  return inWindow * (enforcement.kind === "sliding-window" ? windows : windows + 1);
}

describe.for(names)("%s", (name) => {
  const enforcement: Enforcement = ENFORCEMENTS[name];

  it("never admits more than it says, in any span", () => {
    fc.assert(
      fc.property(rates, gaps, fc.integer({ min: 0, max: 90_000 }), (perMinute, waits, offset) => {
        const clock = stoppedClock(1_000_000 + offset);
        const meter = new QuotaMeter("m", { requestsPerMinute: perMinute, inFlight: 9 }, clock, { enforcement });
        const times = admissions(meter, clock, waits);
        for (const spanMs of [1_000, 10_000, 60_000]) {
          expect(mostWithin(times, spanMs)).toBeLessThanOrEqual(allowed(enforcement, perMinute, spanMs) + 1e-6);
        }
        expect(meter.counters).toMatchObject({
          admitted: times.length,
          refused: waits.length - times.length,
          inFlight: 0,
          mostInSecond: mostWithin(times, 1_000),
          mostInMinute: mostWithin(times, 60_000),
        });
      }),
      { numRuns: 60 },
    );
  });

  it.for([false, true])("refuses until the moment it named, refusals counted: %s", (countRefused) => {
    fc.assert(
      fc.property(rates, gaps, (perMinute, waits) => {
        const clock = stoppedClock();
        const behaviour = { enforcement, countRefused };
        const meter = new QuotaMeter("m", { requestsPerMinute: perMinute, inFlight: Infinity }, clock, behaviour);
        admissions(meter, clock, waits);
        let result = meter.request(0);
        while (!("limit" in result)) result = meter.request(0);
        const waitMs = Math.ceil(result.retryAfterMs);
        expect(waitMs).toBeGreaterThan(0);
        if (!countRefused) {
          clock.advance(waitMs - 1);
          expect(meter.request(0)).toHaveProperty("limit", "requests");
          clock.advance(1);
        } else clock.advance(waitMs);
        expect(meter.request(0)).toHaveProperty("settle");
      }),
      { numRuns: 40 },
    );
  });

  it("lets the whole rate through, over ten minutes of asking every 20 ms", () => {
    const clock = stoppedClock(0);
    const meter = new QuotaMeter("m", { requestsPerMinute: 500, inFlight: 9 }, clock, { enforcement });
    admissions(meter, clock, Array<number>(30_000).fill(20));
    const ceiling = name === "fixed-1s" ? 480 : name === "fixed-10s" ? 498 : 500; // Windows have whole requests.
    expect(meter.counters.admitted).toBeGreaterThan(ceiling * 10 * 0.98);
    expect(meter.counters.admitted).toBeLessThanOrEqual(ceiling * 11);
  });
});
