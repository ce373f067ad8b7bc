// Runs one delegated task. One `Send` per task: subagents run in parallel, all are settled, and whatever comes back,
// even nothing, brings the trust of everything the subagent did. One that has to wait for capacity has not come back.

import { HumanMessage } from "@langchain/core/messages";
import { isGraphBubbleUp, Send } from "@langchain/langgraph";
import { z } from "zod";
import { CapacityWaitError } from "../capacity/index.js";
import { type Journal, laneOf } from "../checkpoints/index.js";
import {
  isAtMost,
  label,
  mark,
  meet,
  meetMarks,
  readChannel,
  TOP,
  type Trust,
  type TrustMark,
} from "../trust/index.js";
import { allow } from "./budget.js";
import { answerTo, type OpenCall, openCallsOf } from "./calls.js";
import { vouch } from "./provenance.js";
import type { AgentView } from "./state.js";
import { harnessNode, messageOf, type Step } from "./step.js";
import type { Toolbox } from "./toolbox.js";

/** What came back from a subagent. `mark` covers its whole trajectory, not only its answer. */
export interface SubagentResult {
  readonly content: string;
  readonly mark: TrustMark;
  /** `false`: it failed or ran out of time; `content` is what it had by then. */
  readonly complete: boolean;
}

/** Somebody the planner can delegate to. `subagents/` makes these from prompts, tools and any compiled graph. */
export interface SubagentPort {
  /** The name the planner uses. */
  readonly name: string;
  /** For the planner: what it is good for. */
  readonly description: string;
  /** Runs one task in a context of its own. Never launders: failures carry their label too. */
  run(
    task: string,
    context: { readonly step: Step; readonly trust: Trust; readonly callId: string },
  ): Promise<SubagentResult>;
}

/** What {@link delegate} takes. */
export interface DelegateOptions {
  readonly journal: Journal;
  readonly toolbox: Toolbox;
}

/** The payload of one `Send` to the delegate node. */
export interface DelegateTask {
  readonly call: OpenCall;
}

const taskArguments = z.object({ description: z.string().min(1), subagent_type: z.string() });

/** One `Send` to `node` for each open `task` call. */
export const sendTasks =
  (node: string, toolbox: Toolbox) =>
  (state: Pick<AgentView, "messages">): Send[] =>
    openCallsOf("delegate", state.messages, toolbox.tools).map(
      (call) => new Send(node, { call } satisfies DelegateTask),
    );

/** Makes the delegate node. */
export const delegate = ({ journal, toolbox }: DelegateOptions) =>
  harnessNode<DelegateTask>("taint", journal, async ({ call }, step) => {
    const parsed = taskArguments.safeParse(call.args);
    if (!parsed.success)
      return { messages: [answerTo(call, `Error: task: ${z.prettifyError(parsed.error)}`, "error")] };
    const { description, subagent_type: name } = parsed.data;
    const subagent = toolbox.subagents.find((each) => each.name === name);
    if (subagent === undefined) {
      const known = toolbox.subagents.map((each) => each.name).join(", ");
      return {
        messages: [
          answerTo(call, `Error: there is no subagent ${JSON.stringify(name)}. There are: ${known}.`, "error"),
        ],
      };
    }
    const allowance = await allow(step.config, name, call.id, siblingsOf(call, name, step, toolbox));
    if (allowance.refused !== undefined) {
      return { messages: [answerTo(call, `Error: ${name} was not started: ${allowance.refused}`, "error")] };
    }
    const started = journal.clock.now();
    await step.record({ kind: "subagent.start", subagent: name, task: description, callId: call.id });
    // What the subagent is told is what the call says, and may be believed as far.
    await vouch(journal, step.scope.thread, { messages: [new HumanMessage(description)] }, step.lineageOf(call));
    const below = { ...step, config: allowance.config };
    const result = await settle(subagent, description, call, below).finally(allowance.release);
    const trust = result.complete
      ? result.mark
      : meetMarks(result.mark, mark(label({ fidelity: 1 }), `${name} did not finish`, step.at));
    const ms = journal.clock.now() - started;
    await step.record({ kind: "subagent.end", subagent: name, ok: result.complete, label: meet(trust), ms });
    const content = result.complete ? result.content : `Partial result (${name} did not finish): ${result.content}`;
    const message = answerTo(call, content, result.complete ? "success" : "error");
    return { messages: [message], ...(isAtMost(TOP, trust) ? {} : { trust }) };
  });

/** The subagents that start beside this one, by their lanes: each has a share of the budget. */
function siblingsOf(call: OpenCall, name: string, { config }: Step, { tools }: Toolbox): readonly string[] {
  const messages = readChannel(config, "messages");
  const open = Array.isArray(messages) ? openCallsOf("delegate", messages, tools) : [];
  return [laneOf(name, call.id), ...open.map(({ id, args }) => laneOf(String(args["subagent_type"]), id))];
}

async function settle(subagent: SubagentPort, task: string, call: OpenCall, step: Step): Promise<SubagentResult> {
  try {
    return await subagent.run(task, { step, trust: step.trust, callId: call.id });
  } catch (error) {
    if (isGraphBubbleUp(error) || CapacityWaitError.isInstance(error) || step.signal.aborted) throw error;
    // A port that throws has not told us what it read: nothing can be said for the result.
    return {
      content: messageOf(error),
      mark: mark(label({ integrity: 0 }), `${subagent.name} failed unseen`),
      complete: false,
    };
  }
}
