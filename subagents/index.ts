// Who the planner can delegate to, and the one runner that brings their trust back.

export type { SubagentPort, SubagentResult } from "../nodes/index.js";
export { TrustCollector } from "./collector.js";
export { defineSubagent, type SubagentDefinition, type SubagentHost } from "./define.js";
export { asSubagent, type SubagentGraph, type SubagentWrapping } from "./run.js";
