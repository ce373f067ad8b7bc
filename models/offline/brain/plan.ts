// How a plan is written and driven. A plan is a generator: it yields the calls it needs now and is handed their
// results. On every request it is run again from its start over the history; the first calls without a result there
// are the next step. So a plan never repeats a call, and the brain needs no state.

import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import type { Call, Toolbox } from "./toolbox.js";
import type { Result, Step } from "./transcript.js";

/** A plan: yields calls that may run in parallel, receives their results in order, returns its value. */
export type Plan<Value> = Generator<readonly Call[], Value, readonly Result[]>;

/** A plan's position: finished, or waiting for these calls. */
export type Position<Value> =
  | { readonly done: true; readonly value: Value }
  | { readonly done: false; readonly calls: readonly Call[] };

/** What makes two calls of an effect the same one, whatever the wording of its reason. Other tools: all arguments. */
const SAME_EFFECT: Readonly<Record<string, readonly string[]>> = {
  delete_customer: ["customer_id"],
  merge_customers: ["keep_id", "remove_id"],
  close_ticket: ["ticket_id"],
  refund_order: ["order_id", "charge_id"],
};

function isSame(step: Step, call: Call): boolean {
  if (step.tool !== call.tool) return false;
  const keys = SAME_EFFECT[call.tool];
  return keys === undefined
    ? isDeepStrictEqual(step.args, call.args)
    : keys.every((key) => isDeepStrictEqual(step.args[key], call.args[key]));
}

const unbound = (tool: string): Result => ({
  status: "unbound",
  text: `${tool} is not available here`,
  data: undefined,
});

/** Runs the plan over what already happened. */
export function drive<Value>(plan: Plan<Value>, tools: Toolbox, steps: readonly Step[]): Position<Value> {
  let next = plan.next();
  while (next.done !== true) {
    const results: Result[] = [];
    const missing: Call[] = [];
    for (const wanted of next.value) {
      const call = tools.fit(wanted);
      const past = call === undefined ? unbound(wanted.tool) : steps.findLast((step) => isSame(step, call))?.result;
      if (past !== undefined) results.push(past);
      else if (call !== undefined && !missing.some((other) => isDeepStrictEqual(other, call))) missing.push(call);
    }
    if (missing.length > 0) return { done: false, calls: missing };
    next = plan.next(results);
  }
  return { done: true, value: next.value };
}

/** One call. */
export function* call(tool: string, args: Call["args"]): Plan<Result> {
  const [result] = yield [{ tool, args }];
  return result ?? unbound(tool);
}

/** A result read as a record, or why there is none. */
export type Read<Value> = { readonly value: Value } | { readonly value: undefined; readonly problem: Result };

/** One call whose result is read by `schema`. A result of another shape is a problem, not a crash. */
export function* read<Value>(tool: string, args: Call["args"], schema: z.ZodType<Value>): Plan<Read<Value>> {
  const result = yield* call(tool, args);
  const parsed = schema.safeParse(result.data);
  return result.status === "ok" && parsed.success ? { value: parsed.data } : { value: undefined, problem: result };
}

/** Plans side by side: what they need at the same time is asked for in one turn. Keeps their order. */
export function* all<Value>(plans: readonly Plan<Value>[]): Plan<Value[]> {
  const running = plans.map((plan) => ({ plan, next: plan.next() }));
  for (;;) {
    const waiting = running.filter((entry) => entry.next.done !== true);
    if (waiting.length === 0) break;
    const batches = waiting.map((entry) => entry.next.value as readonly Call[]);
    const results = yield batches.flat();
    let from = 0;
    waiting.forEach((entry, index) => {
      const size = batches[index]?.length ?? 0;
      entry.next = entry.plan.next(results.slice(from, from + size));
      from += size;
    });
  }
  return running.map((entry) => entry.next.value as Value);
}

/** {@link all} for plans of different kinds: the values keep their types. */
export function* both<Values extends readonly unknown[]>(
  ...plans: { readonly [Index in keyof Values]: Plan<Values[Index]> }
): Plan<Values> {
  return (yield* all(plans as readonly Plan<unknown>[])) as unknown as Values;
}

/** A plan that needs nothing. Stands where others read something. */
// biome-ignore lint/correctness/useYield: it has nothing to ask for
export function* just<Value>(value: Value): Plan<Value> {
  return value;
}
