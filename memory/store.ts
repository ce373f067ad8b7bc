// Opens the store that outlives threads, by address. Ours and not LangGraph's own, because Studio and the Agent Server
// replace the store of a graph that runs in them.

import { resolve } from "node:path";
import { type BaseStore, InMemoryStore } from "@langchain/langgraph-checkpoint";
import type { PostgresStore } from "@langchain/langgraph-checkpoint-postgres/store";
import type pg from "pg";
import { storable } from "../trust/storable.js";
import { StoreError } from "./errors.js";
import { SqliteStore } from "./sqlite.js";
import type { NamedEmbeddings } from "./vectors.js";

/** What {@link openStore} takes beside the address. */
export interface OpenStoreOptions {
  /** Turns on search by meaning. In Postgres it needs the `pgvector` extension. Default: none. */
  readonly embeddings?: NamedEmbeddings;
}

/** A store and the way to let go of it. */
export interface OpenedStore {
  readonly store: BaseStore;
  /** Closes the file or the connections. Calling it again does nothing. */
  close(): Promise<void>;
}

// The store writes it into its SQL as it is.
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Opens `memory:`, `sqlite:PATH` (at its first use; folders are made) or `postgres://…` (at once; tables are made,
 * in the schema of `?schema=NAME` if given). Checkpoints and journal take the same addresses and may share the database.
 * @throws StoreError `URL` for another address, `UNAVAILABLE` when Postgres cannot be reached, `VECTORS_UNSUPPORTED`
 * when it has no `pgvector`. Postgres keeps vectors without their embedder's name: keep to one embedder there.
 */
export async function openStore(url: string, { embeddings }: OpenStoreOptions = {}): Promise<OpenedStore> {
  const scheme = url.slice(0, url.indexOf(":") + 1);
  switch (scheme) {
    case "memory:": {
      const index = embeddings === undefined ? {} : { index: { dims: embeddings.dimensions, embeddings } };
      return { store: new InMemoryStore(index), close: async () => undefined };
    }
    case "sqlite:": {
      const path = url.slice(scheme.length).replace(/^\/\/(?=\/)/, "");
      if (path === "") break;
      const store = new SqliteStore(resolve(path), embeddings === undefined ? {} : { embeddings });
      return { store, close: async () => store.stop() };
    }
    case "postgres:":
    case "postgresql:":
      if (!URL.canParse(url)) break;
      return openPostgres(new URL(url), embeddings);
  }
  throw new StoreError(
    "URL",
    `${JSON.stringify(scheme === "" ? url : `${scheme}…`)} is not the address of a store. Use memory:, sqlite:PATH or postgres://USER@HOST/DATABASE.`,
  );
}

async function openPostgres(url: URL, embeddings: NamedEmbeddings | undefined): Promise<OpenedStore> {
  const shown = withoutPassword(url);
  const schema = url.searchParams.get("schema") ?? undefined;
  if (schema !== undefined && !SCHEMA_NAME.test(schema)) {
    throw new StoreError(
      "URL",
      `${shown}: a schema has lower-case letters, digits and "_", not ${JSON.stringify(schema)}.`,
    );
  }
  url.searchParams.delete("schema");
  const { PostgresStore: Store } = await import("@langchain/langgraph-checkpoint-postgres/store");
  const store = new Store({
    connectionOptions: url.href,
    ...(schema === undefined ? {} : { schema }),
    ...(embeddings === undefined ? {} : { index: { dims: embeddings.dimensions, embed: embeddings } }),
  });
  surviveLostConnections(store);
  try {
    await setUpInTurn(store);
  } catch (error) {
    await store.stop();
    throw explain(error, shown);
  }
  return { store: storing(store), close: () => store.stop() };
}

/** The same store, which is handed nothing that Postgres refuses. */
const storing = (store: PostgresStore): BaseStore =>
  new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...given: readonly unknown[]): unknown => Reflect.apply(member, target, storable(given));
    },
  });

const poolOf = (store: PostgresStore): pg.Pool => (store as unknown as { core: { pool: pg.Pool } }).core.pool;

/**
 * The advisory lock under which processes that start at once make tables in turn. Journal and checkpoints take the same
 * one (`checkpoints/database/postgres.ts`), since all three may have to make the same schema.
 */
const SETUP_LOCK = 0x62756c6b;

/** The store itself does not wait for another process that makes the same tables, and fails on what that has made. */
async function setUpInTurn(store: PostgresStore): Promise<void> {
  const client = await poolOf(store).connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [SETUP_LOCK]);
    await store.setup();
  } finally {
    client.release(true); // Closing the connection is what gives the lock back, whatever happened.
  }
}

/**
 * A lost connection is an `error` event of the pool or its client, and one that nobody hears ends the process. The
 * operation that was under way is rejected with the same error, so nothing is hidden. The pool is private to the store.
 */
function surviveLostConnections(store: PostgresStore): void {
  const pool = poolOf(store);
  const heard = () => undefined;
  pool.on("error", heard);
  pool.on("connect", (client) => client.on("error", heard));
}

function explain(error: unknown, url: string): StoreError {
  const { code, message } = error as { code?: string; message?: string };
  if (/extension "vector"|type "vector"/.test(message ?? "")) {
    return new StoreError(
      "VECTORS_UNSUPPORTED",
      "This Postgres has no pgvector extension, so memory cannot be searched by meaning. Install pgvector, or open the store without embeddings to search by keyword.",
      error,
    );
  }
  return new StoreError(
    "UNAVAILABLE",
    `The store at ${url} cannot be opened: ${message || code}. Check that the server runs and that the user may create tables.`,
    error,
  );
}

function withoutPassword(url: URL): string {
  const shown = new URL(url);
  if (shown.password !== "") shown.password = "***";
  shown.search = ""; // libpq also takes a password there.
  return shown.href;
}
