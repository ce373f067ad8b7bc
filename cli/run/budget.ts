// Which budget a run gets, and how far it came with it: from `--budget`, from what the run had before it was resumed, and
// from the environment.

import {
  BUDGET_DIMENSIONS,
  type BudgetDimension,
  type BudgetLimits,
  type BudgetUse,
  writeBudget,
} from "../../capacity/index.js";
import type { Journal } from "../../checkpoints/index.js";
import { type BudgetSettings, readBudget } from "../../graphs/index.js";
import type { ModelDescription } from "../../models/index.js";
import { type RunBudget, spendingOf } from "../../nodes/index.js";

/** What {@link chooseBudget} takes. */
export interface BudgetChoice {
  readonly journal: Pick<Journal, "events">;
  readonly thread: string;
  /** Whether the run goes on with what it had. */
  readonly resumed: boolean;
  /** From `--budget`. */
  readonly stated: BudgetLimits | undefined;
  readonly settings: BudgetSettings;
  readonly model: Pick<ModelDescription, "model" | "fallback">;
}

/**
 * The limits of the environment; of a resumed run, those it had. What `--budget` states comes in place of each of them.
 *
 * @throws PriceError for a limit in money when a model has no price, before anything is started.
 */
export async function chooseBudget(choice: BudgetChoice): Promise<RunBudget | undefined> {
  const { journal, thread, resumed, stated, settings, model } = choice;
  const before = resumed ? (await spendingOf({ journal, thread })).limits : undefined;
  const limits = { ...(before ?? settings.budget), ...stated };
  return readBudget({ budget: limits, prices: settings.prices }, model);
}

/** How far a budget was used: of each limit that there is, in its unit. */
export type BudgetReport = Readonly<
  Partial<Record<BudgetDimension, { readonly used: number; readonly limit: number }>>
>;

/** Reads how far the budget of a run was used. `undefined` without one. */
export async function reportBudget(
  journal: Pick<Journal, "events">,
  thread: string,
  run: string,
  budget: RunBudget | undefined,
): Promise<BudgetReport | undefined> {
  if (budget === undefined) return undefined;
  const { used } = await spendingOf({ journal, thread, run, prices: budget.prices });
  return Object.fromEntries(
    BUDGET_DIMENSIONS.flatMap((dimension) => {
      const limit = budget.limits[dimension];
      return limit === undefined ? [] : [[dimension, { used: used[dimension], limit }]];
    }),
  );
}

/** Use and limits apart again. */
export function fromReport(report: BudgetReport): { readonly used: BudgetUse; readonly limits: BudgetLimits } {
  const part = (of: "used" | "limit") =>
    Object.fromEntries(
      BUDGET_DIMENSIONS.flatMap((each) => (report[each] === undefined ? [] : [[each, report[each][of]]])),
    );
  return { used: { calls: 0, tokens: 0, usd: 0, time: 0, ...part("used") }, limits: part("limit") };
}

/** The limit of `--budget` to go on with, when one is used up: twice what it was. */
export function moreBudget(report: BudgetReport): string {
  const { used, limits } = fromReport(report);
  const tight = BUDGET_DIMENSIONS.filter((each) => used[each] >= (limits[each] ?? Number.POSITIVE_INFINITY) * 0.8);
  const raised = (tight.length === 0 ? BUDGET_DIMENSIONS : tight).flatMap((each) => {
    const limit = limits[each];
    return limit === undefined ? [] : [[each, limit * 2]];
  });
  return writeBudget(Object.fromEntries(raised) as BudgetLimits);
}
