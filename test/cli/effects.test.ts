// `effects` and `effects resolve` on a database with effects in every state.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import { runProgram } from "../../cli/program.js";
import { TOP } from "../../trust/index.js";
import { effectIntent } from "../checkpoints/support.js";
import { testTerminal } from "./terminal.js";

let folder: string;
let db: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-effects-"));
  db = `sqlite:${join(folder, "threads.db")}`;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function typed(...args: readonly string[]) {
  const terminal = testTerminal({ cwd: folder });
  const code = await runProgram([...args, "--db", db], terminal);
  return { code, ...terminal.written };
}

async function onJournal<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
  const journal = openJournal(db);
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

/** Thread `t1` with one effect in doubt, and `t2` with one that is done and one more in doubt. */
const prepare = () =>
  onJournal(async (journal) => {
    for (const thread of ["t1", "t2"]) await journal.beginThread(thread, "agent", TOP);
    const effects = [
      ["aaaa1111", "t1", "in_doubt"],
      ["aaaa2222", "t2", "committed"],
      ["bbbb3333", "t2", "in_doubt"],
    ] as const;
    for (const [key, thread, status] of effects) {
      await journal.intendEffect(effectIntent({ key, thread, root: thread, mayRepeat: true }));
      await journal.dispatchEffect(key);
      await journal.settleEffect(key, { status, ...(status === "in_doubt" ? { error: "lost" } : { receipt: "R1" }) });
    }
  });

describe("effects", () => {
  test("nothing yet", async () => {
    expect(await typed("effects")).toEqual({ code: 0, out: "No effects.\n", err: "" });
  });

  test("lists what is in doubt first, and how to resolve it", async () => {
    await prepare();
    const { out, code } = await typed("effects");
    const [head, ...lines] = out.split("\n");
    expect(code).toBe(0);
    expect(head).toMatch(/^STATUS +TOOL +ARGUMENTS +KEY +THREAD +UPDATED \(UTC\)$/);
    expect(lines.slice(0, 3).map((line) => line.slice(0, 9).trim())).toEqual(["in doubt", "in doubt", "committed"]);
    expect(out).toMatch(
      /in doubt +refund_order +\{"order_id":7781,"amount":49\} +aaaa1111 +t1 +\d{4}-\d\d-\d\d \d\d:\d\d\n/,
    );
    expect(out).toMatch(/Next:\n {2}bulkhead effects resolve KEY committed\|failed --note TEXT\n$/);
  });

  test("of one thread, as JSON", async () => {
    await prepare();
    const { out } = await typed("effects", "t2", "--json");
    expect(JSON.parse(out)).toMatchObject([
      {
        key: "bbbb3333",
        status: "in_doubt",
        error: "lost",
        receipt: null,
        resolution: null,
        thread: "t2",
        attempts: 1,
      },
      { key: "aaaa2222", status: "committed", receipt: "R1", arguments: { order_id: 7781, amount: 49 } },
    ]);
  });

  test("of a thread that does not exist", async () => {
    await prepare();
    const { code, err } = await typed("effects", "t9");
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^error: there is no thread t9 .*threads\n$/),
    });
  });
});

describe("effects resolve", () => {
  test.for(["committed", "failed"] as const)(
    "%s: stores who and why, records it, and says how to go on",
    async (status) => {
      await prepare();
      const { code, out } = await typed("effects", "resolve", "aaaa1", status, "--note", "I've looked");
      expect(code).toBe(0);
      expect(out).toBe(
        `${status}: refund_order(order_id: 7781, amount: 49)\nNext:\n  bulkhead run --thread t1 --resume --db ${db}\n`,
      );
      await onJournal(async (journal) => {
        expect(await journal.effect("aaaa1111")).toMatchObject({
          status,
          resolution: { note: "I've looked", by: expect.stringMatching(/^cli effects resolve \(OS user .+\)$/) },
        });
        const [recorded] = await journal.events({ thread: "t1" });
        expect(recorded).toMatchObject({
          scope: { thread: "t1", run: "r1" },
          event: { kind: "effect", key: "aaaa1111", status },
        });
      });
    },
  );

  test("a finished thread goes on with a message; --json says the same", async () => {
    await prepare();
    await onJournal((journal) => journal.updateThread("t2", { status: "finished" }));
    const { out } = await typed("effects", "resolve", "bbbb", "committed", "--note", "it's 812", "--json");
    expect(JSON.parse(out)).toMatchObject({
      key: "bbbb3333",
      status: "committed",
      note: "it's 812",
      next: `bulkhead run --thread t2 'refund_order is committed: it'\\''s 812' --db ${db}`,
    });
  });

  test.for([
    [["cccc", "failed", "--note", "x"], 1, /^error: there is no effect cccc\. List them: bulkhead effects\n$/],
    [
      ["aaaa", "failed", "--note", "x"],
      1,
      /^error: aaaa is the beginning of 2 effects: aaaa1111, aaaa2222\. Write more/,
    ],
    [["aaaa2", "failed", "--note", "x"], 1, /^error: effect aaaa2222 \(refund_order\) is committed and cannot be/],
    [["aaaa1", "failed"], 2, /required option '--note <text>' not specified\nSee: bulkhead effects resolve --help\n$/],
    [["aaaa1", "failed", "--note", " "], 2, /Say what you found/],
    [["aaaa1", "undone", "--note", "x"], 2, /Allowed choices are committed, failed/],
  ] as const)("%j is refused", async ([args, code, message]) => {
    await prepare();
    const { err, ...rest } = await typed("effects", "resolve", ...args);
    expect(err).toMatch(message);
    expect(rest).toEqual({ code, out: "" });
    await onJournal(async (journal) => expect(await journal.effect("aaaa1111")).toMatchObject({ status: "in_doubt" }));
  });
});
