// May this call be served? Quotas, the limiter under them, the breaker, the cache, and the chat model that uses them all.

export { type AnswerCache, type CacheHit, type CacheReading, type KeptAnswer, memoryCache } from "./cache.js";
export { classifyError, type Failure, type FailureKind } from "./classify.js";
export { type Clock, type Random, systemClock } from "./clock.js";
export {
  BrokenAnswerError,
  CapacityError,
  type CapacityErrorCode,
  CapacityWaitError,
  InvalidRequestError,
  ProviderRefusedError,
  type RouteFailure,
  RoutesExhaustedError,
} from "./errors.js";
export { type GuardedCallOptions, GuardedChatModel, type GuardedChatModelOptions } from "./guarded-chat-model.js";
export { obtainedOf, trustOfAnswer } from "./obtained.js";
export { QuotaPool, type QuotaPoolOptions } from "./pool.js";
export type { ModelRoute } from "./route.js";
export * from "./types.js";
export {
  type CallStandIn,
  type CallWitness,
  handlersOf,
  type RecordedCall,
  type SentRequest,
  STAND_IN,
  WITNESS,
  witnessIn,
} from "./witness.js";
