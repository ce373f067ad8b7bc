// What the guarded model reads from a cache and lets into it.

import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type AnswerCache,
  type KeepingCache,
  memoryCache,
  obtainedOf,
  similarCache,
  trustOfAnswer,
  WITNESS,
} from "../../capacity/index.js";
import { BOTTOM, hmacSeal, sameLabel } from "../../trust/index.js";
import { OpenAIServer, type Reply } from "./openai-server.js";
import { Events, FakeClock, guarded, routeTo, settle, until } from "./support.js";

const tool = (name: string) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: {} } },
});
const calling = (...names: string[]): Reply => ({ toolCalls: names.map((name) => ({ name, args: "{}" })) });

async function world(reply: (n: number) => Reply = () => ({}), wrap = (cache: KeepingCache): AnswerCache => cache) {
  const server = await OpenAIServer.start(reply);
  const clock = new FakeClock();
  const cache = memoryCache({ ttlMs: 60_000, staleMs: 60_000, maxEntries: 100, clock });
  const route = routeTo(server, "large");
  const model = guarded([route], { cache: wrap(cache) });
  return { server, clock, route, model, cache, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("calls of tools", () => {
  test("an answer with them is kept only where all of them are named, and given only to who names them", async () => {
    await using under = await world(() => calling("look", "pay"));
    const { model, server } = under;
    const ask = (tools?: readonly string[] | "all") =>
      model.bindTools([tool("look"), tool("pay")]).invoke("go", { cacheable: tools === undefined ? true : { tools } });
    for (const wish of [undefined, ["look"], []] as const) {
      await ask(wish);
      expect(obtainedOf(await ask(wish))?.cache).toBeUndefined();
    }
    expect(server.count()).toBe(6);
    await ask(["pay", "look"]);
    expect((await ask(["look", "pay", "look"])).tool_calls?.map(({ name }) => name)).toEqual(["look", "pay"]);
    await ask("all");
    await ask("all");
    expect(server.count()).toBe(8);
    expect(obtainedOf(await ask())?.cache).toBeUndefined();
  });

  test("the structured answer is not one of them", async () => {
    await using under = await world(() => ({ toolCalls: [{ name: "extract", args: '{"name":"Ann"}' }] }));
    const { model, server } = under;
    const structured = model.withStructuredOutput(z.object({ name: z.string() }));
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await structured.invoke("who?", { cacheable: true } as object)).toEqual({ name: "Ann" });
    }
    expect(server.count()).toBe(1);
  });
});

test("what a provider is told for its books is not in the key; what it answers by is", async () => {
  await using under = await world();
  const { model, server } = under;
  const ask = (options: object) => model.invoke("hello", { cacheable: true, ...options });
  await ask({ promptCacheKey: "ann", metadata: { run: "1" } });
  await ask({ promptCacheKey: "bob", metadata: { run: "2" } });
  expect(server.count()).toBe(1);
  await ask({ response_format: { type: "json_object" } });
  await ask({ tool_choice: "none", tools: [tool("look")] });
  expect(server.count()).toBe(3);
});

test("an aborted call leaves nothing behind, and its waiters get an answer of their own", async () => {
  await using under = await world((n) => (n === 0 ? { afterMs: 1e6 } : {}));
  const { model, server, cache } = under;
  const leaves = new AbortController();
  const leader = model.invoke("hello", { cacheable: true, signal: leaves.signal });
  const gone = expect(leader).rejects.toThrow();
  await until(() => server.count() === 1);
  const waiter = model.invoke("hello", { cacheable: true });
  await settle();
  expect(server.count()).toBe(1);
  leaves.abort(new Error("left"));
  await gone;
  expect((await waiter).content).toBe("answer 1");
  expect(obtainedOf(await model.invoke("hello", { cacheable: true }))?.cache).toMatchObject({ fresh: true });
  expect(server.count()).toBe(2);
  await cache.close();
});

describe("stale while revalidate", () => {
  test("the stale answer comes at once and says so; the new one is made outside of the run that asked", async () => {
    await using under = await world();
    const { model, server, clock, cache } = under;
    const sent: string[] = [];
    const witness = { [WITNESS]: { sent: async (call: string) => void sent.push(call), received: () => {} } };
    const events = new Events();
    const ask = async (staleWhileRevalidate: boolean) => {
      // As in a graph: the run's configuration is around the call.
      const step = RunnableLambda.from(() => model.invoke("hello", { cacheable: { staleWhileRevalidate } }));
      return step.invoke("", { callbacks: [events, witness as never] });
    };
    await ask(true);
    expect(sent).toHaveLength(1);
    await clock.advance(61_000);
    const stale = await ask(true);
    expect(stale.content).toBe("answer 0");
    expect(trustOfAnswer(stale)).toMatchObject({ currency: 1, fidelity: 3 });
    await until(() => server.count() === 2);
    for (let content = stale.content; content !== "answer 1"; content = (await ask(true)).content) await settle();
    expect(server.count()).toBe(2);
    expect(sent).toHaveLength(1);
    expect(events.kinds.every((kind) => kind === "cache-hit")).toBe(true);
    await clock.advance(61_000);
    expect((await ask(false)).content).toBe("answer 2");
    await cache.close();
  });

  test("a refresh that fails is told to the next call of anybody", async () => {
    await using under = await world((n) => (n === 0 ? {} : { status: 400 }));
    const { model, server, clock } = under;
    const events = new Events();
    const ask = () => model.invoke("hello", { cacheable: { staleWhileRevalidate: true }, callbacks: [events] });
    await ask();
    await clock.advance(61_000);
    await ask();
    await until(() => server.count() === 2);
    for (; !events.kinds.includes("cache"); await ask()) await settle();
    expect(events.all.find(({ kind }) => kind === "cache")).toMatchObject({ state: "refresh-failed" });
    expect(server.count()).toBe(2);
  });
});

describe("similar questions", () => {
  const Q = "How do I reset my password?";
  const LIKE = "What is the way to reset my password?";
  const similar = (cache: KeepingCache) =>
    similarCache({ cache, embed: async (texts) => texts.map(() => [1, 0]), clock: new FakeClock() });

  test("an answer to one has a fidelity of 1, and the record says how similar it was and to what", async () => {
    await using under = await world(() => ({}), similar);
    const { model, server } = under;
    await model.invoke(Q, { cacheable: { similar: true } });
    const events = new Events();
    const answer = await model.invoke(LIKE, { cacheable: { similar: true }, callbacks: [events] });
    expect(server.count()).toBe(1);
    const { cache } = obtainedOf(answer) ?? {};
    expect(cache).toEqual({
      ageMs: 0,
      fresh: true,
      similar: { score: 1, matched: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(events.all).toEqual([
      { kind: "cache-hit", route: "large", ageMs: 0, fresh: true, score: 1, matched: cache?.similar?.matched },
    ]);
    expect(trustOfAnswer(answer)).toMatchObject({ integrity: 3, fidelity: 1, currency: 2, certainty: 3 });
    const reasons = trustOfAnswer(answer).causes?.map(({ reason }) => reason);
    expect(reasons).toContain(`cached answer to a similar question (1.000, ${cache?.similar?.matched.slice(0, 12)})`);
    // An equal call of its own is nothing of the kind.
    expect(trustOfAnswer(await model.invoke(Q, { cacheable: { similar: true } }))).toMatchObject({ fidelity: 3 });
    expect(JSON.stringify(obtainedOf(answer))).not.toContain("password");
  });

  test("only for who asked, with the same tenant, system prompt, history, tools, parameters and model", async () => {
    await using under = await world(() => ({}), similar);
    const { model, server, route } = under;
    const wish = { cacheable: { similar: true } } as const;
    await model.invoke([new SystemMessage("You are kind."), new HumanMessage(Q)], wish);
    const like = [new SystemMessage("You are kind."), new HumanMessage(LIKE)];
    await model.invoke(like, { cacheable: true });
    await model.invoke(like, { ...wish, tenant: "other" });
    await model.invoke([new SystemMessage("You are rude."), new HumanMessage(LIKE)], wish);
    await model.invoke([...like.slice(0, 1), new HumanMessage("Hi"), ...like.slice(1)], wish);
    await model.bindTools([tool("look")]).invoke(like, wish);
    await model.invoke(like, { ...wish, stop: ["."] });
    await model.invoke([like[0] as SystemMessage, new HumanMessage({ content: [{ type: "text", text: LIKE }] })], wish);
    await model.invoke([like[0] as SystemMessage, new HumanMessage(`${LIKE}${" ".repeat(400)}`)], wish);
    expect(server.count()).toBe(9);
    expect(route.name).toBe("large");
    const now = [new SystemMessage("You are kind."), new HumanMessage("Please, what is the way to reset my password?")];
    expect(obtainedOf(await model.invoke(now, wish))?.cache?.similar).toBeDefined();
    expect(server.count()).toBe(9);
  });

  test("an answer that calls tools is never one to another question", async () => {
    await using under = await world(() => calling("look"), similar);
    const { model, server } = under;
    const wish = { cacheable: { similar: true, tools: "all" } } as const;
    for (const text of [Q, LIKE, Q, LIKE]) await model.invoke(text, wish);
    expect(server.count()).toBe(2);
  });

  test("a cache cannot pass another answer off as a similar one where none was asked for", async () => {
    let last: { key: string; answer: Awaited<ReturnType<Parameters<AnswerCache["read"]>[1]["produce"]>> } | undefined;
    const lying: AnswerCache = {
      async read(key, { produce }) {
        if (last?.answer !== undefined) {
          return { answer: last.answer, ageMs: 0, fresh: true, similar: { score: 1, key: last.key } };
        }
        last = { key, answer: await produce() };
        return undefined;
      },
    };
    await using server = await OpenAIServer.start();
    const model = guarded([routeTo(server, "large")], { cache: lying, seal: hmacSeal(Buffer.from("key")) });
    await model.invoke(Q, { cacheable: true });
    expect(sameLabel(trustOfAnswer(await model.invoke(LIKE, { cacheable: true })), BOTTOM)).toBe(true);
    expect(trustOfAnswer(await model.invoke(LIKE, { cacheable: { similar: true } }))).toMatchObject({ fidelity: 1 });
  });
});
