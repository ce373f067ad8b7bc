// The conversation with the person who decides: what is shown, what may be answered, who may answer, and how an answer
// becomes a decision in the journal.

import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { ApprovalError, type ApprovalRecord, type Approver, type Journal } from "../checkpoints/index.js";
import type { Policy } from "../trust/index.js";
import type { ApprovalView } from "./approval-view.js";
import { findTool, snapshot } from "./calls.js";
import type { Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** The interrupt's value. */
export interface ApprovalInterrupt {
  readonly type: "approval";
  readonly message: string;
  readonly requests: readonly ApprovalView[];
}

const decision = z.strictObject({
  id: z.string().describe("The request's id."),
  decision: z.enum(["approve", "reject", "edit"]),
  arguments: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      "With edit: all arguments, as they should be. They go through the gate again. The tool stays what it is.",
    ),
  reason: z.string().optional().describe("Told to the planner when the call is rejected."),
});

/** The interrupt's answer. Calls that it does not mention stay pending. */
export const approvalAnswer = z.object({
  decisions: z.array(decision).min(1).describe("One decision per request."),
});

/** The same as JSON Schema, for a client that makes a form of it. */
export const approvalForm = z.toJSONSchema(approvalAnswer, { io: "input" });

/**
 * Who answers: the user that the server has authenticated (API token, Studio), or nobody in particular. A LangGraph
 * server without authentication hands on whatever user a client claims to be, so the policy has to say that it has one.
 */
export function approverOf({ configurable = {} }: LangGraphRunnableConfig, { document }: Policy): Approver {
  const user = configurable["langgraph_auth_user"] as { identity?: unknown } | undefined;
  const anonymous = "studio or API, not authenticated";
  if (typeof user?.identity !== "string") return { by: anonymous, authenticated: "none" };
  return document.approvals.authentication === "server"
    ? { by: user.identity, authenticated: "server" }
    : { by: `${anonymous}, says to be ${user.identity}`, authenticated: "none" };
}

/** Whether the policy lets this approver decide. Asked when the decision is made, and again when it is used. */
export function mayApprove(
  { decidedBy, authenticated }: Pick<ApprovalRecord, "decidedBy" | "authenticated">,
  { document }: Policy,
): boolean {
  const { approvers } = document.approvals;
  if (approvers === "anyone") return true;
  if (authenticated !== "cli" && authenticated !== "server") return false;
  return approvers === "authenticated" || (decidedBy !== undefined && approvers.includes(decidedBy));
}

/** What {@link takeAnswer} needs. */
interface Hearing {
  readonly journal: Journal;
  readonly policy: Policy;
  readonly toolbox: Toolbox;
  readonly step: Step;
}

/** Turns an answer into decisions. One that is not valid decides nothing, and the record says so. */
export async function takeAnswer(
  answer: unknown,
  pending: readonly ApprovalRecord[],
  { journal, policy, toolbox, step }: Hearing,
): Promise<void> {
  const approver = approverOf(step.config, policy);
  const { by, authenticated } = approver;
  const parsed = approvalAnswer.safeParse(answer);
  if (!parsed.success) return refuse("any", "any", z.prettifyError(parsed.error));
  for (const each of parsed.data.decisions) {
    const { id, decision, arguments: args, reason } = each;
    const asked = pending.find((request) => request.id === id);
    if (asked === undefined) {
      await refuse(id, "any", "nothing with this id was asked here");
      continue;
    }
    const problem = mayApprove({ decidedBy: by, authenticated }, policy)
      ? editProblem(asked, decision, args, toolbox)
      : `the policy lets ${describeApprovers(policy)} decide`;
    if (problem !== undefined) {
      await refuse(id, asked.tool, problem);
      continue;
    }
    const outcome = decision === "approve" ? "approved" : decision === "reject" ? "rejected" : "edited";
    try {
      if (outcome === "edited") await journal.editApproval(id, args ?? {}, approver);
      else await journal.decideApproval(id, outcome, approver, reason);
    } catch (error) {
      if (!ApprovalError.isInstance(error)) throw error;
      await refuse(id, asked.tool, error.message); // Decided twice, from somewhere else, or too late.
      continue;
    }
    const told = { kind: "approval.decided", id, tool: asked.tool, decision: outcome, by, authenticated } as const;
    await step.record(reason === undefined ? told : { ...told, reason });
  }

  function refuse(id: string, tool: string, why: string): Promise<void> {
    return step.record({ kind: "approval.refused", id, tool, by, authenticated, why });
  }
}

const describeApprovers = ({ document }: Policy): string => {
  const { approvers } = document.approvals;
  return typeof approvers === "string" ? `only ${approvers} people` : `only ${approvers.join(", ")}`;
};

function editProblem(
  { tool: name }: ApprovalRecord,
  decision: "approve" | "reject" | "edit",
  args: Readonly<Record<string, unknown>> | undefined,
  toolbox: Toolbox,
): string | undefined {
  if (decision !== "edit") {
    return args === undefined ? undefined : `${decision} takes no arguments: use edit, then decide about what is shown`;
  }
  if (args === undefined) return "edit needs all arguments";
  const { problem } = snapshot(args);
  if (problem !== undefined) return problem;
  const tool = findTool(toolbox.tools, name);
  const fits = tool instanceof HarnessTool ? tool.schema.safeParse(args) : undefined;
  if (fits === undefined) return `there is no tool ${name}`;
  return fits.success ? undefined : z.prettifyError(fits.error);
}
