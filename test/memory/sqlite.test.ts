import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InMemoryStore, InvalidNamespaceError } from "@langchain/langgraph-checkpoint";
import Database from "libsql";
import { describe, expect, it } from "vitest";
import { SqliteStore } from "../../memory/index.js";
import { LetterEmbeddings, temporaryFolder } from "./helpers.js";

const folder = temporaryFolder();
let files = 0;
const newFile = () => join(folder, "new", `${files++}.db`);

describe("a store in a file", () => {
  it("keeps items, with the time of their first and last writing, over reopening", async () => {
    const file = newFile();
    let time = 1000;
    const first = new SqliteStore(file, { now: () => time });
    await first.put(["users", "ann"], "diet", { likes: ["soup"], ünïcode: "日本😀" });
    time = 2000;
    await first.put(["users", "ann"], "diet", { likes: ["bread"] });
    first.stop();
    first.stop();
    const second = new SqliteStore(file);
    expect(await second.get(["users", "ann"], "diet")).toEqual({
      namespace: ["users", "ann"],
      key: "diet",
      value: { likes: ["bread"] },
      createdAt: new Date(1000),
      updatedAt: new Date(2000),
    });
    expect(await second.listNamespaces()).toEqual([["users", "ann"]]);
    second.stop();
  });

  it("is shared by two processes' stores: each sees what the other wrote", async () => {
    const file = newFile();
    const [one, other] = [new SqliteStore(file), new SqliteStore(file)];
    await Promise.all([one.put(["n"], "a", { by: "one" }), other.put(["n"], "b", { by: "other" })]);
    expect((await one.search(["n"])).map((item) => item.key).sort()).toEqual(["a", "b"]);
    expect((await other.search(["n"])).map((item) => item.key).sort()).toEqual(["a", "b"]);
  });

  it("makes no file before it is used", async () => {
    const file = newFile();
    new SqliteStore(file).stop();
    expect(existsSync(file)).toBe(false);
  });

  it("writes all of a batch or nothing of it", async () => {
    const store = new SqliteStore(newFile());
    const put = { namespace: ["n"], key: "k" };
    const batch = store.batch([
      { ...put, value: { fine: true } },
      { ...put, key: "big", value: { n: 1n } },
    ]);
    await expect(batch).rejects.toMatchObject({ code: "NOT_JSON", message: expect.stringContaining('"big" in n') });
    expect(await store.search([])).toEqual([]);
  });

  it("refuses namespaces as the other stores do", async () => {
    const store = new SqliteStore(newFile());
    for (const namespace of [[], ["a.b"], ["a:b"], [""], ["langgraph"]]) {
      await expect(store.put(namespace, "k", {})).rejects.toThrow(InvalidNamespaceError);
    }
  });

  it("says what is wrong with a file", async () => {
    const garbage = join(folder, "garbage.db");
    writeFileSync(garbage, "this is not a database, whatever its name says".repeat(100));
    await expect(new SqliteStore(garbage).get(["n"], "k")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/garbage\.db is not a SQLite database.*Move it away/),
    });
    await expect(new SqliteStore(folder).get(["n"], "k")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const closed = new SqliteStore(newFile());
    closed.stop();
    await expect(closed.get(["n"], "k")).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("says when another process holds the write lock, and still reads", async () => {
    const file = newFile();
    const store = new SqliteStore(file, { lockTimeout: 1 });
    await store.put(["n"], "k", { v: 1 });
    const other = new Database(file);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.put(["n"], "k", { v: 2 })).rejects.toMatchObject({ code: "LOCKED" });
    expect((await store.get(["n"], "k"))?.value).toEqual({ v: 1 });
    other.exec("ROLLBACK");
    await store.put(["n"], "k", { v: 2 });
  });
});

describe("search by meaning", () => {
  const documents: [string, Record<string, unknown>, (false | string[])?][] = [
    ["abba", { text: "abba", year: 1974 }],
    ["cabbage", { text: "cabbage", year: 2000 }],
    ["zoo", { text: "zoo", year: 2000 }],
    ["nested", { parts: [{ text: "aaaa" }, { text: "zz" }], year: 1974 }, ["parts[*].text"]],
    ["last", { names: ["q", "bb"], year: 1 }, ["names[-1]", "names[0]"]],
    ["hidden", { text: "abab", year: 2000 }, false],
    [
      "number",
      { text: 7, deep: { flag: true, nothing: null } },
      ["text", "deep.flag", "deep", "deep.nothing", "none.here"],
    ],
  ];

  async function filled() {
    const [mine, theirs] = [new LetterEmbeddings(), new LetterEmbeddings()];
    const sqlite = new SqliteStore(newFile(), { embeddings: mine, fields: ["text"] });
    const memory = new InMemoryStore({ index: { dims: 26, embeddings: theirs, fields: ["text"] } });
    for (const store of [sqlite, memory])
      for (const [key, value, index] of documents) await store.put(["d"], key, value, index);
    return { sqlite, memory, mine, theirs };
  }

  it("embeds the texts that the in-memory store embeds", async () => {
    const { mine, theirs } = await filled();
    expect([...mine.texts].sort()).toEqual([...theirs.texts].sort());
  });

  it("ranks as the in-memory store does, with its scores, filters and pages", async () => {
    const { sqlite, memory } = await filled();
    for (const options of [{}, { filter: { year: { $gte: 1974 } } }, { limit: 2 }, { limit: 2, offset: 1 }]) {
      const [ours, theirs] = await Promise.all(
        [sqlite, memory].map((store) => store.search(["d"], { query: "aab", ...options })),
      );
      const shown = (items: typeof ours = []) => items.map(({ key, score }) => [key, score?.toFixed(5)]);
      expect(shown(ours).length).toBeGreaterThan(0);
      expect(shown(ours)).toEqual(shown(theirs));
    }
  });

  it("forgets the vectors of a text that changed or went", async () => {
    const store = new SqliteStore(newFile(), { embeddings: new LetterEmbeddings(), fields: ["text"] });
    await store.put(["d"], "k", { text: "aaa" });
    await store.put(["d"], "k", { text: "zzz" });
    expect((await store.search(["d"], { query: "aaa" }))[0]?.score).toBe(0);
    await store.put(["d"], "k", { text: "aaa" }, false);
    expect((await store.search(["d"], { query: "aaa" }))[0]?.score).toBeUndefined();
    await store.put(["d"], "k", { text: "aaa" });
    await store.delete(["d"], "k");
    await store.put(["d"], "k", { other: "no text" });
    expect((await store.search(["d"], { query: "aaa" }))[0]?.score).toBeUndefined();
  });

  it("keeps vectors over reopening, and does not embed them again", async () => {
    const file = newFile();
    const first = new SqliteStore(file, { embeddings: new LetterEmbeddings() });
    await first.put(["d"], "k", { text: "abc" }, ["text"]);
    first.stop();
    const embeddings = new LetterEmbeddings();
    const found = await new SqliteStore(file, { embeddings }).search(["d"], { query: "abc" });
    expect(found[0]?.score).toBeCloseTo(1);
    expect(embeddings.texts).toEqual(["abc"]);
  });

  it("refuses to mix embedders, offers to re-index, and then answers", async () => {
    const file = newFile();
    const old = new SqliteStore(file, { embeddings: new LetterEmbeddings("old@1"), fields: ["text"] });
    await old.put(["d"], "k", { text: "abc" });
    const plain = new SqliteStore(file);
    await plain.put(["d"], "unindexed", { text: "abd" });
    const store = new SqliteStore(file, { embeddings: new LetterEmbeddings("new@2"), fields: ["text"] });
    const mixed = { code: "EMBEDDINGS_MIXED", message: expect.stringMatching(/vectors of old@1.*new@2.*reindex\(\)/) };
    await expect(store.search(["d"], { query: "abc" })).rejects.toMatchObject(mixed);
    await expect(store.put(["d"], "other", { text: "x" })).rejects.toMatchObject(mixed);
    expect(await store.get(["d"], "other")).toBeNull();
    expect(await store.search(["d"])).toHaveLength(2);
    expect(await store.reindex()).toBe(2);
    const found = await store.search(["d"], { query: "abc" });
    expect(found.map(({ key, score }) => [key, score?.toFixed(2)])).toEqual([
      ["k", "1.00"],
      ["unindexed", "0.67"],
    ]);
    await expect(old.search(["d"], { query: "abc" })).rejects.toMatchObject({ code: "EMBEDDINGS_MIXED" });
    await expect(plain.reindex()).rejects.toMatchObject({ code: "VECTORS_UNSUPPORTED" });
  });

  it("does not mind an embedder whose items are all gone", async () => {
    const file = newFile();
    const old = new SqliteStore(file, { embeddings: new LetterEmbeddings("old@1") });
    await old.put(["d"], "k", { text: "abc" });
    await old.delete(["d"], "k");
    const store = new SqliteStore(file, { embeddings: new LetterEmbeddings("new@2") });
    await store.put(["d"], "k", { text: "abc" });
    expect(await store.search(["d"], { query: "abc" })).toHaveLength(1);
  });

  it("re-indexing honours what a put said about its index, and leaves alone what changed meanwhile", async () => {
    const file = newFile();
    const plain = new SqliteStore(file);
    await plain.put(["d"], "hidden", { text: "abc" }, false);
    await plain.put(["d"], "title", { text: "zzz", title: "abc" }, ["title"]);
    await plain.put(["d"], "busy", { text: "old" });
    class Meanwhile extends LetterEmbeddings {
      override async embedDocuments(texts: string[]) {
        if (texts.length === 2) await plain.put(["d"], "busy", { text: "new" });
        return super.embedDocuments(texts);
      }
    }
    const store = new SqliteStore(file, { embeddings: new Meanwhile(), fields: ["text"] });
    expect(await store.reindex()).toBe(1);
    const scores = (await store.search(["d"], { query: "abc" })).map(({ key, score }) => [key, score?.toFixed(2)]);
    expect(scores).toEqual([
      ["title", "1.00"],
      ["hidden", undefined],
      ["busy", undefined],
    ]);
  });
});
