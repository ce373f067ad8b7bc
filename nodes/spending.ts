// What a run has used so far, read from its record: the one place where that is kept, so that it survives the process. A
// run is everything since the user last gave a task, however often it was resumed; what failed or was cut off counts too.

import {
  ANSWER_GUESS,
  type BudgetLimits,
  type BudgetUse,
  costOf,
  type PriceTable,
  priceOf,
  promptGuess,
  warningName,
} from "../capacity/index.js";
import type { Journal, RecordedEvent } from "../checkpoints/index.js";

/** What was used, and what was warned of. */
export interface Spending {
  readonly used: BudgetUse;
  /** As `warningName` has it. */
  readonly warned: readonly string[];
  /** The limits that the run was last given, when the record says. */
  readonly limits?: BudgetLimits;
}

/** What {@link spendingOf} takes. */
export interface SpendingOptions {
  readonly journal: Pick<Journal, "events">;
  readonly thread: string;
  /** The run that goes on or begins. Unset: the latest. */
  readonly run?: string;
  /** Whether it was just given a task, where nothing in the record says so. Default `false`. */
  readonly fresh?: boolean;
  /** Unset: money is not counted. */
  readonly prices?: PriceTable | undefined;
}

const NONE: BudgetUse = { calls: 0, tokens: 0, usd: 0, time: 0 };

/**
 * Adds up what a run has used, in all its resumes, in its subagents, and in the thread it was rewound from.
 *
 * @throws PriceError when a model of it has no price; JournalError.
 */
export async function spendingOf(options: SpendingOptions): Promise<Spending> {
  const { journal, prices } = options;
  let sum: Spending = { used: NONE, warned: [] };
  const seen = new Set<string>();
  for (let place: SpendingOptions | undefined = options; place !== undefined && !seen.has(place.thread); ) {
    seen.add(place.thread);
    const all = await journal.events({ thread: place.thread });
    const from = beginningOf(all, place);
    const events = all.slice(from);
    const limits = sum.limits ?? limitsIn(events);
    sum = {
      used: added(sum.used, useOf(events, prices)),
      warned: [...sum.warned, ...warningsIn(events)],
      ...(limits === undefined ? {} : { limits }),
    };
    const derived = events.find(({ event }) => event.kind === "thread.derived")?.event;
    // A fork is a task of its own; a rewind goes on with this one.
    place =
      derived?.kind === "thread.derived" && derived.as === "rewind" ? { journal, thread: derived.from } : undefined;
  }
  return sum;
}

/** Where the run began: at the last task that was given. A server says nothing of runs; there the input tells. */
function beginningOf(events: readonly RecordedEvent[], { run, fresh = false }: SpendingOptions): number {
  const isFresh = ({ event }: RecordedEvent): boolean => event.kind === "run.start" && !event.resumed;
  const own = events.findLastIndex(({ event, scope }) => event.kind === "run.start" && scope.run === run);
  const started = events.findLastIndex(isFresh);
  if (own >= 0 || (run === undefined && started >= 0)) return Math.max(0, started);
  if (fresh) return events.length;
  const given = events.findLastIndex(({ event, scope }) => {
    return event.kind === "input" && event.as === "input" && scope.node === undefined;
  });
  return Math.max(0, started, given);
}

const limitsIn = (events: readonly RecordedEvent[]): BudgetLimits | undefined => {
  const start = events.findLast(({ event }) => event.kind === "run.start" && event.budget !== undefined)?.event;
  return start?.kind === "run.start" ? start.budget : undefined;
};

const warningsIn = (events: readonly RecordedEvent[]): readonly string[] =>
  events.flatMap(({ event }) =>
    event.kind === "capacity" && event.event.kind === "budget"
      ? [warningName(event.event.dimension, event.event.limit)]
      : [],
  );

function useOf(events: readonly RecordedEvent[], prices: PriceTable | undefined): BudgetUse {
  const calls = new Map<string, number>();
  let tokens = 0;
  let usd = 0;
  for (const { event } of events) {
    if (event.kind === "model.request") calls.set(event.call, event.bytes);
    if (event.kind !== "model.response" || event.obtained.cache !== undefined) continue;
    const { call = `answer ${calls.size}`, obtained } = event;
    const bytes = calls.get(call) ?? 0;
    calls.set(call, bytes);
    const counted = obtained.usage.inputTokens + obtained.usage.outputTokens > 0;
    // As the live budget: a provider that counts nothing is paid the estimate.
    const usage = counted ? obtained.usage : { inputTokens: promptGuess(bytes), outputTokens: ANSWER_GUESS };
    tokens += usage.inputTokens + usage.outputTokens;
    if (prices !== undefined) usd += costOf(priceOf(prices, obtained.route), usage);
  }
  return { calls: calls.size, tokens, usd: usd / 1e9, time: timeOf(events) };
}

/** Milliseconds in which the graph ran: from each input to the last thing that a node did for it. */
function timeOf(events: readonly RecordedEvent[]): number {
  let sum = 0;
  let began: number | undefined;
  let last = 0;
  for (const { event, scope, at } of events) {
    if (event.kind === "input" && scope.node === undefined) {
      sum += began === undefined ? 0 : last - began;
      began = at;
      last = at;
    } else if (scope.node !== undefined) last = Math.max(last, at);
  }
  return sum + (began === undefined ? 0 : last - began);
}

const added = (left: BudgetUse, right: BudgetUse): BudgetUse => ({
  calls: left.calls + right.calls,
  tokens: left.tokens + right.tokens,
  usd: Math.round((left.usd + right.usd) * 1e9) / 1e9,
  time: left.time + right.time,
});
