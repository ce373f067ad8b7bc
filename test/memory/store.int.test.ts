import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { BaseStore } from "@langchain/langgraph-checkpoint";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labelledMemory, openStore } from "../../memory/index.js";
import { BOTTOM, hmacSeal, label, sameLabel, TOP } from "../../trust/index.js";
import { LetterEmbeddings } from "./helpers.js";

const seal = hmacSeal(Buffer.from("the key of these tests"));
const server = "postgres://postgres@127.0.0.1:5432";
const database = `bulkhead_memory_${process.pid}`;
const url = `${server}/${database}`;

async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: `${server}/test`, connectionTimeoutMillis: 2000 });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const missing = await administer().then(
  () => undefined,
  (error: Error) => error,
);
if (missing !== undefined && process.env["CI"] !== "true") {
  process.stderr.write(`skipped: no Postgres at ${server} (${missing.message})\n`);
}

describe.skipIf(missing !== undefined && process.env["CI"] !== "true")("a store in Postgres", () => {
  let store: BaseStore;
  let close = async () => {};
  beforeAll(async () => {
    await administer(`CREATE DATABASE ${database}`);
    ({ store, close } = await openStore(url));
  });
  afterAll(async () => {
    await close();
    await administer(`DROP DATABASE ${database} WITH (FORCE)`);
  });

  it("keeps labelled items over reopening, and recalls them by keyword", async () => {
    const first = labelledMemory({ seal, store, namespace: ["memories", "ann"] });
    const written = await first.remember({
      text: "Harbor Bakery in Bristol is C-0212.",
      label: label({ integrity: 2 }),
      thread: "t",
    });
    const again = await openStore(url);
    const memory = labelledMemory({ seal, store: again.store, namespace: ["memories", "ann"] });
    expect(await memory.recall("Which Harbor Bakery does ticket 1042 mean, and why?")).toEqual([written]);
    expect(await memory.recall("sourdough")).toEqual([]);
    await again.store.put(["memories", "ann"], written.key, { ...written, label: TOP });
    expect(await memory.recall("bakery")).toMatchObject([{ label: BOTTOM }]);
    await again.close();
    await again.close();
  });

  it("keeps to the schema of its address", async () => {
    const other = await openStore(`${url}?schema=other`);
    await other.store.put(["schemas"], "k", { here: true });
    expect(await other.store.get(["schemas"], "k")).toMatchObject({ value: { here: true } });
    expect(await store.get(["schemas"], "k")).toBeNull();
    await other.close();
  });

  it("does not recall from a sister namespace, though Postgres finds it there", async () => {
    const anna = labelledMemory({ seal, store, namespace: ["sisters", "anna"] });
    await anna.remember({ text: "needle", label: TOP, thread: "t" });
    expect(await store.search(["sisters", "ann"])).toHaveLength(1); // PostgresStore's own: `LIKE 'sisters:ann%'`.
    const ann = labelledMemory({ seal, store, namespace: ["sisters", "ann"] });
    expect(await ann.recall("needle")).toEqual([]);
    const mark = anna.markOf(await anna.recall("needle"));
    expect(sameLabel(mark, TOP)).toBe(true);
  });

  it.each(["\0", "\ud800", "\udc00\ud800"])("remembers and recalls what Postgres cannot keep: %j", async (odd) => {
    const memory = labelledMemory({
      seal,
      store,
      namespace: ["odd", JSON.stringify(odd).replaceAll(/\W/g, "")],
      newKey: () => `key${odd}`,
    });
    const text = `Harbor${odd}Bakery is C-0212.`;
    const causes = [{ axis: "integrity", rank: 2, reason: `a note of${odd}` }] as const;
    const about = { text, kind: `kind${odd}`, thread: `t${odd}`, causes, label: label({ integrity: 2 }) };
    const written = await memory.remember(about);
    expect(written.text).toBe(`Harbor${odd.replaceAll(/./g, "\ufffd")}Bakery is C-0212.`);
    const [recalled, ...more] = await memory.recall(`which bakery${odd}?`);
    expect(more).toEqual([]);
    expect(recalled).toEqual(written);
    expect(sameLabel(recalled?.label ?? BOTTOM, label({ integrity: 2 }))).toBe(true);
  });

  it.each(["\0", "\ud800"])("takes whatever it is given: %j", async (odd) => {
    const kept = odd.replaceAll(/./g, "\ufffd");
    await store.put(["any"], `k${odd}`, { text: `a${odd}`, [`n${odd}`]: [{ deep: odd }] });
    const value = { text: `a${kept}`, [`n${kept}`]: [{ deep: kept }] };
    expect(await store.get(["any"], `k${odd}`)).toMatchObject({ key: `k${kept}`, value });
    expect(await store.search(["any"], { filter: { text: `a${odd}` } })).toMatchObject([{ value }]);
    const [found] = await store.batch([{ namespacePrefix: ["any"], query: odd, limit: 1 }]);
    expect(found).toMatchObject([{ value }]);
    expect(await store.listNamespaces({ prefix: [`any${odd}`] })).toEqual([]);
    await store.delete(["any"], `k${odd}`);
    expect(await store.get(["any"], `k${odd}`)).toBeNull();
  });

  it("survives losing its idle connections, and reconnects", async () => {
    await store.get(["n"], "k");
    await administer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`);
    await expect.poll(() => store.get(["n"], "k").catch(() => "failed"), { timeout: 5000 }).toBeNull();
  });

  it("survives losing a connection that is at work, and says so", async () => {
    const sockets: Socket[] = [];
    const proxy = createServer((socket) => {
      const upstream = connect(5432, "127.0.0.1");
      sockets.push(socket, upstream);
      for (const each of [socket, upstream]) each.on("error", () => undefined); // Cutting is the point.
      socket.pipe(upstream).pipe(socket);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const { port } = proxy.address() as AddressInfo;
    const far = await openStore(url.replace(":5432", `:${port}`));
    const locker = new pg.Client({ connectionString: url });
    await locker.connect();
    await locker.query("BEGIN");
    await locker.query("LOCK TABLE store IN ACCESS EXCLUSIVE MODE");
    const waiting = expect(far.store.put(["n"], "k", {})).rejects.toThrow(/terminated|ECONNRESET/);
    const blocked = async () => (await locker.query("SELECT 1 FROM pg_locks WHERE NOT granted")).rowCount;
    await expect.poll(blocked, { timeout: 5000 }).toBe(1);
    for (const socket of sockets) socket.resetAndDestroy();
    await waiting;
    await locker.end();
    expect(await far.store.search(["n"])).toBeInstanceOf(Array);
    await far.close();
    proxy.close();
  });

  it("says so when the server has no pgvector, or else searches by meaning", async () => {
    const opening = openStore(url, { embeddings: new LetterEmbeddings() });
    const opened = await opening.catch((error: unknown) => error as Error);
    if (opened instanceof Error) {
      expect(opened).toMatchObject({ code: "VECTORS_UNSUPPORTED", message: expect.stringContaining("pgvector") });
      return;
    }
    const memory = labelledMemory({ seal, store: opened.store, namespace: ["meaning"] });
    await memory.remember({ text: "listen", label: TOP, thread: "t" });
    expect(await memory.recall("silent")).toMatchObject([{ text: "listen" }]);
    await opened.close();
  });
});
