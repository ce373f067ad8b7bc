// Reads a database URL: `sqlite:PATH`, `postgres://…` or `memory:`. The one place that knows what a URL looks like,
// and how it looks without its password.

import { resolve } from "node:path";
import { JournalError } from "../errors.js";

/** Where a database is. `name` is what messages call it. */
export type DatabaseTarget =
  | { readonly kind: "sqlite"; readonly name: string; readonly path: string }
  | { readonly kind: "memory"; readonly name: string }
  | {
      readonly kind: "postgres";
      readonly name: string;
      readonly connectionString: string;
      /** From `?schema=name`. Without it the connection's own search path decides. */
      readonly schema: string | undefined;
      /** Never to be shown. */
      readonly secrets: readonly string[];
    };

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** The URL with every password replaced by `***`. Works on malformed URLs too, hiding rather too much than too little. */
export const redactUrl = (url: string): string =>
  url.replace(/(:\/\/[^:@/]*):.*@/s, "$1:***@").replace(/([?&](?:password|sslpassword)=)[^&#]*/gi, "$1***");

const refuse = (url: string, why: string, cause?: unknown): JournalError =>
  new JournalError(
    "JOURNAL_UNAVAILABLE",
    redactUrl(url),
    `${redactUrl(url)} ${why}. Use sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE, or memory:.`,
    cause,
  );

const plain = (text: string): string[] => {
  try {
    return [text, decodeURIComponent(text)];
  } catch {
    return [text]; // Not percent-encoded: the text itself is the secret.
  }
};

function postgresTarget(url: string): DatabaseTarget {
  if (!URL.canParse(url)) throw refuse(url, "is not a valid URL (is the password percent-encoded?)");
  const parsed = new URL(url);
  const schema = parsed.searchParams.get("schema") ?? undefined;
  if (schema !== undefined && !SCHEMA_NAME.test(schema)) {
    throw refuse(url, `names the schema ${JSON.stringify(schema)}; a schema has lower-case letters, digits and "_"`);
  }
  const secrets = [parsed.password, parsed.searchParams.get("password") ?? ""]
    .filter((each) => each !== "")
    .flatMap(plain);
  parsed.searchParams.delete("schema");
  return { kind: "postgres", name: redactUrl(url), connectionString: parsed.href, schema, secrets };
}

/**
 * Reads `url`. A SQLite path may be relative to `cwd`.
 *
 * @throws JournalError `JOURNAL_UNAVAILABLE` when it is none of the three kinds.
 */
export function parseDatabaseUrl(url: string, cwd: string): DatabaseTarget {
  if (url === "memory:") return { kind: "memory", name: url };
  if (/^postgres(ql)?:\/\//.test(url)) return postgresTarget(url);
  if (!url.startsWith("sqlite:")) throw refuse(url, "is not a database this version can open");
  const path = url.slice("sqlite:".length).replace(/^\/\/(?=\/)/, "");
  if (path === "" || path.includes("\0")) throw refuse(url, "names no file");
  return { kind: "sqlite", name: resolve(cwd, path), path: resolve(cwd, path) };
}
