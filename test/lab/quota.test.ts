// The benchmark of the quota: its arithmetic, its timers, its rows with numbers so small that they are quick, and that a
// cut leaves nothing behind. Times are not asserted.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { withFullJitter } from "../../lab/bench/quota/caller.js";
import { benchQuota, QUOTA_HARNESSES, type QuotaBench } from "../../lab/bench/quota/index.js";
import { type CallRecord, measure, type QuotaRun } from "../../lab/bench/quota/measure.js";
import { seededRandom } from "../../lab/bench/quota/run-context.js";
import { speedUp } from "../../lab/bench/quota/scaled-timers.js";
import { longestMinutes, type QuotaScenario } from "../../lab/bench/quota/scenario.js";
import { testTerminal } from "../cli/terminal.js";

const SCENARIO: QuotaScenario = {
  provider: "bucket-5s",
  harness: "bulkhead",
  tasks: 4,
  calls: 25,
  requestsPerMinute: 100,
  scale: 20,
  seed: 0,
};

describe("measure", () => {
  const run = (calls: readonly CallRecord[], more: Partial<QuotaRun> = {}): QuotaRun => ({
    calls,
    finished: 3,
    deaths: { Error: 1 },
    cut: false,
    lateMs: 2,
    ...more,
  });
  const counters = { admitted: 100, refused: 7, mostInMinute: 90 };

  test("takes goodput from the first call to the last end, also of a call that failed", () => {
    const calls = [
      { from: 1_000, to: 2_000, ok: true },
      { from: 2_000, to: 61_000, ok: true },
      { from: 500, to: 120_500, ok: false },
    ];
    expect(measure(SCENARIO, run(calls), counters)).toMatchObject({
      finished: 0.75,
      ok: 2,
      http: 107,
      rateLimited: 7,
      minutes: 2,
      goodput: 2 / 200,
      p50Ms: 1_000,
      p99Ms: 59_000,
      spread: 59,
      mostInMinute: 90,
      lateMs: 40,
      deaths: { Error: 1 },
    });
  });

  test("leaves ramp and tail out of the steady goodput", () => {
    // One answer a second, but the first ten come at once and the last one after a long silence.
    const ends = [...Array<number>(10).fill(0), ...Array.from({ length: 89 }, (_, n) => (n + 1) * 1_000), 500_000];
    const calls = ends.map((to) => ({ from: to - 10, to, ok: true }));
    const { steady, goodput } = measure(SCENARIO, run(calls), counters);
    expect(steady).toBeCloseTo(60 / 100, 5);
    expect(goodput).toBeCloseTo(100 / ((500_010 / 60_000) * 100), 5);
  });

  test("makes nothing of nothing", () => {
    const row = measure(SCENARIO, run([], { finished: 0, cut: true }), { admitted: 0, refused: 0, mostInMinute: 0 });
    expect(row).toMatchObject({ finished: 0, ok: 0, goodput: 0, steady: 0, minutes: 0, spread: 0, cut: true });
  });
});

test("gives a row half as long again as its calls need, and ten minutes at least", () => {
  expect(longestMinutes({ ...SCENARIO, tasks: 1_000, calls: 20, requestsPerMinute: 500 })).toBe(60);
  expect(longestMinutes({ ...SCENARIO, tasks: 100, calls: 20, requestsPerMinute: 500 })).toBe(14);
});

test("speeds up timers and the clock of what it is given, never early", () => {
  const calls: unknown[] = [];
  const timer = (kind: string) =>
    ((run: (...args: unknown[]) => void, ...args: unknown[]) => {
      calls.push([kind, ...args]);
      run();
      return { kind };
    }) as never;
  const clear = (kind: string) => ((cleared: { kind: string }) => void calls.push([kind, cleared.kind])) as never;
  let real = 0;
  const time = {
    setTimeout: timer("timeout") as typeof setTimeout,
    setInterval: timer("interval") as typeof setInterval,
    setImmediate: timer("immediate") as typeof setImmediate,
    clearTimeout: clear("clear timeout") as typeof clearTimeout,
    clearImmediate: clear("clear immediate") as typeof clearImmediate,
    Date: { now: () => 5_000 },
    performance: { now: () => real },
  };
  speedUp(20, time);
  let ran = 0;
  const run = () => {
    ran += 1;
  };
  const { setTimeout: later } = time as unknown as { setTimeout: (...given: unknown[]) => NodeJS.Timeout };
  time.clearTimeout(later(run, 150, 7));
  time.clearTimeout(time.setTimeout(run));
  later(run, 9, 8);
  time.setInterval(run, 1_001);
  expect(ran).toBe(4);
  expect(calls).toEqual([
    ["timeout", 8, 7],
    ["clear timeout", "timeout"],
    ["immediate"],
    ["clear immediate", "immediate"],
    ["immediate", 8],
    ["interval", 51],
  ]);
  real = 2.3;
  expect(time.Date.now()).toBe(5_046);
});

describe("full jitter", () => {
  const { signal } = new AbortController();
  const limited = Object.assign(new Error("429"), { status: 429, headers: new Headers({ "retry-after": "3" }) });

  test("waits the hint and a growing draw on top, and gives up after ten attempts", async () => {
    const slept: number[] = [];
    const sleep = async (ms: number) => void slept.push(ms);
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      throw limited;
    };
    await expect(withFullJitter(() => 0.5, signal, attempt, sleep)).rejects.toBe(limited);
    expect(attempts).toBe(10);
    expect(slept).toEqual([3_500, 4_000, 5_000, 7_000, 11_000, 19_000, 33_000, 33_000, 33_000]);
  });

  test("tries nothing else again", async () => {
    const other = Object.assign(new Error("500"), { status: 500 });
    const attempt = () => Promise.reject(other);
    await expect(withFullJitter(Math.random, signal, attempt, () => Promise.reject(limited))).rejects.toBe(other);
  });

  test("has chance that repeats", () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect([...draw(3), ...draw(4)].every((value) => value >= 0 && value < 1)).toBe(true);
  });
});

const small = (more: Partial<QuotaBench> = {}): QuotaBench => ({
  providers: ["bucket-5s"],
  harnesses: QUOTA_HARNESSES,
  tasks: [3],
  calls: 2,
  requestsPerMinute: 6_000,
  scale: 50,
  seed: 1,
  signal: new AbortController().signal,
  ...more,
});

/** Processes of the benchmark that are children of this one. */
const workersLeft = (): number =>
  execFileSync("ps", ["-o", "args=", "--ppid", String(process.pid)], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(join("quota", "worker.ts"))).length;

/** Two processes, and no Redis: each keeps to its part. */
const FLEET = { processes: 2, redis: "redis://127.0.0.1:1" };

test("every harness finishes its tasks where there is room, and its process goes", async () => {
  const told: string[] = [];
  const rows = await benchQuota(small({ fleet: FLEET, onRow: ({ harness }) => void told.push(harness) }));
  expect(told).toEqual(QUOTA_HARNESSES);
  for (const row of rows) {
    expect(row).toMatchObject({ finished: 1, ok: 6, http: 6, rateLimited: 0, cut: false, deaths: {} });
    expect(row.p50Ms).toBeGreaterThan(300); // The model's latency is in it: 2 s, give or take.
    expect(row.goodput).toBeGreaterThan(0);
  }
  expect(workersLeft()).toBe(0);
}, 120_000);

test("tasks die at their first failed call, and the provider's refusals are counted", async () => {
  // One request a minute and 429s without a hint: ChatOpenAI gives up at once.
  const [row] = await benchQuota(
    small({ providers: ["no-hint"], harnesses: ["chatopenai"], requestsPerMinute: 1, tasks: [5] }),
  );
  expect(row).toMatchObject({ finished: 0, ok: 1, http: 6, rateLimited: 5, cut: false });
  expect(Object.values(row?.deaths ?? {})).toEqual([5]);
}, 60_000);

test("several processes share the tasks of a row", async () => {
  const [row] = await benchQuota(small({ harnesses: ["bulkhead-fleet"], tasks: [5], fleet: FLEET }));
  expect(row).toMatchObject({ tasks: 5, finished: 1, ok: 10, http: 10 });
}, 60_000);

test("a cut row says so and tells what there was; no further row begins; nothing is left", async () => {
  const aborting = new AbortController();
  // A reservoir of one a minute: the second call would wait for fifteen seconds of the machine's time.
  const rows = await benchQuota(
    small({
      harnesses: ["bottleneck-reservoir", "bulkhead"],
      requestsPerMinute: 1,
      scale: 4,
      signal: aborting.signal,
      onProgress: () => aborting.abort(),
    }),
  );
  expect(rows).toMatchObject([{ harness: "bottleneck-reservoir", cut: true, finished: 0, ok: 1, http: 1, deaths: {} }]);
  expect(workersLeft()).toBe(0);
}, 60_000);

test("a worker that fails says why", async () => {
  const bench = small({ harnesses: ["bulkhead-fleet"], fleet: { processes: 1, redis: "somewhere" } });
  await expect(benchQuota(bench)).rejects.toThrow(/worker of bench quota failed.*BULKHEAD_QUOTA/);
  expect(workersLeft()).toBe(0);
}, 60_000);

async function typed(cwd: string, ...args: readonly string[]) {
  const terminal = testTerminal({ cwd, interactive: true });
  const code = await runProgram(["bench", "quota", ...args], terminal);
  return { code, ...terminal.written };
}

test("the command prints a table, tells how far it is, and writes both forms", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-quota-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const few = ["--tasks", "2", "--calls", "1", "--harness", "chatopenai", "--rpm", "6000", "--scale", "50"];
  const { code, out, err } = await typed(folder, ...few, "--out", "found");
  expect(code).toBe(0);
  expect(out).toMatch(/^quota 6000 requests\/min, 1 calls a task, time x 50, seed 0/);
  expect(out).toMatch(/\nbucket-5s +2 +chatopenai +100 % +100 % +2 +0 /);
  expect(err).toMatch(/bucket-5s, 2 tasks, chatopenai: \d of 2 calls, 0 refused, minute/);
  expect(readdirSync(join(folder, "found"))).toEqual(["quota.json", "quota.txt"]);
  expect(readFileSync(join(folder, "found", "quota.txt"), "utf8")).toBe(out);
  expect(JSON.parse(readFileSync(join(folder, "found", "quota.json"), "utf8"))).toMatchObject({
    requestsPerMinute: 6_000,
    rows: [{ harness: "chatopenai", finished: 1 }],
  });
}, 60_000);

test.for([
  [["--tasks", "0"], /--tasks.*Write whole numbers from 1/],
  [["--tasks", "25,few"], /--tasks.*Write whole numbers from 1/],
  [["--calls", "0"], /--calls must be 1 or more/],
  [["--scale", "0"], /--scale must be 1 or more/],
  [["--harness", "bulkhead-fleet"], /bulkhead-fleet shares its quota through Redis\. Add --quota redis:/],
  [["--quota", "somewhere"], /--quota.*Write redis:/],
  [["--harness", "bulkhead,none"], /--harness has no "none"\. Write one of chatopenai, /],
  [["--provider", "openai"], /--provider has no "openai"\. Write one of bucket-5s, /],
] as const)("%j is refused", async ([args, message]) => {
  const { code, err } = await typed(tmpdir(), ...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
