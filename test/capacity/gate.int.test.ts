// The gate in `fetch` and what it does to whole calls: slots, queues, time limits, aborts, async context.

import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { describe, expect, test } from "vitest";
import { obtainedOf, QuotaPool, trustOfAnswer } from "../../capacity/index.js";
import { OpenAIServer } from "./openai-server.js";
import { Events, FakeClock, guarded, routeTo, settle, until, WIDE } from "./support.js";

const NARROW = { ...WIDE, inFlight: 1 };

describe("slots", () => {
  test("the quota is shared by all clients of a pool, and never passed", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 80 }));
    const pool = new QuotaPool({ name: "large", quota: { ...WIDE, inFlight: 3 } });
    const configuration = { baseURL: server.url, fetch: pool.gate(fetch) };
    const models = ["a", "b"].map((model) => new ChatOpenAI({ model, apiKey: "test", maxRetries: 0, configuration }));
    await Promise.all(models.flatMap((model) => ["1", "2", "3", "4", "5"].map((text) => model.invoke(text))));
    expect(server.count()).toBe(10);
    expect(server.mostInFlight).toBe(3);
  });

  test("a fan-out three deep with one slot does not deadlock", async () => {
    await using server = await OpenAIServer.start();
    const model = guarded([routeTo(server, "large", { quota: NARROW })]);
    const work = async (depth: number): Promise<number> => {
      await model.invoke(`depth ${depth}`);
      if (depth === 0) return 1;
      const done = await Promise.all([work(depth - 1), work(depth - 1)]);
      return done.reduce((left, right) => left + right, 1);
    };
    expect(await work(2)).toBe(7);
    expect(server.mostInFlight).toBe(1);
  });

  test("a consumer that calls again between two chunks does not wait for itself", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "one two three four" }));
    const model = guarded([routeTo(server, "large", { quota: NARROW })]);
    let inner = 0;
    for await (const chunk of await model.stream("outer")) {
      if (chunk.content === "one ") {
        await model.invoke("inner");
        inner += 1;
      }
    }
    expect(inner).toBe(1);
  });

  test("a stream that is left early gives its slot back and stops the request", async () => {
    await using server = await OpenAIServer.start((n) =>
      n === 0 ? { content: "a b c", stop: "hang", stopAfter: 3 } : {},
    );
    const model = guarded([routeTo(server, "large", { quota: NARROW })]);
    for await (const chunk of await model.stream("hello")) if (chunk.content !== "") break;
    expect((await model.invoke("next")).content).toBe("answer 1");
    await until(() => server.inFlight === 0);
  });

  test("a failed request gives its slot back", async () => {
    const server = await OpenAIServer.start();
    const route = routeTo(server, "large", { quota: NARROW });
    await server[Symbol.asyncDispose]();
    const calls = ["1", "2", "3"].map((text) => guarded([route], { maxAttempts: 1 }).invoke(text));
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });
});

describe("time", () => {
  test("the client's own timer does not end a call that waits in the queue", async () => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? { afterMs: 150 } : {}));
    const pool = new QuotaPool({ name: "large", quota: NARROW });
    const client = new ChatOpenAI({
      model: "large",
      apiKey: "test",
      maxRetries: 0,
      timeout: 60,
      configuration: { baseURL: server.url, fetch: pool.gate(fetch) },
    });
    const model = guarded([{ name: "large", provider: "test", offline: false, model: client, pool }]);
    const answers = await Promise.all([model.invoke("slow"), model.invoke("queued")]);
    expect(answers.map(({ content }) => content)).toEqual(["answer 0", "answer 1"]);
    expect(obtainedOf(answers[1])?.queueMs).toBeGreaterThanOrEqual(100);
    expect(server.count()).toBe(2);
  });

  test.each(["invoke", "stream"] as const)(
    "a call that stalls is ended after callTimeoutMs (%s), and is unclear",
    async (how) => {
      await using server = await OpenAIServer.start((n) =>
        n === 0 ? (how === "invoke" ? { afterMs: 60_000 } : { stop: "hang", stopAfter: 1 }) : {},
      );
      const model = guarded([routeTo(server, "large", { callTimeoutMs: 500 })]);
      const events = new Events();
      let last: Parameters<typeof obtainedOf>[0] | undefined;
      if (how === "invoke") last = await model.invoke("hello", { callbacks: [events] });
      else for await (const chunk of await model.stream("hello", { callbacks: [events] })) last = chunk;
      expect(events.all).toMatchObject([{ kind: "retry", attempt: 2, reason: "timeout" }]);
      const message = last as NonNullable<typeof last>;
      expect(obtainedOf(message)).toMatchObject({ attempts: 2, unclearAttempts: 1 });
      expect(trustOfAnswer(message)).toMatchObject({ certainty: 1 });
    },
  );

  test("a stream that stalls in the middle is an error", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "a b c", stop: "hang", stopAfter: 3 }));
    const model = guarded([routeTo(server, "large", { callTimeoutMs: 500 })]);
    const reading = (async () => {
      for await (const _ of await model.stream("hello")) void _;
    })();
    await expect(reading).rejects.toMatchObject({ code: "ANSWER_BROKEN", reason: "timeout" });
  });

  test("a deadline ends the call, says so, and makes no request that cannot be in time", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 60_000 }));
    const route = routeTo(server, "large");
    const model = guarded([route, routeTo(server, "small")]);
    await expect(model.invoke("hello", { deadlineAt: Date.now() + 500 })).rejects.toMatchObject({
      code: "ROUTES_EXHAUSTED",
      failures: [{ reason: "timeout" }],
    });
    expect(server.count()).toBe(1);
    // Impatience says nothing about the route.
    expect(route.pool.breaker.state).toEqual({ kind: "closed", failures: 0 });
    route.pool.pause(5000);
    const waiting = model.invoke("hello", { deadlineAt: Date.now() + 1000, admission: "primary-only" });
    await expect(waiting).rejects.toMatchObject({ code: "CAPACITY_TIMEOUT", retryAt: expect.any(Number) });
    expect(server.count()).toBe(1);
  });

  test("a dead route is probed again after half a minute", async () => {
    let down = true;
    await using server = await OpenAIServer.start(() => (down ? { status: 500 } : {}));
    const clock = new FakeClock();
    const route = routeTo(server, "large", { clock });
    const model = guarded([route], { clock, maxAttempts: 1, maxWaitMs: 10_000 });
    for (let n = 0; n < 3; n += 1) await expect(model.invoke("x")).rejects.toMatchObject({ code: "ROUTES_EXHAUSTED" });
    const retryAt = clock.now() + 30_000;
    await expect(model.invoke("x")).rejects.toMatchObject({ code: "CIRCUIT_OPEN", retryAt });
    expect(model.capacity.forecast()).toMatchObject([{ state: "broken", waitMs: 30_000 }]);
    expect(server.count()).toBe(3);
    await clock.advance(30_000);
    down = false;
    const events = new Events();
    expect((await model.invoke("x", { callbacks: [events] })).content).toBe("answer 3");
    expect(events.all).toEqual([
      { kind: "breaker", route: "large", state: "closed", reason: "the probe was answered" },
    ]);
    expect(model.capacity.forecast()).toMatchObject([{ state: "open" }]);
  });
});

const ENOUGH = new Error("enough");

describe("aborts", () => {
  test("while queued: at once, and no request is made", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 300 }));
    const model = guarded([routeTo(server, "large", { quota: NARROW })]);
    const first = model.invoke("first");
    await until(() => server.count() === 1);
    const abort = new AbortController();
    const queued = Array.from({ length: 20 }, () => model.invoke("queued", { signal: abort.signal }));
    const settled = Promise.allSettled(queued);
    await settle();
    abort.abort(ENOUGH);
    expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
    expect(server.inFlight).toBe(1); // The first call was still on its way.
    await first;
    await settle();
    expect(server.count()).toBe(1);
  });

  test("while in flight and in mid-stream: the request ends, nothing is retried, the reason comes out", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 60_000 }));
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    const abort = new AbortController();
    const call = expect(model.invoke("hello", { signal: abort.signal })).rejects.toBe(ENOUGH);
    await until(() => server.inFlight === 1);
    abort.abort(ENOUGH);
    await call;
    await until(() => server.inFlight === 0);
    expect(server.count()).toBe(1);

    await using streaming = await OpenAIServer.start(() => ({ content: "a b c", stop: "hang", stopAfter: 3 }));
    const second = new AbortController();
    const reading = (async () => {
      const model = guarded([routeTo(streaming, "large")]);
      for await (const chunk of await model.stream("hello", { signal: second.signal })) {
        if (chunk.content === "b ") second.abort(ENOUGH);
      }
    })();
    await expect(reading).rejects.toBe(ENOUGH);
    await until(() => streaming.inFlight === 0);
    expect(streaming.count()).toBe(1);
  });

  test("the reason comes out of the stream itself, not only of what LangChain wraps around it", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "a b c", stop: "hang", stopAfter: 3 }));
    const abort = new AbortController();
    const model = guarded([routeTo(server, "large")]);
    const reading = (async () => {
      for await (const { text } of model._streamResponseChunks([new HumanMessage("hello")], { signal: abort.signal })) {
        if (text === "b ") setImmediate(() => abort.abort(ENOUGH));
      }
    })();
    await expect(reading).rejects.toBe(ENOUGH);
  });

  test("while backing off and while paused", async () => {
    await using server = await OpenAIServer.start((n) =>
      n === 0 ? { status: 429, headers: { "retry-after": "30" } } : { status: 500 },
    );
    const paused = new AbortController();
    const route = routeTo(server, "large");
    const events = new Events();
    const waiting = guarded([route]).invoke("hello", { signal: paused.signal, callbacks: [events] });
    const stopped = expect(waiting).rejects.toBe(ENOUGH);
    await until(() => events.kinds.includes("queued"));
    paused.abort(ENOUGH);
    await stopped;
    const backing = new AbortController();
    const other = guarded([routeTo(server, "other")], { random: () => 0.999 });
    const slow = other.invoke("hello", { signal: backing.signal, callbacks: [events] });
    const ended = expect(slow).rejects.toBe(ENOUGH);
    await until(() => events.kinds.includes("retry"));
    backing.abort(ENOUGH);
    await ended;
    expect(server.count()).toBe(2);
  });
});
