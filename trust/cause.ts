// Why a label fell, for people to read. Causes travel with the label and are never used for a decision, so
// they may be capped, cut and merged freely.

import { AXES, type Axis, type Label, type Rank } from "./label.js";

/** One reason for a fall: which axis, to which rank, why, and where in the graph (`planner#4`). */
export interface Cause {
  readonly axis: Axis;
  readonly rank: Rank;
  readonly reason: string;
  readonly at?: string;
}

/** How many causes a label carries at most. The lowest ranks are kept. */
export const MAX_CAUSES = 12;

const MAX_TEXT = 200;

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);

/** One cause for each axis of `label` that is below nominal. */
export function causesOf(label: Label, reason: string, at?: string): Cause[] {
  return AXES.filter((axis) => label[axis] < 3).map((axis) => ({
    axis,
    rank: label[axis],
    reason: cut(reason),
    ...(at === undefined ? {} : { at }),
  }));
}

/** Joins cause lists without repeats, first come first, capped at {@link MAX_CAUSES} by dropping the mildest. */
export function mergeCauses(...lists: readonly (readonly Cause[])[]): readonly Cause[] {
  const merged = new Map<string, Cause>();
  for (const cause of lists.flat()) {
    const key = `${cause.axis}|${cause.rank}|${cause.reason}|${cause.at ?? ""}`;
    if (!merged.has(key)) merged.set(key, cause);
  }
  const all = [...merged.values()];
  if (all.length <= MAX_CAUSES) return all;
  const kept = new Set([...all].sort((left, right) => left.rank - right.rank).slice(0, MAX_CAUSES));
  return all.filter((cause) => kept.has(cause));
}

/** Reads causes from stored or foreign JSON. What is not a cause is dropped: causes only explain. */
export function parseCauses(value: unknown): readonly Cause[] {
  if (!Array.isArray(value)) return [];
  const causes: Cause[] = [];
  for (const entry of value.slice(0, 4 * MAX_CAUSES)) {
    if (typeof entry !== "object" || entry === null) continue;
    const { axis, rank, reason, at } = entry as Record<string, unknown>;
    if (!AXES.includes(axis as Axis) || typeof reason !== "string") continue;
    if (rank !== 0 && rank !== 1 && rank !== 2 && rank !== 3) continue;
    causes.push({ axis: axis as Axis, rank, reason: cut(reason), ...(typeof at === "string" ? { at: cut(at) } : {}) });
  }
  return mergeCauses(causes);
}

/** `fidelity 1: fallback: offline-small (planner#4)` */
export const describeCause = (cause: Cause): string =>
  `${cause.axis} ${cause.rank}: ${cause.reason}${cause.at === undefined ? "" : ` (${cause.at})`}`;
