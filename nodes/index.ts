// The steps a graph is wired from, and what a tool is. Each node is a factory with typed options.

export { type ActOptions, act } from "./act.js";
export { type ApprovalInterrupt, approvalAnswer } from "./approval.js";
export { type ApprovalView, viewOf } from "./approval-view.js";
export { BudgetKeeper, type RunBudget } from "./budget.js";
export {
  type AnyTool,
  answerTo,
  type CallKind,
  kindOf,
  type OpenCall,
  openCalls,
  openCallsOf,
  TASK_TOOL,
  unansweredCalls,
} from "./calls.js";
export { type CompactOptions, compact } from "./compact.js";
export { type Compensation, compensateEffect } from "./compensate.js";
export {
  type DelegateOptions,
  type DelegateTask,
  delegate,
  type SubagentPort,
  type SubagentResult,
  sendTasks,
} from "./delegate.js";
export { type GateOptions, gate } from "./gate.js";
export {
  capacityGuard,
  decideAdmission,
  type GuardOptions,
  type ParkedRequest,
} from "./guard.js";
export { fromText, inputFrom, toText } from "./input.js";
export { IrreversibleWithin } from "./irreversible.js";
export type { Looking, Preview, ProbeAnswer, ProbeOutcome } from "./look.js";
export { type McpDeclaration, type McpOptions, type McpTool, mcpTools } from "./mcp.js";
export { NotDoneError, OutcomeUnclearError } from "./outcome.js";
export {
  type EventOf,
  OUTSIDE,
  type OutsideKind,
  type OutsideStandIn,
  type OutsideWitness,
  outside,
  type Question,
} from "./outside.js";
export type { Permit } from "./permit.js";
export { type PlannerOptions, planner, type TurnCache } from "./planner.js";
export { type KnownDigests, stateDigest } from "./provenance.js";
export { type RecallOptions, recall } from "./recall.js";
export { messagesOf, Recorder } from "./recorder.js";
export { type NodeRole, roleOf, withRole } from "./role.js";
export { scopeOf, scopeOfMetadata } from "./scope.js";
export { type Spending, type SpendingOptions, spendingOf } from "./spending.js";
export {
  type AdmissionState,
  AgentInput,
  AgentState,
  type AgentView,
  agentFields,
  type ClearedCall,
  type Todo,
} from "./state.js";
export { harnessNode, MARK_EVENT, messageOf, type NodeUpdate, type Step } from "./step.js";
export { isStopped, partialResult } from "./stopped.js";
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
export { createToolbox, type Toolbox, type ToolboxOptions } from "./toolbox.js";
export { sendTools, type ToolsOptions, type ToolTask, tools } from "./tools.js";
export { labelUpdates, type StateUpdate } from "./updates.js";
export { viewOfCall, visible } from "./view.js";
