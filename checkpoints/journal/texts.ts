// The texts that events name by digest: prompts, answers, inputs and outputs, whole. Each is kept once per thread,
// however often it is sent, and encrypted with the thread's key.

import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { all, type Row, type Work } from "../database/database.js";
import { sha256 } from "./chain.js";
import type { TextDigest } from "./events.js";
import { bytes, damaged, integer, readRow } from "./rows.js";
import { findKeys, type ThreadKey } from "./thread-key.js";
import type { KeptText } from "./types.js";

/** How many digests one statement asks for: below the limits on parameters of both databases. */
const PAGE = 500;

const row = z.object({
  digest: z.string(),
  key: z.string(),
  size: integer,
  content: bytes,
});

/** Writes texts. What is there stays, unless another key locked it: who writes now must be able to read it. */
export function* keepTexts(thread: string, texts: readonly KeptText[], key: ThreadKey): Work<void> {
  for (const { digest, text, bytes: size } of texts) {
    yield* all(
      `INSERT INTO h_text (thread, digest, key, size, content) VALUES (?, ?, ?, ?, ?) ON CONFLICT (thread, digest)
         DO UPDATE SET key = excluded.key, size = excluded.size, content = excluded.content WHERE h_text.key <> excluded.key`,
      ...[thread, digest, key.id, size, key.lock(text)],
    );
  }
}

const COLUMNS = "SELECT digest, key, size, content FROM h_text WHERE thread = ?";

/** Texts of a thread by their digests; all of them without. @throws JournalError for one that was changed. */
export function* findTexts(
  thread: string,
  seal: Seal,
  named?: readonly TextDigest[],
): Work<ReadonlyMap<TextDigest, string>> {
  const keys = yield* findKeys(thread, seal);
  const digests = named ?? (yield* digestsIn(thread));
  const found = new Map<TextDigest, string>();
  for (let from = 0; from < digests.length; from += PAGE) {
    const page = digests.slice(from, from + PAGE);
    const some = yield* all(`${COLUMNS} AND digest IN (${page.map(() => "?").join(", ")})`, thread, ...page);
    for (const { digest, text } of opened(some, thread, keys)) {
      if (text === undefined || sha256(text) !== digest) {
        throw damaged(`text ${digest.slice(0, 12)} of thread ${thread}`, "it is not what was written");
      }
      found.set(digest, text);
    }
  }
  return found;
}

function* digestsIn(thread: string): Work<readonly TextDigest[]> {
  const rows = yield* all("SELECT digest FROM h_text WHERE thread = ?", thread);
  return rows.map((each) => String(each["digest"]));
}

/** All texts of a thread, unchecked: what its key does not open is empty. */
export function* storedTexts(
  thread: string,
  keys: ReadonlyMap<string, ThreadKey>,
): Work<readonly { readonly digest: TextDigest; readonly text: string }[]> {
  const rows = yield* all(`${COLUMNS} ORDER BY digest`, thread);
  return opened(rows, thread, keys).map(({ digest, text = "" }) => ({ digest, text }));
}

/** What the keys are there for: without its key, which was erased or is another journal's, a text is none. */
function opened(rows: readonly Row[], thread: string, keys: ReadonlyMap<string, ThreadKey>) {
  return rows.flatMap((each) => {
    const { digest, key, content } = readRow(row, each, `a text of thread ${thread}`);
    const by = keys.get(key);
    return by === undefined ? [] : { digest, text: by.unlock(content) };
  });
}
