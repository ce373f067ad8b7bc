// A fresh workspace for each test, and calls of its tools as the harness makes them: effects under a key, gated ones
// with a permit.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunnableConfig } from "@langchain/core/runnables";
import { onTestFinished } from "vitest";
import { mintPermit } from "../../nodes/permit.js";
import { type HarnessTool, isGated, type ToolOutcome } from "../../nodes/tool.js";
import { RecordsDatabase } from "../../template/nodes/records/database.js";
import { recordsTools } from "../../template/nodes/records/index.js";

const root = mkdtempSync(join(tmpdir(), "bulkhead-records-"));
process.once("exit", () => rmSync(root, { recursive: true, force: true }));

/** An empty directory that goes away with the process of the tests. */
export const emptyDirectory = (): string => mkdtempSync(join(root, "workspace-"));

/** The records of a directory, to look at behind the tools' backs. */
export function lookInto(workspace: string): RecordsDatabase {
  const records = new RecordsDatabase(workspace);
  onTestFinished(() => records.close());
  return records;
}

/** A new workspace and a way to call its tools. */
export function openWorkspace(workspace = emptyDirectory()) {
  const tools = recordsTools(workspace, { now: () => new Date("2026-07-01T09:00:00Z") });
  const tool = (name: string): HarnessTool => {
    const found = tools.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no tool ${name}`);
    return found;
  };
  let calls = 0;
  const run = (name: string, args: object, key = `key-${++calls}`, config: RunnableConfig = {}): Promise<ToolOutcome> =>
    tool(name).execute(args, {
      idempotencyKey: key,
      permit: isGated(tool(name).effect) ? mintPermit(key, tool(name), args) : undefined,
      signal: new AbortController().signal,
      config,
    });
  const call = async (name: string, args: object, key?: string): Promise<unknown> =>
    JSON.parse((await run(name, args, key)).content);
  return { workspace, tools, tool, run, call };
}
