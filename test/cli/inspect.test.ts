// `inspect` in all its forms, on a database with the record of a real run and of two others.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { runProgram } from "../../cli/program.js";
import { TOP } from "../../trust/index.js";
import { effectIntent } from "../checkpoints/support.js";
import { eventfulRun } from "../inspect/scenario.js";
import { testTerminal } from "./terminal.js";

let folder: string;
let db: string;

/** `t1`: an eventful run. `t2`: a person resolved an effect whose receipt holds a terminal command. `t3`: nothing. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-inspect-"));
  db = `sqlite:${join(folder, "threads.db")}`;
  const journal = openJournal(db);
  for (const thread of ["t1", "t2", "t3"]) await journal.beginThread(thread, "agent", TOP);
  for (const { scope, event } of await eventfulRun()) await journal.append(scope, event);
  const { tool } = await journal.intendEffect(effectIntent({ key: "k1", thread: "t2", root: "t2" }));
  await journal.dispatchEffect("k1");
  await journal.settleEffect("k1", { status: "committed", receipt: "R1\u001b[2J" });
  const scope = { thread: "t2", run: "r2", node: "act", step: 4 };
  await journal.append(scope, { kind: "effect", tool, key: "k1", status: "committed" });
  await journal.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function typed(...args: readonly string[]) {
  const terminal = testTerminal({ cwd: folder });
  const code = await runProgram(["inspect", ...args, "--db", db], terminal);
  return { code, ...terminal.written };
}

const jsonOf = async (...args: readonly string[]) => JSON.parse((await typed(...args, "--json")).out);

describe("the timeline", () => {
  test("in the terminal, with what to type next", async () => {
    const { code, out, err } = await typed("t1");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^run r1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d to /);
    expect(out).toMatch(/ ▁▃▇▅ {2}tools +integrity 2→0: a web page/);
    expect(out).toMatch(new RegExp(`\nNext:\n {2}bulkhead inspect t1 --why --db ${db}\n$`));
  });

  test("as JSON; a thread without events has an empty one", async () => {
    const { thread, runs, entries, trust } = await jsonOf("t1");
    expect({ thread, runs: runs.length, trust }).toMatchObject({ thread: "t1", runs: 1, trust: { integrity: 0 } });
    expect(entries[0]).toMatchObject({ run: "r1", kind: "input" });
    expect(entries[1]).toMatchObject({ run: "r1", step: 3, node: "planner", kind: "capacity" });
    expect(await jsonOf("t3")).toEqual({ thread: "t3", runs: [], entries: [], trust: TOP });
  });
});

describe("--why", () => {
  test("names the step and the cause in its first line", async () => {
    const { code, out } = await typed("t1", "--why");
    const [first, ...others] = out.split("\n");
    expect({ code, first }).toEqual({
      code: 0,
      first: "integrity fell to 0 at step 15 (tools: read_web): a web page",
    });
    expect(others.join("\n")).toMatch(/so the gate blocked erase[\s\S]*Next:\n {2}bulkhead inspect t1 --step 19 /);
    expect(await jsonOf("t1", "--why")).toMatchObject({ thread: "t1", about: "block", summary: [first, {}, {}, {}] });
  });

  test("of a thread where nothing fell", async () => {
    expect((await typed("t2", "--why")).out).toMatch(/^nothing fell: the trust is nominal/);
  });
});

describe("--step", () => {
  test("has the events in full and the effect with its receipt, escaped", async () => {
    const { code, out } = await typed("t2", "--step", "4");
    expect(code).toBe(0);
    expect(out).toMatch(/^step 4 {2}1 event\n/);
    expect(out).toContain("effect k1  committed");
    expect(out).toContain("receipt  R1\\u001b[2J");
    expect(await jsonOf("t2", "--step", "4")).toMatchObject({
      step: 4,
      events: [{ event: { kind: "effect" } }],
      approvals: [],
      effects: [{ key: "k1", receipt: "R1\u001b[2J" }],
    });
  });

  test("a step that there is not", async () => {
    const { code, out, err } = await typed("t1", "--step", "99");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^error: thread t1 has no step 99: its steps are 1 to 22\. Leave out --step/);
  });
});

describe("--diff", () => {
  test("shows the first difference; a thread does not differ from itself", async () => {
    expect(await typed("t1", "--diff", "t1")).toMatchObject({
      code: 0,
      out: "t1 and t1 are the same but for ids, times and waits.\n",
    });
    const { code, out } = await typed("t1", "--diff", "t2");
    expect(code).toBe(0);
    expect(out).toMatch(/^first difference: outside of the steps\n {2}t1 {2}#1 input/);
    expect(await jsonOf("t1", "--diff", "t2")).toMatchObject({
      other: "t2",
      identical: false,
      difference: { left: { event: { kind: "input" } } },
    });
  });
});

test.for([
  [["t9"], 1, /^error: there is no thread t9 in .* threads\n$/],
  [["t1", "--diff", "t9"], 1, /^error: there is no thread t9 in .* threads\n$/],
  [["t1", "--step", "one"], 2, /It is a whole number/],
  [["t1", "--why", "--step", "1"], 2, /cannot be used with option '--(why|step <number>)'/],
  [["t1", "--diff", "t2", "--step", "1"], 2, /cannot be used with option '--diff <other>'/],
] as const)("%j is refused", async ([args, code, message]) => {
  const { err, ...rest } = await typed(...args);
  expect(err).toMatch(message);
  expect(rest).toEqual({ code, out: "" });
});
