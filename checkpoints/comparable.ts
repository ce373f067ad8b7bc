// What of an event can be compared with another run's: everything but what differs between any two. Pure.

import type { HarnessEvent, RecordedEvent } from "./journal/events.js";

/** Where two values differ; `left` or `right` is unset where that side has nothing. `path`: `arguments.amount`. */
export interface FieldDifference {
  readonly path: string;
  readonly left?: unknown;
  readonly right?: unknown;
}

/** Fields that differ between any two runs. */
const VOLATILE =
  /^(ms|at|id|key|call|callId|seq|run|thread|approval|binding|compensates|headers|workspace|parent|\w+(Ms|Id|At))$/;

/** Contents by digest: prompts and answers hold ids that providers make anew each time. */
const CONTENTS = /^(digest|bytes|prompt|raw|value|values|query|output|message)$/;

/**
 * An event without what differs between any two runs: ids, times, waits. With `contents`, the digests of prompts, answers
 * and values count: in a replay they have to be the same.
 */
export const stableEvent = (event: HarnessEvent, { contents }: { readonly contents: boolean }) =>
  stable(event, contents ? [VOLATILE] : [VOLATILE, CONTENTS]) as Readonly<Record<string, unknown>>;

/** Without what differs between any two runs, fields in order. An admission that queued is one that need not. */
function stable(value: unknown, ignored: readonly RegExp[], whole = false): unknown {
  if (Array.isArray(value)) return value.map((each) => stable(each, ignored, whole));
  if (!isObject(value)) return value;
  if (value["kind"] === "admission" && !whole) {
    const { kind, resource, decision } = value;
    return { kind, resource, decision: decision === "queue" ? "admit" : decision };
  }
  // What a planner passes to a tool is compared whole, whatever its fields are called.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, of]) => of !== undefined && (whole || !ignored.some((each) => each.test(name))))
      .map(([name, of]): [string, unknown] => [name, stable(of, ignored, whole || name === "arguments")])
      .toSorted(([left], [right]) => (left < right ? -1 : 1)),
  );
}

/** Where two values differ. Events of two kinds have nothing in common but their kind. */
export function fieldsOf(left: unknown, right: unknown, path: string): FieldDifference[] {
  if (!isObject(left) || !isObject(right) || Array.isArray(left) !== Array.isArray(right)) {
    if (left === right) return [];
    return [{ path, ...(left === undefined ? {} : { left }), ...(right === undefined ? {} : { right }) }];
  }
  const twoKinds = path === "" && left["kind"] !== right["kind"];
  const names = twoKinds ? ["kind"] : [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.flatMap((name) => fieldsOf(left[name], right[name], path === "" ? name : `${path}.${name}`));
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** An event of one side of a comparison. */
export interface Compared {
  readonly recorded: RecordedEvent;
  /** What is compared of it, as JSON. */
  readonly text: string;
}

/** Whether two events are about the same thing: of one kind, in one node. */
export const isLike = (one: Compared, other: Compared): boolean =>
  one.recorded.event.kind === other.recorded.event.kind && one.recorded.scope.node === other.recorded.scope.node;

/** The items that the other side does not have, as often as it does not have them. */
export function without<Item extends Compared>(items: readonly Item[], others: readonly Item[]): Item[] {
  const left = new Map<string, number>();
  for (const { text } of others) left.set(text, (left.get(text) ?? 0) + 1);
  return items.filter(({ text }) => {
    const amount = left.get(text) ?? 0;
    left.set(text, amount - 1);
    return amount <= 0;
  });
}
