// The reliability benchmark with its processes, three tasks at a time: a real provider over HTTP, harnesses in processes
// of their own, one of them killed. What is asserted holds whatever the machine does; times are not.

import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { benchReliability, type HarnessName } from "../../lab/bench/reliability/index.js";

const MINUTES = 60_000;

const measure = (scenario: string, harness: HarnessName, signal = new AbortController().signal) =>
  benchReliability({ tasks: [3], scenarios: [scenario], harnesses: [harness], scale: 10, signal });

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("bulkhead-reliability-"));

describe("a cell of the reliability benchmark", { timeout: 4 * MINUTES }, () => {
  test.each(["create-agent", "deep-agent", "bulkhead"] as const)(
    "%s does all of it right when it is quiet",
    async (harness) => {
      const [row, ...others] = await measure("quiet", harness);
      expect(others).toEqual([]);
      expect(row).toMatchObject({
        scenario: "quiet",
        harness,
        tasks: 3,
        finished: 3,
        correct: 3,
        wrongIrreversible: 0,
      });
      expect(row).toMatchObject({ duplicateEffects: 0, rateLimited: 0, wasted: 0, errors: [], faults: [] });
      // Only a prebuilt agent with defaults asks nobody; the others ask before the deletion at least.
      expect((row?.approvals ?? 0) > 0).toBe(harness !== "create-agent");
      expect(row?.http).toBeGreaterThanOrEqual(10);
      expect(row?.tokens).toBeGreaterThan(10_000);
      expect(row?.p99Ms).toBeGreaterThanOrEqual(row?.p50Ms ?? Number.NaN);
    },
  );

  test("bulkhead goes on after being killed right after each of its actions, and repeats none", async () => {
    const [row] = await measure("crash", "bulkhead");
    expect(row).toMatchObject({ finished: 3, wrongIrreversible: 0, duplicateEffects: 0, errors: [] });
    // Whether the bank was paid is in doubt: the operator is asked, beside the deletion.
    expect(row?.approvals).toBeGreaterThanOrEqual(2);
  });

  test("leaves nothing behind when it is interrupted", async () => {
    const before = folders();
    const mine = () => folders().filter((name) => !before.includes(name));
    const aborting = new AbortController();
    const failed = expect(measure("quiet", "create-agent", aborting.signal)).rejects.toThrow("enough");
    while (mine().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [folder] = mine();
    aborting.abort(new Error("enough"));
    await failed;
    expect(folders()).not.toContain(folder);
  });
});
