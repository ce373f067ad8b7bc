// `bulkhead replay` on the bundled records, as typed: the project is a copy, so that its prompt can be changed.

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Place, ROOT } from "./bulkhead.js";

const MINUTES = 60_000;
const REFUND = "Handle ticket 1077: refund the duplicate charge on order 7781.";

let place: Place;
let thread: string;
const project = () => join(place.folder, "project");

/** In the copy of the project. */
const replay = (...args: readonly string[]) => place.bulkhead(["replay", thread, ...args], { cwd: project() });

beforeAll(async () => {
  place = new Place();
  cpSync(join(ROOT, "template"), project(), { recursive: true });
  writeFileSync(join(project(), "package.json"), readFileSync(join(project(), "_package.json")));
  mkdirSync(join(project(), "node_modules"));
  for (const each of readdirSync(join(ROOT, "node_modules"))) {
    if (!each.startsWith(".")) symlinkSync(join(ROOT, "node_modules", each), join(project(), "node_modules", each));
  }
  symlinkSync(ROOT, join(project(), "node_modules", "bulkhead"));
  const { code, result } = await place.run([REFUND, "--fault", "outage:offline-large"], { cwd: project() });
  expect(code).toBe(3);
  ({ thread } = result);
  await place.bulkhead(["approve", result.pending[0]?.id ?? ""], { cwd: project() });
  expect((await place.run(["--thread", thread, "--resume"], { cwd: project() })).code).toBe(0);
}, 5 * MINUTES);
afterAll(() => place.clear());

describe("replay", { timeout: 3 * MINUTES }, () => {
  test("strict and verify: identical, nothing live, nothing done again", async () => {
    const strict = await replay("--json");
    expect(strict.code).toBe(0);
    expect(JSON.parse(strict.stdout)).toMatchObject({ identical: true, mode: "strict", open: false });
    const verify = await replay("--mode", "verify");
    expect({ code: verify.code, stdout: verify.stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("its verdicts follow, and the checkpoints are the saved ones"),
    });
    expect(place.rows("select amount_cents from refunds where charge_id = 'CH-7781-2'")).toEqual([
      { amount_cents: 4900 },
    ]);
  });

  test("verify: finds a checkpoint that somebody changed", async () => {
    const file = new Database(join(place.folder, "threads.db"));
    const newest = "select * from checkpoints where checkpoint_ns = '' order by checkpoint_id desc limit 1";
    const { checkpoint_id: id, checkpoint } = file.prepare(newest).get() as Record<string, string | ArrayBuffer>;
    const text = Buffer.from(checkpoint as ArrayBuffer).toString();
    expect(text).toContain("Refunded 49.00");
    const put = file.prepare("update checkpoints set checkpoint = ? where checkpoint_id = ?");
    put.run([Buffer.from(text.replace("Refunded 49.00", "Refunded 94.00")), id]);
    const { code, stdout } = await replay("--mode", "verify", "--json");
    expect(code).toBe(6);
    const { identical, findings } = JSON.parse(stdout);
    expect(identical).toBe(false);
    expect(findings).toEqual([
      expect.objectContaining({ about: "checkpoint", message: expect.stringContaining(String(id)) }),
    ]);
    put.run([Buffer.from(text), id]);
    file.close();
  });

  test("another policy: says what it would have decided, and runs nothing", async () => {
    const { code, stdout } = await replay("--mode", "policy", "--policy", "strict", "--json");
    const { decisions, policy } = JSON.parse(stdout);
    expect({ code, policy }).toEqual({ code: 0, policy: "strict" }); // A fallback is below both floors.
    expect(decisions[0]).toMatchObject({ tool: "refund_order", before: "ask", after: "ask" });
    const file = join(place.folder, "never.json");
    writeFileSync(file, '{ "name": "never", "floor": 2, "tools": { "refund_order": { "hard": ["fidelity"] } } }');
    const never = await replay("--mode", "policy", "--policy", file);
    expect(never.code).toBe(6);
    expect(never.stdout).toContain("ask → block");
  });

  test("regress: the model is asked again, and the tools answer from the record", async () => {
    const { code, stdout } = await replay("--mode", "regress", "--json");
    const { difference, answer, unanswered } = JSON.parse(stdout);
    expect(code).toBe(6); // The primary is back: the trust does not fall this time.
    expect(difference.left.event.kind).toBe("trust.fell");
    expect(answer.now).toContain("49.00");
    expect(unanswered).toEqual([]);
  });

  test("branch: goes on from a step in a new thread, with the lowest label of the family", async () => {
    const { code, stdout } = await replay("--mode", "branch", "--from", "13", "--approve", "no");
    expect(stdout).toMatch(/trust 1 .*fidelity 1/s);
    expect(code).toBe(0); // The refund was made under this root: its receipt is told, and nobody is asked.
    expect(place.rows("select * from refunds where charge_id = 'CH-7781-2'")).toHaveLength(1);
    const wrong = await replay("--mode", "branch", "--from", "999");
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("its checkpoints are of the steps") });
  });

  test("one byte of the prompt changed: different at that position, with both digests", async () => {
    const file = join(project(), "graphs/prompt.ts");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace("You are", "You Are"));
    try {
      const { code, stdout } = await replay("--json");
      const { divergence } = JSON.parse(stdout);
      expect(code).toBe(6);
      expect(divergence).toMatchObject({ kind: "request", step: 3, node: "planner", checkpoint: { step: 2 } });
      expect(divergence.recorded).not.toBe(divergence.now);
      expect(divergence.fields[0].path).toBe("messages.0.content");
      expect((await replay()).stdout).toContain("step 3, planner: the prompt is not the recorded one");
    } finally {
      writeFileSync(file, before);
    }
  });

  test("says what belongs together", async () => {
    expect(await replay("--mode", "policy")).toMatchObject({ code: 2, stderr: expect.stringContaining("--policy") });
    expect(await replay("--from", "3")).toMatchObject({ code: 2, stderr: expect.stringContaining("--mode branch") });
    const none = await place.bulkhead(["replay", "nobody"], { cwd: project() });
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no thread nobody") });
  });
});
