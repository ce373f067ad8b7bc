// One way to name content: SHA-256 over canonical JSON (RFC 8785). Bindings, keys and caches all use it, so that
// equal content always has an equal name whatever order its keys were written in.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** Canonical JSON by RFC 8785. Throws a `TypeError` for what JSON cannot say (NaN, lone surrogates, cycles, functions). */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form and cannot be digested`);
  return text;
}

/** Lower-case hexadecimal SHA-256 of the value's canonical JSON. */
export const digest = (value: unknown): string => createHash("sha256").update(canonicalJson(value)).digest("hex");
