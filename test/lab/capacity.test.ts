// The benchmark of the capacity layer with numbers so small that it is quick: what it reports, and that it leaves nothing
// behind. Times and goodput are not asserted.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { figure } from "../../lab/bench/capacity/figure.js";
import {
  benchCapacity,
  CAPACITY_ROWS,
  type CapacityBench,
  type CapacityRow,
  figureText,
} from "../../lab/bench/capacity/index.js";
import { runJobs } from "../../lab/bench/capacity/processes.js";
import { testTerminal } from "../cli/terminal.js";
import { REDIS_URL, withoutRedis } from "../support/redis.js";

describe("figures", () => {
  test("say in words what is asked, and whether they are that", () => {
    expect(figure("p99", 5.2, "s", { most: 5 })).toMatchObject({ asked: "≤ 5.0 s", missed: true });
    expect(figure("p99", 5, "s", { most: 5 })).toMatchObject({ missed: false });
    expect(figure("goodput", 0.95, "ratio", { least: 0.95 })).toMatchObject({ asked: "≥ 0.950", missed: false });
    expect(figure("goodput", 0.9, "ratio", { least: 0.95 })).toMatchObject({ missed: true });
    expect(figure("finished", 1, "share", { exactly: 1 })).toMatchObject({ asked: "100 %", missed: false });
    expect(figure("requests", 2, "count", { exactly: 1 })).toMatchObject({ asked: "1", missed: true });
    expect(figure("requests", 2, "count")).toEqual({ what: "requests", measured: 2, unit: "count", missed: false });
  });

  test("that are no number are never what is asked", () => {
    const targets = [{ most: 1 }, { least: 0 }, { exactly: 0 }];
    expect(targets.map((target) => figure("nothing", Number.NaN, "ratio", target).missed)).toEqual([true, true, true]);
  });

  test("are printed in their units", () => {
    const texts = [
      figureText(0.975, "share"),
      figureText(2104, "count"),
      figureText(0.214, "ms"),
      figureText(1, "share"),
    ];
    expect(texts).toEqual(["97.5 %", "2,104", "0.21 ms", "100 %"]);
  });
});

const small = (more: Partial<CapacityBench>): CapacityBench => ({
  rows: CAPACITY_ROWS,
  scale: 50,
  seed: 1,
  warmUp: false,
  signal: new AbortController().signal,
  sizes: {
    fairness: { fanOut: 6, people: 2, calls: 2, requestsPerMinute: 6_000 },
    outage: { tasks: 3, calls: 3, requestsPerMinute: 6_000, after: 4, forMs: 1_000 },
    spill: { tasks: 3, calls: 2, requestsPerMinute: 6_000, fallbackRequestsPerMinute: 6_000, spillMs: 1 },
    nested: { width: 2, depth: 2, longestMinutes: 10 },
    short: { tasks: 2, calls: 2, requestsPerMinute: 6_000 },
  },
  ...more,
});

/** The figures of a row, by what they say. */
const measured = (row: CapacityRow | undefined): Record<string, number> =>
  Object.fromEntries(row?.figures.map((each) => [each.what, each.measured]) ?? []);

/** Processes of the benchmark that are children of this one. */
const workersLeft = (): number =>
  execFileSync("ps", ["-o", "args=", "--ppid", String(process.pid)], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(join("capacity", "worker.ts"))).length;

const folders = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("bulkhead-bench-capacity-"));

test("each row has its figures, and those that are asked for say what is asked", { timeout: 120_000 }, async () => {
  const told: string[] = [];
  const bench = (...rows: CapacityBench["rows"]) =>
    benchCapacity(small({ rows, onRow: (name) => void told.push(name) }));
  // Two at a time: what takes long here is to start the processes.
  const found = (await Promise.all([bench("fairness", "short"), bench("outage", "spill", "nested")])).flat();
  const [fairness, short, outage, spill, nested] = found as [
    CapacityRow,
    CapacityRow,
    CapacityRow,
    CapacityRow,
    CapacityRow,
  ];
  const names = ["fairness", "nested", "outage", "short", "spill"];
  expect([...told].sort()).toEqual(names);
  expect(found.map(({ name }) => name).sort()).toEqual(names);
  for (const row of found) {
    expect(row.cut).toBeUndefined();
    expect(row.lateMs).toBeGreaterThanOrEqual(0);
    for (const { measured, asked, missed } of row.figures) {
      expect(Number.isFinite(measured)).toBe(true);
      expect(missed && asked === undefined).toBe(false);
    }
  }
  const asked = (row: CapacityRow) => row.figures.flatMap((each) => each.asked ?? []);
  expect(asked(fairness)).toEqual(["≤ 5.0 s", "100 %", "≤ 1.030"]);
  expect(asked(outage)).toEqual(["≥ 100 %", "≤ 120"]);
  expect(asked(spill)).toEqual(["≥ 0.950", "100 %", "0"]);
  expect(asked(short)).toEqual(["≥ 0.900", "100 %", "0"]);
  expect(measured(fairness)).toMatchObject({ "calls answered": 1 });
  expect(measured(spill)).toMatchObject({ "tasks finished": 1, "429s": 0 });
  expect(measured(short)).toMatchObject({ "tasks finished": 1, "429s": 0 });
  // Two tasks with two each: six, of which the two outer ones call twice. One slot is enough for all of them.
  expect(measured(nested)).toEqual({ "tasks finished": 1, "most in flight at the provider": 1, requests: 8 });
  // The fifth request found nobody, and was counted where it arrived.
  expect(measured(outage)["requests without a 200"]).toBeGreaterThanOrEqual(1);
  expect(workersLeft()).toBe(0);
});

test("an abort cuts the running row and begins no other", { timeout: 60_000 }, async () => {
  const aborting = new AbortController();
  const onRow = (): void => aborting.abort(new Error("interrupted"));
  const rows = await benchCapacity(small({ rows: ["short", "outage"], signal: aborting.signal, onRow }));
  expect(rows).toMatchObject([{ name: "short", cut: "interrupted", failures: {} }]);
  expect(measured(rows[0])).toMatchObject({ "tasks finished": 0, goodput: 0 });
  expect(workersLeft()).toBe(0);
});

test("a process that fails says why, and none is left", { timeout: 60_000 }, async () => {
  const failing = runJobs({
    jobs: [{ kind: "tree", width: 1, depth: 1 }],
    circumstances: {
      ...{ url: "http://127.0.0.1:1/v1", scale: 1, seed: 0 },
      settings: { OPENAI_API_KEY: "none", BULKHEAD_REQUESTS_PER_MINUTE: "many" },
    },
    signal: new AbortController().signal,
    onGo: async () => undefined,
    onCalls: () => undefined,
  });
  await expect(failing).rejects.toThrow(/worker of bench capacity failed.*BULKHEAD_REQUESTS_PER_MINUTE/);
  expect(workersLeft()).toBe(0);
});

async function typed(...args: readonly string[]) {
  const terminal = testTerminal({ interactive: true });
  const code = await runProgram(["bench", "capacity", ...args], terminal);
  return { code, ...terminal.written };
}

test("the command prints a line for each figure; equal calls of two processes are one request", async () => {
  const before = folders();
  const { code, out, err } = await typed("--only", "single-flight");
  expect(code, err).toBe(0);
  expect(out).toMatch(/^time x 10, seed 0;/);
  expect(out).toMatch(/\nrow +what +measured +asked for +late ms/);
  expect(out).toMatch(/\nsingle-flight +requests that reached the provider +1 +1 +[\d,]+ *\n/);
  expect(out).toMatch(/\nsingle-flight +calls answered +100 % +100 % +[\d,]+ *\n/);
  expect(err).toBe("single-flight, 1 of 1\n");
  expect(folders()).toEqual(before);
}, 60_000);

describe.skipIf(await withoutRedis("the rows of bench capacity that need it"))("with a Redis", () => {
  test("processes share it, and what they left there is deleted", { timeout: 60_000 }, async () => {
    const redis = new Redis(REDIS_URL);
    onTestFinished(() => redis.disconnect());
    const before = await redis.keys("bulkhead:bench:*");
    const { code, out, err } = await typed("--only", "single-flight,admission", "--redis", REDIS_URL, "--json");
    expect(code, err).toBe(0);
    const { rows, ...settings } = JSON.parse(out) as { rows: readonly CapacityRow[] };
    expect(settings).toEqual({ scale: 10, seed: 0, redis: true });
    expect(rows.map(({ name }) => name)).toEqual(["single-flight", "admission"]);
    expect(measured(rows[0])).toEqual({ "requests that reached the provider": 1, "calls answered": 1 });
    expect(measured(rows[1])["one admission, median"]).toBeGreaterThan(0);
    expect(await redis.keys("bulkhead:bench:*")).toEqual(before);
  });
});

test("a Redis that is not there is told at once, with its address", async () => {
  const { code, err } = await typed("--only", "admission", "--redis", "redis://127.0.0.1:1");
  expect(code).toBe(1);
  expect(err).toMatch(/Redis at 127\.0\.0\.1:1 cannot be reached/);
});

test.for([
  [["--only", "fairness,everything"], /--only has no "everything"\. Write one of fairness, outage, /],
  [["--only", "fairness,,outage"], /--only.*Write names, with commas between/],
  [["--only", "admission"], /admission needs a Redis\. Add --redis redis:\/\/HOST:PORT/],
  [["--scale", "0"], /--scale must be 1 or more/],
  [["--redis", "localhost"], /--redis.*Write redis:\/\/HOST:PORT/],
] as const)("%j is refused", async ([args, message]) => {
  const { code, err } = await typed(...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
