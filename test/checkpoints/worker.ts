// A process of its own for the race tests. Takes orders, one line of JSON after the other: opens the journal, says "ready",
// and does its work when it hears "go".
// node --import tsx worker.ts

import { createInterface } from "node:readline";
import { openJournal } from "../../checkpoints/journal/journal.js"; // Not the index: the savers take long to load.
import type { Journal } from "../../checkpoints/journal/types.js";

/** What a worker is told. */
export interface Order {
  readonly url: string;
  readonly keyFile?: string | undefined;
  readonly name: string;
  readonly work: "open" | "key" | "lease" | "dispatch" | "append";
}

const say = (word: string) => process.stdout.write(`${word}\n`);

const works: Readonly<Record<Order["work"], (journal: Journal, name: string) => Promise<string>>> = {
  async open(journal) {
    await journal.threads();
    return "won";
  },
  async key(journal) {
    return journal.seal.key;
  },
  async lease(journal, name) {
    return journal.lease("t1", name).then(
      () => "won",
      (error: { code?: string }) => String(error.code),
    );
  },
  async dispatch(journal) {
    return (await journal.dispatchEffect("key-1")) === undefined ? "lost" : "won";
  },
  async append(journal, name) {
    for (let ms = 0; ms < 60; ms++)
      await journal.append({ thread: "t1", run: "r1", node: name }, { kind: "node.end", ms });
    return "won";
  },
};

const heard = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let line = await heard.next(); !line.done; line = await heard.next()) {
  const { url, keyFile, name, work } = JSON.parse(line.value) as Order;
  const journal = openJournal(url, { keyFile });
  if (work !== "open") await journal.threads(); // "open" races for the migration as well.
  say("ready");
  await heard.next();
  say(await works[work](journal, name).catch(String));
  if (work !== "lease") await journal.close(); // Whoever has the lease is killed while it does.
}
