import { join } from "node:path";
import { type BaseStore, InMemoryStore } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelledMemory, SqliteStore } from "../../memory/index.js";
import { BOTTOM, digest, hmacSeal, isAtMost, type Label, label, meet, sameLabel, TOP } from "../../trust/index.js";
import { LetterEmbeddings, temporaryFolder } from "./helpers.js";

const folder = temporaryFolder();
let files = 0;
const namespace = ["memories", "ann"];
const thread = "thread-1";
const seal = hmacSeal(Buffer.from("the key of these tests"));

const stores: [string, () => BaseStore][] = [
  ["the in-memory store", () => new InMemoryStore()],
  ["the SQLite store", () => new SqliteStore(join(folder, `${files++}.db`))],
];

describe.each(stores)("labelled memory in %s", (_, open) => {
  it("recalls what was remembered, with its label, from another session", async () => {
    const store = open();
    const written = await labelledMemory({ seal, store, namespace, now: () => 0 }).remember({
      text: "Harbor Bakery in Bristol is C-0212.",
      kind: "fact",
      label: label({ fidelity: 1 }),
      causes: [{ axis: "fidelity", rank: 1, reason: "fallback: offline-small", at: "planner#4" }],
      thread,
    });
    const memory = labelledMemory({ seal, store: async () => store, namespace });
    const [item, ...more] = await memory.recall("Which id has the bakery at the harbor? Harbor Bakery.");
    expect(more).toEqual([]);
    expect(item).toEqual(written);
    expect(item).toMatchObject({
      kind: "fact",
      thread,
      label: label({ fidelity: 1 }),
      createdAt: "1970-01-01T00:00:00.000Z",
    });
    expect(memory.markOf([item as never])).toEqual({
      ...label({ fidelity: 1 }),
      causes: [
        { axis: "fidelity", rank: 1, reason: `memory ${written.key}: fallback: offline-small`, at: "planner#4" },
      ],
    });
  });

  it.each(["\0", "\ud800"])("keeps and believes an item with %j anywhere in it", async (odd) => {
    const memory = labelledMemory({ seal, store: open(), namespace });
    const about = { text: `needle${odd}`, kind: odd, thread: odd, key: odd, label: label({ fidelity: 1 }) };
    const written = await memory.remember(about);
    expect(written).toMatchObject({ text: "needle\ufffd", kind: "\ufffd", thread: "\ufffd", key: "\ufffd" });
    expect(await memory.recall(`needle${odd}`)).toEqual([written]);
  });

  it("ranks by shared words, newest first among equals, and leaves out what shares none", async () => {
    let now = 0;
    const memory = labelledMemory({ seal, store: open(), namespace, now: () => now++ });
    for (const text of [
      "Ticket 1042 is closed.",
      "The weather is fine.",
      "Ticket 1077 is open.",
      "Ticket 1042 was a deletion, closed by Ann.",
    ]) {
      await memory.remember({ text, label: TOP, thread });
    }
    const texts = async (query: string, limit?: number) =>
      (await memory.recall(query, limit === undefined ? {} : { limit })).map((item) => item.text);
    expect(await texts("What became of ticket 1042?")).toEqual([
      "Ticket 1042 is closed.",
      "Ticket 1042 was a deletion, closed by Ann.",
      "Ticket 1077 is open.",
    ]);
    expect(await texts("ticket", 1)).toEqual(["Ticket 1077 is open."]);
    expect(await texts("What is the")).toEqual([]);
    expect(await texts("")).toEqual([]);
  });

  it("replaces an item that is remembered again under its key", async () => {
    const memory = labelledMemory({ seal, store: open(), namespace });
    await memory.remember({ text: "The code is 1.", key: "code", label: TOP, thread });
    await memory.remember({ text: "The code is 2.", key: "code", label: label({ currency: 1 }), thread });
    expect(await memory.recall("code")).toMatchObject([
      { key: "code", text: "The code is 2.", label: label({ currency: 1 }) },
    ]);
  });

  it("finds an item among more than a page of others, and none of a sister namespace", async () => {
    const store = open();
    const memory = labelledMemory({ seal, store, namespace });
    for (let index = 0; index < 230; index++) await memory.remember({ text: `filler ${index}`, label: TOP, thread });
    await memory.remember({ text: "needle", label: TOP, thread });
    await labelledMemory({ seal, store, namespace: [...namespace, "private"] }).remember({
      text: "needle",
      label: BOTTOM,
      thread,
    });
    await labelledMemory({ seal, store, namespace: ["memories", "anna"] }).remember({
      text: "needle",
      label: BOTTOM,
      thread,
    });
    expect(await memory.recall("needle")).toMatchObject([{ text: "needle", label: TOP }]);
  });

  it("keeps text that is no valid Unicode", async () => {
    const memory = labelledMemory({ seal, store: open(), namespace });
    await memory.remember({ text: "broken \uD83D emoji", label: TOP, thread });
    expect(await memory.recall("emoji")).toMatchObject([{ text: "broken \uFFFD emoji", label: TOP }]);
  });
});

describe("an item that was tampered with", () => {
  const foreign: [string, Record<string, unknown>][] = [
    ["no label at all", { text: "needle" }],
    [
      "a label that is none",
      { text: "needle", label: { integrity: 7 }, thread, createdAt: "x", causes: [], seal: "x" },
    ],
    ["a digest for a seal", { text: "needle", label: TOP, thread, createdAt: "x", causes: [], seal: digest("needle") }],
    ["half a character", { text: "needle \uD83D", label: TOP, thread, createdAt: "x", causes: [], seal: "x" }],
  ];

  it.each(foreign)("is at the bottom, and says why: %s", async (_, value) => {
    const store = new InMemoryStore();
    await store.put(namespace, "planted", value);
    const memory = labelledMemory({ seal, store, namespace });
    const items = await memory.recall("needle");
    expect(items).toMatchObject([{ key: "planted", label: BOTTOM, thread: "unknown" }]);
    const mark = memory.markOf(items);
    expect(sameLabel(mark, BOTTOM)).toBe(true);
    expect(mark.causes?.[0]?.reason).toMatch(
      /^memory planted: (stored without a valid label|its seal is not of this content)/,
    );
  });

  it("cannot be recalled when it has no text", async () => {
    const store = new InMemoryStore();
    await store.put(namespace, "planted", { label: TOP, text: 7 });
    expect(await labelledMemory({ seal, store, namespace }).recall("7")).toEqual([]);
  });

  it("never gains trust: whatever one field is changed to, the label stays or falls to the bottom", async () => {
    const field = fc.constantFrom("text", "label", "thread", "createdAt", "causes", "kind", "seal", "extra");
    const junk = fc.oneof(fc.constant(TOP), fc.constant("needle"), fc.jsonValue(), fc.constant(undefined));
    await fc.assert(
      fc.asyncProperty(field, junk, async (name, forged) => {
        const store = new InMemoryStore();
        const memory = labelledMemory({ seal, store, namespace });
        const { key } = await memory.remember({ text: "needle", label: label({ integrity: 1 }), thread });
        const stored = await store.get(namespace, key);
        await store.put(namespace, key, { ...stored?.value, [name]: forged });
        for (const item of await memory.recall("needle")) {
          const intact =
            item.text === "needle" && item.thread === thread && sameLabel(item.label, label({ integrity: 1 }));
          expect(intact || sameLabel(item.label, BOTTOM)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is at the bottom when it was sealed with another key, and cannot be sealed without one", async () => {
    const store = new InMemoryStore();
    const other = hmacSeal(Buffer.from("another key"));
    await labelledMemory({ seal: other, store, namespace }).remember({ text: "needle", label: TOP, thread });
    const memory = labelledMemory({ seal, store, namespace });
    expect(await memory.recall("needle")).toMatchObject([{ label: BOTTOM, thread: "unknown" }]);
  });

  it("does not keep its label when it is copied to another key or namespace", async () => {
    const store = new InMemoryStore();
    const { key } = await labelledMemory({ seal, store, namespace }).remember({ text: "needle", label: TOP, thread });
    const value = (await store.get(namespace, key))?.value ?? {};
    await store.put(["memories", "bob"], key, value);
    await store.put(["memories", "carl"], "elsewhere", value);
    for (const who of ["bob", "carl"]) {
      expect(await labelledMemory({ seal, store, namespace: ["memories", who] }).recall("needle")).toMatchObject([
        { label: BOTTOM },
      ]);
    }
  });
});

it("the mark of a recall is the meet of its items, and of nothing it is the top", async () => {
  const rank = fc.constantFrom(0, 1, 2, 3);
  const labels = fc.array(
    fc.record({ integrity: rank, fidelity: rank, currency: rank, certainty: rank }) as fc.Arbitrary<Label>,
    { maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(labels, async (all) => {
      const memory = labelledMemory({ seal, store: new InMemoryStore(), namespace });
      for (const each of all) await memory.remember({ text: "needle", label: each, thread });
      const mark = memory.markOf(await memory.recall("needle"));
      expect(sameLabel(mark, meet(...all))).toBe(true);
      expect(all.every((each) => isAtMost(mark, each))).toBe(true);
      expect((mark.causes ?? []).length > 0).toBe(!sameLabel(mark, TOP));
    }),
  );
});

describe("where the store has an embedder", () => {
  it("recalls by meaning, leaves out what is about something else, and lets a shared word break a tie", async () => {
    const embeddings = new LetterEmbeddings();
    const store = new SqliteStore(join(folder, "meaning.db"), { embeddings });
    let now = 0;
    const memory = labelledMemory({ seal, store, namespace, now: () => now++ });
    for (const text of ["silent", "zzz", "listen", "tinsel silent"])
      await memory.remember({ text, label: TOP, thread });
    expect((await memory.recall("listen")).map((item) => item.text)).toEqual(["listen", "tinsel silent", "silent"]);
    expect(embeddings.texts).toContain("silent"); // The text alone is embedded, not the label and the seal.
  });

  it("still finds by keyword what was stored without a vector", async () => {
    const file = join(folder, "both.db");
    await labelledMemory({ seal, store: new SqliteStore(file), namespace }).remember({
      text: "needle",
      label: TOP,
      thread,
    });
    const memory = labelledMemory({
      seal,
      store: new SqliteStore(file, { embeddings: new LetterEmbeddings() }),
      namespace,
    });
    await memory.remember({ text: "eeedln", label: TOP, thread });
    expect((await memory.recall("needle")).map((item) => item.text).sort()).toEqual(["eeedln", "needle"]);
  });
});

it("opens a lazy store once, and again after a failure", async () => {
  let opened = 0;
  const memory = labelledMemory({
    seal,
    namespace,
    store: async () => {
      if (opened++ === 0) throw new Error("not yet");
      return new InMemoryStore();
    },
  });
  await expect(memory.recall("needle")).rejects.toThrow("not yet");
  await memory.remember({ text: "needle", label: TOP, thread });
  expect(await memory.recall("needle")).toHaveLength(1);
  expect(opened).toBe(2);
  await expect(memory.recall("needle", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

it.each([[[]], [["a.b"]], [["a", ""]], [["a_b"]], [["a:b"]], [["100%"]]])(
  "refuses the namespace %j, which not every store takes",
  (bad) => {
    expect(() => labelledMemory({ seal, store: new InMemoryStore(), namespace: bad })).toThrow("memory namespace");
  },
);
