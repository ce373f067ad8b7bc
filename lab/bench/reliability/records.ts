// The template's own tools and instructions, loaded as a project's are: the package ships them as TypeScript.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HarnessTool } from "../../../nodes/index.js";
import type { SubagentHost, SubagentPort } from "../../../subagents/index.js";
import { packageRoot } from "./root.js";

/** What the benchmark uses of the template. */
export interface RecordsProject {
  readonly prompt: string;
  /** The folder with `AGENTS.md` and `skills/`. */
  readonly memory: string;
  tools(settings: { readonly workspace: string }): readonly HarnessTool[];
  subagents(tools: readonly HarnessTool[], host: SubagentHost): readonly SubagentPort[];
}

/** Loads it. TypeScript has to be loadable: see {@link runTypeScript}. */
export async function recordsProject(): Promise<RecordsProject> {
  const template = join(packageRoot(), "template");
  const load = (path: string) => import(pathToFileURL(join(template, path)).href) as Promise<RecordsProject>;
  const [{ prompt }, { tools }, { subagents }] = await Promise.all([
    load("graphs/prompt.ts"),
    load("nodes/index.ts"),
    load("subagents/index.ts"),
  ]);
  return { prompt, memory: join(template, "memory"), tools, subagents };
}

/** Makes TypeScript loadable in a process that runs the built package. Does nothing to one that runs the sources. */
export async function runTypeScript(): Promise<void> {
  if (import.meta.url.endsWith(".ts")) return;
  const { register } = await import("tsx/esm/api");
  register({ tsconfig: false });
}
