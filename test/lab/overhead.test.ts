// The overhead benchmark with numbers so small that it is quick: what it reports. Times are not asserted.

import { describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { benchOverhead, VARIANTS } from "../../lab/bench/overhead.js";
import { testTerminal } from "../cli/terminal.js";

const small = { turns: 2, promptBytes: 256, rounds: 1, queued: [50], parked: [3] };

describe("the overhead benchmark", () => {
  test("compares the three loops, and leaves calls waiting", { timeout: 120_000 }, async () => {
    const parts: string[] = [];
    const found = await benchOverhead({
      ...small,
      signal: new AbortController().signal,
      onPart: (part) => void parts.push(part),
    });
    expect(found.costs.map(({ variant }) => variant)).toEqual([...VARIANTS]);
    expect(found.costs[0]?.ratio).toBe(1);
    for (const { turnMs, processorMs, ratio } of found.costs) {
      expect([turnMs, processorMs, ratio].every((number) => number > 0)).toBe(true);
    }
    // One may have left at once; the others were cancelled while they waited.
    expect(found.queues).toMatchObject([{ calls: 50 }]);
    expect(found.queues[0]?.left).toBeLessThanOrEqual(1);
    // Every run was parked in a checkpoint before any was woken, and none is lost.
    expect(found.parks).toMatchObject([{ runs: 3, finished: 3 }]);
    expect(found.parks[0]?.storedBytes).toBeGreaterThan(0);
    const rounds = VARIANTS.map((variant) => `round 1 of 1, ${variant}`);
    expect(parts).toEqual([...rounds, "50 calls that wait", "3 runs that are parked"]);
  });

  test("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("interrupted"));
    await expect(benchOverhead({ ...small, signal })).rejects.toThrow("interrupted");
  });

  test("refuses numbers that measure nothing", async () => {
    const terminal = testTerminal();
    expect(await runProgram(["bench", "overhead", "--rounds", "0"], terminal)).toBe(2);
    expect(terminal.written.err).toContain("--rounds must be 1 or more.");
  });
});
