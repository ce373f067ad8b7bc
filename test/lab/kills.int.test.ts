// The kill script, small: what it checks holds wherever the kills strike. It needs the built package.

import { expect, test } from "vitest";
import { killRuns } from "../../lab/kills/index.js";

const MINUTES = 60_000;

test("killed at random moments, tasks come to what they come to unkilled", { timeout: 8 * MINUTES }, async () => {
  const found = await killRuns({ kills: 8, seed: 7, signal: new AbortController().signal });
  expect(found).toMatchObject({ duplicates: 0, falseFinished: 0, lostAnswers: 0, wrong: 0, faults: [] });
  expect(found.kills).toBeGreaterThanOrEqual(8);
  expect(Object.values(found.phases).reduce((sum, count) => sum + count, 0)).toBe(found.kills);
});
