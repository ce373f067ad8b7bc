// Guarded model calls under a budget, over real HTTP: what is held, what is paid, what never leaves, and what a budget
// of time ends. The budget hangs among the callback handlers, as a run's does.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { describe, expect, test } from "vitest";
import { type Budget, openBudget } from "../../capacity/budget.js";
import {
  BUDGET,
  BudgetError,
  type BudgetLimits,
  type BudgetPort,
  memoryCache,
  PriceError,
  type PriceTable,
  systemClock,
} from "../../capacity/index.js";
import { OpenAIServer } from "./openai-server.js";
import { Events, FakeClock, guarded, routeTo, until } from "./support.js";

class Keeper extends BaseCallbackHandler {
  override readonly name = "keeper";
  readonly [BUDGET]: BudgetPort;

  constructor(readonly budget: Budget) {
    super();
    this[BUDGET] = { of: () => budget };
  }
}

const keeping = (limits: BudgetLimits, prices?: PriceTable) =>
  new Keeper(openBudget({ limits, clock: systemClock, ...(prices === undefined ? {} : { prices }) }));

const PRICES: PriceTable = {
  source: "prices.yaml",
  date: "2030-01-01",
  notes: "for a test",
  models: { large: { input: 1_000, output: 10_000 } },
};

describe("a model call", () => {
  test("is paid by what the provider counted", async () => {
    await using server = await OpenAIServer.start();
    const keeper = keeping({ calls: 10, tokens: 100_000, usd: 100 }, PRICES);
    await guarded([routeTo(server, "large")]).invoke("hello", { callbacks: [keeper] });
    expect(keeper.budget.used).toMatchObject({ calls: 1, tokens: 12, usd: 0.057 });
  });

  test("and a streamed one as well, also when nobody reads it to its end", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "one two three" }));
    const keeper = keeping({ calls: 10, tokens: 100_000 });
    const model = guarded([routeTo(server, "large")]);
    for await (const _ of await model.stream("hello", { callbacks: [keeper] }));
    expect(keeper.budget.used).toMatchObject({ calls: 1, tokens: 12 });
    for await (const _ of await model.stream("hello", { callbacks: [keeper] })) break;
    await until(() => keeper.budget.used.calls === 2);
    keeper.budget.hold("the rest", { calls: 8, tokens: 90_000, nanoUsd: 0 });
  });

  test("over the limit does not leave, and has no fallback", async () => {
    await using server = await OpenAIServer.start();
    const keeper = keeping({ calls: 2 });
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    for (const text of ["one", "two"]) await model.invoke(text, { callbacks: [keeper] });
    await expect(model.invoke("three", { callbacks: [keeper] })).rejects.toThrow(BudgetError);
    await expect(async () => {
      for await (const _ of await model.stream("four", { callbacks: [keeper] }));
    }).rejects.toThrow("2 of 2 model calls used");
    expect(server.count()).toBe(2);
  });

  test("one of many at the same time: the limit holds, whoever is first", async () => {
    await using server = await OpenAIServer.start();
    const keeper = keeping({ calls: 5 });
    const model = guarded([routeTo(server, "large")]);
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => model.invoke(`${index}`, { callbacks: [keeper] })),
    );
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect(server.count()).toBe(5);
  });

  test("too long for the tokens that are left does not leave", async () => {
    await using server = await OpenAIServer.start();
    const keeper = keeping({ tokens: 1_000 });
    const model = guarded([routeTo(server, "large")]);
    await expect(model.invoke("x".repeat(4_000), { callbacks: [keeper] })).rejects.toThrow(
      /0 of 1000 tokens used, and the next call needs about 1\d\d\d/,
    );
    await model.invoke("short", { callbacks: [keeper] });
    expect(server.count()).toBe(1);
  });

  test("that fails counts as a call and gives back the tokens it held", async () => {
    await using server = await OpenAIServer.start(() => ({ status: 400 }));
    const keeper = keeping({ calls: 10, tokens: 1_000 });
    const model = guarded([routeTo(server, "large")]);
    for (let time = 0; time < 5; time += 1) {
      await expect(model.invoke("hello", { callbacks: [keeper] })).rejects.not.toThrow(BudgetError);
    }
    expect(keeper.budget.used).toMatchObject({ calls: 5, tokens: 0 });
  });

  test("of a model without a price fails before it leaves, when there is a limit in money", async () => {
    await using server = await OpenAIServer.start();
    const model = guarded([routeTo(server, "large"), routeTo(server, "small")]);
    await expect(model.invoke("hello", { callbacks: [keeping({ usd: 1 }, PRICES)] })).rejects.toThrow(PriceError);
    await model.invoke("hello", { callbacks: [keeping({ calls: 1 }, PRICES)] });
    expect(server.count()).toBe(1);
  });

  test("answered from the cache costs nothing, also when nothing is left", async () => {
    await using server = await OpenAIServer.start();
    const keeper = keeping({ calls: 1 });
    const model = guarded([routeTo(server, "large")], {
      cache: memoryCache({ ttlMs: 60_000, maxEntries: 10, clock: systemClock }),
    });
    const first = await model.invoke("hello", { cacheable: true, callbacks: [keeper] });
    const second = await model.invoke("hello", { cacheable: true, callbacks: [keeper] });
    expect(second.content).toBe(first.content);
    expect(keeper.budget.used).toMatchObject({ calls: 1, tokens: 12 });
  });

  test("warns once, at four fifths, as an event of the call", async () => {
    await using server = await OpenAIServer.start();
    const keeper = keeping({ calls: 5 });
    const events = new Events();
    const model = guarded([routeTo(server, "large")]);
    for (let time = 0; time < 5; time += 1) await model.invoke("hello", { callbacks: [keeper, events] });
    expect(events.all.filter(({ kind }) => kind === "budget")).toEqual([
      { kind: "budget", dimension: "calls", used: 4, limit: 5 },
    ]);
  });

  test("uses the budget of the innermost handler", async () => {
    await using server = await OpenAIServer.start();
    const outer = keeping({ calls: 5 });
    const inner = new Keeper(outer.budget.reserve("reader"));
    await guarded([routeTo(server, "large")]).invoke("hello", { callbacks: [outer, inner] });
    expect(inner.budget.used.calls).toBe(1);
    expect(outer.budget.used.calls).toBe(1);
  });
});

describe("a budget of time", () => {
  test("ends a call that is under way, in time and for good", async () => {
    await using server = await OpenAIServer.start(() => ({ afterMs: 60_000 }));
    const clock = new FakeClock();
    const keeper = new Keeper(openBudget({ limits: { time: 5_000 }, clock }));
    const model = guarded([routeTo(server, "large", { clock }), routeTo(server, "small", { clock })], { clock });
    const ended = expect(model.invoke("hello", { callbacks: [keeper] })).rejects.toThrow("5 s of 5 s used");
    await until(() => server.count() === 1);
    await clock.advance(5_000);
    await ended;
    expect(clock.sleeping).toBe(0);
    await expect(model.invoke("hello", { callbacks: [keeper] })).rejects.toThrow(BudgetError);
    expect(server.count()).toBe(1);
  });

  test("leaves no timer behind a call that was answered", async () => {
    await using server = await OpenAIServer.start();
    const clock = new FakeClock();
    const keeper = new Keeper(openBudget({ limits: { time: 5_000 }, clock }));
    await guarded([routeTo(server, "large", { clock })], { clock }).invoke("hello", { callbacks: [keeper] });
    expect(clock.sleeping).toBe(0);
  });
});
