// The quota the offline provider enforces.

import { describe, expect, it } from "vitest";
import { type Grant, QuotaMeter, type Refusal } from "../../models/offline/meter.js";
import { stoppedClock } from "./support.js";

const granted = (result: Grant | Refusal): Grant => {
  if ("limit" in result) throw new Error(result.message);
  return result;
};

describe("QuotaMeter", () => {
  it("allows five seconds' worth at once and then the rate", () => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", { requestsPerMinute: 60, inFlight: 100 }, clock);
    for (let n = 0; n < 5; n += 1) granted(meter.request(0));
    expect(meter.request(0)).toMatchObject({ limit: "requests", retryAfterMs: 1_000 });
    clock.advance(999);
    expect(meter.request(0)).toMatchObject({ limit: "requests" });
    clock.advance(1);
    granted(meter.request(0));
    expect(meter.request(0)).toMatchObject({ limit: "requests" });
  });

  it("never grants more than the rate over an hour", () => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", { requestsPerMinute: 30, inFlight: 100 }, clock);
    let grants = 0;
    for (let second = 0; second < 3_600; second += 1) {
      for (let n = 0; n < 10; n += 1) {
        const result = meter.request(0);
        if ("settle" in result) {
          grants += 1;
          result.settle(0);
        }
      }
      clock.advance(1_000);
    }
    expect(grants).toBeGreaterThanOrEqual(1_800);
    expect(grants).toBeLessThanOrEqual(1_800 + 3);
  });

  it("charges the answer's tokens when it settles", () => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", { requestsPerMinute: 6_000, tokensPerMinute: 1_000, inFlight: 9 }, clock);
    granted(meter.request(400)).settle(700);
    expect(meter.headers()).toMatchObject({ "x-ratelimit-remaining-tokens": "0" });
    const refusal = meter.request(100);
    expect(refusal).toMatchObject({ limit: "tokens" });
    clock.advance(Math.ceil((refusal as Refusal).retryAfterMs));
    granted(meter.request(100));
  });

  it("serves a request that is larger than the whole minute once the bucket is full, and then makes it pay", () => {
    const clock = stoppedClock();
    const meter = new QuotaMeter("m", { requestsPerMinute: 600, tokensPerMinute: 100, inFlight: 9 }, clock);
    granted(meter.request(250)).settle(0);
    clock.advance(60_000);
    expect(meter.request(1)).toMatchObject({ limit: "tokens" });
    clock.advance(60_000);
    granted(meter.request(1));
  });

  it("holds a slot until it is settled", () => {
    const meter = new QuotaMeter("m", { requestsPerMinute: 6_000, inFlight: 2 }, stoppedClock());
    const first = granted(meter.request(0));
    granted(meter.request(0));
    expect(meter.request(0)).toMatchObject({ limit: "in-flight" });
    first.settle(0);
    granted(meter.request(0));
  });

  it("tells its state as OpenAI's headers do", () => {
    const meter = new QuotaMeter("m", { requestsPerMinute: 60, tokensPerMinute: 6_000, inFlight: 9 }, stoppedClock());
    granted(meter.request(5_990)).settle(20);
    expect(meter.headers()).toEqual({
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "4",
      "x-ratelimit-reset-requests": "1s",
      "x-ratelimit-limit-tokens": "6000",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "1m1s",
    });
  });
});
