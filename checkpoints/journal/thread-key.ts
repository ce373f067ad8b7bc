// The key under which the contents of one thread's record are encrypted. It is kept in the database, wrapped with the
// journal's key, which is not; erasing its row erases what it encrypts, and the chain of events still verifies, because
// that is over digests. Source: trust-replay.md, section 6.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { all, type Row, type Work } from "../database/database.js";
import { PHRASES } from "./phrases.js";
import { readRow } from "./rows.js";

const PURPOSE = "thread key";
const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Shorter texts are not worth the time. In characters. */
const COMPRESSED_FROM = 200;

/** How the first byte of what is encrypted says what the rest is. */
const PLAIN = 0;
const DEFLATED = 1;

const COMPRESSION = { dictionary: PHRASES };

/** Locks and unlocks the contents of one thread. */
export interface ThreadKey {
  /** Names the key, without telling it. */
  readonly id: string;
  /** The key itself, in hexadecimal: for an export, which can be read without the database. */
  readonly secret: string;
  lock(text: string): Buffer;
  /** `undefined` for what this key did not lock. */
  unlock(bytes: Uint8Array): string | undefined;
  /** HMAC-SHA-256 of a text, in hexadecimal: names it to whoever has the key, and says nothing to anybody else. */
  digest(text: string): string;
}

const row = z.object({ id: z.string(), wrapped: z.string(), sealed_by: z.string() });

/** The key with these bytes. */
export function keyOf(id: string, secret: string): ThreadKey {
  const key = Buffer.from(secret, "hex");
  const naming = createHmac("sha256", key).update("name").digest(); // One key for one use.
  return {
    id,
    secret,
    lock(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv);
      const small = text.length < COMPRESSED_FROM;
      const content = small ? Buffer.from(text) : deflateRawSync(text, COMPRESSION);
      const format = Buffer.of(small ? PLAIN : DEFLATED);
      const locked = [cipher.update(format), cipher.update(content), cipher.final()];
      return Buffer.concat([iv, cipher.getAuthTag(), ...locked]);
    },
    unlock(bytes) {
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
        decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
        const content = opened.subarray(1);
        return (opened[0] === DEFLATED ? inflateRawSync(content, COMPRESSION) : content).toString();
      } catch {
        return undefined; // Another key, or changed bytes.
      }
    },
    digest: (text) => createHmac("sha256", naming).update(text).digest("hex"),
  };
}

/** What wraps a key: made from the journal's key for this one alone. */
const wrapping = (thread: string, id: string, seal: Seal): ThreadKey => keyOf(id, seal.sign(PURPOSE, { thread, id }));

/** Keys that were unwrapped, by what they were unwrapped from. */
export type KnownKeys = Map<string, ThreadKey>;

/** The key in a row; `undefined` when another journal's key wrapped it, or somebody changed it. */
function unwrapped(found: Row, thread: string, seal: Seal): ThreadKey | undefined {
  const { id, wrapped, sealed_by } = readRow(row, found, `the key of thread ${thread}`);
  if (sealed_by !== seal.key) return undefined;
  const secret = wrapping(thread, id, seal).unlock(Buffer.from(wrapped, "base64"));
  return secret === undefined ? undefined : keyOf(id, secret);
}

/** The keys of a thread that this journal's key unwraps, by name. None when they were erased. */
export function* findKeys(
  thread: string,
  seal: Seal,
  known: KnownKeys = new Map(),
): Work<ReadonlyMap<string, ThreadKey>> {
  const rows = yield* all("SELECT id, wrapped, sealed_by FROM h_key WHERE thread = ? ORDER BY id", thread);
  const keys = rows.flatMap((each) => {
    const name = JSON.stringify([thread, each]);
    const key = known.get(name) ?? unwrapped(each, thread, seal);
    if (key === undefined) return [];
    known.set(name, key);
    return key;
  });
  return new Map(keys.map((key) => [key.id, key]));
}

/** The key for what is written now, made when there is none. */
export function* requireKey(thread: string, seal: Seal, known?: KnownKeys): Work<ThreadKey> {
  const [found] = (yield* findKeys(thread, seal, known)).values();
  if (found !== undefined) return found;
  const made = keyOf(randomBytes(8).toString("hex"), randomBytes(KEY_BYTES).toString("hex"));
  yield* keepKey(thread, made, seal);
  return made;
}

/** Writes a key. What is there under its name stays. */
export function* keepKey(thread: string, { id, secret }: Pick<ThreadKey, "id" | "secret">, seal: Seal): Work<void> {
  const wrapped = wrapping(thread, id, seal).lock(secret).toString("base64");
  yield* all(
    "INSERT INTO h_key (thread, id, wrapped, sealed_by) VALUES (?, ?, ?, ?) ON CONFLICT (thread, id) DO NOTHING",
    ...[thread, id, wrapped, seal.key],
  );
}
