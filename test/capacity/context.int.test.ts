// What callers see of a call while it waits, and in whose name it waits.

import { AsyncLocalStorage } from "node:async_hooks";
import { HumanMessage } from "@langchain/core/messages";
import { END, MemorySaver, MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { type CapacityEvent, obtainedOf, QuotaPool, systemClock } from "../../capacity/index.js";
import { OpenAIServer } from "./openai-server.js";
import { Events, FakeClock, guarded, routeTo, until, WIDE } from "./support.js";

const NARROW = { ...WIDE, inFlight: 1 };

describe("events and context", () => {
  test("a handler on the graph hears of a wait while it lasts", async () => {
    await using server = await OpenAIServer.start();
    const route = routeTo(server, "large");
    const model = guarded([route]);
    const graph = new StateGraph(new StateSchema({ messages: MessagesValue }))
      .addNode("model", async ({ messages }) => {
        route.pool.pause(600);
        return { messages: [await model.invoke(messages)] };
      })
      .addEdge(START, "model")
      .addEdge("model", END)
      .compile();
    const events = new Events();
    let answered = false;
    const run = graph.invoke({ messages: [new HumanMessage("hello")] }, { callbacks: [events] });
    void run.then(() => {
      answered = true;
    });
    await until(() => events.all.length > 0);
    expect(answered).toBe(false);
    const [event] = events.all as [Extract<CapacityEvent, { kind: "queued" }>];
    expect(event).toMatchObject({ kind: "queued", route: "large", reason: "pause" });
    expect(event.waitMs).toBeGreaterThan(250);
    const { messages } = await run;
    const obtained = obtainedOf(messages.at(-1) as (typeof messages)[number]);
    expect(obtained?.queueMs).toBeGreaterThan(250);
    expect(obtained).toMatchObject({ attempts: 1 });
  });

  test("a handler hears of it too where LangChain passes the model no run manager", async () => {
    await using server = await OpenAIServer.start((n) => (n === 0 ? { status: 500 } : {}));
    const model = guarded([routeTo(server, "large")]);
    const graph = new StateGraph(new StateSchema({ messages: MessagesValue }))
      .addNode("model", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addEdge(START, "model")
      .addEdge("model", END)
      .compile();
    const events = new Events();
    const run = await graph.streamEvents(
      { messages: [new HumanMessage("hello")] },
      { version: "v3", callbacks: [events] },
    );
    const { messages } = (await run.output) as { messages: HumanMessage[] };
    expect(events.kinds).toEqual(["retry"]);
    expect(obtainedOf(messages.at(-1) as HumanMessage)).toMatchObject({ attempts: 2 });
  });

  test("runs of different threads share the quota in turn", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 5 }));
    const model = guarded([routeTo(server, "large", { quota: NARROW })]);
    const graph = new StateGraph(new StateSchema({ messages: MessagesValue }))
      .addNode("model", async ({ messages }) => {
        const text = String(messages.at(-1)?.content);
        const calls = text === "bulk" ? 8 : 1;
        await Promise.all(Array.from({ length: calls }, () => model.invoke(text)));
        return {};
      })
      .addEdge(START, "model")
      .addEdge("model", END)
      .compile({ checkpointer: new MemorySaver() });
    const run = (thread: string, text: string) =>
      graph.invoke({ messages: [new HumanMessage(text)] }, { configurable: { thread_id: thread } });
    const bulk = run("t1", "bulk");
    await until(() => server.count() >= 1);
    await Promise.all([run("t2", "single"), bulk]);
    const order = server.seen.map(({ body }) => (body["messages"] as { content: string }[])[0]?.content);
    expect(order).toHaveLength(9);
    expect(order.indexOf("single")).toBeLessThanOrEqual(4);
  });

  test("each request runs in the async context of its caller", async () => {
    await using server = await OpenAIServer.start();
    const context = new AsyncLocalStorage<number>();
    const seen: (number | undefined)[] = [];
    const gate = new QuotaPool({ name: "large", quota: WIDE }).gate(async (input, init) => {
      seen.push(context.getStore());
      return fetch(input, init);
    });
    const body = JSON.stringify({ model: "large", messages: [] });
    const ids = [0, 1, 2, 3, 4, 5];
    const after = ids.map((id) =>
      context.run(id, async () => {
        const response = await gate(server.url, { method: "POST", body });
        await response.json();
        return context.getStore();
      }),
    );
    expect(await Promise.all(after)).toEqual(ids);
    expect(seen.sort()).toEqual(ids);
  });

  test("a token quota is charged by estimate and corrected by what was used", async () => {
    await using server = await OpenAIServer.start();
    // On a clock that stands still nothing is paid off: sixty estimates of some 280 tokens would pass the burst of 12,000.
    const route = routeTo(server, "large", { quota: { ...WIDE, tokensPerMinute: 60_000 }, clock: new FakeClock() });
    const model = guarded([route]);
    for (let n = 0; n < 60; n += 1) await model.invoke("hello");
    expect(server.count()).toBe(60);
  });

  test("what is too long for the model is not charged: the others need not wait for its tokens", async () => {
    await using server = await OpenAIServer.start((n) => (n < 20 ? { status: 413 } : {}));
    const route = routeTo(server, "large", { quota: { ...WIDE, tokensPerMinute: 60_000 }, clock: new FakeClock() });
    const model = guarded([route]);
    const long = "word ".repeat(4_000);
    for (let n = 0; n < 20; n += 1) await expect(model.invoke(long)).rejects.toMatchObject({ code: "CONTEXT_LENGTH" });
    await model.invoke("hello");
    expect(server.count()).toBe(21);
  });

  test("one signal for a whole fan-out causes no listener warning", async () => {
    await using server = await OpenAIServer.start();
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", listen);
    const model = guarded([routeTo(server, "large")]);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 30 }, () => model.invoke("hello", { signal })));
    await systemClock.sleep(5);
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });
});
