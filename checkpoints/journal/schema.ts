// The journal's tables and how an older database becomes a present one. Rows hold their facts as one JSON document,
// beside the few columns that statements decide on: text from anywhere survives in JSON on both databases.

import { all, first, type Work } from "../database/database.js";

/** The two dialects. They differ in one phrase. */
export type Dialect = "sqlite" | "postgres";

const position: Readonly<Record<Dialect, string>> = {
  sqlite: "position INTEGER PRIMARY KEY AUTOINCREMENT",
  postgres: "position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
};

const bytes: Readonly<Record<Dialect, string>> = { sqlite: "BLOB", postgres: "BYTEA" };

/** One list of statements per version, oldest first. A published list never changes; a new version adds one. */
const migrations = (dialect: Dialect): readonly (readonly string[])[] => [
  [
    `CREATE TABLE h_event (${position[dialect]}, run TEXT NOT NULL, seq INTEGER NOT NULL, thread TEXT NOT NULL,
       header TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL, UNIQUE (run, seq))`,
    "CREATE INDEX h_event_thread ON h_event (thread, position)",
    "CREATE TABLE h_head (run TEXT PRIMARY KEY, length INTEGER NOT NULL, hash TEXT NOT NULL)",
    `CREATE TABLE h_thread (thread TEXT PRIMARY KEY, graph TEXT NOT NULL, status TEXT NOT NULL, task TEXT,
       floor TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)`,
    `CREATE TABLE h_approval (${position[dialect]}, id TEXT NOT NULL UNIQUE, thread TEXT NOT NULL, request TEXT NOT NULL,
       expires_at BIGINT NOT NULL, status TEXT NOT NULL, created_at BIGINT NOT NULL, decision TEXT, used_by TEXT UNIQUE)`,
    `CREATE TABLE h_effect (${position[dialect]}, key TEXT NOT NULL UNIQUE, thread TEXT NOT NULL, intent TEXT NOT NULL,
       status TEXT NOT NULL, outcome TEXT, attempts INTEGER NOT NULL, updated_at BIGINT NOT NULL)`,
    `CREATE TABLE h_lease (thread TEXT PRIMARY KEY, token TEXT NOT NULL, owner TEXT NOT NULL, pid INTEGER NOT NULL,
       host TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL)`,
  ],
  ["ALTER TABLE h_effect ADD COLUMN resolution TEXT"],
  [
    "ALTER TABLE h_approval ADD COLUMN history TEXT", // Approvals from before have no seal and count as forged.
    "ALTER TABLE h_thread ADD COLUMN root TEXT",
    "UPDATE h_thread SET root = thread",
    "ALTER TABLE h_thread ADD COLUMN seal TEXT", // And for the floors of threads: from before, they are the bottom.
    "ALTER TABLE h_effect ADD COLUMN root TEXT",
    "UPDATE h_effect SET root = thread",
    "ALTER TABLE h_effect ADD COLUMN seal TEXT", // The same holds for effects.
    "CREATE INDEX h_effect_root ON h_effect (root, position)",
    `CREATE TABLE h_label (thread TEXT NOT NULL, digest TEXT NOT NULL, label TEXT NOT NULL, seal TEXT NOT NULL,
       PRIMARY KEY (thread, digest))`,
    "CREATE TABLE h_document (digest TEXT PRIMARY KEY, kind TEXT NOT NULL, document TEXT NOT NULL)",
    "CREATE TABLE h_pin (root TEXT NOT NULL, tool TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (root, tool))",
  ],
  [
    "ALTER TABLE h_head ADD COLUMN thread TEXT",
    "UPDATE h_head SET thread = (SELECT thread FROM h_event WHERE h_event.run = h_head.run AND seq = 1)",
    "ALTER TABLE h_head ADD COLUMN seal TEXT", // Runs from before have none: verification says where sealed runs begin.
    "CREATE INDEX h_head_thread ON h_head (thread)",
  ],
  [
    `CREATE TABLE h_key (thread TEXT NOT NULL, id TEXT NOT NULL, wrapped TEXT NOT NULL, sealed_by TEXT NOT NULL,
       PRIMARY KEY (thread, id))`,
    `CREATE TABLE h_text (thread TEXT NOT NULL, digest TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL,
       content ${bytes[dialect]} NOT NULL, PRIMARY KEY (thread, digest))`,
    `CREATE TABLE h_fold (run TEXT NOT NULL, seq INTEGER NOT NULL, thread TEXT NOT NULL, length INTEGER NOT NULL,
       key TEXT NOT NULL, links ${bytes[dialect]} NOT NULL, bodies ${bytes[dialect]}, PRIMARY KEY (run, seq))`,
    "CREATE INDEX h_fold_thread ON h_fold (thread)",
  ],
];

/** Brings the database to the present version. Calls `refuse` with both versions when it is newer than this code. */
export function* migrate(dialect: Dialect, refuse: (found: number, known: number) => Error): Work<void> {
  yield* all("CREATE TABLE IF NOT EXISTS h_schema (version INTEGER NOT NULL)");
  const row = yield* first("SELECT version FROM h_schema");
  const found = Number(row?.["version"] ?? 0);
  const steps = migrations(dialect);
  if (!(found <= steps.length)) throw refuse(found, steps.length);
  if (found === steps.length) return;
  for (const sql of steps.slice(found).flat()) yield* all(sql);
  yield* all(
    row === undefined ? "INSERT INTO h_schema (version) VALUES (?)" : "UPDATE h_schema SET version = ?",
    steps.length,
  );
}
