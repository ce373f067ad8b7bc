// A process of its own for the race tests. Opens the journal, says "ready", and does its work when it hears "go".
// node --import tsx worker.ts URL open|key|lease|dispatch|append NAME [KEYFILE]

import { openJournal } from "../../checkpoints/journal/journal.js"; // Not the index: the savers take long to load.

const [url = "", work = "", name = "", keyFile] = process.argv.slice(2);
const journal = openJournal(url, { keyFile });
const say = (word: string) => process.stdout.write(`${word}\n`);

const works: Record<string, () => Promise<string>> = {
  async open() {
    await journal.threads();
    return "won";
  },
  async key() {
    return journal.seal.key;
  },
  async lease() {
    return journal.lease("t1", name).then(
      () => "won",
      (error: { code?: string }) => String(error.code),
    );
  },
  async dispatch() {
    return (await journal.dispatchEffect("key-1")) === undefined ? "lost" : "won";
  },
  async append() {
    for (let ms = 0; ms < 60; ms++)
      await journal.append({ thread: "t1", run: "r1", node: name }, { kind: "node.end", ms });
    return "won";
  },
};

if (work !== "open") await journal.threads(); // "open" races for the migration as well.
say("ready");
process.stdin.once("data", async () => {
  try {
    say((await works[work]?.()) ?? `no such work: ${work}`);
  } catch (error) {
    say(String(error));
  }
});
process.stdin.once("end", () => process.exit());
