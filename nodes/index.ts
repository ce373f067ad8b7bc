export type { Permit } from "./permit.js";
export {
  defineTool,
  type Effect,
  HarnessTool,
  isGated,
  LabelledResult,
  labelled,
  PermitRequiredError,
  type ToolContext,
  type ToolDefinition,
  type ToolOutcome,
} from "./tool.js";
