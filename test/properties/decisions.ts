// P16 of trust-replay.md, for every sequence that any property of this folder plays: what the gate recorded of a
// decision is all that the decision depends on.

import { expect } from "vitest";
import type { Journal } from "../../checkpoints/index.js";
import { definePolicy, type GateQuestion, judge } from "../../trust/index.js";

/**
 * Why nobody is asked although the verdict is `ask`: too many others wait, the run has asked enough, a person has said no to
 * the same before. The reasons that are not in the question.
 */
const FLOODED = /may have \d+ approvals waiting, and has \d+|may ask \d+ questions|said no to the same before/;

/** How often the verdicts were seen: a property that only ever saw one shows nothing. */
export type VerdictCount = Record<"allow" | "ask" | "block" | "flooded", number>;

export const noVerdicts = (): VerdictCount => ({ allow: 0, ask: 0, block: 0, flooded: 0 });

/** Judges all recorded decisions of these threads again, from nothing but JSON. */
export async function rejudge(journal: Journal, threads: readonly string[], count: VerdictCount): Promise<void> {
  for (const thread of threads) {
    for (const { event } of JSON.parse(JSON.stringify(await journal.events({ thread })))) {
      if (event.kind !== "gate.decision") continue;
      const { tool, arguments: args, considered, floor, repeats, changed } = event;
      const question: GateQuestion = {
        ...{ tool, arguments: args, considered, repeats, changed },
        ...(floor === undefined ? {} : { floor }),
      };
      const policy = definePolicy(JSON.parse(JSON.stringify(await journal.document(event.policy))));
      expect(policy.digest, "the document is the one that the decision names").toBe(event.policy);
      const again = judge(question, policy);
      const flooded = event.reasons.length > again.reasons.length;
      expect(event.deficits).toEqual(again.deficits);
      expect(event.reasons.slice(0, again.reasons.length)).toEqual(again.reasons);
      if (flooded) {
        expect([again.verdict, event.verdict]).toEqual(["ask", "block"]);
        expect(event.reasons.slice(again.reasons.length)).toEqual([expect.stringMatching(FLOODED)]);
      } else expect(event.verdict).toBe(again.verdict);
      count[flooded ? "flooded" : again.verdict] += 1;
    }
  }
}
