// Policies and tools as they were when something was decided by them, so that a record can be read without the code;
// and the definition of a tool that a thread saw first.

import { z } from "zod";
import { all, first, type Work } from "../database/database.js";
import { json, readRow } from "./rows.js";

const documentRow = z.object({ document: json(z.unknown()) });
const pinRow = z.object({ digest: z.string() });

/** Keeps a document under its digest. What is there stays. */
export function* recordDocument(kind: "policy" | "tool", digest: string, document: unknown): Work<void> {
  yield* all(
    "INSERT INTO h_document (digest, kind, document) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
    ...[digest, kind, JSON.stringify(document)],
  );
}

/** The document with this digest. */
export function* findDocument(digest: string): Work<unknown> {
  const row = yield* first("SELECT document FROM h_document WHERE digest = ?", digest);
  return row && readRow(documentRow, row, `document ${digest}`).document;
}

/** The digest under which this root first used the tool. */
export function* pinTool(root: string, tool: string, digest: string): Work<string> {
  yield* all(
    "INSERT INTO h_pin (root, tool, digest) VALUES (?, ?, ?) ON CONFLICT (root, tool) DO NOTHING",
    ...[root, tool, digest],
  );
  const row = yield* first("SELECT digest FROM h_pin WHERE root = ? AND tool = ?", root, tool);
  return readRow(pinRow, row ?? {}, `the first definition of ${tool}`).digest;
}
