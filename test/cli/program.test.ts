// What is typed: options, help, mistakes, and how any error becomes one line and an exit code.

import { describe, expect, test } from "vitest";
import { JournalError } from "../../checkpoints/index.js";
import { CommandError, exitCodeOf, explain, UsageError } from "../../cli/exit.js";
import { runProgram } from "../../cli/program.js";
import { programName } from "../../cli/terminal.js";
import { testTerminal } from "./terminal.js";

async function typed(...args: readonly string[]) {
  const terminal = testTerminal();
  return { code: await runProgram(args, terminal), ...terminal.written };
}

describe("help and version", () => {
  test.for([
    "run",
    "rewind",
    "approvals",
    "approve",
    "edit",
    "reject",
    "effects",
    "threads",
    "show",
    "inspect",
    "graph",
    "doctor",
    "quota",
    "probe",
    "dev",
    "new",
  ])("%s --help has examples and goes to standard output", async (name) => {
    const { code, out, err } = await typed(name, "--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(new RegExp(`Examples:\n( {2}\\$ .*\n)* {2}\\$ .*bulkhead ${name}`));
  });

  test.for(["approvals", "effects", "threads", "show", "inspect", "doctor", "quota", "run"])(
    "%s has --json",
    async (name) => {
      expect((await typed(name, "--help")).out).toContain("--json");
    },
  );

  test("run --help documents the exit codes", async () => {
    expect((await typed("run", "--help")).out).toMatch(/3 waiting for approval, 4 blocked by the gate/);
  });

  test("--version", async () => {
    expect(await typed("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe("mistakes in typing end with 2, one line and a way out", () => {
  test.for([
    [
      ["run", "--thred", "x"],
      /^error: unknown option '--thred'\n\(Did you mean --thread\?\)\nSee: bulkhead run --help\n$/,
    ],
    [["aprove", "x"], /^error: unknown command 'aprove'\n\(Did you mean approve\?\)\nSee: bulkhead --help\n$/],
    [["approve"], /^error: missing required argument 'id'\nSee: bulkhead approve --help\n$/],
    [["run", "--approve", "maybe", "x"], /argument 'maybe' is invalid\. Allowed choices are ask, yes, no\./],
    [
      ["run", "--admission", "never", "x"],
      /argument 'never' is invalid\. Allowed choices are auto, trust-first, avail/,
    ],
    [["run", "--db", "mysql://x", "x"], /argument 'mysql:\/\/x' is invalid\. Write sqlite:PATH/],
    [["run", "--seed", "a", "x"], /argument 'a' is invalid\. It is a whole number/],
    [["dev", "--port", "0"], /argument '0' is invalid\. It is a port/],
    [["run", "a", "b"], /too many arguments/],
    [["run", "--fault", "fire", "x"], /^error: fault "fire": unknown kind "fire".*Kinds: rate-limit.*\n$/],
    [
      ["run", "--resume", "x", "--thread", "t"],
      /^error: --resume goes on with what the thread has; leave out the task/,
    ],
    [["run", "--file", "no-such-file"], /^error: --file .*no-such-file cannot be read/],
    [["run", " "], /^error: no task\. Give it as an argument, with --file, or pipe it in\./],
    [["run", "--graph", "nope", "x"], /^error: there is no graph "nope"\. This project has: agent\.\n$/],
  ] as const)("%s", async ([args, message]) => {
    const { code, out, err } = await typed(...args);
    expect(err).toMatch(message);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });
});

describe("explain", () => {
  test("usage errors, also those of settings and faults, are 2", () => {
    expect(explain(new UsageError("u"))).toEqual({ message: "u", exitCode: 2, known: true });
    expect(explain(Object.assign(new Error("s"), { code: "SETTINGS" })).exitCode).toBe(2);
  });

  test("errors of the house are known by their brand, from whichever copy of the package", () => {
    expect(explain(new JournalError("JOURNAL_LOCKED", "x", "locked"))).toEqual({
      message: "locked",
      exitCode: 1,
      known: true,
    });
    const foreign = Object.assign(new Error("theirs"), { [Symbol("bulkhead.Whatever")]: true });
    expect(explain(foreign).known).toBe(true);
    expect(explain(new CommandError("c"))).toMatchObject({ exitCode: 1, known: true });
  });

  test("anything else is 1 and unknown", () => {
    expect(explain(new TypeError("x is not a function"))).toMatchObject({ exitCode: 1, known: false });
    expect(explain("text")).toEqual({ message: "text", exitCode: 1, known: false });
  });

  test("each status has its exit code", () => {
    const statuses = ["finished", "failed", "waiting", "blocked", "parked", "interrupted"] as const;
    expect(statuses.map(exitCodeOf)).toEqual([0, 1, 3, 4, 5, 130]);
  });
});

describe("programName: what to type next can be typed", () => {
  test.for([
    ["npm start in the repository", { npm_lifecycle_event: "start" }, "/p/dist/cli/main.js", "npm run -s bulkhead --"],
    ["npm start in a project", { npm_lifecycle_event: "start" }, "/p/node_modules/.bin/bulkhead", "npx bulkhead"],
    ["npx", { npm_command: "exec", npm_lifecycle_event: "npx" }, "/p/node_modules/.bin/bulkhead", "npx bulkhead"],
    ["the script itself", {}, "/p/dist/cli/main.js", "node dist/cli/main.js"],
    ["a global installation", {}, "/usr/local/bin/bulkhead", "bulkhead"],
  ] as const)("%s", ([, env, script, name]) => {
    expect(programName(env, script, "/p")).toBe(name);
  });
});
