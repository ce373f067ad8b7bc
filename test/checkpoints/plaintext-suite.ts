// Property P15 of trust-replay.md: redaction and the erasure of keys keep verification valid, and remove the plaintext
// from every table, and on SQLite from the very bytes of the database and its write-ahead log.

import { existsSync, readFileSync } from "node:fs";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type HarnessEvent,
  type Journal,
  openCheckpointer,
  openJournal,
  verifyThread,
} from "../../checkpoints/index.js";
import { sha256 } from "../../checkpoints/journal/chain.js";
import { takeApart } from "../../checkpoints/journal/prompt.js";
import { TOP } from "../../trust/index.js";
import { runs } from "../properties/agent.js";
import { type Attackable, approvalRequest, effectIntent, TestClock } from "./support.js";

/** A piece of text to look for: nothing else looks like it, and no spelling changes it. */
const anyMark = fc
  .tuple(fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1))
  .map((parts) => parts.map((part) => part.toString(36).padStart(7, "q")).join("Q"));
const anyNoise = fc.string({ unit: "grapheme", maxLength: 40 });
/** A secret in a text: escaped where it stands in JSON. */
const anySecret = fc.record({ mark: anyMark, odd: anyNoise, byPattern: fc.boolean() });

const FILLER = "qfillerQfillerF0Z";

const PLACES = ["error", "arguments", "input", "prompt", "long prompt", "task", "output", "todos"] as const;
const anyWriting = fc.record({
  place: fc.constantFrom(...PLACES),
  thread: fc.constantFrom("t1", "t2", "t9"),
  mark: anyMark,
  noise: anyNoise,
  secret: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
});
type Writing = typeof anyWriting extends fc.Arbitrary<infer One> ? One : never;

const contentOf = ({ mark, noise }: Writing, secret: string): string => `${noise}${mark} ${secret} ${noise}`;

async function write(journal: Journal, writing: Writing, content: string): Promise<void> {
  const { place, thread } = writing;
  const scope = { thread, run: `run of ${thread}` };
  const append = (event: HarnessEvent) => journal.append(scope, event);
  switch (place) {
    case "error":
      return void (await append({ kind: "model.error", error: content }));
    case "arguments": {
      const args = { deep: [{ [content]: JSON.stringify({ content }) }] };
      const of = {
        kind: "tool.response",
        tool: "t",
        callId: "c",
        arguments: args,
        ok: true,
        ms: 1,
        label: TOP,
      } as const;
      return void (await append(of));
    }
    case "todos":
      return void (await append({ kind: "plan", todos: [{ content, status: "pending" }] }));
    case "task":
      return journal.updateThread(thread, { task: content });
    case "input":
    case "output": {
      const text = journal.keep(place === "input" ? JSON.stringify({ messages: [content] }) : content);
      return void (await journal.append(scope, { kind: "input", as: "input", value: text.digest }, [text]));
    }
    case "prompt":
    case "long prompt": {
      const message = { role: "user", content: place === "prompt" ? content : content.repeat(40) };
      const { prompt, texts } = takeApart(JSON.stringify({ user: content, messages: [message] }), (text) =>
        journal.keep(text),
      );
      const of = { call: "c", provider: "p", endpoint: "e", route: "r", digest: "d", bytes: 1 };
      return void (await journal.append(scope, { kind: "model.request", ...of, prompt }, texts));
    }
  }
}

/** What is not in the record: the ledger, approvals and checkpoints have content as it is until it is erased. */
async function writeElsewhere(
  journal: Journal,
  saver: BaseCheckpointSaver,
  { thread, mark }: Writing,
  content: string,
) {
  const clock = new TestClock();
  await journal.requestApproval(
    approvalRequest(clock, { id: `approval ${sha256(mark)}`, thread, arguments: { content }, view: content }),
  );
  const key = `key ${sha256(mark)}`;
  const root = thread === "t9" ? "t9" : "t1";
  await journal.intendEffect(effectIntent({ key, thread, root, arguments: { content, thread }, mayRepeat: true }));
  await journal.dispatchEffect(key);
  await journal.settleEffect(key, { status: "committed", receipt: content, receiptLabel: TOP });
  await journal.recordLabels(thread, [{ digest: sha256(content), label: TOP }]);
  const config = { configurable: { thread_id: thread, checkpoint_ns: "" } };
  const checkpoint = {
    ...{ v: 4, id: "1ef4f797-8335-6428-8001-8a1503f9b875", ts: "2030-01-01T00:00:00.000Z", versions_seen: {} },
    ...{ channel_values: { messages: [content] }, channel_versions: { messages: 1 } },
  };
  const at = await saver.put(config, checkpoint, { source: "input", step: -1, parents: {} }, { messages: 1 });
  await saver.putWrites(at, [["messages", content.repeat(200)]], "task");
}

const bytesOf = (value: unknown): Buffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer
    ? Buffer.from(value as Uint8Array)
    : Buffer.from(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/** Every column of every row of these tables; of all there are without. */
async function tables(at: Attackable, name: string, only?: readonly string[]): Promise<Buffer> {
  const listed =
    name === "sqlite"
      ? "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
      : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()";
  const names = only ?? (await at.sql(listed)).map((row) => String(row["name"]));
  const found: Buffer[] = [];
  for (const table of names) {
    for (const row of await at.sql(`SELECT * FROM ${table}`)) found.push(...Object.values(row).map(bytesOf));
  }
  expect(names.length).toBeGreaterThan(2);
  return Buffer.concat(found);
}

/** The files of a SQLite database, and the heads beside it. */
const files = (at: Attackable): Buffer => {
  const file = at.url.replace(/^sqlite:/, "");
  const all = ["", "-wal", "-journal", ".key.heads"].map((suffix) => `${file}${suffix}`).filter(existsSync);
  return Buffer.concat(all.map((path) => readFileSync(path)));
};

/** Everything that the journal's key opens of a thread. */
async function readable(journal: Journal, thread: string): Promise<string> {
  const { events, texts, record, keys } = await journal.recording(thread);
  expect(keys).toHaveLength(1);
  return [...events.map(({ body }) => body), ...texts.map(({ text }) => text), JSON.stringify(record)].join("\n");
}

/** Registers the property for one kind of database. */
export function plaintextSuite(name: "sqlite" | "postgres", place: () => Attackable, usual: number): void {
  const numRuns = runs(usual);
  describe(`the plaintext on ${name}`, () => {
    it("P15: is gone, of secrets before it is recorded, of all else when it is erased, and the chain holds", {
      timeout: 60_000 + numRuns * 2_000,
    }, async () => {
      const secrets = fc.array(anySecret, { minLength: 3, maxLength: 3 });
      let seen = 0;
      const property = fc.asyncProperty(
        secrets,
        fc.array(anyWriting, { minLength: 3, maxLength: 12 }),
        fc.constantFrom(0, 0, 70, 135),
        async (anySecrets, writings, filling) => {
          // Each looks like nothing else, also when the numbers are the same.
          const some = anySecrets.map((each, index) => ({ ...each, mark: `${each.mark}S${index}Z` }));
          const all = writings.map((each, index) => ({ ...each, mark: `${each.mark}C${index}Z` }));

          const secretOf = some.map(({ mark, odd, byPattern }) => (byPattern ? `sk-${mark}` : `"${mark}${odd}\\`));
          const values = secretOf.filter((_, index) => some[index]?.byPattern === false);
          const at = place();
          const options = { keyFile: at.keyFile, secrets: { values, patterns: [/sk-\w+/] } };
          const journal = openJournal(at.url, options);
          const { saver, close } = await openCheckpointer(at.url);
          try {
            for (const [thread, root] of [
              ["t1", "t1"],
              ["t2", "t1"],
              ["t9", "t9"],
            ] as const) {
              await journal.beginThread(thread, "agent", TOP, root);
              await journal.append({ thread, run: `run of ${thread}` }, { kind: "node.start" });
            }
            const marks: Record<string, string[]> = { t1: [], t2: [], t9: [] };
            for (const writing of all) {
              const secret = writing.secret === undefined ? "" : (secretOf[writing.secret] ?? "");
              await write(journal, writing, contentOf(writing, secret));
              if (writing.place !== "task") marks[writing.thread]?.push(writing.mark);
            }
            // Long runs are folded: what is in the folds goes, too.
            for (let count = 0; count < filling; count += 1) {
              await journal.append(
                { thread: "t1", run: "run of t1" },
                { kind: "model.error", error: `${count} ${FILLER}` },
              );
            }
            if (filling > 0) marks["t1"]?.push(FILLER);
            // Redacted: what can be read has all the contents, and no secret; nor has any row.
            const record = await tables(at, name, ["h_event", "h_fold", "h_text", "h_thread"]);
            for (const thread of ["t1", "t2", "t9"]) {
              const read = await readable(journal, thread);
              for (const mark of marks[thread] ?? []) expect(read).toContain(mark);
              for (const { mark } of some) expect(read).not.toContain(mark);
              expect(await verifyThread(journal, thread)).toMatchObject({ ok: true });
            }
            for (const { mark } of some) expect(record.includes(mark)).toBe(false);
            // Encrypted: of what the record has, no row shows more than tasks.
            const shown = await tables(at, name, ["h_event", "h_fold", "h_text", "h_key"]);
            for (const mark of Object.values(marks).flat()) expect(shown.includes(mark)).toBe(false);

            const texts = all.map((writing) => contentOf(writing, secretOf[writing.secret ?? 9] ?? ""));
            for (const [index, writing] of all.entries()) {
              await writeElsewhere(journal, saver, writing, texts[index] ?? "");
            }
            const before = await tables(at, name);
            for (const { mark } of all) if (before.includes(mark)) seen += 1;
            const family = all.filter(({ thread }) => thread !== "t9");
            const others = new Set(all.filter(({ thread }) => thread === "t9").map(({ secret }) => secret));
            const recordings = await Promise.all(["t1", "t2"].map((thread) => journal.recording(thread)));
            const digests = recordings.flatMap(({ events, texts: named }) => [
              ...named.map(({ digest }) => digest),
              ...events.map(({ body }) => sha256(body)).slice(1), // The first is the same in t9.
            ]);

            // Erased: nothing of it is anywhere, not even a digest that one could try contents against.
            for (const thread of ["t1", "t2"]) await saver.deleteThread(thread);
            await journal.erase("t1", "ann", "asked to");
            const everything = await tables(at, name);
            const bytes = name === "sqlite" ? files(at) : Buffer.alloc(0);
            for (const haystack of [everything, bytes]) {
              expect(haystack.includes(FILLER), "content").toBe(false);
              for (const { mark } of family) expect(haystack.includes(mark), "content").toBe(false);
              for (const digest of digests) expect(haystack.includes(digest), "digest").toBe(false);
              for (const [index, { mark }] of some.entries()) {
                if (!others.has(index)) expect(haystack.includes(mark), "secret").toBe(false);
              }
            }
            for (const thread of ["t1", "t2"]) {
              expect(await verifyThread(journal, thread)).toMatchObject({ ok: true, texts: 0 });
            }
            const left = await readable(journal, "t9");
            for (const mark of marks["t9"] ?? []) expect(left).toContain(mark);
            expect(await verifyThread(journal, "t9")).toMatchObject({ ok: true, erased: 0 });
          } finally {
            await close();
            await journal.close();
            await at.remove();
          }
        },
      );
      await fc.assert(property, { numRuns });
      expect(seen).toBeGreaterThan(numRuns); // It would have been found.
    });
  });
}
