// One retry authority, and what it does with each way in which a provider can fail. HTTP requests are counted throughout.

import { describe, expect, test } from "vitest";
import { obtainedOf, trustOfAnswer } from "../../capacity/index.js";
import { TOP } from "../../trust/index.js";
import { OpenAIServer, type Reply } from "./openai-server.js";
import { Events, FakeClock, guarded, routeTo, WIDE } from "./support.js";

const CALL: Reply = { toolCalls: [{ name: "add", args: '{"a": 2, "b": 3}' }] };

describe("one retry authority", () => {
  test("a 429 with a hint is waited out in the queue, on the primary, with one request more", async () => {
    await using server = await OpenAIServer.start((n) =>
      n === 0 ? { status: 429, headers: { "retry-after-ms": "40" } } : {},
    );
    const events = new Events();
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    const message = await model.invoke("hello", { callbacks: [events] });
    expect(server.count()).toBe(2);
    expect(server.count("small")).toBe(0);
    expect((server.seen[1]?.at ?? 0) - (server.seen[0]?.at ?? 0)).toBeGreaterThanOrEqual(39);
    expect(obtainedOf(message)).toMatchObject({ attempts: 2, rateLimited: 1, route: "large", unclearAttempts: 0 });
    expect(events.all).toEqual([{ kind: "rate-limited", route: "large", retryAfterMs: 40, hinted: true }]);
    const trust = trustOfAnswer(message, "planner#4");
    expect(trust).toMatchObject({ ...TOP, causes: [] }); // it waited: nothing is less certain
  });

  test("429s without a hint are spread by full jitter", async () => {
    await using server = await OpenAIServer.start((n) => (n < 3 ? { status: 429 } : {}));
    const events = new Events();
    const route = routeTo(server, "large", { random: () => 0.02 });
    const message = await guarded([route]).invoke("hello", { callbacks: [events] });
    expect(server.count()).toBe(4);
    expect(obtainedOf(message)).toMatchObject({ attempts: 4, rateLimited: 3 });
    const pauses = events.all.flatMap((event) => (event.kind === "rate-limited" ? [event.retryAfterMs] : []));
    expect(pauses).toEqual([10, 20, 40]);
  });

  test("500s: three attempts, then the fallback, and the label says so", async () => {
    await using server = await OpenAIServer.start((_n, { body }) => (body.model === "large" ? { status: 500 } : {}));
    const events = new Events();
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    const message = await model.invoke("hello", { callbacks: [events] });
    expect([server.count("large"), server.count("small")]).toEqual([3, 1]);
    expect(events.kinds).toEqual(["retry", "retry", "breaker", "fallback"]);
    expect(obtainedOf(message)).toMatchObject({
      route: "small",
      primary: "large",
      attempts: 4,
      fallbackReason: "server-error",
    });
    const trust = trustOfAnswer(message);
    expect(trust).toMatchObject({ fidelity: 1, certainty: 2, currency: 3 });
    expect(trust.causes?.map(({ reason }) => reason)).toEqual([
      "fallback: small (large: server-error)",
      "retry after a clean failure",
    ]);
    // The breaker remembers: the next call does not ask the primary again.
    const next = await model.invoke("hello");
    expect([server.count("large"), server.count("small")]).toEqual([3, 2]);
    expect(obtainedOf(next)).toMatchObject({ route: "small", attempts: 1, fallbackReason: "circuit-open" });
    expect(model.capacity.forecast().map(({ state }) => state)).toEqual(["broken", "open"]);
  });

  test("a provider in trouble is not hit twice for every call: retries come out of a budget", async () => {
    // Answers that do not parse: the route is alive, so the breaker stays closed and only the budget holds back.
    await using server = await OpenAIServer.start(() => ({ raw: "not json" }));
    const model = guarded([routeTo(server, "large")], { maxAttempts: 2 });
    for (let n = 0; n < 20; n += 1)
      await expect(model.invoke("hello")).rejects.toMatchObject({ code: "ROUTES_EXHAUSTED" });
    expect(server.count()).toBeGreaterThanOrEqual(30);
    expect(server.count()).toBeLessThanOrEqual(32);
  });

  test("an overloaded route opens the breaker like a failing one", async () => {
    await using server = await OpenAIServer.start(() => ({ status: 503 }));
    const model = guarded([routeTo(server, "large")], { maxAttempts: 2, maxWaitMs: 10_000 });
    for (let n = 0; n < 5; n += 1) await model.invoke("hello").catch(() => undefined);
    expect(server.count()).toBe(3);
  });

  test("a route that is found dead is left at once, however many attempts remain", async () => {
    await using server = await OpenAIServer.start(() => ({ status: 500 }));
    const events = new Events();
    const model = guarded([routeTo(server, "large")], { maxAttempts: 9, maxWaitMs: 10_000 });
    const call = model.invoke("hello", { callbacks: [events] });
    await expect(call).rejects.toMatchObject({ code: "ROUTES_EXHAUSTED", failures: [{ reason: "server-error" }] });
    expect(events.kinds).toEqual(["retry", "retry", "breaker"]);
    expect(server.count()).toBe(3);
  });

  test("an outage of a minute: all wait behind one probe at a time, nobody fails, hardly anything is sent", async () => {
    let down = false;
    await using server = await OpenAIServer.start(() => (down ? { status: 500 } : {}));
    const clock = new FakeClock();
    const quota = { ...WIDE, inFlight: 10 };
    const model = guarded([routeTo(server, "large", { clock, quota })], { clock, maxWaitMs: 300_000 });
    await model.invoke("before");
    down = true;
    const calls = Promise.allSettled(Array.from({ length: 100 }, () => model.invoke("during")));
    let over = false;
    void calls.then(() => {
      over = true;
    });
    const end = clock.now() + 60_000;
    // The requests are real: time stands still for as long as one is on its way, and until Bottleneck has had its turn.
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (server.inFlight > 0) continue;
      await clock.advance(100);
      if (clock.now() >= end) down = false;
    }
    const settled = await calls;
    expect(settled.filter(({ status }) => status === "rejected")).toEqual([]);
    // One for each call, those that were under way when it began, and a probe each half minute.
    expect(server.count()).toBeLessThanOrEqual(1 + 100 + 20);
    expect(server.count()).toBeGreaterThanOrEqual(1 + 100 + 3);
  });

  test("a fallback that has its own quota answers when the primary keeps waiting, and says so", async () => {
    await using server = await OpenAIServer.start();
    const slow = { requestsPerMinute: 1, inFlight: 1, headroom: 1 };
    const large = routeTo(server, "large", { quota: slow });
    const model = guarded([large, routeTo(server, "small")], { spillMs: 5_000 });
    expect(obtainedOf(await model.invoke("first"))).toMatchObject({ route: "large" });
    const events = new Events();
    const spilt = await model.invoke("second", { callbacks: [events] });
    expect(obtainedOf(spilt)).toMatchObject({ route: "small", primary: "large", fallbackReason: "busy", attempts: 1 });
    expect(events.all).toEqual([{ kind: "fallback", from: "large", to: "small", reason: "busy" }]);
    const patient = model.invoke("third", { admission: "primary-only", deadlineAt: Date.now() + 1_000 });
    await expect(patient).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT" });
    expect(server.count("small")).toBe(1);
  });

  test("a route that cannot do it is not asked: no tools, too short a context; a longer or unknown one helps", async () => {
    await using server = await OpenAIServer.start((_n, { body }) => (body.model === "large" ? { status: 413 } : {}));
    const large = { ...routeTo(server, "large"), contextTokens: 100 };
    const small = routeTo(server, "small");
    const tool = { type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } };
    const ask = (fallback: object, options: object = {}) =>
      guarded([large, { ...small, ...fallback }]).invoke("hello", options);
    const refused = expect.objectContaining({ code: "CONTEXT_LENGTH" });
    await expect(ask({ contextTokens: 100 })).rejects.toEqual(refused);
    await expect(ask({ contextTokens: 200, tools: false }, { tools: [tool] })).rejects.toEqual(refused);
    await expect(ask({ contextTokens: 1 })).rejects.toEqual(refused);
    expect(server.count("small")).toBe(0);
    expect(obtainedOf(await ask({ contextTokens: 200 }))).toMatchObject({ route: "small" });
    expect(obtainedOf(await ask({}))).toMatchObject({ route: "small" });
    expect(obtainedOf(await ask({ contextTokens: 200, tools: false }))).toMatchObject({ route: "small" });
  });

  test("a call option cannot switch retries on below", async () => {
    await using server = await OpenAIServer.start(() => ({ status: 500 }));
    const model = guarded([routeTo(server, "large")], { maxAttempts: 1 });
    await expect(model.invoke("hello", { maxRetries: 5 } as object)).rejects.toMatchObject({
      code: "ROUTES_EXHAUSTED",
    });
    expect(server.count()).toBe(1);
  });

  test("primary-only: no fallback, a typed error", async () => {
    await using server = await OpenAIServer.start((_n, { body }) => (body.model === "large" ? { status: 503 } : {}));
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    const error = await model.invoke("hello", { admission: "primary-only" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "ROUTES_EXHAUSTED",
      failures: [{ route: "large", reason: "overload", status: 503 }],
    });
    expect(server.count("small")).toBe(0);
  });

  test("a long pause: fall back at once, or say when to come back", async () => {
    await using server = await OpenAIServer.start((_n, { body }) =>
      body.model === "large" ? { status: 429, headers: { "retry-after": "3600" } } : {},
    );
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    const message = await model.invoke("hello");
    expect(obtainedOf(message)).toMatchObject({ route: "small", fallbackReason: "rate-limit", attempts: 2 });
    const before = Date.now();
    const error = await model.invoke("hello", { admission: "primary-only" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "CapacityWaitError", code: "CAPACITY_TIMEOUT" });
    // An hour is more than is believed: ten minutes.
    expect((error as { retryAt: number }).retryAt - before).toBeGreaterThan(590_000);
    expect((error as { retryAt: number }).retryAt - before).toBeLessThanOrEqual(600_000);
    expect(server.count("large")).toBe(1);
    expect(model.capacity.forecast()[0]).toMatchObject({ route: "large", state: "paused" });
  });

  test("an empty account is no rate limit: no pause, no retry", async () => {
    const raw = JSON.stringify({ error: { message: "You exceeded your current quota", code: "insufficient_quota" } });
    await using server = await OpenAIServer.start(() => ({ status: 429, raw }));
    const route = routeTo(server, "large");
    await expect(guarded([route]).invoke("hello")).rejects.toMatchObject({ code: "QUOTA_EXHAUSTED" });
    expect(server.count()).toBe(1);
    expect(route.pool.forecast().state).toBe("open");
  });
});

describe("answers that are none", () => {
  const broken: [string, Reply][] = [
    ["tool calls cut by length", { ...CALL, finishReason: "length" }],
    ["tool arguments that are not JSON", { toolCalls: [{ name: "add", args: '{"a": 2, "b"' }] }],
    ["a body that is not JSON", { raw: '{"id": "x", "choi' }],
    ["no choices", { raw: JSON.stringify({ id: "x", model: "large", choices: [] }) }],
  ];
  test.each(broken)("%s: retried, never returned", async (_name, reply) => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? reply : {}));
    const message = await guarded([routeTo(server, "large")]).invoke("hello");
    expect(message.content).toBe("answer 1");
    expect(obtainedOf(message)).toMatchObject({ attempts: 2, unclearAttempts: 0 });
    expect(trustOfAnswer(message)).toMatchObject({ certainty: 2 });
  });

  test("a body cut in the middle is an unclear attempt", async () => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? { stop: "cut" } : {}));
    const message = await guarded([routeTo(server, "large")]).invoke("hello");
    expect(obtainedOf(message)).toMatchObject({ attempts: 2, unclearAttempts: 1 });
    expect(trustOfAnswer(message)).toMatchObject({ certainty: 1 });
  });

  test("text cut by its length is an answer of fidelity 2", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "and th", finishReason: "length" }));
    expect(trustOfAnswer(await guarded([routeTo(server, "large")]).invoke("hello"))).toMatchObject({ fidelity: 2 });
  });

  test.each(["cut", "end"] as const)("a stream that stops (%s) before its first word is retried", async (stop) => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? { stop, stopAfter: 1 } : { content: "one two" }));
    const texts: unknown[] = [];
    let last: Parameters<typeof obtainedOf>[0] | undefined;
    for await (const chunk of await guarded([routeTo(server, "large")]).stream("hello")) {
      texts.push(chunk.content);
      last = chunk;
    }
    expect(texts.filter((text) => text !== "")).toEqual(["one ", "two"]);
    expect(obtainedOf(last as NonNullable<typeof last>)).toMatchObject({ attempts: 2, unclearAttempts: 1 });
  });

  test.each(["cut", "end"] as const)("a stream that stops (%s) after its first word is an error", async (stop) => {
    await using server = await OpenAIServer.start(() => ({ content: "one two three", stop, stopAfter: 3 }));
    const texts: unknown[] = [];
    const reading = (async () => {
      for await (const { content } of await guarded([routeTo(server, "large")]).stream("hello")) texts.push(content);
    })();
    await expect(reading).rejects.toMatchObject({ code: "ANSWER_BROKEN", reason: "truncated" });
    expect(texts.filter((text) => text !== "")).toEqual(["one ", "two "]);
    expect(server.count()).toBe(1);
  });

  test("a streamed tool call that was cut by length is an error", async () => {
    await using server = await OpenAIServer.start(() => ({
      toolCalls: [{ name: "add", args: '{"a": 2' }],
      finishReason: "length",
    }));
    const reading = (async () => {
      for await (const _ of await guarded([routeTo(server, "large")]).stream("hello")) void _;
    })();
    await expect(reading).rejects.toMatchObject({ code: "ANSWER_BROKEN", reason: "bad-response" });
  });
});

describe("errors a person can act on", () => {
  test("a bad key", async () => {
    await using server = await OpenAIServer.start(() => ({ status: 401 }));
    const host = new URL(server.url).host;
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    await expect(model.invoke("hello")).rejects.toMatchObject({
      name: "ProviderRefusedError",
      code: "AUTHENTICATION",
      message: `the provider at ${host} refused the API key (401): set OPENAI_API_KEY; it says: 401 status 401`,
    });
    expect(server.count()).toBe(1);
  });

  test("an unreachable server", async () => {
    const server = await OpenAIServer.start();
    const route = routeTo(server, "large");
    const { host } = new URL(server.url);
    await server[Symbol.asyncDispose]();
    await expect(guarded([route]).invoke("hello")).rejects.toMatchObject({
      code: "ROUTES_EXHAUSTED",
      message: `cannot reach ${host} (ECONNREFUSED): is the server running? check OPENAI_BASE_URL`,
    });
    const impatient = guarded([route], { maxWaitMs: 10_000 });
    await expect(impatient.invoke("hello")).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
  });

  test.each([
    [400, "INVALID_REQUEST", "status 400"],
    [404, "INVALID_REQUEST", "does not know large"],
  ])("status %i fails at once", async (status, code, text) => {
    await using server = await OpenAIServer.start(() => ({ status }));
    const error = guarded([routeTo(server, "large"), routeTo(server, "small")]).invoke("hello");
    await expect(error).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
    expect(server.count()).toBe(1);
  });

  test("a conversation that is too long", async () => {
    const raw = JSON.stringify({ error: { message: "maximum context length is 8", code: "context_length_exceeded" } });
    await using server = await OpenAIServer.start(() => ({ status: 400, raw }));
    await expect(guarded([routeTo(server, "large")]).invoke("hello")).rejects.toMatchObject({ code: "CONTEXT_LENGTH" });
  });
});
