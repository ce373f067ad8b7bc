// A LangGraph store in one SQLite file, because JavaScript has none: the in-memory store's answers, kept. Search by
// meaning compares the query with every stored vector, so it is exact. No expiry.

import {
  BaseStore,
  type Item,
  type ListNamespacesOperation,
  type MatchCondition,
  type Operation,
  type OperationResults,
  type PutOperation,
  type SearchItem,
  type SearchOperation,
  validateNamespace,
} from "@langchain/langgraph-checkpoint";
import type Database from "libsql";
import { z } from "zod";
import { StoreError } from "./errors.js";
import { matchesFilter } from "./filter.js";
import { SqliteFile } from "./sqlite-file.js";
import { textsAt } from "./texts.js";
import { cosine, type NamedEmbeddings, toBlob } from "./vectors.js";

/** What {@link SqliteStore} takes. */
export interface SqliteStoreOptions {
  /** Turns on search by meaning. Default: none, and a search's `query` is ignored, as in the in-memory store. */
  readonly embeddings?: NamedEmbeddings;
  /** Paths of the texts to embed when a put names none. Default `["$"]`, the whole value. */
  readonly fields?: readonly string[];
  /** How long a write waits for another process's write, in ms; the wait blocks the event loop. Default 5000. */
  readonly lockTimeout?: number;
  /** Milliseconds since the epoch. Default: the machine's clock. */
  readonly now?: () => number;
}

const json = z.string().transform((text): unknown => JSON.parse(text));

const itemRow = z.object({
  id: z.number(),
  namespace: z.string(),
  key: json.pipe(z.string()),
  value: json.pipe(z.record(z.string(), z.unknown())),
  fields: z.nullable(json.pipe(z.union([z.literal(false), z.array(z.string())]))),
  created_at: z.number(),
  updated_at: z.number(),
});
type ItemRow = z.output<typeof itemRow>;

const vectorRow = z.object({ item: z.number(), embedder: z.string(), vector: z.instanceof(ArrayBuffer) });

/** A put that is ready to be written. `value` is JSON, `undefined` to delete. */
interface Write {
  readonly put: PutOperation;
  readonly value: string | undefined;
  readonly vectors: readonly (readonly number[])[];
}

// Labels cannot hold a colon, so the joined path is unambiguous; and `;` is the character after `:`, so the half-open
// range is the prefix's subtree. Keys may hold anything, also the NUL that would cut an SQLite text: they are JSON.
const pathOf = (namespace: readonly string[]): string => namespace.join(":");
const SUBTREE = "(?1 = '' OR namespace = ?1 OR (namespace >= ?1 || ':' AND namespace < ?1 || ';'))";

/**
 * The store. Opened lazily; several processes may use one file. Reads of a batch see the store as it was before the
 * batch's puts, of several puts of one key the last one counts, and a search answers in order of first writing.
 * Every method throws {@link StoreError}.
 */
export class SqliteStore extends BaseStore {
  readonly #file: SqliteFile;
  readonly #embeddings: NamedEmbeddings | undefined;
  readonly #fields: readonly string[];
  readonly #now: () => number;

  /** @param path the database file; folders on the way are made. */
  constructor(
    path: string,
    { embeddings, fields = ["$"], lockTimeout = 5000, now = Date.now }: SqliteStoreOptions = {},
  ) {
    super();
    this.#file = new SqliteFile(path, lockTimeout);
    this.#embeddings = embeddings;
    this.#fields = fields;
    this.#now = now;
  }

  override async batch<Op extends Operation[]>(operations: Op): Promise<OperationResults<Op>> {
    for (const operation of operations) validate(operation);
    const queries = await this.#embedQueries(operations);
    const writes = await this.#prepare(operations);
    const answers = this.#file.transaction(writes.length > 0 ? "write" : "read", (database) => {
      if (queries.size > 0 || writes.some((write) => write.vectors.length > 0)) this.#refuseMixing(database);
      const read = operations.map((operation) => this.#read(database, operation, queries));
      for (const write of writes) this.#write(database, write);
      return read;
    });
    return answers as OperationResults<Op>;
  }

  /**
   * Embeds every item anew, also those that were written without an embedder, and drops the vectors of other
   * embedders. An item that changes meanwhile keeps what its writer gave it. Returns how many items were embedded.
   */
  async reindex(): Promise<number> {
    const embeddings = this.#embeddings;
    if (embeddings === undefined) {
      throw new StoreError("VECTORS_UNSUPPORTED", "This store has no embedder. Open it with one to re-index it.");
    }
    const rows = this.#file.transaction("read", (database) => select(database, "", []));
    const texts = rows.map((row) => this.#texts(row.value, row.fields));
    const vectors = await embeddings.embedDocuments(texts.flat());
    return this.#file.transaction("write", (database) => {
      let done = 0;
      for (const [index, row] of rows.entries()) {
        const own = vectors.splice(0, texts[index]?.length ?? 0);
        const [now] = select(database, "AND id = ?2", [row.id]);
        if (now === undefined || JSON.stringify(now.value) !== JSON.stringify(row.value)) continue;
        this.#replaceVectors(database, row.id, own);
        if (own.length > 0) done++;
      }
      database.prepare("DELETE FROM memory_vectors WHERE embedder <> ?").run(embeddings.id);
      return done;
    });
  }

  /** Closes the file. */
  override stop(): void {
    this.#file.close();
  }

  #texts(value: Record<string, unknown>, fields: PutOperation["index"] | null): string[] {
    if (fields === false) return [];
    return (fields ?? this.#fields).flatMap((path) => textsAt(value, path));
  }

  async #embedQueries(operations: readonly Operation[]): Promise<ReadonlyMap<string, readonly number[]>> {
    const embeddings = this.#embeddings;
    if (embeddings === undefined) return new Map();
    const queries = operations.map((each) => ("namespacePrefix" in each ? each.query : undefined));
    const texts = [...new Set(queries.filter((query) => query !== undefined && query !== ""))] as string[];
    return new Map(await Promise.all(texts.map(async (text) => [text, await embeddings.embedQuery(text)] as const)));
  }

  async #prepare(operations: readonly Operation[]): Promise<Write[]> {
    const puts = new Map<string, PutOperation>();
    for (const each of operations) if ("value" in each) puts.set(JSON.stringify([each.namespace, each.key]), each);
    const prepared = [...puts.values()].map((put) => {
      const value = put.value === null ? undefined : asJson(put);
      return { put, value, texts: put.value === null ? [] : this.#texts(put.value, put.index) };
    });
    const texts = prepared.flatMap((each) => each.texts);
    const vectors = texts.length === 0 ? [] : ((await this.#embeddings?.embedDocuments(texts)) ?? []);
    return prepared.map((each) => ({ ...each, vectors: vectors.splice(0, each.texts.length) }));
  }

  #refuseMixing(database: Database.Database): void {
    const own = this.#embeddings?.id ?? "";
    const [other] = database
      .prepare("SELECT item, embedder, vector FROM memory_vectors WHERE embedder <> ? LIMIT 1")
      .all(own);
    if (other === undefined) return;
    throw new StoreError(
      "EMBEDDINGS_MIXED",
      `${this.#file.path} holds vectors of ${vectorRow.parse(other).embedder}, and this store embeds with ${own}: the two cannot be compared. Call reindex() on a SqliteStore with the new embedder, or go back to the old one.`,
    );
  }

  #read(database: Database.Database, operation: Operation, queries: ReadonlyMap<string, readonly number[]>): unknown {
    if ("matchConditions" in operation) return listNamespaces(database, operation);
    if ("namespacePrefix" in operation) return this.#search(database, operation, queries.get(operation.query ?? ""));
    if ("value" in operation) return null;
    if (!("key" in operation)) return listNamespaces(database, operation);
    const key = JSON.stringify(operation.key);
    const [row] = select(database, "AND namespace = ?1 AND key = ?2", [key], operation.namespace);
    return row === undefined ? null : toItem(row);
  }

  #search(database: Database.Database, operation: SearchOperation, query?: readonly number[]): SearchItem[] {
    const { namespacePrefix, filter, offset = 0, limit = 10 } = operation;
    const rows = select(database, "", [], namespacePrefix).filter((row) => matchesFilter(row.value, filter));
    if (query === undefined) return rows.slice(offset, offset + limit).map(toItem);
    const best = new Map<number, number>();
    const vectors = database
      .prepare(
        `SELECT item, embedder, vector FROM memory_vectors JOIN memory_items ON id = item WHERE ${SUBTREE} ORDER BY id`,
      )
      .all(pathOf(namespacePrefix));
    for (const row of vectors) {
      const { item, vector } = vectorRow.parse(row);
      best.set(item, Math.max(best.get(item) ?? -1, cosine(query, new Float32Array(vector))));
    }
    const scored = rows.flatMap((row) => {
      const score = best.get(row.id);
      return score === undefined ? [] : [{ ...toItem(row), score }];
    });
    const unscored = rows.filter((row) => !best.has(row.id)).map(toItem);
    return [...scored.sort((left, right) => right.score - left.score), ...unscored].slice(offset, offset + limit);
  }

  #write(database: Database.Database, { put, value, vectors }: Write): void {
    const [namespace, key, now] = [pathOf(put.namespace), JSON.stringify(put.key), this.#now()];
    if (value === undefined) {
      database.prepare("DELETE FROM memory_items WHERE namespace = ? AND key = ?").run(namespace, key);
      return;
    }
    const fields = put.index === undefined || put.index === null ? null : JSON.stringify(put.index);
    const [row] = database
      .prepare(
        `INSERT INTO memory_items (namespace, key, value, fields, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (namespace, key) DO UPDATE SET value = ?3, fields = ?4, updated_at = ?5 RETURNING id`,
      )
      .all(namespace, key, value, fields, now);
    this.#replaceVectors(database, z.object({ id: z.number() }).parse(row).id, vectors);
  }

  #replaceVectors(database: Database.Database, item: number, vectors: readonly (readonly number[])[]): void {
    database.prepare("DELETE FROM memory_vectors WHERE item = ?").run(item);
    const insert = database.prepare("INSERT INTO memory_vectors (item, part, embedder, vector) VALUES (?, ?, ?, ?)");
    for (const [part, vector] of vectors.entries()) insert.run(item, part, this.#embeddings?.id, toBlob(vector));
  }
}

function validate(operation: Operation): void {
  if ("namespace" in operation) validateNamespace(operation.namespace, { allowReservedRoot: true });
  if ("namespacePrefix" in operation) {
    validateNamespace(operation.namespacePrefix, { allowEmpty: true, allowReservedRoot: true });
  }
}

function asJson({ namespace, key, value }: PutOperation): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new StoreError(
      "NOT_JSON",
      `The value of ${JSON.stringify(key)} in ${pathOf(namespace)} cannot be stored: ${(error as Error).message}. A store holds JSON: no BigInt, no cycles.`,
      error,
    );
  }
}

/** Rows under a namespace, oldest first. `?1` is the namespace's path. */
function select(
  database: Database.Database,
  condition: string,
  parameters: readonly unknown[],
  namespace: readonly string[] = [],
): ItemRow[] {
  return database
    .prepare(`SELECT * FROM memory_items WHERE ${SUBTREE} ${condition} ORDER BY id`)
    .all(pathOf(namespace), ...parameters)
    .map((row) => itemRow.parse(row));
}

const toItem = ({ namespace, key, value, created_at, updated_at }: ItemRow): Item => ({
  namespace: namespace.split(":"),
  key,
  value,
  createdAt: new Date(created_at),
  updatedAt: new Date(updated_at),
});

function listNamespaces(database: Database.Database, operation: ListNamespacesOperation): string[][] {
  const { matchConditions = [], maxDepth, offset = 0, limit } = operation;
  const matching = database
    .prepare("SELECT DISTINCT namespace FROM memory_items")
    .all()
    .map((row) => z.object({ namespace: z.string() }).parse(row).namespace.split(":"))
    .filter((namespace) => matchConditions.every((condition) => matches(condition, namespace)))
    .map((namespace) => pathOf(namespace.slice(0, maxDepth)));
  return [...new Set(matching)]
    .sort((left, right) => left.localeCompare(right))
    .slice(offset, limit === undefined ? undefined : offset + limit)
    .map((path) => path.split(":"));
}

function matches({ matchType, path }: MatchCondition, namespace: readonly string[]): boolean {
  if (path.length > namespace.length) return false;
  const start = matchType === "prefix" ? 0 : namespace.length - path.length;
  return path.every((label, index) => label === "*" || label === namespace[start + index]);
}
