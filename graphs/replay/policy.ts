// What another policy would have decided: every question that the gate was asked is in the record, whole, and a judgement
// is a pure function of it. After the first other verdict the run might have gone another way; what it was asked is told
// all the same. Source: trust-replay.md, sections 3.1 and 7.

import type { HarnessEvent, RecordedEvent } from "../../checkpoints/index.js";
import { type Deficit, type GateQuestion, judge, type Policy, TOP, type Verdict } from "../../trust/index.js";

/** One question, and both answers. */
export interface JudgedAgain {
  readonly run: string;
  readonly seq: number;
  readonly step?: number;
  readonly node?: string;
  readonly lane?: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** As recorded. */
  readonly before: Verdict;
  /** By the other policy. */
  readonly after: Verdict;
  readonly deficits: readonly Deficit[];
  readonly reasons: readonly string[];
}

/** What a policy would have decided in a thread. */
export interface PolicyReplay {
  /** The policy's name and digest. */
  readonly policy: string;
  readonly digest: string;
  readonly decisions: readonly JudgedAgain[];
  /** How many verdicts are others. */
  readonly changed: number;
}

/** How the tools node says that a policy's rules block a call; it blocks others too, for what no policy decides. */
const BY_POLICY = /^Blocked: \S+ was not run\. /;

type Decision = Extract<HarnessEvent, { kind: "gate.decision" }>;

/** The question of a recorded decision. */
export const questionOf = ({ tool, arguments: args, considered, floor, repeats, changed }: Decision): GateQuestion => ({
  ...{ tool, arguments: args, considered, repeats, changed },
  ...(floor === undefined ? {} : { floor }),
});

/** Judges a thread's events again. Calls that need no gate are judged by the policy's rules on arguments. */
export function judgeAgain(events: readonly RecordedEvent[], policy: Policy): PolicyReplay {
  const gated = new Set(events.flatMap(({ event }) => (event.kind === "gate.decision" ? [event.callId] : [])));
  const decisions = events.flatMap(({ scope, seq, event }): JudgedAgain[] => {
    const { run, step, node, lane } = scope;
    const place = {
      ...{ run, seq },
      ...(step === undefined ? {} : { step }),
      ...(node === undefined ? {} : { node }),
      ...(lane === undefined ? {} : { lane }),
    };
    if (event.kind === "gate.decision") {
      const { tool, arguments: args, verdict: before } = event;
      const { verdict: after, deficits, reasons } = judge(questionOf(event), policy);
      return [{ ...place, tool, arguments: args, before, after, deficits, reasons }];
    }
    if (event.kind !== "tool.response" || gated.has(event.callId)) return [];
    const { tool, arguments: args, error = "" } = event;
    const question = { tool, arguments: args, considered: TOP, repeats: false, changed: false };
    const { verdict, deficits, reasons } = judge(question, policy);
    const before = BY_POLICY.test(error) ? "block" : "allow";
    const after = verdict === "block" ? "block" : "allow"; // Only what its arguments say can stop a harmless call.
    return before === after && after === "allow"
      ? []
      : [{ ...place, tool, arguments: args, before, after, deficits, reasons }];
  });
  return {
    policy: policy.document.name ?? "unnamed",
    digest: policy.digest,
    decisions,
    changed: decisions.filter(({ before, after }) => before !== after).length,
  };
}
