// What a thread used and what it met on the way: tokens, cost, waits, refusals. Counted from the record; what the record
// does not have is not guessed. Pure.

import { costOf, NANO, type PriceTable } from "../../../capacity/index.js";
import type { RecordedEvent } from "../../../checkpoints/index.js";

/** The sums. */
export interface Totals {
  /** Milliseconds from the first event to the last one. */
  readonly ms: number;
  readonly runs: number;
  /** Supersteps of the run's own lane in which a node ran. A step that a resume went through again counts once. */
  readonly steps: number;
  readonly modelCalls: number;
  readonly modelErrors: number;
  readonly toolCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the input, what the provider had cached. Unset when no answer says so. */
  readonly cachedTokens?: number;
  /** Milliseconds that model calls waited for capacity; of parallel calls, the sum. */
  readonly queueMs: number;
  readonly rateLimited: number;
  readonly retries: number;
  readonly fallbacks: number;
  readonly cacheHits: number;
  /** In US dollars. Unset when no prices were given. `without`: routes that answered and have no price. */
  readonly cost?: { readonly usd: number; readonly without: readonly string[] };
}

/** Counts. */
export function totalsOf(events: readonly RecordedEvent[], prices?: PriceTable): Totals {
  const sums = { modelCalls: 0, modelErrors: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, queueMs: 0 };
  const met = { rateLimited: 0, retries: 0, fallbacks: 0, cacheHits: 0 };
  const steps = new Set<number | undefined>();
  const without = new Set<string>();
  let cachedTokens: number | undefined;
  let nano = 0;
  for (const { scope, event } of events) {
    if (scope.lane === undefined && scope.node !== undefined) steps.add(scope.step);
    if (event.kind === "model.error") sums.modelErrors += 1;
    if (event.kind === "tool.response") sums.toolCalls += 1;
    if (event.kind === "capacity") {
      if (event.event.kind === "rate-limited") met.rateLimited += 1;
      if (event.event.kind === "retry") met.retries += 1;
      if (event.event.kind === "fallback") met.fallbacks += 1;
    }
    if (event.kind !== "model.response") continue;
    const { usage, cache, queueMs, route } = event.obtained;
    sums.queueMs += queueMs;
    if (cache !== undefined) {
      met.cacheHits += 1;
      continue;
    }
    sums.modelCalls += 1;
    sums.inputTokens += usage.inputTokens;
    sums.outputTokens += usage.outputTokens;
    const { cachedTokens: cached } = usage;
    if (cached !== undefined) cachedTokens = (cachedTokens ?? 0) + cached;
    const price = prices?.models[route];
    if (price === undefined) without.add(route);
    else nano += costOf(price, usage);
  }
  return {
    ...sums,
    ...met,
    ms: (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0),
    runs: new Set(events.map(({ scope }) => scope.run)).size,
    steps: steps.size,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(prices === undefined ? {} : { cost: { usd: nano / NANO, without: [...without] } }),
  };
}
