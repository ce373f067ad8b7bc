import { describe, expect, test } from "vitest";
import { memoryStore } from "../../capacity/cache/memory-store.js";
import {
  type CacheReading,
  type CapacityEvent,
  factsOf,
  keepingCache,
  mismatchOf,
  type SimilarOptions,
  similarCache,
} from "../../capacity/index.js";
import { PAIRS } from "../../lab/bench/semantic-cache/pairs.js";
import { FakeClock, settle } from "./support.js";

describe("the guards", () => {
  const mismatch = (left: string, right: string) => {
    const found = mismatchOf(factsOf(left), factsOf(right));
    expect(mismatchOf(factsOf(right), factsOf(left)), `${right} | ${left}`).toBe(found);
    return found;
  };

  test.each([
    ["numbers", "Refund order 7781.", "Refund order 7718."],
    ["numbers", "Give me the top five.", "Give me the top ten."],
    ["numbers", "Show invoices over $500.", "Show invoices over €500."],
    ["numbers", "What is in `a.ts`?", "What is in `b.ts`?"],
    ["numbers", "Write to ann@example.com.", "Write to bob@example.com."],
    ["names", "Where does Ann live?", "Where does Bob live?"],
    ["names", "Does Ann owe Bob money?", "Does Bob owe Ann money?"],
    ["names", "Is it GDPR compliant?", "Is it HIPAA compliant?"],
    ["negation", "Which invoices are paid?", "Which invoices are unpaid?"],
    ["negation", "What can I do?", "What can't I do?"],
    ["opposite", "How do I add a user?", "How do I remove a user?"],
    ["opposite", "Show the oldest invoice.", "Show the newest invoice."],
    ["time", "What came in today?", "What came in yesterday?"],
    ["asks", "When was it sent?", "Where was it sent?"],
    ["asks", "Must I sign?", "May I sign?"],
    ["word exchanged", "show the notes about smith", "show the notes about jones"],
    ["word exchanged", "move my green boots from the cellar to paris", "move my black boots from the attic to paris"],
    ["word added", "List all customers.", "List all overdue customers."],
    ["word order", "Convert euros to dollars.", "Convert dollars to euros."],
  ])("%s: %s | %s", (guard, left, right) => {
    expect(mismatch(left, right)).toBe(guard);
  });

  test.each([
    ["How do I reset my password?", "What is the way to reset my password?"],
    ["Please tell me how many tickets are open.", "How many tickets are open?"],
    ["Send 1,000 euros to Ann.", "Please send 1000 euros to Ann."],
    ["At what time does it open on Monday?", "When does it open on Monday?"],
    ["At sea level, what is the boiling point of water?", "What is the boiling point of water at sea level?"],
    ["How can I turn off notifications?", "How do I disable notifications?"],
    ["Don't show the tickets of Acme.", "Do not show the tickets of Acme."],
    ["Tell me where Ann lives.", "where does ann live"],
  ])("let pass: %s | %s", (left, right) => {
    expect(mismatch(left, right)).toBeUndefined();
  });

  test("a question is the same as itself, whatever is in it", () => {
    for (const { left, right } of PAIRS) {
      expect(mismatch(left, left)).toBeUndefined();
      expect(mismatch(right, right)).toBeUndefined();
    }
    for (const text of ["", "?", "123", "“”", "中文没有空格", "a".repeat(1000), "I I I", "…\n…"]) {
      expect(mismatch(text, text)).toBeUndefined();
    }
  });
});

describe("similarCache", () => {
  /** Texts with the same first letter are alike; how much, the number after it says in degrees. */
  const embed = async (texts: readonly string[]) =>
    texts.map((text) => {
      const angle = (Number(/~(\d+)/.exec(text)?.[1] ?? 0) * Math.PI) / 180;
      return [Math.cos(angle), Math.sin(angle)];
    });

  const world = (options: Partial<SimilarOptions> = {}) => {
    const clock = new FakeClock();
    const exact = keepingCache({ store: memoryStore({ clock }), ttlMs: 1000, staleMs: 1000, clock });
    const cache = similarCache({ cache: exact, embed, clock, ...options });
    const told: CapacityEvent[] = [];
    let made = 0;
    const ask = (key: string, text: string, more: Partial<CacheReading> = {}, context = "same", fits = true) =>
      cache.read(key, {
        produce: async () => {
          made += 1;
          return { text: `answer ${made}` };
        },
        acceptStale: false,
        question: { context, text, fits: () => fits },
        tell: async (event) => void told.push(event),
        ...more,
      });
    return { clock, cache, ask, told, made: () => made };
  };
  const Q = "How do I reset my password?";
  const LIKE = "What is the way to reset my password?";

  test("answers a similar question from the cache and says how similar it was and to which", async () => {
    const { ask, made } = world();
    expect(await ask("k1", Q)).toBeUndefined();
    const hit = await ask("k2", LIKE);
    expect(hit).toMatchObject({ answer: { text: "answer 1" }, fresh: true, similar: { key: "k1" } });
    expect(hit?.similar?.score).toBeCloseTo(1);
    expect((await ask("k1", Q))?.similar).toBeUndefined(); // That is an equal one.
    expect(made()).toBe(1);
  });

  test("not below the least similarity, not past a guard, not in another context, and not where it is not asked for", async () => {
    const { ask, made } = world({ embed: async (texts) => embed(texts.map((text) => text.replace("the", "~30 the"))) });
    await ask("k1", Q);
    const misses = [
      ask("far", LIKE), // 30 degrees: 0.87
      ask("guard", "How do I reset my username?"),
      ask("context", Q, {}, "another tenant"),
      ask("plain", Q, { question: undefined as never }),
    ];
    expect(await Promise.all(misses)).toEqual([undefined, undefined, undefined, undefined]);
    expect(made()).toBe(5);
    expect(await world({ minScore: 0.8 }).ask("x", Q)).toBeUndefined();
  });

  test("an answer that does not fit other questions is kept for its own only", async () => {
    const { ask, made } = world();
    await ask("k1", Q, {}, "same", false);
    expect(await ask("k2", LIKE)).toBeUndefined();
    expect(made()).toBe(2);
    expect((await ask("k1", Q))?.answer).toEqual({ text: "answer 1" });
  });

  test("one beyond its age is never an answer to another question", async () => {
    const { ask, clock, made } = world();
    await ask("k1", Q);
    await clock.advance(1500);
    expect(await ask("k2", LIKE, { acceptStale: true })).toBeUndefined();
    expect(made()).toBe(2);
  });

  test("forgets the oldest questions, and goes on without a comparison when there is no vector in time", async () => {
    const { ask, made } = world({ maxQuestions: 1 });
    await ask("k1", Q);
    await ask("k2", "Where is my parcel?");
    expect(await ask("k3", LIKE)).toBeUndefined();
    expect(made()).toBe(3);

    const broken = world({ embed: async () => Promise.reject(new Error("no model")) });
    await broken.ask("k1", Q);
    expect(broken.told).toEqual([{ kind: "cache", state: "comparison-failed", reason: "no model" }]);
    const slow = world({ embed: () => new Promise(() => {}), embedMs: 100 });
    const asked = slow.ask("k1", Q);
    await settle();
    await slow.clock.advance(100);
    expect(await asked).toBeUndefined();
    expect([slow.made(), slow.told[0]]).toEqual([1, expect.objectContaining({ state: "comparison-failed" })]);
  });

  test("equal calls at one time are one, also when a similar answer is found for them", async () => {
    const { ask, made } = world();
    expect((await Promise.all(Array.from({ length: 5 }, () => ask("k1", Q)))).filter(Boolean)).toHaveLength(4);
    const hits = await Promise.all(Array.from({ length: 5 }, () => ask("k2", LIKE)));
    expect(hits.every((hit) => hit?.similar?.key === "k1")).toBe(true);
    expect(made()).toBe(1);
  });

  test("refuses options that make no sense", () => {
    expect(() => world({ minScore: 0 })).toThrow("minScore is 0");
    expect(() => world({ minScore: 1.1 })).toThrow("minScore is 1.1");
    expect(() => world({ maxQuestions: 0 })).toThrow("maxQuestions is 0");
  });
});
