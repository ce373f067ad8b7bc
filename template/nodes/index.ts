// The tools of your agent. This list is what the planner is offered, what the gate watches and what the graph check
// proves; a tool of your own is a file beside this one and a line here.

import type { HarnessTool } from "bulkhead/nodes";
import { recordsTools } from "./records/index.js";

/** What the tools need to know. */
export interface ToolSettings {
  /** The directory of the customer records. Made and filled on first use. */
  readonly workspace: string;
}

/** Every tool of the agent beside the harness's own (plan, files, memory, delegation). */
export function tools({ workspace }: ToolSettings): readonly HarnessTool[] {
  return [
    ...recordsTools(workspace),
    // ...and yours: defineTool({ name, description, schema, effect, source, run }) from "bulkhead/nodes".
  ];
}
