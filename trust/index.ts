// May this result be believed? The ground floor: labels, the channel that keeps them, and what they must reach.

export { type Cause, causesOf, describeCause, MAX_CAUSES, mergeCauses, parseCauses } from "./cause.js";
export {
  begin,
  mark,
  meetMarks,
  type Trust,
  type TrustBeginning,
  TrustChannel,
  type TrustMark,
  type TrustWrite,
  trustOf,
} from "./channel.js";
export { canonicalJson, digest } from "./digest.js";
export {
  AXES,
  type Axis,
  BOTTOM,
  isAtMost,
  type Label,
  label,
  meet,
  minTrust,
  parseLabel,
  type Rank,
  readLabel,
  sameLabel,
  TOP,
} from "./label.js";
export {
  balanced,
  type Deficit,
  type Floor,
  type FloorSpecification,
  type Judgement,
  judge,
  PROFILES,
  type Profile,
  type ProfileName,
  resolveFloor,
  strict,
  type Verdict,
} from "./policy.js";
export { readTrust, TrustedState, trustField } from "./state.js";
