// Limits as they are written, what the ledger refuses and says, and the price table.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openBudget } from "../../capacity/budget.js";
import {
  BudgetError,
  type BudgetLimits,
  CapacityError,
  costOf,
  DEFAULT_PRICES,
  describeBudget,
  PriceError,
  parseBudget,
  priceOf,
  readPrices,
  writeBudget,
} from "../../capacity/index.js";
import { FakeClock } from "./support.js";

const call = (tokens: number, usd = 0) => ({ calls: 1, tokens, nanoUsd: Math.round(usd * 1e9) });

describe("limits", () => {
  test("as a person writes them", () => {
    expect(parseBudget("calls=50,tokens=200000,usd=1.50,time=10m")).toEqual({
      calls: 50,
      tokens: 200_000,
      usd: 1.5,
      time: 600_000,
    });
    expect(parseBudget(" time = 90s ")).toEqual({ time: 90_000 });
    expect(parseBudget("time=2h").time).toBe(7_200_000);
  });

  test.for(["", "calls", "calls=", "calls=-1", "calls=0", "calls=1.5", "usd=free", "time=10", "time=1d", "steps=3"])(
    "%j is refused, and the message shows the form",
    (text) => {
      expect(() => parseBudget(text)).toThrow(/is no limit: write limits such as calls=50/);
    },
  );

  test("a limit that is stated twice is refused", () => {
    expect(() => parseBudget("calls=5,calls=50")).toThrow("calls is stated twice: state it once");
  });

  test("what is written is read back", () => {
    const limits: fc.Arbitrary<BudgetLimits> = fc.record(
      {
        calls: fc.integer({ min: 1, max: 1e9 }),
        tokens: fc.integer({ min: 1, max: 1e9 }),
        usd: fc.integer({ min: 1, max: 1e8 }).map((cents) => cents / 100),
        time: fc.integer({ min: 1, max: 1e9 }),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<BudgetLimits>;
    fc.assert(
      fc.property(limits, (given) => {
        fc.pre(Object.keys(given).length > 0);
        expect(parseBudget(writeBudget(given))).toEqual(given);
      }),
    );
  });

  test("for a report", () => {
    const used = { calls: 12, tokens: 3400, usd: 0.1234, time: 61_000 };
    expect(describeBudget(used, { calls: 50, usd: 1.5, time: 600_000 })).toBe(
      "12 of 50 model calls, $0.1234 of $1.50, 61 s of 10 min",
    );
  });
});

describe("a budget", () => {
  const clock = new FakeClock();

  test("stops at its limit with an error that says what, how much, and what to do", () => {
    const budget = openBudget({ limits: { calls: 2 }, clock });
    for (const id of ["1", "2"]) {
      budget.hold(id, call(10));
      budget.pay(id, call(10));
    }
    expect(() => budget.hold("3", call(10))).toThrow(
      "the budget of this run is spent: 2 of 2 model calls used. Everything so far is kept; resume it with more (--budget calls=…, or BULKHEAD_BUDGET).",
    );
    try {
      budget.hold("3", call(10));
    } catch (error) {
      expect(CapacityError.isInstance(error) && BudgetError.isInstance(error)).toBe(true);
      expect(error).toMatchObject({
        code: "BUDGET_SPENT",
        spent: { dimension: "calls", used: 2, held: 0, needed: 1, limit: 2 },
      });
    }
  });

  test("what is held counts before it is paid, and the error says so", () => {
    const budget = openBudget({ limits: { tokens: 100 }, clock });
    budget.hold("1", call(60));
    expect(() => budget.hold("2", call(60))).toThrow(
      "0 of 100 tokens used, 60 reserved for calls and subagents under way, and the next call needs about 60",
    );
    budget.pay("1", call(30));
    budget.hold("2", call(60));
  });

  test("an answer that took more than was held is paid in full, and stops what comes next", () => {
    const budget = openBudget({ limits: { tokens: 100 }, clock });
    budget.hold("1", call(50));
    budget.pay("1", call(130));
    expect(budget.used.tokens).toBe(130);
    expect(() => budget.hold("2", call(1))).toThrow("130 of 100 tokens used");
  });

  test("money is exact: ten thousand times a tenth of a cent is ten dollars, and not a cent more", () => {
    const budget = openBudget({ limits: { usd: 10 }, clock, prices: DEFAULT_PRICES });
    for (let id = 0; id < 10_000; id += 1) {
      budget.hold(`${id}`, call(1, 0.001));
      budget.pay(`${id}`, call(1, 0.001));
    }
    expect(budget.used.usd).toBe(10);
    expect(() => budget.hold("one more", call(1, 0.000_000_001))).toThrow("$10.00 of $10.00 used");
  });

  test("its time is over for calls and for subagents, and goes on with what is left after a resume", async () => {
    const used = { calls: 0, tokens: 0, usd: 0, time: 7_000 };
    const budget = openBudget({ limits: { time: 10_000 }, clock, used });
    budget.hold("1", call(1));
    await clock.advance(2_999);
    expect(budget.timeLeft).toBe(1);
    budget.hold("2", call(1));
    await clock.advance(1);
    expect(() => budget.hold("3", call(1))).toThrow("10 s of 10 s used");
    expect(() => budget.reserve("reader")).toThrow(BudgetError);
  });

  test("what was used before counts", () => {
    const used = { calls: 2, tokens: 0, usd: 0, time: 0 };
    const budget = openBudget({ limits: { calls: 3 }, clock, used });
    budget.hold("3", call(1));
    expect(() => budget.hold("4", call(1))).toThrow("2 of 3 model calls used, 1 reserved");
  });

  test("warns of each limit once, at four fifths", () => {
    const budget = openBudget({ limits: { calls: 5, tokens: 1_000 }, clock });
    const warned = [];
    for (let id = 1; id <= 5; id += 1) {
      budget.hold(`${id}`, call(10));
      budget.pay(`${id}`, call(10));
      warned.push(budget.warnings());
    }
    expect(warned).toEqual([[], [], [], [{ dimension: "calls", used: 4, limit: 5 }], []]);
  });

  test("a warning of before is not repeated, unless the limit is another one", () => {
    const used = { calls: 4, tokens: 0, usd: 0, time: 0 };
    expect(openBudget({ limits: { calls: 5 }, clock, used, warned: ["calls 5"] }).warnings()).toEqual([]);
    expect(openBudget({ limits: { calls: 5 }, clock, used, warned: ["calls 4"] }).warnings()).toHaveLength(1);
  });
});

describe("a subagent's part", () => {
  const clock = new FakeClock();

  test("equal shares, one of them for whoever delegates", () => {
    const budget = openBudget({ limits: { calls: 12 }, clock });
    const [first, second] = [budget.reserve("a", ["a", "b"]), budget.reserve("b", ["a", "b"])];
    for (let id = 1; id <= 4; id += 1) budget.hold(`${id}`, call(1));
    expect(() => budget.hold("5", call(1))).toThrow("12 reserved for calls and subagents under way");
    for (let id = 1; id <= 4; id += 1) {
      first?.hold(`a${id}`, call(1));
      second?.hold(`b${id}`, call(1));
    }
    expect(() => first?.hold("a5", call(1))).toThrow(BudgetError);
  });

  test("may go beyond its share where there is room, and gives back what it did not use", () => {
    const budget = openBudget({ limits: { calls: 6 }, clock });
    const part = budget.reserve("a", ["a", "b"]);
    for (let id = 1; id <= 5; id += 1) part.hold(`${id}`, call(1));
    for (let id = 1; id <= 5; id += 1) part.pay(`${id}`, { ...call(1), calls: id === 1 ? 1 : 0 });
    part.release();
    for (let id = 1; id <= 5; id += 1) budget.hold(`${id}`, call(1));
    expect(() => budget.hold("6", call(1))).toThrow(BudgetError);
  });

  test("does not go on with its share when somebody else has used the whole budget up", () => {
    const budget = openBudget({ limits: { tokens: 100 }, clock });
    const part = budget.reserve("a");
    budget.hold("1", call(40));
    budget.pay("1", call(90));
    expect(() => part.hold("2", call(20))).toThrow("90 of 100 tokens used");
    part.hold("3", call(10));
  });

  test("is refused when there is nothing left, before anything is started", () => {
    const budget = openBudget({ limits: { calls: 1 }, clock });
    budget.hold("1", call(1));
    expect(() => budget.reserve("a")).toThrow(BudgetError);
  });
});

describe("prices", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bulkhead-prices-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test("cached tokens have a price of their own, and every call is rounded up", () => {
    const price = { input: 2, cachedInput: 0.5, output: 8 };
    expect(costOf(price, { inputTokens: 1_000, outputTokens: 100 })).toBe(2_800_000);
    expect(costOf(price, { inputTokens: 1_000, outputTokens: 100, cachedTokens: 600 })).toBe(1_900_000);
    expect(costOf({ input: 2, output: 8 }, { inputTokens: 1_000, outputTokens: 0, cachedTokens: 600 })).toBe(2_000_000);
    expect(costOf({ input: 0.0375, output: 0 }, { inputTokens: 1, outputTokens: 0 })).toBe(38);
    expect(costOf({ input: 0.1, output: 0.2 }, { inputTokens: 10, outputTokens: 10 })).toBe(3_000);
  });

  test("a table is read from YAML and JSON, with its date and where it is from", () => {
    const yaml = file("prices.yaml", "date: 2030-01-31\nnotes: the invoice\nmodels:\n  m: { input: 1, output: 2 }\n");
    expect(readPrices(yaml)).toEqual({
      source: yaml,
      date: "2030-01-31",
      notes: "the invoice",
      models: { m: { input: 1, output: 2 } },
    });
    file("p.json", JSON.stringify({ date: "2030-01-31", notes: "x", models: {} }));
    expect(readPrices("p.json", { cwd: folder }).models).toEqual({});
  });

  test.for([
    ["date: 2030-01-31\nnotes: x\nmodels: { m: { input: 1 } }", /models\.m\.output/],
    ["date: 2030-01-31\nnotes: x\nmodels: { m: { input: -1, output: 1 } }", /models\.m\.input/],
    ["date: 2030-01-31\nnotes: x\nmodels: { m: { input: 1, output: 1, cached: 1 } }", /cached/],
    ["date: yesterday\nnotes: x\nmodels: {}", /date/],
    ["notes: x\nmodels: {}", /date/],
    ["{", /neither JSON nor YAML/],
  ] as const)("a table like %j is refused by file and field", ([text, why]) => {
    const path = file("bad.yaml", text);
    expect(() => readPrices(path)).toThrow(why);
    expect(() => readPrices(path)).toThrow(path);
  });

  test("the page's example is a table", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/budgets.md"), "utf8");
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    const { models } = readPrices(file("page.yaml", yaml));
    expect(models).toEqual({
      "example-large": DEFAULT_PRICES.models["example-large"],
      "example-small": DEFAULT_PRICES.models["example-small"],
    });
  });

  test("a file that is not there", () => {
    expect(() => readPrices(join(folder, "no.yaml"))).toThrow(/cannot be read \(ENOENT\): correct the path/);
  });

  test("a model without a price is an error that names it, the table, and the fix", () => {
    expect(() => priceOf(DEFAULT_PRICES, "some-model")).toThrow(
      "a budget in usd needs the price of some-model, and the built-in price table has none: write a table that has it and set BULKHEAD_PRICES to its path (docs/budgets.md), or leave usd out of the budget.",
    );
    const own = { ...DEFAULT_PRICES, source: "/prices.yaml" };
    expect(() => priceOf(own, "constructor")).toThrow(
      /the price of constructor, and \/prices.yaml has none: add it there/,
    );
    expect(() => priceOf(own, "x")).toThrow(PriceError);
  });

  test("the built-in table has no real prices: offline models at nothing, and examples that do not exist", () => {
    expect(Object.keys(DEFAULT_PRICES.models).filter((name) => !/^(offline|example)-/.test(name))).toEqual([]);
    for (const name of ["offline-large", "offline-small"]) {
      expect(costOf(priceOf(DEFAULT_PRICES, name), { inputTokens: 1e6, outputTokens: 1e6 })).toBe(0);
    }
  });
});
