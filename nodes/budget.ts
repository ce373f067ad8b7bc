// Keeps the budgets of the runs of a graph: opens one when a run begins or goes on, with what the record says was used,
// and shares it with everything below. A subagent gets its part of it here; whether it got one is in the record, so that
// a replay decides the same.

import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { RunnableConfig } from "@langchain/core/runnables";
import { isCommand } from "@langchain/langgraph";
import {
  BUDGET,
  type Budget,
  BudgetError,
  type BudgetLimits,
  type BudgetPort,
  budgetIn,
  handlersOf,
  openBudget,
  type PriceTable,
} from "../capacity/index.js";
import { type Journal, laneOf } from "../checkpoints/index.js";
import { OUTSIDE, type OutsideStandIn, outside } from "./outside.js";
import { isGraph } from "./recorder.js";
import { scopeOf, scopeOfMetadata } from "./scope.js";
import { spendingOf } from "./spending.js";

/** What a run may use, and the prices to count money with. */
export interface RunBudget {
  readonly limits: BudgetLimits;
  /** Needed for a limit in `usd`. */
  readonly prices?: PriceTable;
}

/**
 * Hang it on a graph as a callback handler, when it is built or for one invocation; of two, the one hung on last counts.
 * Each run gets the whole budget; a resumed run goes on with what it has left.
 */
export class BudgetKeeper extends BaseCallbackHandler {
  override readonly name = "bulkhead.budget";
  override awaitHandlers = true;
  override raiseError = true; // A run whose budget cannot be told must not go on without one.
  readonly [BUDGET]: BudgetPort;
  readonly #open = new Map<string, { readonly thread: string; readonly budget: Budget }>();

  constructor(
    private readonly journal: Pick<Journal, "events" | "clock">,
    private readonly given: RunBudget,
  ) {
    super();
    this[BUDGET] = {
      of: (thread) => {
        const all = [...this.#open.values()];
        const own = all.findLast((each) => each.thread === thread);
        return own?.budget ?? (thread === "" && all.length === 1 ? all[0]?.budget : undefined);
      },
    };
  }

  override async handleChainStart(
    chain: unknown,
    inputs: unknown,
    id: string,
    _runType?: string,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
  ): Promise<void> {
    if (metadata["langgraph_node"] !== undefined || !isGraph(chain)) return;
    const { journal } = this;
    const { limits, prices } = this.given;
    const { thread, run } = scopeOfMetadata(metadata);
    const fresh = !isCommand(inputs) && (inputs as { input?: unknown } | null)?.input !== null;
    const counted = limits.usd === undefined ? undefined : prices;
    const { used, warned } = await spendingOf({ journal, thread, run, fresh, prices: counted });
    const budget = openBudget({
      ...{ limits, clock: journal.clock, used, warned },
      ...(prices === undefined ? {} : { prices }),
    });
    this.#open.set(id, { thread, budget });
  }

  override handleChainEnd(_outputs: unknown, id: string): void {
    this.#open.delete(id);
  }

  override handleChainError(_error: unknown, id: string): void {
    this.#open.delete(id);
  }
}

/** Hands a part of a budget to everything below a subagent. */
class BudgetPart extends BaseCallbackHandler {
  override readonly name = "bulkhead.budget-part";
  readonly [BUDGET]: BudgetPort;

  constructor(part: Budget) {
    super();
    this[BUDGET] = { of: () => part };
  }
}

/** What a subagent may start with. */
export interface Allowance {
  /** Why it may not start at all. */
  readonly refused?: string;
  /** The configuration to run it with. */
  readonly config: RunnableConfig;
  /** Gives back what it did not use. */
  release(): void;
}

/** How an admission by the budget is named in the record. */
const RESOURCE = "budget";

/**
 * Reserves a share of the run's budget for a subagent that is about to start, one of `siblings`, all named by the ids of
 * their calls. A run without a budget reserves nothing and records nothing.
 */
export async function allow(
  config: RunnableConfig,
  subagent: string,
  callId: string,
  siblings: readonly string[],
): Promise<Allowance> {
  const scope = scopeOf(config);
  const handlers = handlersOf(config.callbacks);
  const standIn = handlers.flatMap((each) => (each as { [OUTSIDE]?: OutsideStandIn })[OUTSIDE] ?? [])[0];
  const budget = standIn === undefined ? budgetIn(handlers, scope.thread) : undefined;
  const asked = { resource: RESOURCE };
  if (budget === undefined && !standIn?.has?.(scope, "admission", asked)) return { config, release: () => {} };
  let part: Budget | undefined;
  const refused = await outside(config, {
    kind: "admission",
    asked,
    look: async () => {
      try {
        part = budget?.reserve(laneOf(subagent, callId), siblings);
        return undefined;
      } catch (error) {
        if (BudgetError.isInstance(error)) return error.message;
        throw error;
      }
    },
    tell: (reason) => ({
      ...{ kind: "admission", ...asked, waitMs: 0, decision: reason === undefined ? "admit" : "shed" },
      ...(reason === undefined ? {} : { reason }),
    }),
    read: ({ decision, reason = "the budget of this run is spent" }) => (decision === "shed" ? reason : undefined),
  });
  return {
    config: part === undefined ? config : withHandler(config, new BudgetPart(part)),
    release: () => part?.release(),
    ...(refused === undefined ? {} : { refused }),
  };
}

/** The same configuration with one more handler, for the whole subtree. */
function withHandler(config: RunnableConfig, handler: BaseCallbackHandler): RunnableConfig {
  const { callbacks } = config;
  if (callbacks === undefined || Array.isArray(callbacks))
    return { ...config, callbacks: [...(callbacks ?? []), handler] };
  const copy = callbacks.copy();
  copy.addHandler(handler, true);
  return { ...config, callbacks: copy };
}
