import { join } from "node:path";
import { InMemoryStore, type Item, type Operation, type OperationResults } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SqliteStore } from "../../memory/index.js";
import { temporaryFolder } from "./helpers.js";

const folder = temporaryFolder();
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 }));
afterEach(() => void vi.useRealTimers());

/** The model: LangGraph's own store, but for its habit of listing namespaces whose last item is gone. */
class Model extends InMemoryStore {
  readonly #order = new Map<string, number>();
  #writes = 0;

  override async batch<Op extends readonly Operation[]>(operations: Op): Promise<OperationResults<Op>> {
    const unlimited = operations.map((each) =>
      "namespacePrefix" in each ? { ...each, limit: Number.MAX_SAFE_INTEGER, offset: 0 } : each,
    );
    const answers = structuredClone(await super.batch(unlimited)) as unknown[];
    // In order of first writing: it interleaves namespaces, where ours does not.
    for (const [index, each] of operations.entries()) {
      if (!("namespacePrefix" in each)) continue;
      const { offset = 0, limit = 10 } = each;
      const found = (answers[index] as Item[]).sort((left, right) => this.#rank(left) - this.#rank(right));
      answers[index] = found.slice(offset, offset + limit);
    }
    const last = new Map(operations.filter((each) => "value" in each).map((each) => [name(each), each]));
    for (const [key, { value }] of last) {
      if (value === null) this.#order.delete(key);
      else if (!this.#order.has(key)) this.#order.set(key, this.#writes++);
    }
    const { data } = this as unknown as { data: Map<string, Map<string, unknown>> };
    for (const [namespace, items] of data) if (items.size === 0) data.delete(namespace);
    return answers as OperationResults<Op>;
  }

  #rank(item: Item): number {
    return this.#order.get(name(item)) ?? Number.NaN;
  }
}

const name = ({ namespace, key }: { namespace: string[]; key: string }) => JSON.stringify([namespace, key]);

const label = fc.constantFrom("a", "b", "ab", "B", "a;b", "a b", "é");
const namespace = fc.array(label, { minLength: 1, maxLength: 3 });
const key = fc.constantFrom("k", "K", "", "k\0k", "%", "日本");
const scalar = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom("1", "x", "", true, null),
  fc.double({ noNaN: true, min: -3, max: 3 }),
);
const value = fc.dictionary(
  fc.constantFrom("p", "q", "r"),
  fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 1, arbitrary: fc.jsonValue() }),
);
const operator = fc.constantFrom("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$unknown");
const wanted = fc.oneof(
  scalar,
  fc.dictionary(operator, fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { maxKeys: 2 }),
  fc.array(scalar, { maxLength: 1 }),
);
const filter = fc.dictionary(fc.constantFrom("p", "q", "r"), wanted, { maxKeys: 2 });
const count = fc.integer({ min: 0, max: 4 });
const path = fc.array(fc.oneof(label, fc.constant("*")), { minLength: 1, maxLength: 2 });

const put = fc.record({ namespace, key, value });
const operation = fc.oneof(
  { weight: 4, arbitrary: put },
  { weight: 1, arbitrary: fc.record({ namespace, key, value: fc.constant(null) }) },
  { weight: 2, arbitrary: fc.record({ namespace, key }) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        namespacePrefix: fc.oneof(fc.constant([]), namespace),
        filter,
        limit: count,
        offset: count,
        query: fc.constant("ignored"),
      },
      { requiredKeys: ["namespacePrefix"] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      matchConditions: fc.array(fc.record({ matchType: fc.constantFrom("prefix" as const, "suffix" as const), path }), {
        maxLength: 2,
      }),
      maxDepth: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      limit: count,
      offset: count,
    }),
  },
) as fc.Arbitrary<Operation>;
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(operation, { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constant("reopen" as const) },
);

it("answers every sequence of operations as the in-memory store does, over reopening", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const file = join(folder, `${runs++}.db`);
      const model = new Model();
      let store = new SqliteStore(file);
      for (const each of steps) {
        vi.advanceTimersByTime(1);
        if (each === "reopen") {
          store.stop();
          store = new SqliteStore(file);
        } else {
          expect(await store.batch(each)).toEqual(await model.batch(each));
        }
      }
      store.stop();
    }),
    { numRuns: 150 },
  );
});

it("understands filters as the in-memory store does", async () => {
  const small = fc.constantFrom<unknown>(0, 1, 2, "1", "x", true, null);
  const all = [0, 1, 2, "1", "x", true, null, [1], { a: 1 }];
  const [model, store] = [new Model(), new SqliteStore(join(folder, "filters.db"))];
  for (const [index, p] of all.entries()) {
    for (const each of [model, store]) await each.put(["n"], `${index}`, { p });
  }
  const asked = fc.oneof(
    small,
    fc.dictionary(operator, fc.oneof(small, fc.array(small, { maxLength: 3 })), { maxKeys: 2 }),
    fc.constantFrom([], [1], { a: 1 }),
  );
  await fc.assert(
    fc.asyncProperty(asked, fc.constantFrom("p", "q"), async (condition, key) => {
      const options = { filter: { [key]: condition }, limit: all.length };
      expect(await store.search(["n"], options)).toEqual(await model.search(["n"], options));
    }),
    { numRuns: 500 },
  );
  store.stop();
});
