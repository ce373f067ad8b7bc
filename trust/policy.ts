// What a label must reach before an irreversible action may run. A verdict is a pure function of the label, the
// floor and the profile, so it can be recorded, replayed and asked again under another policy.

import { AXES, type Axis, type Label, type Rank } from "./label.js";

/** The lowest rank an action accepts, per axis. */
export type Floor = Label;

/** How a floor may be stated on a tool: one rank for all axes, a profile's name, or single axes over the profile's floor. */
export type FloorSpecification = Rank | ProfileName | Partial<Record<Axis, Rank>>;

/** The names of the built-in profiles. */
export type ProfileName = "strict" | "balanced";

/** A named policy: the floor of actions that state none, and the ranks at which nobody is even asked. */
export interface Profile {
  readonly name: string;
  readonly floor: Floor;
  /** An axis at or below the rank given here blocks; a person is not asked. */
  readonly blocksAt: Partial<Record<Axis, Rank>>;
}

const level = (rank: Rank): Floor =>
  Object.freeze({ integrity: rank, fidelity: rank, currency: rank, certainty: rank });

/** Floor 3 on every axis: any fallback, stale hit, retry, summary or outside text asks a person. */
export const strict: Profile = Object.freeze({
  name: "strict",
  floor: level(3),
  blocksAt: Object.freeze({ integrity: 0 }),
});

/** Floor 2: a clean run passes without a person; a fallback, stale or unclear one asks; open-world input blocks. */
export const balanced: Profile = Object.freeze({
  name: "balanced",
  floor: level(2),
  blocksAt: Object.freeze({ integrity: 0 }),
});

/** The built-in profiles by name. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = Object.freeze({ strict, balanced });

/** One axis on which a label is too low. */
export interface Deficit {
  readonly axis: Axis;
  readonly rank: Rank;
  readonly floor: Rank;
}

/** `allow`: run it. `ask`: a person decides. `block`: not even a person is asked. */
export type Verdict = "allow" | "ask" | "block";

/** A verdict with every axis that fell short. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly deficits: readonly Deficit[];
}

/** The floor an action really has: its own statement over the profile's. */
export function resolveFloor(specification: FloorSpecification | undefined, profile: Profile): Floor {
  if (specification === undefined) return profile.floor;
  if (typeof specification === "number") return level(specification);
  if (typeof specification === "string") return PROFILES[specification].floor;
  return Object.freeze({ ...profile.floor, ...specification });
}

/** Judges a label against a floor. Written so that nonsense blocks: `NaN` and `undefined` are below every floor. */
export function judge(considered: Label, floor: Floor, profile: Profile): Judgement {
  const deficits = AXES.filter((axis) => !(considered[axis] >= floor[axis])).map((axis) => ({
    axis,
    rank: considered[axis],
    floor: floor[axis],
  }));
  if (deficits.length === 0) return { verdict: "allow", deficits };
  const hard = deficits.some(({ axis, rank }) => {
    const limit = profile.blocksAt[axis];
    return limit !== undefined && !(rank > limit);
  });
  return { verdict: hard ? "block" : "ask", deficits };
}
