// May this call run? A verdict is a pure function of what was asked and of the policy's document, so it can be
// recorded, replayed and asked again under another policy. What cannot be judged is blocked.

import { type ArgumentTest, judgedArguments } from "./argument-rules.js";
import { AXES, type Axis, isRank, type Label, type Rank } from "./label.js";
import {
  type ArgumentRules,
  type Floor,
  type FloorSpecification,
  floorOf,
  type LabelScope,
  type Policy,
} from "./policy-document.js";

/** Everything a verdict depends on beside the policy. JSON, so that a recorded question can be judged again. */
export interface GateQuestion {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The label the call is judged by, of the scope that {@link ruleOf} says. */
  readonly considered: Label;
  /** The tool's own floor. Counts when the policy states none for the tool. */
  readonly floor?: FloorSpecification;
  /** Whether the same tool and arguments were done, or perhaps done, under this root thread by another call. */
  readonly repeats: boolean;
  /** Whether the tool's definition is not the one this thread first used. */
  readonly changed: boolean;
}

/** One axis on which a label is too low. */
export interface Deficit {
  readonly axis: Axis;
  readonly rank: Rank;
  readonly floor: Rank;
}

/** `allow`: run it. `ask`: a person decides. `block`: not even a person is asked. */
export type Verdict = "allow" | "ask" | "block";

/** A verdict with everything that speaks against the call, what blocks first. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Every axis that fell short, in the order of `AXES`. */
  readonly deficits: readonly Deficit[];
  /** In words; empty exactly for `allow`. */
  readonly reasons: readonly string[];
}

/** What holds for one tool under a policy. */
export interface ResolvedRule {
  readonly floor: Floor;
  readonly hard: readonly Axis[];
  readonly scope: LabelScope;
}

/** What holds for a tool: the policy's rule, then the tool's own floor, then the policy's floor. */
export function ruleOf({ document }: Policy, tool: string, own?: FloorSpecification): ResolvedRule {
  const rule = Object.hasOwn(document.tools, tool) ? document.tools[tool] : undefined;
  return {
    floor: floorOf(rule?.floor ?? own ?? document.floor, document.floor),
    hard: rule?.hard ?? [],
    scope: rule?.scope ?? "trajectory",
  };
}

/** The axes on which a label does not reach a floor. What is no rank reaches nothing. */
export const deficitsOf = (considered: Label, floor: Floor): readonly Deficit[] =>
  AXES.filter((axis) => !reaches(considered[axis], floor[axis])).map((axis) => ({
    axis,
    rank: considered[axis],
    floor: floor[axis],
  }));

/**
 * Judges a call. Blocks when an argument rule forbids it, or a deficit is on a hard axis or at `blocksAt`; asks when
 * there is any other deficit, a repetition, or a changed definition; otherwise allows. Total: it never throws.
 */
export function judge(question: GateQuestion, policy: Policy): Judgement {
  const { tool, considered, repeats, changed } = question;
  const { floor, hard } = ruleOf(policy, tool, question.floor);
  const deficits = deficitsOf(considered, floor);
  const isHard = ({ axis, rank }: Deficit): boolean => {
    const limit = policy.document.blocksAt[axis];
    return hard.includes(axis) || (limit !== undefined && !(isRank(rank) && rank > limit));
  };
  const blocking = [
    ...forbidding(question.arguments, policy.argumentRules.get(tool)),
    ...deficits.filter(isHard).map((each) => `${describeDeficit(each)}, which no approval can mend`),
  ];
  const asking = [
    ...deficits.filter((each) => !isHard(each)).map(describeDeficit),
    ...(repeats === false ? [] : ["the same action was already done, or may have been, in this thread"]),
    ...(changed === false ? [] : ["the tool is not as it was when this thread first used it"]),
  ];
  return {
    verdict: blocking.length > 0 ? "block" : asking.length > 0 ? "ask" : "allow",
    deficits,
    reasons: [...blocking, ...asking],
  };
}

/** `fidelity 1 below 2`. */
export const describeDeficit = ({ axis, rank, floor }: Deficit): string => `${axis} ${rank} below ${floor}`;

const reaches = (rank: unknown, floor: unknown): boolean => isRank(rank) && isRank(floor) && rank >= floor;

/** Why the argument rules forbid a call; empty when they do not. */
function forbidding(args: unknown, rules: ArgumentRules | undefined): readonly string[] {
  if (rules === undefined || (rules.allow === undefined && rules.deny.length === 0)) return [];
  const { allow, deny } = rules;
  try {
    const judged = judgedArguments(args);
    const fits = (test: ArgumentTest) => test(judged);
    return [
      ...deny.flatMap((test, index) => (fits(test) ? [`the arguments fit the policy's deny[${index}]`] : [])),
      ...(allow === undefined || allow.some(fits) ? [] : ["the arguments fit nothing that the policy allows"]),
    ];
  } catch {
    return ["the policy's rules could not be applied to the arguments"]; // What cannot be judged is not allowed.
  }
}
