// The reliability benchmark without its processes: how a workspace is judged, what the operator approves, when tasks come,
// and what the page says.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { reliabilityPage, SCENARIOS } from "../../lab/bench/reliability/index.js";
import { changeOf, operatorOf } from "../../lab/bench/reliability/operator.js";
import type { Row } from "../../lab/bench/reliability/row.js";
import { arrivalsOf, quotaOf } from "../../lab/bench/reliability/scenarios.js";
import { TASKS, taskOf } from "../../lab/bench/reliability/tasks.js";
import { counted, Traffic } from "../../lab/bench/reliability/traffic.js";
import { judge, Workspaces } from "../../lab/bench/reliability/workspace.js";
import type { ProviderRequest } from "../../models/index.js";
import { recordsTools } from "../../template/nodes/records/index.js";
import { testTerminal } from "../cli/terminal.js";

const task = (name: string) => TASKS.find((each) => each.name === name) ?? taskOf(0);

describe("a task's judgement", () => {
  const deletion = task("delete-the-right-bakery");

  test("is right for exactly the truth, in any order", () => {
    const judged = judge(deletion, ["close 1042", "delete C-0212"], "Done.");
    expect(judged).toMatchObject({ correct: true, wrongIrreversible: 0, duplicates: 0 });
  });

  test("counts what should not have happened, and only that", () => {
    expect(judge(deletion, ["delete C-0107", "close 1042"], "")).toMatchObject({
      correct: false,
      wrongIrreversible: 1,
    });
    expect(judge(deletion, [], "")).toMatchObject({ correct: false, wrongIrreversible: 0 });
    expect(judge(deletion, ["delete C-0212", "close 1042", "note C-0212"], "")).toMatchObject({
      correct: false,
      wrongIrreversible: 0,
    });
  });

  test("counts a change that was made again as a repetition, and not as a wrong one", () => {
    const letter = task("e-mail-the-right-shop");
    const twice = judge(letter, ["email C-0189", "email C-0189"], "");
    expect(twice).toMatchObject({ correct: false, wrongIrreversible: 0, duplicates: 1 });
  });

  test("looks at the answer where that is the work", () => {
    const question = task("answer-a-question");
    expect(judge(question, [], "It is C-0205.").correct).toBe(true);
    expect(judge(question, [], "It is C-0058.").correct).toBe(false);
  });
});

describe("a task's workspace", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bulkhead-reliability-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is a copy that starts without changes and names each one", async () => {
    const seed = join(folder, "seed");
    const [list] = recordsTools(seed).filter(({ name }) => name === "list_customers");
    const context = { idempotencyKey: "x", permit: undefined, signal: new AbortController().signal, config: {} };
    await list?.execute({}, context);
    const workspaces = new Workspaces(seed, folder);
    const workspace = await workspaces.make(7);
    const asTool = (name: string) => recordsTools(workspace).find((each) => each.name === name);
    await asTool("add_note")?.execute({ customer_id: "C-0154", text: "hello" }, context);
    await asTool("close_ticket")?.execute(
      { ticket_id: 1058, resolution: "answered" },
      { ...context, idempotencyKey: "y" },
    );
    const records = new Database(join(workspace, "records.db"));
    records.exec(`insert into refunds (charge_id, amount_cents, reason, at) values ('CH-7781-1', 1000, 'r', 'now');
      insert into outbox (customer_id, recipient, subject, body, at) values ('C-0189', 'a', 'b', 'c', 'now');
      insert into deletions (customer_id, reason, at) values ('C-0212', 'r', 'now');
      insert into merges (keep_id, removed_id, reason, removed, moved, at) values ('C-0033', 'C-0233', 'r', '{}', '{}', 'now')`);
    records.close();
    expect(workspaces.changes(7).toSorted()).toEqual([
      "close 1058",
      "delete C-0212",
      "email C-0189",
      "merge C-0233 into C-0033",
      "note C-0154",
      "refund CH-7781-1 1000",
    ]);
    await workspaces.make(8);
    expect(workspaces.changes(8)).toEqual([]);
  });
});

describe("the operator", () => {
  test("approves what the truth says and is not done yet, and counts every question", async () => {
    const questions: string[] = [];
    const thought: number[] = [];
    const changes: string[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void thought.push(ms) };
    const asking = { clock, thinkMs: 20_000, asked: () => questions.push("?") };
    const operator = operatorOf(task("delete-the-right-bakery"), () => changes, asking);
    expect(await operator.approves("delete_customer", { customer_id: "C-0107", reason: "r" })).toBe(false);
    expect(await operator.approves("delete_customer", { customer_id: "C-0212", reason: "r" })).toBe(true);
    changes.push("delete C-0212");
    expect(await operator.approves("delete_customer", { customer_id: "C-0212", reason: "r" })).toBe(false);
    expect(await operator.finds("delete_customer", { customer_id: "C-0212" })).toBe(true);
    expect(questions).toHaveLength(4);
    expect(thought).toEqual([20_000, 20_000, 20_000, 20_000]);
  });

  test("reads refunds in cents, and merges by who goes where", () => {
    expect(changeOf("refund_order", { charge_id: "CH-1-1", amount: 49.5 })).toBe("refund CH-1-1 4950");
    expect(changeOf("merge_customers", { keep_id: "C-0001", remove_id: "C-0002" })).toBe("merge C-0002 into C-0001");
  });
});

describe("the scenarios", () => {
  test("bring tasks at once, or at their share of the quota", () => {
    expect(new Set(arrivalsOf({ name: "x", description: "", arrivals: "at-once" }, 9))).toEqual(new Set([0]));
    // 125 requests a minute: half of that is a call in 0.96 s, and a task of four calls every 3.84 s.
    const [first, second, third] = arrivalsOf({ name: "x", description: "", arrivals: 0.5 }, 25);
    expect([first, second, third]).toEqual([0, 3_840, 7_680]);
    expect([1, 25, 100, 1_000].map(quotaOf)).toEqual([60, 125, 500, 500]);
  });

  test("have faults that can be read for any number of tasks", () => {
    for (const { faults } of SCENARIOS) {
      for (const tasks of [1, 25, 1_000]) expect(() => faults?.(tasks)).not.toThrow();
    }
  });
});

describe("the provider's traffic", () => {
  test("is counted once each, with the statuses that come later, over a list that forgets", () => {
    const all: { -readonly [Key in keyof ProviderRequest]: ProviderRequest[Key] }[] = [];
    const requests = { requests: all as readonly ProviderRequest[] };
    const add = (status?: number) =>
      all.push({
        id: "r",
        at: 1_000,
        method: "POST",
        path: "/",
        body: "",
        ...(status === undefined ? {} : { status }),
      });
    const traffic = new Traffic(requests, () => 61_000);
    add(429);
    add();
    traffic.look();
    const late = all[1];
    if (late !== undefined) late.status = 200;
    add(503);
    all.shift();
    expect(traffic.stop()).toEqual({ http: 3, answered: 1, rateLimited: 1, failed: 1, spanMs: 60_000 });
    expect(traffic.stop().http).toBe(3);
  });

  test("has the tokens of prompts and answers", () => {
    const { brain, tokens } = counted(() => ({ content: "one two", toolCalls: [] }));
    brain({ model: "offline-large", messages: [{ role: "user", content: "three" }], tools: [] });
    expect(tokens()).toBeGreaterThan(3);
  });
});

const row = (given: Partial<Row> = {}): Row => ({
  ...{ scenario: "outage", harness: "bulkhead", tasks: 25, finished: 25, correct: 24, wrongIrreversible: 3 },
  ...{ duplicateEffects: 0, http: 100, rateLimited: 5, wasted: 7, goodput: 0.5, p50Ms: 12_345, p99Ms: null },
  ...{ tokens: 1_234_567, approvals: 4, minutes: 2, processor: 0.2, lateMs: 9, memoryMiB: 200, errors: [], faults: [] },
  ...given,
});

describe("the page", () => {
  test("has every figure, reaches nothing, and is readable aloud", () => {
    const page = reliabilityPage([row(), row({ harness: "deep-agent", p50Ms: null })], "Measured <today>");
    for (const text of ["96 %", "1,234,567", "12.3 s", "none finished", "Measured &#60;today&#62;"]) {
      expect(page).toContain(text);
    }
    expect(page).not.toMatch(/<script|https?:|@import|url\(/);
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<caption>/g)).toHaveLength(6);
    expect(page.match(/scope="row"/g)?.length).toBe(2 * 7);
  });
});

describe("bulkhead bench reliability", () => {
  const typed = async (...args: readonly string[]) => {
    const terminal = testTerminal();
    const code = await runProgram(["bench", "reliability", ...args], terminal);
    return { code, ...terminal.written };
  };

  test.each([
    [["--scenario", "rain"], "--scenario rain is unknown. There are: quiet, saturated,"],
    [["--harness", "quiet,crewai"], "is unknown. There are: create-agent, deep-agent, bulkhead."],
    [["--tasks", "25,none"], "Write whole numbers from 1"],
    [["--tasks", "0"], "Write whole numbers from 1"],
    [["--seed", "x"], "It is a whole number, 0 or more."],
  ])("refuses %j and says what there is", async (args, message) => {
    const { code, err } = await typed(...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  });
});
