// What a stranger does with the packed tarball and no registry entry of ours: make a project, install, test, start.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "bulkhead-scaffold-"));
const project = join(folder, "my-agent");
let tarball = "";

const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(OPENAI_|BULKHEAD_|npm_|NODE_OPTIONS|VITEST)/.test(name)),
  ),
  // What was downloaded a moment ago is not asked for again.
  npm_config_prefer_offline: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
};

/** Runs it and returns how it ended; its output is shown when a test fails. */
const runs = (command: string, args: readonly string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: environment,
    encoding: "utf8",
    timeout: 300_000,
  });
  return { status, output: `${stdout}\n${stderr}` };
};

const npm = (args: readonly string[], cwd: string) => runs("npm", args, cwd);

beforeAll(() => {
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    env: environment,
    stdio: "pipe",
  });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000); // Tens of thousands of files.

test("the tarball carries the template and no secrets", () => {
  const names = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" });
  for (const needed of [
    "_package.json",
    "_gitignore",
    "_env.example",
    "README.md",
    "graphs/agent.ts",
    "memory/AGENTS.md",
  ]) {
    expect(names).toContain(`package/template/${needed}`);
  }
  expect(names).not.toMatch(/\.env$|node_modules|records\.db|package-lock/m);
});

test("new, install, test and start work at once, with no key", () => {
  const made = npm(["exec", "--yes", `--package=${tarball}`, "--", "create-bulkhead", "my-agent"], folder);
  expect(made.status, made.output).toBe(0);
  expect(readdirSync(project).sort()).toEqual([
    ".env.example",
    ".gitignore",
    "README.md",
    "checkpoints",
    "graphs",
    "langgraph.json",
    "memory",
    "nodes",
    "package.json",
    "subagents",
    "test",
    "tsconfig.json",
    "vendor",
  ]);
  expect(readFileSync(join(project, "README.md"), "utf8")).toContain("# my-agent");
  const installed = npm(["install"], project);
  expect(installed.status, installed.output).toBe(0);
  expect(installed.output).not.toContain("node-gyp");
  const tested = npm(["test"], project);
  expect(tested.status, tested.output).toBe(0);
  const typed = npm(["run", "typecheck"], project);
  expect(typed.status, typed.output).toBe(0);
  const started = npm(["start", "--", "How many tickets are open?"], project);
  expect(started.status, started.output).toBe(0);
  expect(started.output).toMatch(/There are \d+ open tickets/);
  expect(existsSync(join(project, "workspace"))).toBe(true);
}, 400_000);

test("a folder with something in it is left alone", () => {
  writeFileSync(join(project, "mine.txt"), "mine");
  const refused = runs(join(project, "node_modules", ".bin", "bulkhead"), ["new", "my-agent"], folder);
  expect(refused.status).not.toBe(0);
  expect(refused.output).toMatch(/not empty/);
  expect(readFileSync(join(project, "mine.txt"), "utf8")).toBe("mine");
}, 120_000);
