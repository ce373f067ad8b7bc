// Runs one call that needs no gate: read-only and idempotent tools, the file tools, the plan. One `Send` per call, so
// that parallel calls settle on their own and finished ones are not run again on resume.

import { ToolMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { type Command, isCommand, isGraphBubbleUp, Send } from "@langchain/langgraph";
import type { Journal } from "../checkpoints/index.js";
import {
  digest,
  isAtMost,
  judge,
  label,
  mark,
  meet,
  type Policy,
  readChannel,
  TOP,
  type TrustMark,
} from "../trust/index.js";
import { answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { hasChanged } from "./consider.js";
import { effectKey, runEffect, runTool } from "./effect.js";
import type { AgentView } from "./state.js";
import { harnessNode, messageOf, type NodeUpdate, type Step } from "./step.js";
import { HarnessTool, isGated } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link tools} takes. */
export interface ToolsOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
  /** Its rules on arguments hold for tools that need no gate as well. */
  readonly policy: Policy;
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
export const tools = ({ journal, toolbox, policy }: ToolsOptions) => {
  const work = async ({ call }: ToolTask, step: Step): Promise<NodeUpdate> => {
    const started = journal.clock.now();
    const { update, trust, error } = await answer(call, { journal, toolbox, policy }, step);
    const ms = journal.clock.now() - started;
    await step.record({
      kind: "tool.response",
      tool: call.name,
      callId: call.id,
      arguments: call.args,
      ok: error === undefined,
      ms,
      label: meet(trust),
      ...(error === undefined ? {} : { error }),
    });
    return isAtMost(TOP, trust) ? update : { ...update, trust };
  };
  // A tool that works on the state reads it behind the payload's back.
  return harnessNode<ToolTask>("taint", journal, work, ({ call }, config) =>
    findTool(toolbox.tools, call.name) instanceof HarnessTool
      ? { call }
      : { call, files: readChannel(config, "files") },
  );
};

interface Answer {
  readonly update: NodeUpdate;
  readonly trust: TrustMark;
  /** What the planner is told instead of a result. */
  readonly error?: string;
}

async function answer(call: OpenCall, options: ToolsOptions, step: Step): Promise<Answer> {
  const { toolbox, journal } = options;
  const tool = findTool(toolbox.tools, call.name);
  if (tool === undefined) {
    const known = toolbox.tools.map((each) => each.name).join(", ");
    return failure(call, `Error: there is no tool ${JSON.stringify(call.name)}. There are: ${known}.`);
  }
  if (!(tool instanceof HarnessTool)) return stateAnswer(call, tool, step);
  if (isGated(tool.effect)) return failure(call, `Blocked: ${tool.name} has to pass the gate.`);
  const refusal = await refusalOf(call, tool, options, step);
  if (refusal !== undefined) return refusal;
  const result =
    tool.effect === "none"
      ? await runTool(call, tool, step)
      : await runEffect(call, tool, await intend(call, tool, options, step), journal, step);
  return answered(result.message, result.mark);
}

const answered = (message: ToolMessage, trust: TrustMark): Answer => ({
  update: { messages: [message] },
  trust,
  ...(message.status === "error" ? { error: message.text } : {}),
});

const failure = (call: OpenCall, text: string): Answer => answered(answerTo(call, text, "error"), TOP);

/** What keeps even a harmless tool from running: arguments without a name or against the policy, another definition. */
async function refusalOf(
  call: OpenCall,
  tool: HarnessTool,
  { journal, policy }: ToolsOptions,
  { root, at }: Step,
): Promise<Answer | undefined> {
  if (call.problem !== undefined) return failure(call, `Error: ${tool.name}: ${call.problem}`);
  // Only what the arguments say can block here: nothing irreversible happens, so no label is too low.
  const question = { tool: tool.name, arguments: call.args, considered: TOP, repeats: false, changed: false };
  const { verdict, reasons } = judge(question, policy);
  if (verdict === "block") return failure(call, `Blocked: ${tool.name} was not run. ${reasons.join("; ")}.`);
  if (!(await hasChanged(tool, journal, root))) return undefined;
  const why = `${tool.name} is not as it was when this thread first used it`;
  return {
    ...failure(call, `Blocked: ${why}. Start a new thread to use it.`),
    trust: mark(label({ integrity: 0 }), why, at),
  };
}

/** An idempotent effect needs no permit, but it is in the ledger like every other one. */
const intend = (call: OpenCall, tool: HarnessTool, { journal, policy }: ToolsOptions, { scope, root, trust }: Step) =>
  journal.intendEffect({
    key: effectKey(root, call.intent, tool, call.args),
    thread: scope.thread,
    root,
    run: scope.run,
    tool: tool.name,
    callId: call.id,
    intent: call.intent,
    arguments: call.args,
    binding: digest({ tool: tool.digest, arguments: call.args }),
    considered: meet(trust),
    policyDigest: policy.digest,
    preconditions: undefined,
    compensates: undefined,
    mayRepeat: true, // It is declared idempotent.
    approval: undefined,
  });

/** Deep Agents' file tools write into the state behind the node's back. */
function changedFiles(config: Step["config"]): Record<string, unknown> {
  const before = filesIn(readChannel(config, "files"));
  const changed = Object.entries(filesIn(readChannel(config, "files", true))).filter(
    ([path, file]) => JSON.stringify(file) !== JSON.stringify(before[path]),
  );
  return Object.fromEntries(changed);
}

const filesIn = (files: unknown): Record<string, unknown> =>
  typeof files === "object" && files !== null ? { ...files } : {};

/** A LangChain tool that touches only this graph's state: its result is no newer and no truer than the thread. */
async function stateAnswer(call: OpenCall, tool: StructuredToolInterface, step: Step): Promise<Answer> {
  try {
    const config = { ...step.config, toolCallId: call.id, toolCall: call, state: {} };
    const result: unknown = await tool.invoke({ ...call, type: "tool_call" }, config);
    await step.vouch({ files: changedFiles(step.config) });
    if (isCommand(result)) return { update: (result as Command).update as NodeUpdate, trust: TOP };
    return answered(ToolMessage.isInstance(result) ? result : answerTo(call, String(result)), TOP);
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    const trust = mark(label({ integrity: 2 }), `error text of ${call.name}`);
    return { ...failure(call, `Error: ${messageOf(error)}`), trust };
  }
}
