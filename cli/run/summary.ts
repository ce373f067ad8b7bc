// The end of a run as a person reads it: the answer, what is waited for, one line of numbers, and what to type next.

import { describeBudget } from "../../capacity/index.js";
import type { ApprovalRecord } from "../../checkpoints/index.js";
import { describeCause } from "../../trust/index.js";
import { SHORT } from "../effect.js";
import type { Terminal } from "../terminal.js";
import { barsOf, count, describeLabel, duration } from "../text.js";
import { describeRequest } from "./approvals.js";
import { type BudgetReport, fromReport } from "./budget.js";
import type { RunResult } from "./result.js";

const HEADLINES: Readonly<Record<RunResult["status"], string>> = {
  finished: "finished",
  blocked: "blocked: an action was not allowed and was not done",
  waiting: "waiting for approval",
  parked: "parked: there is no capacity now",
  spent: "stopped: the budget is spent",
  failed: "failed",
  interrupted: "interrupted",
};

/** How many reasons for a lower trust are listed; `show` has all of them. */
const MAX_SHOWN = 4;

const budgetOf = (report: BudgetReport): string => {
  const { used, limits } = fromReport(report);
  return describeBudget(used, limits);
};

/** The lines for standard output. */
export function summaryOf(
  result: RunResult,
  pending: readonly ApprovalRecord[],
  { outStyle: style }: Pick<Terminal, "outStyle">,
): string {
  const { status, answer, message, trust, usage } = result;
  const done = status === "finished" || status === "blocked" || status === "spent";
  const colour = status === "finished" ? style.good : status === "failed" ? style.bad : style.warn;
  const numbers = [
    count(result.steps, "step"),
    count(usage.calls, "model call"),
    `${usage.tokensIn}+${usage.tokensOut} tokens`,
    `queued ${duration(usage.queueMs)}`,
    `trust ${trust.minTrust}${trust.minTrust < 3 ? ` (${barsOf(trust)} ${describeLabel(trust)})` : ""}`,
    ...(result.budget === undefined ? [] : [`budget ${budgetOf(result.budget)}`]),
    result.thread,
  ];
  const causes = [...new Set(trust.causes.map(describeCause))];
  const shown = causes.length > MAX_SHOWN ? [...causes.slice(0, MAX_SHOWN), "…"] : causes;
  return [
    "",
    ...(done && answer !== null ? [answer, ""] : []),
    ...pending.flatMap((request) => [describeRequest(request, style), ""]),
    ...(message !== undefined && !(status === "waiting" && pending.length > 0)
      ? [`${colour(status)}: ${message}`]
      : []),
    ...result.effects
      .filter((effect) => effect.status === "in_doubt")
      .map(({ tool, key }) =>
        style.warn(
          `in doubt: ${tool} ${key.slice(0, SHORT)} was sent and its outcome is not known. Look there, then say.`,
        ),
      ),
    `${colour(HEADLINES[status])} · ${numbers.join(" · ")}`,
    ...shown.map((cause) => style.dim(`  ${cause}`)),
    ...(status === "failed" || status === "interrupted" ? ["Everything so far is kept. Go on with:"] : ["Next:"]),
    ...result.next.map((command) => `  ${command}`),
  ].join("\n");
}
