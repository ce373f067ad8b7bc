// What goes on around the offline provider's quota: refusals that count, an outsider, latency and network.

import { describe, expect, it } from "vitest";
import { quantile } from "../../lab/bench/statistics.js";
import { latencyMs, networkMs, type ProviderBehaviour } from "../../models/offline/behaviour.js";
import { ENFORCEMENTS } from "../../models/offline/enforcement.js";
import { QuotaMeter } from "../../models/offline/meter.js";
import { stoppedClock } from "./support.js";

const QUOTA = { requestsPerMinute: 60, inFlight: 10_000 };

describe("refusals that count", () => {
  it("make the next one wait longer, up to one more full bucket", () => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", QUOTA, clock, { countRefused: true });
    const waits = Array.from({ length: 5 + 20 }, () => {
      const result = meter.request(0);
      return "limit" in result ? result.retryAfterMs : 0;
    });
    expect(waits.slice(0, 9)).toEqual([0, 0, 0, 0, 0, 2_000, 3_000, 4_000, 5_000]);
    expect(waits.at(-1)).toBe(6_000); // Five owed, and one to take.
    clock.advance(6_000);
    expect(meter.request(0)).toHaveProperty("settle");
  });

  it("stay in a sliding window until they are a minute old", () => {
    const clock = stoppedClock();
    const enforcement = ENFORCEMENTS["sliding-60s"];
    const meter = new QuotaMeter("m", QUOTA, clock, { enforcement, countRefused: true });
    for (let n = 0; n < 60; n += 1) meter.request(0);
    clock.advance(30_000);
    for (let n = 0; n < 60; n += 1) meter.request(0);
    clock.advance(30_000);
    expect(meter.request(0)).toMatchObject({ limit: "requests", retryAfterMs: 30_000 });
  });

  it("are nothing by default", () => {
    const meter = new QuotaMeter("m", QUOTA, stoppedClock());
    for (let n = 0; n < 50; n += 1) meter.request(0);
    expect(meter.request(0)).toMatchObject({ retryAfterMs: 1_000 });
  });
});

describe("an outsider", () => {
  const saturated = (behaviour: ProviderBehaviour, seed = 1) => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", { ...QUOTA, requestsPerMinute: 500 }, clock, behaviour, seed);
    for (let n = 0; n < 60_000; n += 1) {
      meter.request(0);
      clock.advance(20);
    }
    return meter.counters;
  };

  it.for(["steady", "poisson"] as const)("takes its share, whatever we do (%s)", (arrivals) => {
    for (const enforcement of [ENFORCEMENTS["bucket-5s"], ENFORCEMENTS["sliding-60s"]]) {
      const { admitted, outsider, mostInMinute } = saturated({ enforcement, outsider: { share: 0.3, arrivals } });
      expect(outsider / (20 * 500)).toBeCloseTo(0.3, arrivals === "steady" ? 2 : 1);
      expect((admitted + outsider) / (20 * 500)).toBeCloseTo(1, 1);
      expect(admitted / (20 * 500)).toBeCloseTo(0.7, 1);
      expect(mostInMinute).toBeLessThan(500);
    }
  });

  it("comes at the same moments under the same seed", () => {
    const behaviour: ProviderBehaviour = { outsider: { share: 0.3, arrivals: "poisson" } };
    expect(saturated(behaviour, 4)).toEqual(saturated(behaviour, 4));
    expect(saturated(behaviour, 4).outsider).not.toBe(saturated(behaviour, 5).outsider);
  });

  it("is seen in the headers before anybody asks for anything", () => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", QUOTA, clock, {
      enforcement: ENFORCEMENTS["sliding-60s"],
      outsider: { share: 0.5 },
    });
    clock.advance(59_000);
    expect(Number(meter.headers()["x-ratelimit-remaining-requests"])).toBeLessThan(40);
    clock.advance(86_400_000); // A day without a question: only its last minute matters.
    expect(Number(meter.headers()["x-ratelimit-remaining-requests"])).toBeGreaterThan(20);
    expect(meter.counters.outsider).toBeLessThan(200);
  });
});

describe("latency", () => {
  const sample = (behaviour: Parameters<typeof latencyMs>[0]) =>
    Array.from({ length: 20_000 }, (_, n) => latencyMs(behaviour, `0:request:${n}`));

  it("has the median and the 99th percentile it was given, and repeats", () => {
    const behaviour = { medianMs: 2_000, p99Ms: 9_000 };
    const samples = sample(behaviour);
    expect(quantile(samples, 0.5) / 2_000).toBeCloseTo(1, 1);
    expect(quantile(samples, 0.99) / 9_000).toBeCloseTo(1, 1);
    expect(sample(behaviour)).toEqual(samples);
    expect(quantile(sample({ medianMs: 2_000 }), 0.99) / 6_000).toBeCloseTo(1, 1);
  });

  it("has a slow tail of the share and factor it was given", () => {
    const plain = sample({ medianMs: 100 });
    const slow = sample({ medianMs: 100, tail: { share: 0.05, factor: 10 } });
    const longer = slow.filter((ms, n) => ms !== plain[n]);
    expect(longer.length / slow.length).toBeCloseTo(0.05, 2);
    expect(slow.every((ms, n) => ms === plain[n] || ms === (plain[n] ?? 0) * 10)).toBe(true);
  });

  it("is none without a median", () => {
    expect([latencyMs(undefined, "x"), latencyMs({ medianMs: 0 }, "x")]).toEqual([0, 0]);
  });
});

it("keeps the network within its bounds and uses all of them", () => {
  const samples = Array.from({ length: 2_000 }, (_, n) => networkMs({ minMs: 20, maxMs: 120 }, String(n)));
  expect(Math.min(...samples)).toBeGreaterThanOrEqual(20);
  expect(Math.min(...samples)).toBeLessThan(22);
  expect(Math.max(...samples)).toBeLessThanOrEqual(120);
  expect(Math.max(...samples)).toBeGreaterThan(118);
  expect(networkMs(undefined, "x")).toBe(0);
});

it.for<[ProviderBehaviour, RegExp]>([
  [{ enforcement: { kind: "bucket", burstSeconds: 0 } }, /enforcement\.burstSeconds is 0 and must be more than 0/],
  [{ enforcement: { kind: "fixed-window", seconds: Number.NaN } }, /enforcement\.seconds is NaN/],
  [{ outsider: { share: 1 } }, /behaviour\.outsider\.share is 1 and must be more than 0 and less than 1/],
  [{ latency: { medianMs: -1 } }, /latency\.medianMs is -1/],
  [{ latency: { medianMs: 10, p99Ms: 9 } }, /latency\.p99Ms is 9 and must be 10 \(the median\) or more/],
  [{ latency: { medianMs: 10, tail: { share: 2, factor: 2 } } }, /latency\.tail\.share is 2/],
  [{ latency: { medianMs: 10, tail: { share: 0.1, factor: 0.5 } } }, /latency\.tail\.factor is 0.5/],
  [{ networkJitter: { minMs: 5, maxMs: 1 } }, /networkJitter\.maxMs is 1 and must be 5/],
])("%j is refused", ([behaviour, message]) => {
  expect(() => new QuotaMeter("m", QUOTA, stoppedClock(), behaviour)).toThrow(message);
});

it("forgets a request at the moment at which it is as old as the window", () => {
  const clock = stoppedClock();
  const meter = new QuotaMeter("m", QUOTA, clock, { enforcement: { kind: "sliding-window", seconds: 1 } });
  for (let second = 0; second < 3_000; second += 1) {
    expect(meter.headers()["x-ratelimit-remaining-requests"]).toBe("1");
    expect(meter.request(0)).toHaveProperty("settle");
    clock.advance(1_000);
  }
  expect(meter.counters).toMatchObject({ admitted: 3_000, mostInSecond: 1, mostInMinute: 60 });
});

describe("headers", () => {
  const remaining = (headersCount: "enforced" | "minute") => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", QUOTA, clock, {
      ...{ enforcement: ENFORCEMENTS["fixed-1s"], countRefused: true, headersCount },
    });
    const seen = () => {
      const headers = meter.headers();
      return [headers["x-ratelimit-remaining-requests"], headers["x-ratelimit-reset-requests"]];
    };
    const before = seen();
    meter.request(0);
    const one = seen();
    meter.request(0); // Refused, and counted.
    const two = seen();
    clock.advance(1_000);
    return [before, one, two, seen()];
  };

  it("tell what would pass now", () => {
    expect(remaining("enforced")).toEqual([
      ["1", "0ms"],
      ["0", "1s"],
      ["0", "1s"],
      ["1", "0ms"],
    ]);
  });

  it("tell of a minute's quota when they are to, whatever is enforced", () => {
    expect(remaining("minute")).toEqual([
      ["60", "0ms"],
      ["59", "1s"],
      ["58", "2s"],
      ["59", "1s"],
    ]);
  });

  it("tell of the outsider either way", () => {
    const clock = stoppedClock();
    const behaviour: ProviderBehaviour = { headersCount: "minute", outsider: { share: 0.99 } };
    const meter = new QuotaMeter("m", QUOTA, clock, behaviour);
    for (let n = 0; n < 5; n += 1) meter.request(0); // The outsider was first, so the fifth is refused.
    expect(meter.counters).toMatchObject({ admitted: 4, refused: 1, outsider: 1 });
    expect(meter.headers()["x-ratelimit-remaining-requests"]).toBe("55");
  });
});
