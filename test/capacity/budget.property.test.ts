// A budget under any order of holds, payments, reservations and refunds: nothing passes the limit, nothing is counted
// twice, and the whole is the sum of its parts.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Budget, type BudgetAmount, NOTHING, openBudget } from "../../capacity/budget.js";
import { BudgetError } from "../../capacity/index.js";
import { FakeClock } from "./support.js";

const LIMIT = { calls: 8, tokens: 1_500 };

type Act = "hold" | "pay" | "less" | "reserve" | "release";

interface Move {
  readonly act: Act;
  /** Which part of the tree, as a path of names. */
  readonly at: readonly string[];
  readonly id: string;
  readonly tokens: number;
}

/** Few, so that moves meet. */
const PATHS = [[], [], ["a"], ["b"], ["a", "a"], ["a", "b"]];
const moves = (of: fc.Arbitrary<Move>) => fc.array(of, { minLength: 20, maxLength: 120 });
const move: fc.Arbitrary<Move> = fc.record({
  act: fc.constantFrom<Act>("hold", "hold", "pay", "less", "reserve", "release"),
  at: fc.constantFrom(...PATHS),
  id: fc.constantFrom("1", "2", "3", "4"),
  tokens: fc.integer({ min: 0, max: 300 }),
});

/** What a straightforward reader of the moves would count, beside the budget itself. */
class Books {
  readonly parts = new Map<string, Budget>();
  readonly held = new Map<string, BudgetAmount>();
  readonly paid = new Map<string, BudgetAmount>();
  refusals = 0;

  constructor(readonly root: Budget) {
    this.parts.set("", root);
  }

  play({ act, at, id, tokens }: Move, again = 1): void {
    const path = at.join("/");
    const call = `${path} ${id}`;
    const part = this.parts.get(path);
    const amount = { calls: 1, tokens, nanoUsd: 0 };
    try {
      if (act === "reserve") {
        const parent = this.parts.get(at.slice(0, -1).join("/"));
        if (parent === undefined || at.length === 0) return;
        for (let time = 0; time < again; time += 1) this.parts.set(path, parent.reserve(at.at(-1) ?? "", ["a", "b"]));
      } else if (part === undefined) return;
      else if (act === "release") {
        if (part !== this.root) for (let time = 0; time < again; time += 1) part.release();
      } else if (act === "hold") {
        for (let time = 0; time < again; time += 1) part.hold(call, amount);
        if (!this.held.has(call)) this.held.set(call, amount);
      } else {
        const held = this.held.get(call);
        const took = act === "less" && held !== undefined ? { ...held, tokens: Math.floor(held.tokens / 2) } : held;
        for (let time = 0; time < again; time += 1) part.pay(call, took ?? amount);
        if (took === undefined) return;
        this.held.delete(call);
        this.paid.set(path, sum([this.paid.get(path) ?? NOTHING, took]));
      }
    } catch (error) {
      if (!BudgetError.isInstance(error)) throw error;
      this.refusals += 1;
    }
  }
}

const sum = (amounts: Iterable<BudgetAmount>): BudgetAmount =>
  [...amounts].reduce(
    (all, each) => ({ calls: all.calls + each.calls, tokens: all.tokens + each.tokens, nanoUsd: 0 }),
    NOTHING,
  );

const opened = () => new Books(openBudget({ limits: LIMIT, clock: new FakeClock() }));

/** How many calls can still be held: the room of a budget as anybody outside sees it. */
function room(budget: Budget): number {
  let count = 0;
  try {
    for (; count < 100; count += 1) budget.hold(`probe ${count}`, { calls: 1, tokens: 0, nanoUsd: 0 });
  } catch (error) {
    if (!BudgetError.isInstance(error)) throw error;
  }
  for (let each = 0; each < count; each += 1) budget.pay(`probe ${each}`, NOTHING);
  return count;
}

describe("any order of moves", () => {
  test("never passes the limit, whatever is held and reserved at the same time", () => {
    fc.assert(
      fc.property(moves(move), (made) => {
        const books = opened();
        for (const each of made) {
          books.play(each);
          const all = sum([...books.held.values(), ...books.paid.values()]);
          expect(all.calls).toBeLessThanOrEqual(LIMIT.calls);
          expect(all.tokens).toBeLessThanOrEqual(LIMIT.tokens);
        }
      }),
    );
  });

  test("the whole is the sum of its parts", () => {
    fc.assert(
      fc.property(moves(move), (made) => {
        const books = opened();
        for (const each of made) books.play(each);
        const paid = sum(books.paid.values());
        expect(books.root.used).toMatchObject({ calls: paid.calls, tokens: paid.tokens });
        for (const [path, part] of books.parts) {
          const below = [...books.paid].filter(
            ([other]) => path === "" || other === path || other.startsWith(`${path}/`),
          );
          expect(part.used).toMatchObject({ calls: sum(below.map(([, amount]) => amount)).calls });
        }
      }),
    );
  });

  test("every move made twice is the same as made once", () => {
    fc.assert(
      fc.property(moves(move), (made) => {
        const once = opened();
        const twice = opened();
        for (const each of made) {
          once.play(each);
          twice.play(each, 2);
        }
        expect(twice.refusals).toBe(once.refusals);
        expect(twice.root.used).toEqual(once.root.used);
        expect(room(twice.root)).toBe(room(once.root));
      }),
    );
  });

  test("when all is paid and given back, everything that was not used is there again", () => {
    fc.assert(
      fc.property(moves(move), (made) => {
        const books = opened();
        for (const each of made) books.play(each);
        for (const [call] of [...books.held]) {
          const [path = "", id = "1"] = call.split(" ");
          books.play({ act: "pay", at: path === "" ? [] : path.split("/"), id, tokens: 0 });
        }
        for (const part of books.parts.values()) if (part !== books.root) part.release();
        expect(room(books.root)).toBe(LIMIT.calls - books.root.used.calls);
      }),
    );
  });
});

test("what was reserved is there whatever others do", () => {
  fc.assert(
    fc.property(moves(move), (made) => {
      const books = opened();
      const kept = books.root.reserve("kept", ["kept", "a", "b"]);
      for (const each of made) books.play(each);
      // An equal share of 8 calls among three and who delegates.
      expect(room(kept)).toBeGreaterThanOrEqual(2);
    }),
  );
});
