// Who the planner can delegate to. To add one, write a file like `researcher.ts` and list it here.

import type { HarnessTool } from "bulkhead/nodes";
import type { SubagentHost } from "bulkhead/subagents";
import { auditor } from "./auditor.js";
import { researcher } from "./researcher.js";

/** The subagents of this project. */
export const subagents = (tools: readonly HarnessTool[], host: SubagentHost) => [
  researcher(tools, host),
  auditor(tools, host),
];
