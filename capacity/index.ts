// May this call be served? Quotas, the limiter under them, the breaker, the cache, and the chat model that uses them all.

export { runDeadline } from "./announce.js";
export { type Budget, type BudgetOptions, type BudgetWarning, openBudget, warningName } from "./budget.js";
export { ANSWER_GUESS, BUDGET, type BudgetPort, budgetIn, promptGuess } from "./budget-call.js";
export {
  BUDGET_DIMENSIONS,
  BUDGET_FORM,
  type BudgetDimension,
  type BudgetLimits,
  type BudgetUse,
  budgetShare,
  describeBudget,
  parseBudget,
  writeBudget,
} from "./budget-limits.js";
export { type KeepingOptions, keepingCache } from "./cache/keep.js";
export { type CachePlace, type CacheSettings, type OpenCacheOptions, openCache } from "./cache/open.js";
export { factsOf, type Mismatch, mismatchOf, type QuestionFacts } from "./cache/same-question.js";
export { type Embed, MIN_SCORE, type SimilarOptions, similarCache } from "./cache/similar.js";
export type { CacheLock, CacheStore, StoredText } from "./cache/store.js";
export {
  type AnswerCache,
  type CacheHit,
  type CacheQuestion,
  type CacheReading,
  type KeepingCache,
  type KeptAnswer,
  type MemoryCacheOptions,
  memoryCache,
} from "./cache.js";
export type { CacheWish } from "./cached-call.js";
export type { GuardedCallOptions } from "./call-options.js";
export { classifyError, type Failure, type FailureKind, UnusableAnswerError } from "./classify.js";
export { type Clock, type Random, scaledClock, systemClock } from "./clock.js";
export {
  BrokenAnswerError,
  BudgetError,
  type BudgetSpent,
  CapacityError,
  type CapacityErrorCode,
  CapacityWaitError,
  InvalidRequestError,
  PriceError,
  ProviderRefusedError,
  type RouteFailure,
  RoutesExhaustedError,
} from "./errors.js";
export type { Priority } from "./fair-queue.js";
export { GuardedChatModel, type GuardedChatModelOptions } from "./guarded-chat-model.js";
export { callIdOf, LANE } from "./ids.js";
export { INCOMING, type IncomingLimits, onOneServer } from "./incoming.js";
export { METRICS_TYPE, type Metric, metricsOf, metricsText, type Sample } from "./metrics.js";
export { obtainedOf, trustOfAnswer } from "./obtained.js";
export { QuotaPool } from "./pool.js";
export type { FleetOptions, PoolRunOptions, PoolStatus, QuotaPoolOptions } from "./pool-options.js";
export { costOf, DEFAULT_PRICES, type ModelPrice, NANO, type PriceTable, priceOf, readPrices } from "./prices.js";
export { changed, fieldsFor, type KeptFields, PROVIDER_FIELDS } from "./provider-fields.js";
export { type FleetProcess, type FleetQuota, FleetView, type FleetViewOptions } from "./redis/fleet-view.js";
export type { ModelRoute } from "./route.js";
export { stated } from "./tool-calls.js";
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
