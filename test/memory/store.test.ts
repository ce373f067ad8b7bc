import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore, SqliteStore } from "../../memory/index.js";
import { LetterEmbeddings, temporaryFolder } from "./helpers.js";

const folder = temporaryFolder();

describe("openStore", () => {
  it.each([
    ["memory:", () => "memory:"],
    ["sqlite:PATH", () => `sqlite:${join(folder, "a", "b.db")}`],
    ["sqlite:///PATH", () => `sqlite://${join(folder, "c.db")}`],
  ])("opens %s, with and without an embedder", async (_, url) => {
    const plain = await openStore(url());
    await plain.store.put(["n"], "k", { text: "abc" });
    expect((await plain.store.get(["n"], "k"))?.value).toEqual({ text: "abc" });
    expect((await plain.store.search(["n"], { query: "abc" }))[0]?.score).toBeUndefined();
    await plain.close();
    await plain.close();
    const { store, close } = await openStore(url(), { embeddings: new LetterEmbeddings() });
    await store.put(["n"], "k", { text: "abc" }, ["text"]);
    expect((await store.search(["n"], { query: "abc" }))[0]?.score).toBeCloseTo(1);
    await close();
  });

  it("puts the file where the address says", async () => {
    const { store, close } = await openStore(`sqlite://${join(folder, "d.db")}`);
    expect(store).toBeInstanceOf(SqliteStore);
    await store.listNamespaces();
    expect(existsSync(join(folder, "d.db"))).toBe(true);
    await close();
  });

  it.each(["redis://localhost", "sqlite:", "bulkhead.db", "", "postgres://ann:p%wd@[x/db"])(
    "refuses the address %j and names the others",
    async (url) => {
      await expect(openStore(url)).rejects.toMatchObject({
        code: "URL",
        message: expect.stringContaining("sqlite:PATH"),
      });
    },
  );

  it("does not repeat a password in its errors", async () => {
    for (const url of ["mysql://ann:secret@localhost/db", "postgres://ann:secret@127.0.0.1:1/db?password=secret"]) {
      const error = await openStore(url).catch((thrown: Error) => thrown);
      expect((error as Error).message).not.toContain("secret");
    }
  });

  it("takes no schema that is more than a name", async () => {
    await expect(openStore('postgres://ann@127.0.0.1:1/db?schema=a"; drop table store')).rejects.toMatchObject({
      code: "URL",
    });
  });

  it("says when Postgres cannot be reached", async () => {
    await expect(openStore("postgres://ann@127.0.0.1:1/db")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(
        /postgres:\/\/ann@127\.0\.0\.1:1\/db cannot be opened: .*ECONNREFUSED.*server runs/,
      ),
    });
  });
});
