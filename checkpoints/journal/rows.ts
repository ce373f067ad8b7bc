// Reading rows back. What the journal wrote is checked like anything else that comes from outside: a label that is no
// label is the bottom, and any other damage is said, not guessed around.

import { z } from "zod";
import { parseCauses } from "../../trust/cause.js";
import { AXES, parseLabel } from "../../trust/label.js";
import type { Row } from "../database/database.js";
import { JournalError } from "../errors.js";

/** Postgres sends 64-bit integers as text. */
export const integer = z.coerce.number().int();

/** Bytes, whatever the database's client makes of them. */
export const bytes = z.union([
  z.instanceof(Uint8Array),
  z.instanceof(ArrayBuffer).transform((buffer) => new Uint8Array(buffer)),
]);

export const rank = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
/** Anything that is no label is the bottom; so is a missing one. */
export const label = z.unknown().prefault(null).transform(parseLabel);
/** Causes only explain: what is none is left out. */
export const causes = z.unknown().prefault(null).transform(parseCauses);
export const deficits = z.array(z.object({ axis: z.enum(AXES), rank, floor: rank }));
export const runStatus = z.enum([
  "running",
  "finished",
  "failed",
  "waiting",
  "blocked",
  "parked",
  "spent",
  "interrupted",
]);
export const effectStatus = z.enum(["intended", "dispatched", "committed", "failed", "in_doubt"]);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A tool call's arguments, handed on as they are: z.record would drop a key named `__proto__`. */
export const callArguments = z.custom<Readonly<Record<string, unknown>>>(isRecord, "expected an object");

/** A JSON document in a column. Its text is parsed before `schema` sees it; text that is no JSON fails the row. */
export const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: "not JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** Like {@link json} with {@link label}, but text that is no JSON is the bottom too. */
export const labelColumn = z.unknown().transform((text) => {
  try {
    return parseLabel(typeof text === "string" ? JSON.parse(text) : undefined);
  } catch {
    return parseLabel(undefined); // A damaged label fails closed, and the thread stays readable.
  }
});

/** The error for a row that cannot be used. `what` names it: `effect 3f…`. */
export const damaged = (what: string, why: string): JournalError =>
  new JournalError(
    "JOURNAL_BROKEN",
    what,
    `the journal's record of ${what} is damaged: ${why}. Do not act on it; restore a copy of the database, or continue in a new thread.`,
  );

/** Checks a row. @throws JournalError `JOURNAL_BROKEN` */
export function readRow<Schema extends z.ZodType>(schema: Schema, row: Row, what: string): z.output<Schema> {
  const read = schema.safeParse(row);
  if (read.success) return read.data;
  throw damaged(what, read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
}
