// May this result be believed? The ground floor: labels, the channel that keeps them, and what they must reach.

export type { JsonSchema } from "./argument-rules.js";
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
export { soundMessages } from "./messages.js";
export {
  type Deficit,
  deficitsOf,
  describeDeficit,
  type GateQuestion,
  type Judgement,
  judge,
  type ResolvedRule,
  ruleOf,
  type Verdict,
} from "./policy.js";
export {
  type Approvers,
  balanced,
  type CompletePolicyDocument,
  checkPolicyTools,
  definePolicy,
  type Floor,
  type FloorSpecification,
  floorOf,
  type LabelScope,
  type Policy,
  type PolicyDocument,
  PolicyError,
  type PolicyName,
  strict,
  type ToolRule,
} from "./policy-document.js";
export { hmacSeal, type Seal } from "./seal.js";
export { hasChannel, readChannel, readTrust, TrustedState, trustField, writeChannel } from "./state.js";
