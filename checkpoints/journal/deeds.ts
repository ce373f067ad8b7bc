// Whether two calls would do the same: compared on what the tool's schema makes of the arguments, and on those that identify
// the effect. What cannot be compared counts as the same, so that a person is asked.

import { canonicalJson } from "../../trust/digest.js";
import type { EffectIntent, EffectRecord } from "./types.js";

/** What was sent, and may have happened. */
const SENT: ReadonlySet<EffectRecord["status"]> = new Set(["dispatched", "committed", "in_doubt"]);

/** A call, as far as it tells what would be done. */
export type Deed = Pick<EffectIntent, "tool" | "arguments" | "effective" | "identity">;

const own = (of: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(of, name) ? of[name] : undefined;

/** As it is compared: what is not stated is the same as what is stated to be nothing. */
const comparable = (value: unknown): string =>
  canonicalJson(
    JSON.parse(JSON.stringify(value ?? null, (_, each: unknown) => (each === null ? undefined : each)) ?? "null"),
  );

/**
 * Whether `call` would do what `other` does: the same tool, and the same identifying arguments as the schema makes them.
 * What cannot be compared is the same.
 */
export function isSameDeed(call: Deed, other: Deed): boolean {
  if (call.tool !== other.tool) return false;
  if (canonicalJson(call.arguments) === canonicalJson(other.arguments)) return true;
  const { effective: made = call.arguments, identity } = call;
  const { effective: before = other.arguments } = other;
  if (made === null || before === null) return true;
  const names = identity ?? [...new Set([...Object.keys(made), ...Object.keys(before)])];
  // What neither states is the schema's own: a default that is the clock is no difference between two calls.
  const stated = (name: string) => Object.hasOwn(call.arguments, name) || Object.hasOwn(other.arguments, name);
  return names.every((name) => !stated(name) || comparable(own(made, name)) === comparable(own(before, name)));
}

/**
 * Whether the same as `effect` was sent under its root by another call. A forged row may have been anything, so that
 * everything repeats it.
 */
export const isRepetition = (effect: Deed & Pick<EffectIntent, "key">, known: readonly EffectRecord[]): boolean =>
  known.some(
    (other) =>
      other.key !== effect.key &&
      (other.status === "forged" ||
        (SENT.has(other.status) && other.compensates === undefined && isSameDeed(effect, other))),
  );
