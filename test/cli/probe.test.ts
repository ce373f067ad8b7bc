// `probe`, as typed, against the offline provider.

import { expect, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { testTerminal } from "./terminal.js";

async function typed(...args: readonly string[]) {
  const terminal = testTerminal({ cwd: import.meta.dirname });
  const code = await runProgram(["probe", ...args], terminal);
  return { code, ...terminal.written };
}

test("counts the answers and says what that means", async () => {
  const { code, out, err } = await typed("--prompt", "How many tickets are open?", "--n", "5");
  expect(code).toBe(0);
  expect(err).toContain("5 of 5");
  expect(out).toMatch(/^1 distinct of 5 answers; the most frequent came 5 times\n/);
  expect(out).toContain("models: offline-large");
  expect(out).toContain("All 5 answers are the same");
});

test("--json has the figures", async () => {
  const { out } = await typed("--prompt", "How many tickets are open?", "--n", "3", "--json");
  expect(JSON.parse(out)).toMatchObject({ model: "offline-large", asked: 3, failed: 0, answers: 3, distinct: 1 });
});

test.for([
  [["--n", "5"], /required option '--prompt <text>' not specified/],
  [["--prompt", "x", "--n", "1"], /--n must be 2 or more/],
  [["--prompt", "x", "--n", "few"], /It is a whole number/],
  [["--prompt", "x", "--model", "gpt-4.1"], /BULKHEAD_MODEL needs a provider/],
] as const)("%j is refused", async ([args, message]) => {
  const { code, err } = await typed(...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
});
