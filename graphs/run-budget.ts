// The budget that a project's settings give to each run of its graphs. Read once, when a graph is built, so that a price
// that is missing stops the program and not a run.

import { type BudgetLimits, DEFAULT_PRICES, priceOf, readPrices } from "../capacity/index.js";
import type { RunBudget } from "../nodes/index.js";

/** What {@link readBudget} takes: `readSettings()` has the first two, `resolveModel()` the description. */
export interface BudgetSettings {
  readonly budget?: BudgetLimits | undefined;
  /** Path of the price table. Default: the built-in one, which knows the offline models only. */
  readonly prices?: string | undefined;
}

/**
 * The budget of each run, with the prices for it; `undefined` without one.
 *
 * @param models the models that are known to be asked: each needs a price when money is limited
 * @throws PriceError when the price table cannot be read, or a model is not in it.
 */
export function readBudget(
  { budget, prices }: BudgetSettings,
  models: { readonly model: string; readonly fallback?: string },
): RunBudget | undefined {
  if (budget === undefined || Object.keys(budget).length === 0) return undefined;
  if (budget.usd === undefined) return { limits: budget };
  const table = prices === undefined ? DEFAULT_PRICES : readPrices(prices);
  for (const name of [models.model, ...(models.fallback === undefined ? [] : [models.fallback])]) priceOf(table, name);
  return { limits: budget, prices: table };
}
