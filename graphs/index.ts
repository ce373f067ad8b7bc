// What runs: the state, the agent graph, and the check that proves its wiring at build time.

export { AgentInput, AgentState, agentFields } from "../nodes/index.js";
export { type AgentGraphOptions, agentGraph } from "./agent.js";
export * from "./check.js";
export { type AnyCompiledGraph, type Harness, HarnessGraph, harnessOf } from "./harness.js";
export { readPolicy } from "./policy-file.js";
export { type Divergence, DivergenceError, type DivergenceKind } from "./replay/divergence.js";
export { type JudgedAgain, judgeAgain, type PolicyReplay } from "./replay/policy.js";
export { ReplayError, readRecording, type ThreadRecording } from "./replay/record.js";
export { type Regressed, regressThread } from "./replay/regress.js";
export { type Replay, type Replayed, replayThread } from "./replay/replay.js";
export { type Finding, type VerifiedRun, type Verifying, verifyRun } from "./replay/verify.js";
export { type Rewind, RewindError, type Rewound, rewindThread } from "./rewind.js";
export * from "./route.js";
export { afterCompact, afterGate, afterPlanner } from "./routing.js";
export { type BudgetSettings, readBudget } from "./run-budget.js";
export {
  canGoOn,
  hasEnded,
  openInterrupts,
  type Stand,
  type Standing,
  standingOf,
  UnfinishedError,
} from "./standing.js";
