import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue, type Queued } from "../../capacity/fair-queue.js";

interface Item extends Queued {
  readonly name: string;
}

const item = (name: string, change: Partial<Item> = {}): Item => ({
  ...{ name, key: name[0] as string, priority: "interactive", cost: 0, since: 0, returned: false },
  ...change,
});

/** Everything in the order it is served. What is peeked is what comes. */
function served(queue: FairQueue<Item>, now = 0): string[] {
  const order: string[] = [];
  for (let next = queue.peek(now); next !== undefined; next = queue.peek(now)) {
    expect(queue.shift(now)).toBe(next);
    order.push(next.name);
  }
  return order;
}

function queueOf(...items: readonly Item[]): FairQueue<Item> {
  const queue = new FairQueue<Item>();
  for (const each of items) queue.push(each);
  return queue;
}

describe("the queue", () => {
  test("serves runs in turn, returned items first, and forgets what was removed", () => {
    const [b1, b2] = [item("b1"), item("b2")];
    const queue = queueOf(item("a1"), item("a2"), item("a3"), b1, b2, item("a0", { returned: true }));
    expect(queue.remove(b1)).toBe(true);
    expect(queue.remove(b1)).toBe(false);
    expect(queue.remove(item("c"))).toBe(false);
    expect(queue.size).toBe(5);
    expect(served(queue)).toEqual(["a0", "b2", "a1", "a2", "a3"]);
    expect(queue.shift(0)).toBeUndefined();
    expect([queue.size, queue.cost]).toEqual([0, 0]);
  });

  test("interactive work goes before batch work, until that has waited long: then they take turns", () => {
    const batch = ["x1", "x2", "x3"].map((name) => item(name, { priority: "batch" }));
    const interactive = [item("a1"), item("b1"), item("c1")];
    expect(served(queueOf(...batch, ...interactive), 1000)).toEqual(["a1", "b1", "c1", "x1", "x2", "x3"]);
    expect(served(queueOf(...batch, ...interactive), 31_000)).toEqual(["a1", "x1", "b1", "x2", "c1", "x3"]);
  });

  test("says how many go before one that comes now, and which batch item came last", () => {
    const bulk = Array.from({ length: 9 }, (_, n) => item(`a${n}`));
    const queue = queueOf(...bulk, item("b0"));
    expect(queue.ahead({ key: "c", priority: "interactive" })).toBe(2);
    expect(queue.ahead({ key: "b", priority: "interactive" })).toBe(4);
    expect(queue.ahead({ key: "a", priority: "interactive" })).toBe(10);
    expect(queue.ahead({ key: "c", priority: "batch" })).toBe(10);
    expect(queue.lastOfBatch()).toBeUndefined();
    const [x1, x2] = [item("x1", { priority: "batch" }), item("x2", { priority: "batch" })];
    queue.push(x1);
    queue.push(x2);
    expect(queue.lastOfBatch()).toBe(x2);
    queue.remove(x2);
    expect(queue.lastOfBatch()).toBe(x1);
  });

  test("a call larger than every turn is served, and soon", () => {
    const queue = queueOf(item("a1", { cost: 1_000_000 }), item("b1", { cost: 900_000 }), item("b2", { cost: 10 }));
    expect(served(queue)).toEqual(["b1", "b2", "a1"]);
  });

  test("nothing is lost, nothing comes twice, a run's calls come in their order", () => {
    const anyItem = fc.record({
      key: fc.constantFrom("a", "b", "c", "d"),
      priority: fc.constantFrom("interactive" as const, "batch" as const),
      cost: fc.integer({ min: 0, max: 9000 }),
    });
    const commands = fc.array(fc.oneof(anyItem, fc.constant("shift" as const), fc.nat({ max: 30 })));
    fc.assert(
      fc.property(commands, (commands) => {
        const queue = new FairQueue<Item>();
        const waiting: Item[] = [];
        const leave = (one: Item | undefined) => one !== undefined && waiting.splice(waiting.indexOf(one), 1);
        for (const [index, command] of commands.entries()) {
          if (command === "shift") {
            const next = queue.shift(0);
            expect(next === undefined).toBe(waiting.length === 0);
            const earlier = waiting.find((each) => each.key === next?.key && each.priority === next.priority);
            expect(next).toBe(earlier);
            leave(next);
          } else if (typeof command === "number") {
            const one = waiting[command];
            if (one !== undefined) expect(queue.remove(one)).toBe(true);
            leave(one);
          } else {
            waiting.push(item(`${index}`, command));
            queue.push(waiting.at(-1) as Item);
          }
          expect(queue.size).toBe(waiting.length);
          expect(queue.cost).toBe(waiting.reduce((sum, { cost }) => sum + Math.max(1, cost), 0));
        }
        expect(served(queue)).toHaveLength(waiting.length);
      }),
    );
  });

  test("runs that always wait get equal shares of the tokens, however large their calls are", () => {
    const anySizes = fc.array(fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 3 }), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(anySizes, (sizes) => {
        const queue = new FairQueue<Item>();
        const spent = sizes.map(() => 0);
        const asked = sizes.map(() => 0);
        const ask = (run: number) => {
          const calls = sizes[run] as number[];
          const cost = calls[(asked[run] as number) % calls.length] as number;
          asked[run] = (asked[run] as number) + 1;
          queue.push(item(String(run), { cost }));
        };
        // Two wait in each run at any time, so that none is ever empty.
        for (const run of sizes.keys()) for (let n = 0; n < 2; n += 1) ask(run);
        for (let turn = 0; turn < 500; turn += 1) {
          const { key, cost } = queue.shift(0) as Item;
          spent[Number(key)] = (spent[Number(key)] as number) + cost;
          ask(Number(key));
        }
        // Deficit round robin: never further apart than two calls and a quantum.
        expect(Math.max(...spent) - Math.min(...spent)).toBeLessThanOrEqual(2 * 20_000 + 2_000);
      }),
    );
  });
});
