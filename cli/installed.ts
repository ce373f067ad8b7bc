// What is installed around a project: versions of packages and where their commands are.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";

const manifest = z.looseObject({
  name: z.string(),
  version: z.string(),
  bin: z.union([z.string(), z.record(z.string(), z.string())]).optional(),
});

/** An installed package. */
export interface InstalledPackage {
  readonly root: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
}

/** Finds `name` as a module in `from` would, `exports` or not. `undefined` when it is not installed. */
export function findPackage(name: string, from: string): InstalledPackage | undefined {
  for (const folder of createRequire(join(from, "package.json")).resolve.paths(name) ?? []) {
    const file = join(folder, name, "package.json");
    if (!existsSync(file)) continue;
    const { version, bin = {} } = manifest.parse(JSON.parse(readFileSync(file, "utf8")));
    return { root: dirname(file), version, bin: typeof bin === "string" ? { [name]: bin } : bin };
  }
  return undefined;
}

/** The script of the LangGraph CLI that serves `bulkhead dev`. */
export function findLanggraphCli(root: string): { readonly script: string; readonly version: string } | undefined {
  const found = findPackage("@langchain/langgraph-cli", root);
  const script = found?.bin["langgraphjs"];
  return found === undefined || script === undefined
    ? undefined
    : { script: join(found.root, script), version: found.version };
}

/** How to get it. */
export const GET_LANGGRAPH_CLI = "npm install --save-dev @langchain/langgraph-cli@^1.5.1";
