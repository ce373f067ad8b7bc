// `bulkhead new`: a complete project or nothing.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { version } from "../../cli/package.js";
import { scaffold } from "../../cli/scaffold.js";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "bulkhead-new-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

describe("a project", () => {
  test("has the rooms of the design, its own name, and no template names left", async () => {
    const { folder, next } = await scaffold("my-agent", { cwd, spec: "^9.9.9" });
    expect(folder).toBe(join(cwd, "my-agent"));
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(
        ["graphs", "nodes", "subagents", "memory", "checkpoints", "test"].concat([
          "package.json",
          "tsconfig.json",
          "langgraph.json",
          ".gitignore",
        ]),
      ),
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("_"))).toEqual([]);
    expect(manifestOf(folder)).toMatchObject({ name: "my-agent", dependencies: { bulkhead: "^9.9.9" } });
    expect(readFileSync(join(folder, "package.json"), "utf8")).not.toContain("{{");
    expect(next[0]).toBe("cd my-agent");
    expect(readdirSync(cwd)).toEqual(["my-agent"]);
  });

  test("may go into an empty folder that is there already", async () => {
    mkdirSync(join(cwd, "empty"));
    await scaffold("empty", { cwd, spec: "*" });
    expect(manifestOf(join(cwd, "empty")).name).toBe("empty");
  });
});

describe("refusals write nothing", () => {
  test("a folder with something in it", async () => {
    mkdirSync(join(cwd, "mine"));
    writeFileSync(join(cwd, "mine/notes.txt"), "precious");
    await expect(scaffold("mine", { cwd, spec: "*" })).rejects.toThrow(/is not empty\. Choose another name/);
    expect(readdirSync(join(cwd, "mine"))).toEqual(["notes.txt"]);
  });

  test.for(["My-Agent", "with space", "node_modules", ".hidden", "bulkhead", "ä"])("the name %j", async (name) => {
    await expect(scaffold(name, { cwd, spec: "*" })).rejects.toThrow(/cannot be a package's name/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("a package that cannot be packed leaves nothing behind", async () => {
    const root = join(cwd, "root");
    mkdirSync(join(root, "template"), { recursive: true });
    writeFileSync(join(root, "package.json"), "{}"); // npm pack refuses a package without a name.
    await expect(scaffold("new-one", { cwd, root })).rejects.toThrow(/cannot be packed .* --package/);
    expect(readdirSync(cwd)).toEqual(["root"]);
  });
});

describe("what the project depends on", () => {
  /** A package as npm would have installed it, from `resolved`. */
  function installed(resolved: string): string {
    const modules = join(cwd, "there/node_modules");
    const root = join(modules, "bulkhead");
    mkdirSync(join(root, "template/node_modules/junk"), { recursive: true });
    writeFileSync(join(root, "package.json"), JSON.stringify({ name: "bulkhead", version: "1.2.3" }));
    writeFileSync(
      join(root, "template/_package.json"),
      '{"name": "{{name}}", "dependencies": {"bulkhead": "{{bulkhead}}"}}',
    );
    writeFileSync(join(root, "template/.env"), "SECRET=1");
    writeFileSync(
      join(modules, ".package-lock.json"),
      JSON.stringify({ packages: { "node_modules/bulkhead": { version: "1.2.3", resolved } } }),
    );
    return root;
  }

  test("the registry's version, when this package came from a registry", async () => {
    const root = installed("https://registry.npmjs.org/bulkhead/-/bulkhead-1.2.3.tgz");
    const { folder } = await scaffold("agent", { cwd, root });
    expect(manifestOf(folder).dependencies).toEqual({ bulkhead: `^${version()}` });
    expect(existsSync(join(folder, "vendor"))).toBe(false);
  });

  test("else a packed copy inside the project; a working tree's own files stay out", async () => {
    const { folder } = await scaffold("agent", { cwd, root: installed("file:../bulkhead-1.2.3.tgz") });
    expect(manifestOf(folder).dependencies).toEqual({ bulkhead: "file:vendor/bulkhead-1.2.3.tgz" });
    expect(readdirSync(folder).sort()).toEqual(["package.json", "vendor"]);
    expect(readdirSync(join(folder, "vendor"))).toEqual(["bulkhead-1.2.3.tgz"]);
  });
});
