// Finding a project and handing it the flags.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configure, findProject, graphName, loadGraph, requireProject } from "../../cli/project.js";
import { testTerminal } from "./terminal.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bulkhead-project-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (content: unknown) =>
  writeFileSync(join(root, "langgraph.json"), typeof content === "string" ? content : JSON.stringify(content));

describe("findProject", () => {
  test("looks upwards and reads both ways of naming a graph", () => {
    write({ graphs: { agent: "./a.ts:agent", other: { path: "./b.ts:graph", description: "x" } }, env: ".env" });
    const deep = join(root, "a/b");
    mkdirSync(deep, { recursive: true });
    expect(findProject(deep)).toEqual({ root, graphs: { agent: "./a.ts:agent", other: "./b.ts:graph" }, env: ".env" });
  });

  test("says what is wrong with the file", () => {
    write("{");
    expect(() => findProject(root)).toThrow(/langgraph\.json is no JSON/);
    write({ graphs: {} });
    expect(() => findProject(root)).toThrow(/graphs: names no graph/);
  });

  test("outside of a project", () => {
    expect(findProject(root)).toBeUndefined();
    expect(() => requireProject(root)).toThrow(/bulkhead new my-agent/);
  });
});

describe("graphName", () => {
  const project = (...names: string[]) => ({
    root,
    graphs: Object.fromEntries(names.map((name) => [name, "x"])),
    env: undefined,
  });
  test.for([
    [["agent", "b"], undefined, "agent"],
    [["b"], undefined, "b"],
    [["a", "b"], "b", "b"],
  ] as const)("of %j, asked for %s: %s", ([names, named, chosen]) => {
    expect(graphName(project(...names), named)).toBe(chosen);
  });

  test("lists what there is", () => {
    expect(() => graphName(project("a", "b"), "c")).toThrow(/no graph "c"\. This project has: a, b\./);
    expect(() => graphName(project("a", "b"), undefined)).toThrow(/--graph NAME\. This project has: a, b\./);
  });
});

describe("configure", () => {
  const project = () => ({ root, graphs: { agent: "x" }, env: ".env" });

  test("paths in flags are relative to the working directory, others to the project", async () => {
    const terminal = testTerminal({ cwd: join(root, "sub") });
    const settings = await configure(terminal, project(), { db: "sqlite:x.db" });
    expect(settings).toMatchObject({
      database: `sqlite:${join(root, "sub/x.db")}`,
      workspace: join(root, "workspace"),
    });
    expect(terminal.env).toMatchObject({ BULKHEAD_DB: settings.database, BULKHEAD_WORKSPACE: settings.workspace });
  });

  test("the key file is relative to the project, wherever a command is called, on Postgres also the default one", async () => {
    const cwd = join(root, "sub");
    const stated = testTerminal({ cwd });
    stated.env["BULKHEAD_KEY_FILE"] = "keys/a.key";
    expect((await configure(stated, project(), {})).keyFile).toBe(join(root, "keys/a.key"));
    expect(stated.env["BULKHEAD_KEY_FILE"]).toBe(join(root, "keys/a.key")); // Where the graph reads it.
    const postgres = await configure(testTerminal({ cwd }), project(), { db: "postgres://h/d" });
    expect(postgres.keyFile).toBe(join(root, ".bulkhead/journal.key"));
    expect((await configure(testTerminal({ cwd }), project(), {})).keyFile).toBeUndefined();
  });

  test("flags win over the environment, the environment over .env", async () => {
    writeFileSync(join(root, ".env"), "BULKHEAD_SEED=1\nBULKHEAD_MAX_WAIT_MS=2000\nBULKHEAD_DB=memory:\n");
    const terminal = testTerminal({ cwd: root });
    terminal.env["BULKHEAD_MAX_WAIT_MS"] = "3000";
    const flags = { seed: "7", fault: ["outage:offline-large", "slow"], admission: "trust-first" } as const;
    const settings = await configure(terminal, project(), flags);
    expect(settings).toMatchObject({ seed: 7, maxWaitMs: 3000, database: "memory:" });
    expect(settings.patience.admission).toBe("trust-first");
    expect(settings.faults.map(({ kind }) => kind)).toEqual(["outage", "slow"]);
  });

  test("faults and a real provider do not go together", async () => {
    const terminal = testTerminal({ cwd: root });
    terminal.env["OPENAI_API_KEY"] = "key";
    await expect(configure(terminal, project(), { fault: ["slow"] })).rejects.toThrow(/offline provider only/);
  });
});

describe("loadGraph", () => {
  const load = (file: string, source: string) => {
    writeFileSync(join(root, file), source);
    return loadGraph({ root, graphs: { agent: `./${file}:agent` }, env: undefined }, "agent");
  };

  test("a file that is missing, fails, or exports something else is named", async () => {
    await expect(loadGraph({ root, graphs: { agent: "./no.ts:agent" }, env: undefined }, "agent")).rejects.toThrow(
      /graph agent: .*no\.ts does not exist/,
    );
    await expect(load("throws.mjs", 'throw new Error("broken on purpose");')).rejects.toThrow(
      /throws\.mjs cannot be loaded: broken on purpose/,
    );
    await expect(load("empty.mjs", "export const other = 1;")).rejects.toThrow(/exports no agent/);
    await expect(load("plain.mjs", "export const agent = {};")).rejects.toThrow(
      /not built with HarnessGraph.*bulkhead dev/,
    );
  });
});
