// One model call and the budget of its run: the estimate is held before anything leaves, the time that is left becomes
// part of the call's signal, and what the provider counted is paid in the end. The budget is found where the recorder is
// found: among the callback handlers, so that it reaches every model of a run and nobody outside of the process sets it.

import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import type { Budget, BudgetAmount } from "./budget.js";
import type { Clock } from "./clock.js";
import { costOf, type ModelPrice, priceOf } from "./prices.js";
import type { ModelRoute } from "./route.js";
import type { CapacityEvent, TokenUsage } from "./types.js";

/** The property that makes a callback handler the keeper of budgets. */
export const BUDGET = Symbol.for("bulkhead.budget");

/** Who knows the budget of a run. */
export interface BudgetPort {
  /** The budget of the run on this thread; `""` when it is not known which. */
  of(thread: string): Budget | undefined;
}

/** The budget among handlers: that of the innermost one, which is a subagent's when there is one. */
export function budgetIn(handlers: readonly object[], thread: string): Budget | undefined {
  for (const handler of handlers.toReversed()) {
    const budget = (handler as { [BUDGET]?: BudgetPort })[BUDGET]?.of(thread);
    if (budget !== undefined) return budget;
  }
  return undefined;
}

/** How long an answer is taken to be before it is known, in tokens. */
export const ANSWER_GUESS = 256;

/** The longest timer that Node has. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** About so many tokens a prompt of this many characters has. */
export const promptGuess = (characters: number): number => Math.ceil(characters / 4);

/** What {@link bookCall} takes. */
export interface BookedCall {
  readonly id: string;
  readonly budget: Budget;
  readonly routes: readonly Pick<ModelRoute, "name">[];
  readonly messages: readonly BaseMessage[];
  /** The call's options: their tools are part of the prompt. */
  readonly options: { readonly tools?: unknown; readonly signal?: AbortSignal | undefined };
  readonly clock: Clock;
  readonly emit: (event: CapacityEvent) => Promise<void>;
}

/** A call that the budget lets pass. */
export interface Booking {
  /** Aborts with the caller's signal, or with a `BudgetError` when the time is up. */
  readonly signal: AbortSignal | undefined;
  /** Pays for the answer. A provider that counts nothing is paid the estimate. */
  answered(route: string, usage: TokenUsage): Promise<void>;
  /** Call it in any case, last. `requests`: how many left. What failed is counted as a call; its tokens nobody tells. */
  end(requests: number): void;
}

/** @throws BudgetError when the budget cannot afford the call, PriceError when it cannot tell. */
export function bookCall({ id, budget, routes, messages, options, clock, emit }: BookedCall): Booking {
  const prices = new Map(routes.map(({ name }) => [name, priceIn(budget, name)]));
  const guess: TokenUsage = { inputTokens: promptGuess(sizeOf(messages, options.tools)), outputTokens: ANSWER_GUESS };
  const costs = [...prices.values()].map((price) => (price === undefined ? 0 : costOf(price, guess)));
  budget.hold(id, { calls: 1, tokens: guess.inputTokens + guess.outputTokens, nanoUsd: Math.max(0, ...costs) });
  const over = new AbortController();
  return {
    signal: withTime(budget, options.signal, over.signal, clock),
    async answered(route, usage) {
      const counted = usage.inputTokens + usage.outputTokens > 0 ? usage : guess;
      budget.pay(id, paid(prices.get(route), counted));
      for (const warning of budget.warnings()) await emit({ kind: "budget", ...warning });
    },
    end(requests) {
      over.abort();
      budget.pay(id, { calls: requests > 0 ? 1 : 0, tokens: 0, nanoUsd: 0 });
    },
  };
}

const priceIn = ({ limits, prices }: Budget, model: string): ModelPrice | undefined =>
  limits.usd === undefined || prices === undefined ? undefined : priceOf(prices, model);

const paid = (price: ModelPrice | undefined, usage: TokenUsage): BudgetAmount => ({
  calls: 1,
  tokens: usage.inputTokens + usage.outputTokens,
  nanoUsd: price === undefined ? 0 : costOf(price, usage),
});

/** The caller's signal, joined by one that aborts when the budget's time is up. Nothing is left behind once `over` aborts. */
function withTime(
  budget: Budget,
  signal: AbortSignal | undefined,
  over: AbortSignal,
  clock: Clock,
): AbortSignal | undefined {
  const left = budget.timeLeft;
  if (left > LONGEST_TIMER_MS) return signal; // No call takes weeks.
  const time = new AbortController();
  clock.sleep(left, over).then(
    () => time.abort(budget.timeUp()),
    (error: unknown) => {
      if (!over.aborted) throw error;
    },
  );
  return signal === undefined ? time.signal : AbortSignal.any([signal, time.signal]);
}

/** Characters of the prompt, about. */
const sizeOf = (messages: readonly BaseMessage[], tools: unknown): number =>
  messages.reduce((sum, message) => sum + JSON.stringify([message.content, callsOf(message)]).length, 0) +
  (tools === undefined ? 0 : JSON.stringify(tools).length);

const callsOf = (message: BaseMessage): unknown => (AIMessage.isInstance(message) ? message.tool_calls : undefined);
