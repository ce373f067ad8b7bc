// The recorder's benchmark, with numbers so small that it is quick: what it reports, and that it leaves nothing behind.
// Bytes are asserted, times are not.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { benchRecorder } from "../../lab/bench/index.js";
import { median, quantile } from "../../lab/bench/statistics.js";
import { testTerminal } from "../cli/terminal.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-bench-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bench = (turns: number, signal = new AbortController().signal) =>
  benchRecorder({ turns, promptBytes: 4_096, latenciesMs: [0], rounds: 1, database: `sqlite:${folder}/x.db`, signal });

describe("the recorder's benchmark", () => {
  test("counts what a turn records, and says how large that is", async () => {
    const { times, size } = await bench(3);
    expect(times).toMatchObject([{ latencyMs: 0, appendMedianMs: expect.any(Number) }]);
    expect(times[0]?.turnOnMs).toBeGreaterThan(0);
    // Three turns and one without a call. A turn has five supersteps: guard, planner, guard, tools, compact.
    expect(size.kinds).toMatchObject({ "model.request": 4, "model.response": 4, "tool.output": 3, "tool.response": 3 });
    expect(size.supersteps).toBe(size.kinds["checkpoint"]);
    expect(size.events).toBe(Object.values(size.kinds).reduce((sum, count) => sum + count, 0));
    expect(size.bytes).toBe(Object.values(size.tables).reduce((sum, bytes) => sum + bytes, 0));
    expect(size.requestBytes).toBeGreaterThan(4 * 4_096);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("finds a loop of 50 turns with a prompt of 4 KiB under 0.3 MiB", async () => {
    const { size } = await bench(50);
    expect(size.kinds["tool.output"]).toBe(50);
    expect(size.bytes).toBeLessThan(0.3 * 1_024 * 1_024);
    expect(size.bytes).toBeLessThan(size.requestBytes / 5); // Whole prompts alone would be far above that.
  }, 120_000);

  test("leaves nothing behind when it is interrupted", async () => {
    const aborting = new AbortController();
    const failed = expect(bench(3, aborting.signal)).rejects.toThrow();
    setImmediate(() => aborting.abort(new Error("interrupted")));
    await failed;
    expect(readdirSync(folder)).toEqual([]);
  });

  test("has order statistics", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]);
    expect([quantile([5, 1, 3], 0.5), quantile([1, 2, 3], 0.99), quantile([], 0.5)]).toEqual([3, 3, 0]);
  });
});

async function typed(...args: readonly string[]) {
  const terminal = testTerminal({ cwd: folder });
  const code = await runProgram(["bench", "recorder", ...args], terminal);
  return { code, ...terminal.written };
}

test("the command prints a table, or JSON", async () => {
  const small = ["--steps", "2", "--prompt-bytes", "100", "--latency-ms", "1", "--rounds", "1"];
  const { code, out } = await typed(...small);
  expect(code).toBe(0);
  expect(out).toMatch(/^2 turns, instructions of 100 bytes, 1 rounds each/);
  expect(out).toMatch(/\n1 ms .* %.*\n0 ms .* %/);
  const { out: json } = await typed(...small, "--json");
  expect(JSON.parse(json)).toMatchObject({ turns: 2, times: [{ latencyMs: 1 }, { latencyMs: 0 }], size: {} });
});

test.for([
  [["--steps", "0"], /--steps must be 1 or more/],
  [["--rounds", "0"], /--rounds must be 1 or more/],
  [["--rounds", "few"], /It is a whole number/],
  [["--db", "memory:"], /memory: has no size to measure/],
] as const)("%j is refused", async ([args, message]) => {
  const { code, err } = await typed(...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
