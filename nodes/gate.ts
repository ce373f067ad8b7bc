// The only way to `act`. Decides all pending irreversible calls before any of them runs: allow, ask a person, or
// block. The verdict is a pure function of the label, the tool's floor and the profile the graph was built with;
// nothing a caller, a model or the state says can change that profile.

import { interrupt } from "@langchain/langgraph";
import { z } from "zod";
import type { ApprovalRecord, EffectStatus, Journal } from "../checkpoints/index.js";
import {
  type Cause,
  canonicalJson,
  type Deficit,
  describeCause,
  judge,
  type Label,
  meet,
  type Profile,
  resolveFloor,
  type Verdict,
} from "../trust/index.js";
import { bindingDigest, bindingOf, policyDigest } from "./binding.js";
import { answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { effectKey } from "./effect.js";
import type { AgentView, ClearedCall } from "./state.js";
import { harnessNode, type Step } from "./step.js";
import { HarnessTool } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link gate} takes. */
export interface GateOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
  readonly profile: Profile;
  /** How long an approval may wait for its answer. Default 24 hours, in ms. */
  readonly approvalTtlMs?: number;
}

/** One action a person is asked about, as Studio and the API show it. */
export interface ApprovalView {
  readonly id: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly trust: Label;
  readonly deficits: readonly Deficit[];
  readonly causes: readonly string[];
  /** ISO 8601. */
  readonly expires: string;
}

/** The interrupt's value. */
export interface ApprovalInterrupt {
  readonly type: "approval";
  readonly message: string;
  readonly requests: readonly ApprovalView[];
}

/** The interrupt's answer. Calls that it does not mention stay pending. */
export const approvalAnswer = z.object({
  decisions: z
    .array(
      z.object({
        id: z.string().describe("The request's id."),
        decision: z.enum(["approve", "reject"]),
        reason: z.string().optional().describe("Told to the planner when the call is rejected."),
      }),
    )
    .min(1)
    .describe("One decision per request."),
});

interface Decided {
  readonly call: OpenCall;
  readonly tool: HarnessTool;
  readonly verdict: Verdict;
  readonly considered: Label;
  readonly deficits: readonly Deficit[];
  readonly causes: readonly Cause[];
  readonly binding: string;
  readonly approval: ApprovalRecord | undefined;
}

const HOUR = 3_600_000;

/** Shows a stored request to a person. */
export const viewOf = (record: ApprovalRecord): ApprovalView => ({
  id: record.id,
  tool: record.tool,
  arguments: record.arguments,
  trust: record.considered,
  deficits: record.deficits,
  causes: record.causes.map(describeCause),
  expires: new Date(record.expiresAt).toISOString(),
});

/** Makes the gate node. */
export const gate = ({ journal, toolbox, profile, approvalTtlMs = 24 * HOUR }: GateOptions) => {
  const policy = policyDigest(profile, toolbox);

  const decide = async (call: OpenCall, step: Step): Promise<Decided> => {
    const tool = findTool(toolbox.tools, call.name);
    if (!(tool instanceof HarnessTool))
      throw new TypeError(`${call.name} is no gated tool: route it to the tools node`);
    const floor = (await journal.thread(step.scope.thread))?.floor;
    const considered = floor === undefined ? meet(step.trust) : meet(step.trust, floor);
    const judged = judge(considered, resolveFloor(tool.floor, profile), profile);
    const again = judged.verdict === "allow" && (await isRepetition(journal, step, tool, call));
    const causes: readonly Cause[] = again
      ? [{ axis: "certainty", rank: 0, reason: "the same action was already done, or may have been, in this thread" }]
      : step.trust.causes;
    const verdict = again ? "ask" : judged.verdict;
    const binding = bindingDigest(bindingOf(step.scope.thread, call, tool, policy, considered));
    const { deficits } = judged;
    const known = { call, tool, verdict, considered, deficits, causes, binding };
    if (verdict !== "ask") return { ...known, approval: undefined };
    const id = `approval-${binding.slice(0, 16)}`;
    const isNew = (await journal.approval(id)) === undefined;
    const approval = await journal.requestApproval({
      id,
      thread: step.scope.thread,
      run: step.scope.run,
      tool: tool.name,
      callId: call.id,
      arguments: call.args,
      binding,
      considered,
      causes,
      deficits,
      policyDigest: policy,
      expiresAt: journal.clock.now() + approvalTtlMs,
    });
    if (isNew) await step.record({ kind: "approval.requested", id, tool: tool.name });
    return { ...known, approval };
  };

  return harnessNode<AgentView>("gate", journal, async (state, step) => {
    const { valid, invalid } = checkArguments(openCallsOf("gated", state.messages, toolbox.tools), toolbox);
    let decided = await Promise.all(valid.map((call) => decide(call, step)));
    const recorded = new Set<string>();
    for (;;) {
      for (const each of decided) await recordDecision(each, policy, recorded, step);
      const pending = decided.filter((each) => each.approval?.status === "pending");
      if (pending.length === 0) break;
      const answer = interrupt<ApprovalInterrupt, z.output<typeof approvalAnswer>>(
        {
          type: "approval",
          message: `${pending.map((each) => each.tool.name).join(", ")}: the trust is too low to go on without a person.`,
          requests: pending.map((each) => viewOf(each.approval as ApprovalRecord)),
        },
        { responseSchema: approvalAnswer },
      );
      await takeAnswer(answer, pending, journal, step);
      decided = await Promise.all(valid.map((call) => decide(call, step)));
    }
    const cleared: ClearedCall[] = [];
    const refusals = [...invalid];
    for (const each of decided) {
      const refusal = refusalOf(each);
      if (refusal !== undefined) refusals.push(answerTo(each.call, refusal, "error"));
      else cleared.push(await clear(each, policy, journal, step));
    }
    return { messages: refusals, cleared };
  });
};

function checkArguments(calls: readonly OpenCall[], toolbox: Toolbox) {
  const valid: OpenCall[] = [];
  const invalid: ReturnType<typeof answerTo>[] = [];
  for (const call of calls) {
    const tool = findTool(toolbox.tools, call.name);
    const parsed = tool instanceof HarnessTool ? tool.schema.safeParse(call.args) : undefined;
    if (parsed?.success) valid.push(call);
    else
      invalid.push(
        answerTo(
          call,
          `Error: ${call.name}: ${parsed === undefined ? "no such tool" : z.prettifyError(parsed.error)}`,
          "error",
        ),
      );
  }
  return { valid, invalid };
}

/** What must not be done a second time without a person: also what may have been done. */
const DONE_OR_MAYBE = new Set<EffectStatus>(["committed", "dispatched", "in_doubt"]);

/** The model asked again, after a time travel or by mistake, for what this thread has already done. */
async function isRepetition(journal: Journal, { scope }: Step, tool: HarnessTool, call: OpenCall): Promise<boolean> {
  const effects = await journal.effects({ thread: scope.thread });
  const args = canonicalJson(call.args);
  return effects.some(
    (effect) =>
      DONE_OR_MAYBE.has(effect.status) &&
      effect.tool === tool.name &&
      effect.callId !== call.id &&
      canonicalJson(effect.arguments) === args,
  );
}

async function recordDecision(each: Decided, policy: string, recorded: Set<string>, step: Step): Promise<void> {
  const { call, tool, verdict, considered, deficits, approval } = each;
  if (recorded.has(call.id)) return;
  recorded.add(call.id);
  await step.record({
    kind: "gate.decision",
    tool: tool.name,
    callId: call.id,
    arguments: call.args,
    verdict,
    considered,
    deficits,
    policy,
    ...(approval === undefined ? {} : { approval: approval.id }),
  });
}

async function takeAnswer(
  answer: z.output<typeof approvalAnswer>,
  pending: readonly Decided[],
  journal: Journal,
  step: Step,
): Promise<void> {
  const user = step.config.configurable?.["langgraph_auth_user"] as { identity?: unknown } | undefined;
  const by = typeof user?.identity === "string" ? user.identity : "studio or API, not authenticated";
  for (const { id, decision, reason } of answer.decisions) {
    const asked = pending.find((each) => each.approval?.id === id);
    if (asked === undefined) continue; // A decision about something that was not asked here decides nothing.
    const outcome = decision === "approve" ? "approved" : "rejected";
    await journal.decideApproval(id, outcome, by, reason);
    await step.record({
      kind: "approval.decided",
      id,
      tool: asked.tool.name,
      decision: outcome,
      by,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

const describeDeficits = (deficits: readonly Deficit[]): string =>
  deficits.map(({ axis, rank, floor }) => `${axis} ${rank} below ${floor}`).join(", ");

/** Why a call must not run; `undefined` when it may. */
function refusalOf({ tool, verdict, deficits, causes, approval }: Decided): string | undefined {
  if (verdict === "allow") return undefined;
  if (verdict === "block") {
    const why = causes.filter((cause) => deficits.some(({ axis }) => axis === cause.axis)).map(describeCause);
    return `Blocked: ${tool.name} was not run. ${describeDeficits(deficits)} (${why.join("; ") || "no cause known"}). This is final: do not try another way.`;
  }
  switch (approval?.status) {
    case "approved":
    case "consumed":
      return undefined;
    case "rejected":
      return `Rejected: ${tool.name} was not run. ${approval.decidedBy ?? "A person"} said no${approval.reason === undefined ? "" : `: ${approval.reason}`}. This is final: do not try another way.`;
    default:
      return `Rejected: ${tool.name} was not run. Nobody answered the request before it expired. Ask the user whether to start again.`;
  }
}

async function clear(each: Decided, policy: string, journal: Journal, { scope }: Step): Promise<ClearedCall> {
  const key = effectKey(scope.thread, each.call.id, each.tool, each.call.args);
  await journal.intendEffect({
    key,
    thread: scope.thread,
    run: scope.run,
    tool: each.tool.name,
    callId: each.call.id,
    arguments: each.call.args,
    binding: each.binding,
    considered: each.considered,
    policyDigest: policy,
    approval: each.approval?.id,
  });
  return { callId: each.call.id, key };
}
