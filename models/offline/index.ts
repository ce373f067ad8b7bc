// The offline provider: what answers when no provider is configured.

export { FAULT_FORM, FAULT_KINDS, type Fault, FaultError, type FaultKind, parseFault } from "./faults.js";
export { OFFLINE_QUOTA, OfflineProvider, type OfflineProviderOptions, type ProviderRequest } from "./provider.js";
export {
  type Brain,
  type BrainAnswer,
  type BrainMessage,
  type BrainRequest,
  type BrainTool,
  type BrainToolCall,
  OFFLINE_MODELS,
  type OfflineModel,
} from "./types.js";
