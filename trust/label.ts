// The label that says how far a value may be believed: four ranks, combined by taking the lower one of
// each. Nothing in this file can raise a label, and anything that is not a label parses as the lowest.

/** The four questions a label answers: who could have written it, how well it was computed, how fresh it is, how surely it happened once. */
export const AXES = ["integrity", "fidelity", "currency", "certainty"] as const;

/** One of the four axes of a {@link Label}. */
export type Axis = (typeof AXES)[number];

/** 3 is nominal, 0 the worst. */
export type Rank = 0 | 1 | 2 | 3;

/** Four ranks. Ordered component-wise; see the table in `docs/concepts.md`. */
export type Label = Readonly<Record<Axis, Rank>>;

/** Nothing is known against the value. The neutral element of {@link meet}. */
export const TOP: Label = Object.freeze({ integrity: 3, fidelity: 3, currency: 3, certainty: 3 });

/** Nothing speaks for the value. Also what a missing, malformed or forged label counts as. */
export const BOTTOM: Label = Object.freeze({ integrity: 0, fidelity: 0, currency: 0, certainty: 0 });

/** Whether a value is one of the four ranks. */
export const isRank = (value: unknown): value is Rank => value === 0 || value === 1 || value === 2 || value === 3;

const lower = (left: Rank, right: Rank): Rank => (left < right ? left : right);

/** Combines labels by the component-wise minimum: commutative, associative, idempotent. `meet()` is {@link TOP}. */
export function meet(...labels: readonly Label[]): Label {
  let { integrity, fidelity, currency, certainty } = TOP;
  for (const label of labels) {
    integrity = lower(integrity, label.integrity);
    fidelity = lower(fidelity, label.fidelity);
    currency = lower(currency, label.currency);
    certainty = lower(certainty, label.certainty);
  }
  return Object.freeze({ integrity, fidelity, currency, certainty });
}

/** A label that is nominal but for the axes given: `label({ fidelity: 1 })`. */
export const label = (ranks: Partial<Label>): Label => parseLabel({ ...TOP, ...ranks });

/** The lowest of the four ranks: the scalar that floors are usually stated in. */
export const minTrust = (of: Label): Rank => lower(lower(of.integrity, of.fidelity), lower(of.currency, of.certainty));

/** Whether every rank of `left` is at or below that of `right`. */
export const isAtMost = (left: Label, right: Label): boolean => AXES.every((axis) => left[axis] <= right[axis]);

/** Whether two labels have the same four ranks. */
export const sameLabel = (left: Label, right: Label): boolean => AXES.every((axis) => left[axis] === right[axis]);

/**
 * Reads a label from anything: a row, a message, a caller's JSON. Total: it never throws, and whatever is not an
 * object with four ranks is {@link BOTTOM}. Each property is read once, so a changing getter cannot show two faces.
 */
export function parseLabel(value: unknown): Label {
  return readLabel(value) ?? BOTTOM;
}

/** Like {@link parseLabel}, but tells a label that *is* the bottom from a value that is no label (`undefined`). */
export function readLabel(value: unknown): Label | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    const { integrity, fidelity, currency, certainty } = value as Record<Axis, unknown>;
    return isRank(integrity) && isRank(fidelity) && isRank(currency) && isRank(certainty)
      ? Object.freeze({ integrity, fidelity, currency, certainty })
      : undefined;
  } catch {
    return undefined; // A throwing getter or a revoked proxy is not a label.
  }
}
