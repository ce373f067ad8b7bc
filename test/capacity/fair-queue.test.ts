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

  test("a run whose calls take long has its missed turns in hand, two at most", () => {
    const queue = queueOf(item("a1"), item("b1"), item("c1"));
    expect(served(queue)).toEqual(["a1", "b1", "c1"]);
    const inTurn = ["b2", "c2", "b3", "c3", "b4", "c4"];
    // Each comes back before the other has had its turn, and so the queue is never empty.
    queue.push(item("b2"));
    for (const [n, name] of inTurn.entries()) {
      if (n + 1 < inTurn.length) queue.push(item(inTurn[n + 1] as string));
      expect(queue.shift(0)?.name).toBe(name);
    }
    for (const name of ["b5", "c5", "b6", "c6", "a2", "a3", "a4", "a5"]) queue.push(item(name));
    expect(served(queue)).toEqual(["a2", "a3", "a4", "b5", "c5", "a5", "b6", "c6"]);
  });

  test("what a run has saved up for a call that was taken back is no longer its own", () => {
    const dear = item("a0", { cost: 100_000 });
    const queue = queueOf(dear, ...Array.from({ length: 14 }, (_, n) => item(`b${n}`, { cost: 2_000 })));
    for (let n = 0; n < 10; n += 1) expect(queue.shift(0)?.name).toBe(`b${n}`);
    expect(queue.remove(dear)).toBe(true);
    for (const name of ["a1", "a2", "a3", "a4", "a5", "a6"]) queue.push(item(name, { cost: 2_000 }));

    expect(served(queue).slice(0, 4)).toEqual(["a1", "a2", "b10", "a3"]);
  });

  test("finding who is next takes as long for large calls as for small ones", () => {
    let looks = 0;
    const queue = new FairQueue<Item>();
    for (let run = 0; run < 100; run += 1) {
      const dear = Object.defineProperty(item("call", { key: `${run}` }), "cost", {
        get: () => {
          looks += 1;
          return 1_000_000_000;
        },
      });
      queue.push(dear);
    }
    looks = 0;
    expect(queue.shift(0)?.key).toBe("0");
    expect(looks).toBeLessThan(100 * 10);
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

  test("runs that make one call after another get as many turns as a fan-out, if they are back within a round on average", () => {
    const anyAway = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(anyAway, fc.constantFrom(0, 500), (away, cost) => {
        const queue = queueOf(...Array.from({ length: 400 }, (_, n) => item(`f${n}`, { cost })));
        const turns = { f: 0, 0: 0, 1: 0, 2: 0 };
        const back = away.map(() => 0);
        for (let turn = 0; turn < 400; turn += 1) {
          for (const [run, at] of back.entries()) {
            if (at === turn) queue.push(item(`${run}`, { key: `${run}`, cost }));
          }
          const { key } = queue.shift(0) as Item;
          turns[key as keyof typeof turns] += 1;
          if (key === "f") continue;
          // Two on average: what it takes longer now, it takes shorter the next time.
          const long = away[Number(key)] as number;
          back[Number(key)] = turn + 1 + (turns[key as "0"] % 2 === 0 ? long : 4 - long);
        }
        // With four runs a round has four turns, and with tokens four of 500 make a turn.
        const most = Math.max(...Object.values(turns));
        expect(most - Math.min(...Object.values(turns))).toBeLessThanOrEqual(cost === 0 ? 3 : 12);
      }),
    );
  });
});
