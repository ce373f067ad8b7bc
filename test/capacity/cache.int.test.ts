import { describe, expect, test } from "vitest";
import { type AnswerCache, type KeptAnswer, memoryCache, obtainedOf, trustOfAnswer } from "../../capacity/index.js";
import { BOTTOM, hmacSeal, sameLabel } from "../../trust/index.js";
import { OpenAIServer } from "./openai-server.js";
import { Events, FakeClock, guarded, routeTo } from "./support.js";

const answer = (text: string) => async () => ({ text });

describe("memoryCache", () => {
  test("knows the age of what it keeps: fresh, stale only where that will do, gone", async () => {
    const clock = new FakeClock();
    const cache = memoryCache({ ttlMs: 1000, staleMs: 500, maxEntries: 2, clock });
    expect(await cache.read("a", { produce: answer("1"), acceptStale: false })).toBeUndefined();
    await clock.advance(1000);
    const never = async (): Promise<never> => Promise.reject(new Error("produced"));
    const fresh = { answer: { text: "1" }, ageMs: 1000, fresh: true };
    expect(await cache.read("a", { produce: never, acceptStale: false })).toEqual(fresh);
    await clock.advance(500);
    await expect(cache.read("a", { produce: never, acceptStale: false })).rejects.toThrow("produced");
    const stale = { answer: { text: "1" }, ageMs: 1500, fresh: false };
    expect(await cache.read("a", { produce: never, acceptStale: true })).toEqual(stale);
    await clock.advance(1);
    await expect(cache.read("a", { produce: never, acceptStale: true })).rejects.toThrow("produced");
  });

  test("drops the oldest, and no reader can change what the next one gets", async () => {
    const cache = memoryCache({ ttlMs: 1000, maxEntries: 2, clock: new FakeClock() });
    for (const key of ["a", "b", "c"]) await cache.read(key, { produce: answer(key), acceptStale: false });
    expect(await cache.read("a", { produce: answer("again"), acceptStale: false })).toBeUndefined();
    const hit = await cache.read("c", { produce: answer("x"), acceptStale: false });
    (hit?.answer as { text: string }).text = "changed";
    expect((await cache.read("c", { produce: answer("x"), acceptStale: false }))?.answer).toEqual({ text: "c" });
  });

  test("equal calls at one time are one; when the leader fails each makes its own; a waiter can leave", async () => {
    const cache = memoryCache({ ttlMs: 1000, maxEntries: 9, clock: new FakeClock() });
    let produced = 0;
    let fail = true;
    const produce = async () => {
      produced += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (fail && produced === 1) throw new Error("leader");
      return { text: "x" };
    };
    const read = (signal?: AbortSignal) =>
      cache.read("k", { produce, acceptStale: false, ...(signal === undefined ? {} : { signal }) });
    const leave = new AbortController();
    const all = Promise.allSettled([read(), read(), read(), read(leave.signal)]);
    leave.abort(new Error("left"));
    const results = await all;
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "rejected"]);
    expect(produced).toBe(3);
    fail = false;
    produced = 0;
    const hits = await Promise.all(
      Array.from({ length: 10 }, () => cache.read("other", { produce, acceptStale: false })),
    );
    expect(produced).toBe(1);
    expect(hits.filter((hit) => hit?.fresh)).toHaveLength(9);
  });
});

describe("a model with a cache", () => {
  const cached = (clock: FakeClock) => memoryCache({ ttlMs: 60_000, staleMs: 600_000, maxEntries: 100, clock });

  test("ten equal calls are one request; a hit costs nothing and says its age", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 20 }));
    const clock = new FakeClock();
    const model = guarded([routeTo(server, "large")], { cache: cached(clock) });
    const answers = await Promise.all(Array.from({ length: 10 }, () => model.invoke("hello", { cacheable: true })));
    expect(server.count()).toBe(1);
    expect(new Set(answers.map(({ content }) => content))).toEqual(new Set(["answer 0"]));
    // A hit is a new message: in a graph's state it must not replace the first one.
    expect(answers.slice(1).every(({ id }) => id !== answers[0]?.id)).toBe(true);
    await clock.advance(30_000);
    const events = new Events();
    const hit = await model.invoke("hello", { cacheable: true, callbacks: [events] });
    expect(events.all).toEqual([{ kind: "cache-hit", route: "large", ageMs: 30_000, fresh: true }]);
    expect(obtainedOf(hit)).toMatchObject({
      attempts: 0,
      cache: { ageMs: 30_000, fresh: true },
      returnedModel: "large",
    });
    expect(obtainedOf(hit)?.requestId).toBeUndefined();
    expect(hit.usage_metadata).toMatchObject({ total_tokens: 0 });
    expect(trustOfAnswer(hit)).toMatchObject({ fidelity: 3, certainty: 3, currency: 2 });
    expect(server.count()).toBe(1);
  });

  test("what an answer depends on is in the key, and only cacheable calls use it", async () => {
    await using server = await OpenAIServer.start();
    const cache = cached(new FakeClock());
    const model = guarded([routeTo(server, "large")], { cache });
    const tool = { type: "function", function: { name: "x", parameters: { type: "object", properties: {} } } };
    await model.invoke("hello", { cacheable: true });
    await model.invoke("hello", { cacheable: true, tenant: "other" });
    await model.invoke("goodbye", { cacheable: true });
    await model.invoke("hello", { cacheable: true, stop: ["."] });
    await model.bindTools([tool]).invoke("hello", { cacheable: true });
    await model.invoke("hello");
    expect(server.count()).toBe(6);
    await guarded([routeTo(server, "small")], { cache }).invoke("hello", { cacheable: true });
    expect(server.count()).toBe(7);
    await guarded([routeTo(server, "large")], { cache }).invoke("hello", { cacheable: true });
    expect(server.count()).toBe(7);
  });

  test("degraded answers and errors are not kept", async () => {
    await using server = await OpenAIServer.start(
      (n) => [{ finishReason: "length" }, { status: 500 }, {}, { status: 400 }, {}][n] ?? {},
    );
    const model = guarded([routeTo(server, "large")], { cache: cached(new FakeClock()) });
    expect(trustOfAnswer(await model.invoke("hello", { cacheable: true }))).toMatchObject({ fidelity: 2 });
    expect(trustOfAnswer(await model.invoke("hello", { cacheable: true }))).toMatchObject({ certainty: 2 });
    await expect(model.invoke("hello", { cacheable: true })).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await model.invoke("hello", { cacheable: true });
    expect(server.count()).toBe(5);
    await model.invoke("hello", { cacheable: true });
    expect(server.count()).toBe(5);
  });

  test("beyond its age an answer is used only while the primary cannot answer, and is stale", async () => {
    await using server = await OpenAIServer.start();
    const clock = new FakeClock();
    const route = routeTo(server, "large");
    const model = guarded([route], { cache: cached(clock) });
    await model.invoke("hello", { cacheable: true });
    await clock.advance(61_000);
    route.pool.pause(30_000);
    const stale = await model.invoke("hello", { cacheable: true });
    expect(trustOfAnswer(stale)).toMatchObject({ currency: 1, fidelity: 3 });
    expect(trustOfAnswer(stale).causes).toMatchObject([{ axis: "currency", reason: "stale cached answer, 61 s old" }]);
    expect(server.count()).toBe(1);
  });

  test("an answer that the cache was given by somebody else is at the bottom, and so is one that was changed", async () => {
    await using server = await OpenAIServer.start();
    let kept: KeptAnswer | undefined;
    let forge = (answer: KeptAnswer): KeptAnswer => answer;
    const cache: AnswerCache = {
      async read(_, { produce }) {
        if (kept !== undefined) return { answer: forge(kept), ageMs: 0, fresh: true };
        kept = await produce();
        return undefined;
      },
    };
    const options = { cache, seal: hmacSeal(Buffer.from("the key of these tests")) };
    const model = guarded([routeTo(server, "large")], options);
    const ask = async (of = model, text = "hello") => of.invoke(text, { cacheable: true });
    await ask();
    expect(trustOfAnswer(await ask())).toMatchObject({ integrity: 3, currency: 2 });
    expect(trustOfAnswer(await ask(guarded([routeTo(server, "large")], options)))).toMatchObject({ currency: 2 });

    const forgeries: ((answer: KeptAnswer) => KeptAnswer)[] = [
      ({ stored }) => ({ stored }),
      (answer) => ({ ...answer, seal: "0".repeat(64) }),
      (answer) => ({ ...answer, stored: String(answer["stored"]).replace("answer 0", "pay Mallory") }),
    ];
    for (forge of forgeries) {
      const answer = await ask();
      expect(sameLabel(trustOfAnswer(answer), BOTTOM)).toBe(true);
      expect(trustOfAnswer(answer).causes?.[0]?.reason).toBe("cached answer that was not sealed with this key");
    }
    forge = (answer) => answer;
    expect(sameLabel(trustOfAnswer(await ask(model, "another question")), BOTTOM)).toBe(true);
    expect(sameLabel(trustOfAnswer(await ask(guarded([routeTo(server, "large")], { cache }))), BOTTOM)).toBe(true);
    for (const stored of [undefined, "not JSON", '{"type":"ai","data":{"content":"no origin"}}']) {
      forge = () => ({ stored });
      await expect(ask()).rejects.toThrow("the answer cache returned no answer");
    }
    expect(server.count()).toBe(1);
  });

  test("a cacheable stream comes as one chunk, tool calls included", async () => {
    await using server = await OpenAIServer.start(() => ({ toolCalls: [{ name: "add", args: '{"a": 1}' }] }));
    const model = guarded([routeTo(server, "large")], { cache: cached(new FakeClock()) });
    for (const expected of [undefined, { fresh: true }]) {
      const chunks = [];
      for await (const chunk of await model.stream("hello", { cacheable: { tools: ["add"] } })) chunks.push(chunk);
      expect(chunks).toHaveLength(1);
      expect(chunks[0]?.tool_calls).toMatchObject([{ name: "add", args: { a: 1 } }]);
      expect(obtainedOf(chunks[0] as (typeof chunks)[number])?.cache).toEqual(expected && { ageMs: 0, ...expected });
    }
    expect(server.count()).toBe(1);
  });
});
