// May this call be served? Quotas, the limiter under them, the breaker, the cache, and the chat model that uses them all.

export { type AnswerCache, type CacheHit, type CacheReading, type KeptAnswer, memoryCache } from "./cache.js";
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
export { classifyError, type Failure, type FailureKind } from "./classify.js";
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
export { type GuardedCallOptions, GuardedChatModel, type GuardedChatModelOptions } from "./guarded-chat-model.js";
export { obtainedOf, trustOfAnswer } from "./obtained.js";
export { QuotaPool, type QuotaPoolOptions } from "./pool.js";
export { costOf, DEFAULT_PRICES, type ModelPrice, type PriceTable, priceOf, readPrices } from "./prices.js";
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
