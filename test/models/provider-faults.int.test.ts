// Every fault as a caller meets it, over plain HTTP.

import { describe, expect, it } from "vitest";
import { parseFault } from "../../models/offline/index.js";
import { collect, eventsOf, startProvider, stoppedClock } from "./support.js";

const withFault = async (specification: string) => {
  const clock = stoppedClock();
  return { clock, ...(await startProvider({ clock, faults: [parseFault(specification)] })) };
};

const long = { messages: [{ role: "user", content: "tell me a rather long story about two bakeries" }] };

describe("rate-limit", () => {
  it("refuses with a hint for two seconds, and the quota is back", async () => {
    const { post, clock, provider } = await withFault("rate-limit");
    const refused = await post({});
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded", type: "requests" } });
    clock.advance(1_000);
    expect((await post({})).status).toBe(429);
    clock.advance(1_000);
    expect((await post({})).status).toBe(200);
    expect(provider.requests.map(({ fault }) => fault)).toEqual(["rate-limit", "rate-limit", undefined]);
  });

  it("gives no hint at all as rate-limit-no-header", async () => {
    const { post } = await withFault("rate-limit-no-header");
    const refused = await post({});
    expect(refused.status).toBe(429);
    expect([...refused.headers.keys()].filter((name) => /retry|ratelimit/.test(name))).toEqual([]);
  });
});

it("outage: refuses one model for good and not the other", async () => {
  const { post, clock } = await withFault("outage:offline-large");
  expect((await post({})).status).toBe(503);
  clock.advance(86_400_000);
  expect((await post({})).status).toBe(503);
  expect((await post({ model: "offline-small" })).status).toBe(200);
});

it("server-error: fails twice", async () => {
  const { post } = await withFault("server-error");
  const statuses = [await post({}), await post({}), await post({})].map(({ status }) => status);
  expect(statuses).toEqual([500, 500, 200]);
});

it("slow: answers a second and a half late, every time", async () => {
  const { post, clock } = await withFault("slow");
  expect((await post({})).status).toBe(200);
  expect((await post({})).status).toBe(200);
  expect(clock.slept).toEqual([1_500, 1_500]);
});

it("timeout: never answers, once; the caller has to give up", async () => {
  const { post } = await withFault("timeout");
  const outcome = post({}, AbortSignal.timeout(150));
  await expect(outcome).rejects.toMatchObject({ name: "TimeoutError" });
  expect((await post({})).status).toBe(200);
});

describe("truncate-stream", () => {
  it("ends a stream cleanly half-way, with no finish reason and no [DONE]", async () => {
    const { post } = await withFault("truncate-stream");
    const half = eventsOf(await (await post({ ...long, stream: true })).text());
    const whole = eventsOf(await (await post({ ...long, stream: true })).text());
    expect(half.length).toBeGreaterThan(1);
    expect(half.length).toBeLessThan(whole.length / 2 + 1);
    expect(half.map((event) => JSON.parse(event).choices[0].finish_reason)).toEqual(half.map(() => null));
    expect(whole.at(-1)).toBe("[DONE]");
  });

  it("can be missed: the OpenAI client takes half an answer for a whole one", async () => {
    const { chat } = await withFault("truncate-stream");
    const chunks = await collect(await chat().stream("a rather long question about two bakeries"));
    const message = chunks.reduce((sum, chunk) => sum.concat(chunk));
    expect(message.content).not.toContain("bakeries");
    expect(message.response_metadata["finish_reason"]).toBeUndefined();
  });

  it("cuts a body that is not streamed", async () => {
    const { post } = await withFault("truncate-stream");
    const response = await post(long);
    expect(response.status).toBe(200);
    const body = await response.text();
    expect(body).toMatch(/^\{"id":"chatcmpl-/);
    expect(() => JSON.parse(body)).toThrow();
  });
});

describe("bad-json", () => {
  it("answers 200 with something else, once", async () => {
    const { post } = await withFault("bad-json");
    const response = await post({});
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow(SyntaxError);
    await expect((await post({})).json()).resolves.toBeTruthy();
  });

  it("breaks into a stream", async () => {
    const { post } = await withFault("bad-json");
    const events = eventsOf(await (await post({ ...long, stream: true })).text());
    expect(() => JSON.parse(events[0] ?? "")).not.toThrow();
    expect(() => JSON.parse(events.at(-2) ?? "")).toThrow();
    expect(events.at(-1)).toBe("[DONE]");
  });
});

it("strikes the same requests under the same seed", async () => {
  const statuses = async (seed: number) => {
    const { post } = await startProvider({ seed, faults: [parseFault("server-error,rate=0.5")] });
    const all = Array.from({ length: 24 }, (_, n) => post({ messages: [{ role: "user", content: `${n}` }] }));
    return (await Promise.all(all)).map(({ status }) => status);
  };
  const first = await statuses(1);
  expect(new Set(first)).toEqual(new Set([200, 500]));
  expect(await statuses(1)).toEqual(first);
  expect(await statuses(2)).not.toEqual(first);
});
