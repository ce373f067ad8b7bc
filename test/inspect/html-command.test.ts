// `bulkhead inspect THREAD --html FILE`: the page of what a database has, with prices or without, and what it refuses.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestsOf, openJournal, promptOf } from "../../checkpoints/index.js";
import { htmlOf } from "../../cli/inspect/html/page.js";
import { pageRecordOf } from "../../cli/inspect/html/record.js";
import { runProgram } from "../../cli/program.js";
import { TOP } from "../../trust/index.js";
import { testTerminal } from "../cli/terminal.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { story } from "./html-record.js";

let folder: string;
let db: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-html-"));
  db = `sqlite:${join(folder, "threads.db")}`;
  const journal = openJournal(db);
  const { thread, events, texts } = story();
  await journal.beginThread(thread, "agent", TOP);
  for (const { scope, event } of events) {
    const kept = digestsOf(event).map((digest) => journal.keep(texts.get(digest) ?? ""));
    await journal.append(scope, event, kept);
  }
  await journal.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function typed(...args: readonly string[]) {
  const terminal = testTerminal({ cwd: folder });
  const code = await runProgram(["inspect", ...args, "--db", db], terminal);
  return { code, ...terminal.written };
}

const file = (name: string): string => join(folder, name);

/** Every text on the page's shelf. */
const shelfOf = (page: string): string[] =>
  [...page.matchAll(/class="shelf">([^<]*)</g)].flatMap(
    ([, data = ""]) => JSON.parse(gunzipSync(Buffer.from(data, "base64")).toString()) as string[],
  );

test("writes the page beside the caller, for its owner only, with the texts of the database", async () => {
  const { code, out, err } = await typed("ticket-4711", "--html", "thread.html");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^thread\.html: \d+ events, 0\.\d MB\. Open it in a browser\.\n$/);
  expect(statSync(file("thread.html")).mode & 0o777).toBe(0o600);
  const page = readFileSync(file("thread.html"), "utf8");
  expect(page).toContain("no price known");
  expect(shelfOf(page).join("\n")).toContain("Customer number 8812, I think.");
});

test("with prices it says what that cost", async () => {
  const prices = { date: "2026-01-01", notes: "invented", models: { "gpt-5": { input: 100, output: 0 } } };
  writeFileSync(file("prices.json"), JSON.stringify(prices));
  expect(await typed("ticket-4711", "--html", "priced.html", "--prices", "prices.json")).toMatchObject({ code: 0 });
  const page = readFileSync(file("priced.html"), "utf8");
  expect(page).toContain("0.5436 USD");
  expect(page).toContain("without gpt-5-mini");
});

test.for([
  [["t9", "--html", "x.html"], 1, /there is no thread t9/],
  [["ticket-4711", "--html", "no/such/x.html"], 1, /the page cannot be written: ENOENT/],
  [["ticket-4711", "--html", "x.html", "--why"], 2, /cannot be used with option/],
  [["ticket-4711", "--prices", "prices.json"], 2, /--prices is for --html FILE/],
  [
    ["ticket-4711", "--html", "x.html", "--prices", "none.json"],
    2,
    /--prices: the price table \S*none\.json cannot be read \(ENOENT\): correct the path/,
  ],
  [["ticket-4711", "--html", "x.html", "--prices", "thread.html"], 2, /--prices: the price table \S*thread\.html/],
] as const)("%j is refused", async ([args, code, message]) => {
  const { err, ...rest } = await typed(...args);
  expect(err).toMatch(message);
  expect(rest).toEqual({ code, out: "" });
});

test("a real run: every prompt that was sent, every answer and every output is on the shelf", async () => {
  const agent = testAgent(script([calls(["look", { id: "r7" }]), calls(["erase", { id: "all" }]), "done"]));
  await agent.run("go");
  const record = await pageRecordOf(agent.journal, "t1");
  const kinds = new Set(record.events.map(({ event }) => event.kind));
  for (const kind of ["model.request", "model.response", "tool.output", "gate.decision"]) expect(kinds).toContain(kind);
  const texts = new Set(shelfOf(htmlOf(record)));
  for (const { event } of record.events) {
    if (event.kind === "model.request")
      expect(promptOf(event.prompt, record.texts)).toContain("You are the agent under test.");
    for (const digest of digestsOf(event)) expect(texts).toContain(record.texts.get(digest));
  }
});
