// Signatures for what lies in a database that others can write to. A value is sealed together with what it stands for,
// so that a seal cannot be moved to another row.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { canonicalJson } from "./digest.js";

/** Signs and verifies. The key never leaves it. */
export interface Seal {
  /** Names the key without telling it: the first 16 hexadecimal digits of its SHA-256. */
  readonly key: string;
  /** HMAC-SHA-256 over the canonical JSON of `value`, in hexadecimal. `purpose` keeps the seals of one table out of another. */
  sign(purpose: string, value: unknown): string;
  /** Whether `seal` is this key's for this purpose and value. Total: nonsense is `false`. */
  verify(purpose: string, value: unknown, seal: unknown): boolean;
}

/** A seal with this key. */
export function hmacSeal(key: Uint8Array): Seal {
  const sign = (purpose: string, value: unknown): string =>
    createHmac("sha256", key)
      .update(canonicalJson([purpose, value]))
      .digest("hex");
  return {
    key: createHash("sha256").update(key).digest("hex").slice(0, 16),
    sign,
    verify(purpose, value, seal) {
      if (typeof seal !== "string") return false;
      try {
        const expected = Buffer.from(sign(purpose, value));
        const given = Buffer.from(seal);
        return expected.length === given.length && timingSafeEqual(expected, given);
      } catch {
        return false; // A value without canonical JSON was never sealed.
      }
    },
  };
}
