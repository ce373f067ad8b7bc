// What a project's own tests build on, exported as `bulkhead/testing`: a model that follows a script over the real
// HTTP path, and contracts that a tool or a graph of yours has to keep. Needs vitest; import it in test files only.

export { BrokenPromiseError, type ContractCase } from "./broken-promise.js";
export { type EffectToolOptions, effectToolCases, effectToolContract, type ToolUnderContract } from "./effect-tool.js";
export { type GateOptions, gateCases, gateContract } from "./gate.js";
export type { HarnessedGraph } from "./play.js";
export { calls, type ScriptStep, script, scriptedModel } from "./script.js";
export { type TrustOptions, trustCases, trustContract } from "./trust.js";
