// Finds the project a command is about, hands it the flags, and loads its graphs. A project is a folder with a
// `langgraph.json`, the same file that Studio and the LangGraph server read.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseEnv } from "node:util";
import { z } from "zod";
import type { AdmissionPolicy } from "../capacity/types.js";
import { POSTGRES_KEY_FILE } from "../checkpoints/key-file.js";
import type { AnyCompiledGraph, Harness } from "../graphs/index.js";
import type { Settings } from "../models/index.js";
import { CommandError, explain, UsageError } from "./exit.js";
import { packageRoot } from "./package.js";
import type { Terminal } from "./terminal.js";

const CONFIG = "langgraph.json";

const configuration = z.looseObject({
  graphs: z
    .record(z.string(), z.union([z.string(), z.looseObject({ path: z.string() }).transform(({ path }) => path)]))
    .refine((graphs) => Object.keys(graphs).length > 0, "names no graph"),
  env: z.union([z.string(), z.record(z.string(), z.string())]).optional(),
});

/** A folder with a `langgraph.json`. */
export interface Project {
  readonly root: string;
  /** Graph name to `FILE:EXPORT`, relative to {@link root}. */
  readonly graphs: Readonly<Record<string, string>>;
  readonly env: string | Readonly<Record<string, string>> | undefined;
}

/** Flags that change what a project's graph is built with. */
export interface ProjectFlags {
  readonly db?: string | undefined;
  readonly workspace?: string | undefined;
  readonly fault?: readonly string[] | undefined;
  readonly seed?: string | undefined;
  readonly quota?: string | undefined;
  readonly admission?: AdmissionPolicy | undefined;
}

/** The project around `cwd`, or `undefined`. @throws UsageError when its `langgraph.json` cannot be read. */
export function findProject(cwd: string): Project | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, CONFIG);
    if (existsSync(file)) return readProject(folder, file);
    if (dirname(folder) === folder) return undefined;
  }
}

function readProject(root: string, file: string): Project {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${(error as Error).message}. Correct it.`);
  }
  const parsed = configuration.safeParse(content);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "unknown problem" };
    throw new UsageError(
      `${file}: ${path.join(".") || "the file"}: ${message}. It needs "graphs": {"NAME": "FILE:EXPORT"}.`,
    );
  }
  return { root, graphs: parsed.data.graphs, env: parsed.data.env };
}

/** @throws UsageError when there is no project around `cwd`. */
export function requireProject(cwd: string): Project {
  const project = findProject(cwd);
  if (project !== undefined) return project;
  throw new UsageError(
    `there is no ${CONFIG} in ${cwd} or above it. Go to your project, or make one: bulkhead new my-agent`,
  );
}

function setUnlessSet(env: Terminal["env"], values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) env[name] ??= value;
}

const absoluteDatabase = (url: string, base: string): string => {
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(url)?.[1];
  return path === undefined ? url : `sqlite:${resolve(base, path)}`;
};

/**
 * Puts the project's `.env` and the flags into the environment, where the graph reads them when it is imported, and
 * reads the settings back. Paths in flags are relative to the working directory, all others to the project.
 *
 * @throws SettingsError naming the variable that cannot be used.
 */
export async function configure(
  { cwd, env }: Terminal,
  project: Project | undefined,
  flags: ProjectFlags,
): Promise<Settings> {
  const base = project?.root ?? cwd;
  if (typeof project?.env === "string") {
    const file = join(project.root, project.env);
    if (existsSync(file)) setUnlessSet(env, parseEnv(readFileSync(file, "utf8")));
  } else {
    setUnlessSet(env, project?.env ?? {});
  }
  const { readSettings } = await import("../models/settings.js");
  if (flags.db !== undefined) env["BULKHEAD_DB"] = absoluteDatabase(flags.db, cwd);
  if (flags.workspace !== undefined) env["BULKHEAD_WORKSPACE"] = resolve(cwd, flags.workspace);
  if (flags.fault !== undefined) env["BULKHEAD_FAULTS"] = flags.fault.join(";");
  if (flags.seed !== undefined) env["BULKHEAD_SEED"] = flags.seed;
  if (flags.quota !== undefined) env["BULKHEAD_QUOTA"] = flags.quota;
  if (flags.admission !== undefined) env["BULKHEAD_ADMISSION"] = flags.admission;
  const stated = readSettings(env);
  if (flags.fault !== undefined && stated.provider !== undefined) {
    throw new UsageError(
      "--fault works with the offline provider only. Leave it out, or unset OPENAI_API_KEY and OPENAI_BASE_URL.",
    );
  }
  env["BULKHEAD_DB"] = absoluteDatabase(stated.database, base);
  env["BULKHEAD_WORKSPACE"] = resolve(base, stated.workspace);
  if (stated.prices !== undefined) env["BULKHEAD_PRICES"] = resolve(base, stated.prices);
  const keyFile = stated.keyFile ?? (stated.database.startsWith("postgres") ? POSTGRES_KEY_FILE : undefined);
  if (keyFile !== undefined) env["BULKHEAD_KEY_FILE"] = resolve(base, keyFile);
  return readSettings(env);
}

/** A graph of the project, ready to run. */
export interface LoadedGraph {
  readonly name: string;
  readonly graph: AnyCompiledGraph;
  readonly harness: Harness;
  /** The project's folder. */
  readonly root: string;
}

/** The graph that is meant when none is named: `agent`, or the only one. */
export function graphName({ graphs }: Project, named: string | undefined): string {
  const names = Object.keys(graphs);
  const known = `This project has: ${names.join(", ")}.`;
  if (named !== undefined) {
    if (names.includes(named)) return named;
    throw new UsageError(`there is no graph ${JSON.stringify(named)}. ${known}`);
  }
  if (names.includes("agent")) return "agent";
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  throw new UsageError(`say which graph with --graph NAME. ${known}`);
}

/**
 * Imports a project's graph. TypeScript is loaded by tsx, without the path aliases of this repository's own tsconfig, so
 * that `bulkhead/graphs` is the very package this command runs from.
 *
 * @throws CommandError when the file cannot be imported or holds no graph built by `HarnessGraph`.
 */
export async function loadGraph(project: Project, name: string): Promise<LoadedGraph> {
  const [file = "", exported = "default"] = (project.graphs[name] ?? "").split(/:(?=[^:/\\]+$)/);
  const path = resolve(project.root, file);
  if (!existsSync(path)) throw new CommandError(`graph ${name}: ${path} does not exist. Correct ${CONFIG}.`);
  const { register } = await import("tsx/esm/api");
  const tsconfig = join(project.root, "tsconfig.json");
  register({ tsconfig: project.root !== packageRoot() && existsSync(tsconfig) ? tsconfig : false });
  const module = await importFrom(path, name);
  const { harnessOf } = await import("../graphs/index.js");
  const graph: unknown = await module[exported];
  if (typeof graph !== "object" || graph === null) {
    throw new CommandError(`graph ${name}: ${path} exports no ${exported}. Correct ${CONFIG} or export the graph.`);
  }
  const harness = harnessOf(graph);
  if (harness === undefined) {
    throw new CommandError(
      `graph ${name}: ${exported} of ${path} is not built with HarnessGraph or agentGraph, so it has no journal to run under. ` +
        "Build it with one of them, or run it in Studio: bulkhead dev",
    );
  }
  return { name, graph: graph as AnyCompiledGraph, harness, root: project.root };
}

async function importFrom(path: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (explain(error).known) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`graph ${name}: ${path} cannot be loaded: ${reason}`, { cause: error });
  }
}
