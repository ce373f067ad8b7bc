// The offline provider's behaviours over HTTP: what a caller gets to see of them.

import { describe, expect, it } from "vitest";
import { ENFORCEMENTS, type ProviderBehaviour, parseFault } from "../../models/offline/index.js";
import { startProvider, stoppedClock } from "./support.js";

const quotas = { "offline-large": { requestsPerMinute: 60, inFlight: 2 } };

async function start(behaviour: ProviderBehaviour, seed = 0) {
  const clock = stoppedClock();
  return { clock, ...(await startProvider({ clock, seed, quotas, behaviours: { "offline-large": behaviour } })) };
}

describe("hints", () => {
  it.for([
    ["both", "60", "60000"],
    ["seconds", "60", null],
    ["milliseconds", null, "60000"],
    ["none", null, null],
  ] as const)("%s", async ([retryHint, seconds, milliseconds]) => {
    const { post } = await start({ retryHint, enforcement: { kind: "sliding-window", seconds: 60 } });
    let refused = await post({});
    for (let n = 0; n < 60; n += 1) refused = await post({});
    expect(refused.status).toBe(429);
    expect([refused.headers.get("retry-after"), refused.headers.get("retry-after-ms")]).toEqual([
      seconds,
      milliseconds,
    ]);
    expect((await refused.text()).includes("Please try again in 1m0s")).toBe(retryHint !== "none");
  });
});

it("leaves the limit headers out when told to", async () => {
  const { post } = await start({ rateLimitHeaders: false });
  const names = [...(await post({})).headers.keys()];
  expect(names.filter((name) => name.startsWith("x-ratelimit"))).toEqual([]);
  expect(names).toContain("x-request-id");
});

it("waits for the network and for the model, by the clock it was given and as the seed says", async () => {
  const behaviour = { latency: { medianMs: 2_000 }, networkJitter: { minMs: 1, maxMs: 100 } };
  const slept = async (seed: number) => {
    const { post, clock } = await start(behaviour, seed);
    for (let n = 0; n < 3; n += 1) expect((await post({})).status).toBe(200);
    return clock.slept;
  };
  const first = await slept(7);
  expect(first).toHaveLength(6);
  expect(first.filter((_, index) => index % 2 === 0).every((ms) => ms >= 1 && ms <= 100)).toBe(true);
  expect(first.filter((_, index) => index % 2 === 1).every((ms) => ms > 200 && ms < 20_000)).toBe(true);
  expect(await slept(7)).toEqual(first);
  expect(await slept(8)).not.toEqual(first);
});

it("books a request when the network has brought it, and a refused one waits for no model", async () => {
  const behaviour = { networkJitter: { minMs: 500, maxMs: 500 }, latency: { medianMs: 9_000, p99Ms: 9_000 } };
  const { post, clock } = await start({ ...behaviour, enforcement: ENFORCEMENTS["fixed-1s"] });
  clock.advance(600); // It leaves in one second of the clock and arrives in the next.
  expect((await post({})).status).toBe(200);
  expect(clock.slept).toEqual([500, expect.closeTo(9_000, 5)]);
  clock.advance(-9_000);
  clock.advance(-400);
  expect((await post({})).status).toBe(429);
  expect(clock.slept).toHaveLength(3);
});

it("counts what each model admitted and refused, faults included", async () => {
  const { post, provider } = await startProvider({
    quotas,
    faults: [parseFault("rate-limit,times=1")],
    clock: stoppedClock(),
  });
  for (let n = 0; n < 8; n += 1) await (await post({})).text();
  await (await post({ model: "offline-small" })).text();
  const { "offline-large": large, "offline-small": small } = provider.counters;
  expect(large).toMatchObject({ admitted: 5, refused: 3, outsider: 0, mostInSecond: 5, mostInMinute: 5 });
  expect(large.mostInFlight).toBe(1);
  expect(small).toMatchObject({ admitted: 1, refused: 0 });
});

it("refuses a behaviour that is not possible", async () => {
  await expect(start({ outsider: { share: 7 } })).rejects.toThrow(/outsider\.share is 7/);
});
