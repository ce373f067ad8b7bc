// Runs the calls that need no gate: read-only and idempotent tools, the file tools, the plan. One `Send` per call, so
// that parallel calls settle on their own and finished ones are not run again on resume; but the calls of one message
// that work on the graph's own state are one task, done in the order in which the model made them.

import type { ToolMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { Send } from "@langchain/langgraph";
import type { Journal } from "../checkpoints/index.js";
import {
  digest,
  isAtMost,
  judge,
  label,
  mark,
  meet,
  meetMarks,
  type Policy,
  readChannel,
  TOP,
  type TrustMark,
} from "../trust/index.js";
import { type AnyTool, answerTo, findTool, type OpenCall, openCallsOf } from "./calls.js";
import { hasChanged } from "./consider.js";
import { effectKey, runEffect, runTool } from "./effect.js";
import type { AgentView, Todo } from "./state.js";
import { changedFiles, runStateTool } from "./state-tool.js";
import { harnessNode, type NodeUpdate, type Step } from "./step.js";
import { HarnessTool, isGated } from "./tool.js";
import type { Toolbox } from "./toolbox.js";

/** What {@link tools} takes. */
export interface ToolsOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
  /** Its rules on arguments hold for tools that need no gate as well. */
  readonly policy: Policy;
}

/** The payload of one `Send` to the tools node: one call, or all that work on the state, in their order. */
export type ToolTask = { readonly call: OpenCall } | { readonly calls: readonly OpenCall[] };

/** One `Send` to `node` for each open call that needs no gate, and one for all that work on the graph's own state. */
export const sendTools =
  (node: string, toolbox: Toolbox) =>
  (state: Pick<AgentView, "messages">): Send[] => {
    const open = openCallsOf("plain", state.messages, toolbox.tools);
    const calls = open.filter(({ name }) => worksOnState(findTool(toolbox.tools, name)));
    return open.flatMap((call): Send[] => {
      if (!calls.includes(call)) return [new Send(node, { call } satisfies ToolTask)];
      return call === calls[0] ? [new Send(node, { calls } satisfies ToolTask)] : [];
    });
  };

/** A LangChain tool: it reads and writes nothing but the state of the graph it is in. */
const worksOnState = (tool: AnyTool | undefined): tool is StructuredToolInterface =>
  tool !== undefined && !(tool instanceof HarnessTool);

/** Makes the tools node. */
export const tools = ({ journal, toolbox, policy }: ToolsOptions) => {
  const options = { journal, toolbox, policy };
  const work = async (task: ToolTask, step: Step): Promise<NodeUpdate> => {
    let written: NodeUpdate = {};
    const marks: TrustMark[] = [];
    for (const call of callsOf(task)) {
      step.signal.throwIfAborted();
      const started = journal.clock.now();
      const { update, trust, error } = await answer(call, options, step, written);
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
      written = { ...written, ...update, messages: [...messagesIn(written), ...messagesIn(update)] };
      marks.push(trust);
    }
    // The file tools write into the state behind the node's back.
    await step.vouch({ files: changedFiles(step.config) });
    const { todos } = written as { readonly todos?: readonly Todo[] };
    if (todos !== undefined) await step.record({ kind: "plan", todos });
    const trust = meetMarks(...marks);
    return isAtMost(TOP, trust) ? written : { ...written, trust };
  };
  // A tool that works on the state reads it behind the payload's back.
  return harnessNode<ToolTask>("taint", journal, work, (task, config) => {
    const calls = callsOf(task);
    const reads = calls.some(({ name }) => worksOnState(findTool(toolbox.tools, name)));
    return reads ? { calls, files: readChannel(config, "files") } : { calls };
  });
};

const callsOf = (task: ToolTask): readonly OpenCall[] => ("calls" in task ? task.calls : [task.call]);

const messagesIn = ({ messages }: NodeUpdate): readonly unknown[] => (Array.isArray(messages) ? messages : []);

interface Answer {
  readonly update: NodeUpdate;
  readonly trust: TrustMark;
  /** What the planner is told instead of a result. */
  readonly error?: string;
}

/** `written` is what the calls before it in the same task have written. */
async function answer(call: OpenCall, options: ToolsOptions, step: Step, written: NodeUpdate): Promise<Answer> {
  const { toolbox, journal } = options;
  const tool = findTool(toolbox.tools, call.name);
  if (tool === undefined) {
    const known = toolbox.tools.map((each) => each.name).join(", ");
    return failure(call, `Error: there is no tool ${JSON.stringify(call.name)}. There are: ${known}.`);
  }
  if (worksOnState(tool)) {
    const { message, mark: trust, writes } = await runStateTool(call, tool, step, written);
    return answered(message, trust, writes);
  }
  if (isGated(tool.effect)) return failure(call, `Blocked: ${tool.name} has to pass the gate.`);
  const refusal = await refusalOf(call, tool, options, step);
  if (refusal !== undefined) return refusal;
  const result =
    tool.effect === "none"
      ? await runTool(call, tool, step)
      : await runEffect(call, tool, await intend(call, tool, options, step), journal, step);
  return answered(result.message, result.mark);
}

const answered = (message: ToolMessage, trust: TrustMark, writes: NodeUpdate = {}): Answer => ({
  update: { ...writes, messages: [message] },
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
