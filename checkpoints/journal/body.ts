// The body of an event as the table has it: encrypted with the thread's key, as text. What was written before there were
// such keys, and what has to outlive them, is in the clear.

import { keyIdOf } from "./chain.js";
import type { ThreadKey } from "./thread-key.js";

const LOCKED = "locked:";

/** The text for the table. */
export const lockedBody = (body: string, key: ThreadKey): string => LOCKED + key.lock(body).toString("base64");

/**
 * The body that the table's text stands for; `named` is how the header names it. Text that no key opens stays what it
 * is: it is for whoever checks the digest to say so.
 */
export function openBody(text: string, named: string, keys: ReadonlyMap<string, ThreadKey>): string {
  const id = keyIdOf(named);
  if (id === undefined || !text.startsWith(LOCKED)) return text;
  const bytes = Buffer.from(text.slice(LOCKED.length), "base64");
  // Base64 leaves bits over that count for nothing: a change of them is a change, too.
  if (bytes.toString("base64") !== text.slice(LOCKED.length)) return text;
  return keys.get(id)?.unlock(bytes) ?? text;
}
