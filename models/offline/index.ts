// The offline provider: what answers when no provider is configured.

export type { Latency, Outsider, ProviderBehaviour, RetryHint } from "./behaviour.js";
export { ENFORCEMENTS, type Enforcement, type EnforcementName } from "./enforcement.js";
export { FAULT_FORM, FAULT_KINDS, type Fault, FaultError, type FaultKind, parseFault } from "./faults.js";
export type { ModelCounters } from "./meter.js";
export { OfflineProvider, type OfflineProviderOptions, type ProviderRequest } from "./provider.js";
export {
  type Brain,
  type BrainAnswer,
  type BrainMessage,
  type BrainRequest,
  type BrainTool,
  type BrainToolCall,
  OFFLINE_MODELS,
  OFFLINE_QUOTA,
  type OfflineModel,
} from "./types.js";
