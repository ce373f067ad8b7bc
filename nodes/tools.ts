// Runs one call that needs no gate: read-only and idempotent tools, the file tools, the plan. One `Send` per call, so
// that parallel calls settle on their own and finished ones are not run again on resume.

import { ToolMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { type Command, isCommand, isGraphBubbleUp, Send } from "@langchain/langgraph";
import type { Journal } from "../checkpoints/index.js";
import { digest, isAtMost, label, mark, meet, TOP, type TrustMark } from "../trust/index.js";
import { answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { effectKey, runEffect, runTool } from "./effect.js";
import type { AgentView } from "./state.js";
import { harnessNode, messageOf, type NodeUpdate, type Step } from "./step.js";
import { HarnessTool, isGated } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link tools} takes. */
export interface ToolsOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
}

/** The payload of one `Send` to the tools node. */
export interface ToolTask {
  readonly call: OpenCall;
}

/** One `Send` to `node` for each open call that needs no gate. */
export const sendTools =
  (node: string, toolbox: Toolbox) =>
  (state: Pick<AgentView, "messages">): Send[] =>
    openCallsOf("plain", state.messages, toolbox.tools).map((call) => new Send(node, { call } satisfies ToolTask));

/** Makes the tools node. */
export const tools = ({ journal, toolbox }: ToolsOptions) =>
  harnessNode<ToolTask>("taint", journal, async ({ call }, step) => {
    const started = journal.clock.now();
    const { update, trust, ok } = await answer(call, toolbox, journal, step);
    const ms = journal.clock.now() - started;
    await step.record({
      kind: "tool.response",
      tool: call.name,
      callId: call.id,
      arguments: call.args,
      ok,
      ms,
      label: meet(trust),
    });
    return isAtMost(TOP, trust) ? update : { ...update, trust };
  });

interface Answer {
  readonly update: NodeUpdate;
  readonly trust: TrustMark;
  readonly ok: boolean;
}

async function answer(call: OpenCall, toolbox: Toolbox, journal: Journal, step: Step): Promise<Answer> {
  const tool = findTool(toolbox.tools, call.name);
  if (tool === undefined) {
    const known = toolbox.tools.map((each) => each.name).join(", ");
    return failure(call, `Error: there is no tool ${JSON.stringify(call.name)}. There are: ${known}.`);
  }
  if (!(tool instanceof HarnessTool)) return stateAnswer(call, tool, step);
  if (isGated(tool.effect)) return failure(call, `Blocked: ${tool.name} has to pass the gate.`);
  const result =
    tool.effect === "none"
      ? await runTool(call, tool, step)
      : await runEffect(call, tool, await intend(call, tool, journal, step), journal, step);
  return { update: { messages: [result.message] }, trust: result.mark, ok: result.message.status !== "error" };
}

const failure = (call: OpenCall, text: string): Answer => ({
  update: { messages: [answerTo(call, text, "error")] },
  trust: TOP,
  ok: false,
});

/** An idempotent effect needs no permit, but it is in the ledger like every other one. */
const intend = (call: OpenCall, tool: HarnessTool, journal: Journal, { scope, trust }: Step) =>
  journal.intendEffect({
    key: effectKey(scope.thread, call.id, tool, call.args),
    thread: scope.thread,
    run: scope.run,
    tool: tool.name,
    callId: call.id,
    arguments: call.args,
    binding: digest({ tool: tool.digest, arguments: call.args }),
    considered: meet(trust),
    policyDigest: digest("ungated"),
    approval: undefined,
  });

/** A LangChain tool that touches only this graph's state: its result is no newer and no truer than the thread. */
async function stateAnswer(call: OpenCall, tool: StructuredToolInterface, step: Step): Promise<Answer> {
  try {
    const config = { ...step.config, toolCallId: call.id, toolCall: call, state: {} };
    const result: unknown = await tool.invoke({ ...call, type: "tool_call" }, config);
    if (isCommand(result)) return { update: (result as Command).update as NodeUpdate, trust: TOP, ok: true };
    if (ToolMessage.isInstance(result)) {
      return { update: { messages: [result] }, trust: TOP, ok: result.status !== "error" };
    }
    return { update: { messages: [answerTo(call, String(result))] }, trust: TOP, ok: true };
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    return {
      ...failure(call, `Error: ${messageOf(error)}`),
      trust: mark(label({ integrity: 2 }), `error text of ${call.name}`),
    };
  }
}
