// Finding packages without importing them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findLanggraphCli, findPackage } from "../../cli/installed.js";

test("finds a package above a folder, with its version and commands; or nothing", () => {
  const root = mkdtempSync(join(tmpdir(), "bulkhead-installed-"));
  const install = (name: string, manifest: object) => {
    mkdirSync(join(root, "node_modules", name), { recursive: true });
    writeFileSync(join(root, "node_modules", name, "package.json"), JSON.stringify({ name, ...manifest }));
  };
  try {
    install("a-tool", { version: "1.2.3", bin: "./run.js", exports: { ".": "./index.js" } });
    install("@langchain/langgraph-cli", { version: "1.5.1", bin: { langgraphjs: "dist/cli.mjs" } });
    const deep = join(root, "packages/deep");
    const folder = join(root, "node_modules/a-tool");
    expect(findPackage("a-tool", deep)).toEqual({ root: folder, version: "1.2.3", bin: { "a-tool": "./run.js" } });
    expect(findPackage("no-such-package-anywhere", deep)).toBeUndefined();
    expect(findLanggraphCli(root)).toEqual({
      script: join(root, "node_modules/@langchain/langgraph-cli/dist/cli.mjs"),
      version: "1.5.1",
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
