// Drives a prebuilt LangChain agent as its documentation says: on a thread of a checkpointer, with questions answered by
// `Command({ resume })`, and after a crash by calling it with `null` on the same thread.

import type { BaseMessage } from "@langchain/core/messages";
import { Command } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import type { HITLRequest, HITLResponse, Interrupt } from "langchain";
import { canGoOn, type Stand } from "../../../../graphs/index.js";
import type { Order } from "../order.js";
import type { Run } from "./harness.js";

/** What is used of an agent. */
export interface PeerAgent {
  invoke(input: unknown, config: object): Promise<unknown>;
  readonly graph: { getState(config: object): Promise<Pick<Stand, "values" | "tasks">> };
}

interface State {
  readonly messages?: readonly BaseMessage[];
  readonly __interrupt__?: readonly Interrupt<HITLRequest>[];
}

/** A model as a project without a harness has it: no settings but the name and the address. */
export const plainModel = (model: string, { baseUrl }: Pick<Order, "baseUrl">): ChatOpenAI =>
  new ChatOpenAI({ model, apiKey: "no-key", configuration: { baseURL: baseUrl } });

/** Runs a task to its last message. */
export async function runPeer(agent: PeerAgent, { task, thread, resume, operator }: Run): Promise<string> {
  const config = { configurable: { thread_id: thread } };
  const say = { messages: [{ role: "user", content: task.text }] };
  let state: State;
  const known = resume ? await agent.graph.getState(config) : undefined;
  const begun = ((known?.values as State | undefined)?.messages ?? []).length > 0;
  if (known !== undefined && begun && !canGoOn(known)) state = known.values as State;
  else state = (await agent.invoke(begun ? null : say, config)) as State;
  for (;;) {
    const [asked] = state.__interrupt__ ?? [];
    if (asked?.value === undefined) break;
    const decisions: HITLResponse["decisions"] = [];
    for (const { name, args } of asked.value.actionRequests) {
      const approved = await operator.approves(name, args);
      decisions.push(approved ? { type: "approve" } : { type: "reject", message: "Rejected: not this one." });
    }
    state = (await agent.invoke(new Command({ resume: { decisions } }), config)) as State;
  }
  const last = state.messages?.at(-1);
  if (last?.type !== "ai" || last.text.trim() === "") throw new Error("it ended without an answer");
  return last.text;
}
