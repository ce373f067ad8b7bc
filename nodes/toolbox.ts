// Everything the planner may call, in one list that planner, tools, gate and act share: the domain's tools, the file
// tools of Deep Agents, the plan, delegation, memory and skills. Adding a tool means adding it to `tools`.

import { tool } from "@langchain/core/tools";
import { createFilesystemMiddleware, type FilesystemPermission } from "deepagents";
import { todoListMiddleware } from "langchain";
import { z } from "zod";
import { type LabelledMemory, readSkill } from "../memory/index.js";
import { BOTTOM, readTrust } from "../trust/index.js";
import { type AnyTool, TASK_TOOL } from "./calls.js";
import type { SubagentPort } from "./delegate.js";
import { SearchableState } from "./file-search.js";
import { scopeOf } from "./scope.js";
import { defineTool, type HarnessTool } from "./tool.js";

/** What {@link createToolbox} takes. */
export interface ToolboxOptions {
  /** The domain's tools. */
  readonly tools: readonly HarnessTool[];
  /** Whom the planner can delegate to. Default: nobody, and no `task` tool. */
  readonly subagents?: readonly SubagentPort[];
  /** Where `remember` writes. Default: no `remember` tool. */
  readonly memory?: LabelledMemory;
  /** A folder with `skills/`. Default: no `read_skill` tool. */
  readonly folder?: string;
}

/** The tools of one agent. */
export interface Toolbox {
  readonly tools: readonly AnyTool[];
  readonly subagents: readonly SubagentPort[];
}

const FILE_TOOLS = ["ls", "read_file", "write_file", "edit_file", "glob", "grep"] as const;
/** With a rule, even one that allows everything, the file tools refuse paths that `ls` would never show. */
const ANY_PATH: FilesystemPermission[] = [{ operations: ["read", "write"], paths: ["/**"] }];

/** The file tools and `write_todos` of Deep Agents and LangChain. They touch only the graph's own state. */
function stateTools(): AnyTool[] {
  const files = createFilesystemMiddleware({
    backend: new SearchableState(),
    tools: [...FILE_TOOLS],
    permissions: ANY_PATH,
  });
  const allowed = new Set<string>(FILE_TOOLS);
  return [
    ...(todoListMiddleware().tools ?? []),
    ...(files.tools ?? []).filter((each) => allowed.has(String(each.name))),
  ] as AnyTool[];
}

function taskTool(subagents: readonly SubagentPort[]): AnyTool {
  const names = subagents.map((subagent) => subagent.name);
  const list = subagents.map((subagent) => `- ${subagent.name}: ${subagent.description}`).join("\n");
  return tool(
    () => {
      throw new Error("task is run by the delegate node: route it there");
    },
    {
      name: TASK_TOOL,
      description: `Delegates one self-contained task to a subagent and returns its answer. Several calls run in parallel.\n${list}`,
      schema: z.object({
        description: z.string().describe("The whole task: the subagent sees nothing else."),
        subagent_type: z.enum(names as [string, ...string[]]),
      }),
    },
  );
}

const rememberTool = (memory: LabelledMemory): HarnessTool =>
  defineTool({
    name: "remember",
    description: "Keeps one fact for later threads. It is stored with this thread's trust and never gains any.",
    schema: z.object({ text: z.string().min(1).describe("One self-contained fact.") }),
    effect: "idempotent",
    honoursKey: true,
    source: {},
    run: async ({ text }, { config, idempotencyKey }) => {
      const trust = readTrust(config);
      await memory.remember({
        text,
        key: idempotencyKey.slice(0, 16),
        label: trust ?? BOTTOM,
        causes: trust?.causes ?? [],
        thread: scopeOf(config).thread,
      });
      return "Remembered.";
    },
  }) as unknown as HarnessTool;

const skillTool = (folder: string): HarnessTool =>
  defineTool({
    name: "read_skill",
    description: "Reads one of the skills named in the instructions: the operator's procedure for a kind of task.",
    schema: z.object({ name: z.string().describe("The skill's name.") }),
    effect: "none",
    source: {},
    run: ({ name }) => readSkill(folder, name),
  }) as unknown as HarnessTool;

/** Builds the list. @throws TypeError when two tools have the same name. */
export function createToolbox({ tools, subagents = [], memory, folder }: ToolboxOptions): Toolbox {
  const all: AnyTool[] = [
    ...tools,
    ...stateTools(),
    ...(subagents.length === 0 ? [] : [taskTool(subagents)]),
    ...(memory === undefined ? [] : [rememberTool(memory)]),
    ...(folder === undefined ? [] : [skillTool(folder)]),
  ];
  const names = all.map((each) => each.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`two tools are called ${JSON.stringify(twice)}: rename one of them`);
  return { tools: all, subagents };
}
