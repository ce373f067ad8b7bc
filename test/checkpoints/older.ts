// A database as version 4 of the schema left it: bodies in the clear, named by their SHA-256; no keys and no texts.

import Libsql from "libsql";
import { openJournal } from "../../checkpoints/index.js";
import { chained, sealHead, sha256 } from "../../checkpoints/journal/chain.js";

/** The tables that version 5 added. */
export const LATER: readonly string[] = ["h_key", "h_text", "h_fold"];

/** Turns `file`, a SQLite database, back into one of version 4. `threads` are all that have events. */
export async function asVersion4(file: string, threads: readonly string[]): Promise<void> {
  const journal = openJournal(`sqlite:${file}`);
  const recordings = await Promise.all(threads.map((thread) => journal.recording(thread)));
  await journal.close();
  const handle = new Libsql(file);
  const run = (sql: string, ...values: readonly (string | number)[]) => handle.prepare(sql).run([...values]);
  for (const { events, heads } of recordings) {
    const hashes = new Map([["", ""]]);
    for (const event of events) {
      const header = JSON.stringify({ ...JSON.parse(event.header), body: sha256(event.body) });
      const prev = hashes.get(event.prev) ?? "";
      const hash = chained(prev, header);
      hashes.set(event.hash, hash);
      const set = "UPDATE h_event SET header = ?, body = ?, prev = ?, hash = ? WHERE run = ? AND seq = ?";
      run(set, header, event.body, prev, hash, event.run, event.seq);
    }
    for (const head of heads) {
      const hash = hashes.get(head.hash) ?? "";
      const seal = sealHead({ ...head, hash }, journal.seal);
      run("UPDATE h_head SET hash = ?, seal = ? WHERE run = ?", hash, seal, head.run);
    }
  }
  for (const table of LATER) handle.exec(`DROP TABLE ${table}`);
  handle.exec("UPDATE h_schema SET version = 4");
  handle.close();
}
