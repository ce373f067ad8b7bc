// The stage of the adversary tests: an agent that a person lets refund order 1 with 1.00, and who tries to make it
// refund order 2 with 1,000,000.00. What every provider was really told is counted outside of everything under test.

import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { type BaseCheckpointSaver, Command, MemorySaver, START } from "@langchain/langgraph";
import { z } from "zod";
import { systemClock } from "../../capacity/index.js";
import { type ApprovalRecord, type HarnessEvent, openJournal } from "../../checkpoints/index.js";
import { afterGate, agentGraph, HarnessGraph } from "../../graphs/index.js";
import {
  act,
  createToolbox,
  defineTool,
  gate,
  type HarnessTool,
  harnessNode,
  openCalls,
  recall,
  type ToolDefinition,
} from "../../nodes/index.js";
import { balanced, label, mark, type Policy } from "../../trust/index.js";
import { calls, script, scriptedModel } from "../contracts/index.js";

export const APPROVED = { order: 1, amount: 1 };
export const CHANGED = { order: 2, amount: 1_000_000 };

export const THREAD = { configurable: { thread_id: "t1" } };

const schema = z.object({ order: z.number(), amount: z.number() });
type Refund = ToolDefinition<typeof schema>;

/** What the providers did: one line for each refund, `bank 1 1`. */
export class Providers {
  readonly done: string[] = [];

  /** A refund tool whose money goes through `provider`. It needs a person as soon as the thread has read anything. */
  refund(provider = "bank", change: Partial<Refund> = {}): HarnessTool {
    return defineTool({
      name: "refund",
      description: `Refunds an order through the ${provider}.`,
      schema,
      floor: "strict",
      source: {},
      run: ({ order, amount }) => {
        this.done.push(`${provider} ${order} ${amount}`);
        return "refunded";
      },
      ...change,
    }) as unknown as HarnessTool;
  }

  /** How often the refund that a person approved was made, and how often any other one. */
  get count(): { readonly approved: number; readonly changed: number } {
    const approved = this.done.filter((line) => line === "bank 1 1").length;
    return { approved, changed: this.done.length - approved };
  }
}

const look = defineTool({
  name: "look",
  description: "Reads a record.",
  schema: z.object({}),
  effect: "none",
  source: { integrity: 2 },
  run: () => "a record",
}) as unknown as HarnessTool;

/** What of a world can be put in place of the usual. */
export interface WorldOptions {
  readonly url?: string;
  readonly policy?: Policy;
  readonly refund?: Partial<Refund>;
  /** What the planner asks for after it has looked. Default: the refund that will be approved. */
  readonly plan?: readonly [name: string, args: Record<string, unknown>][];
}

type Run = {
  readonly messages: BaseMessage[];
  readonly __interrupt__?: readonly { id: string; value: { requests: readonly { id: string }[] } }[];
};

/** An agent with everything around it that an adversary can get hold of. */
export class World {
  readonly providers = new Providers();
  readonly saver: BaseCheckpointSaver = new MemorySaver();
  /** Added to the journal's clock, in ms. */
  passed = 0;
  /** How many events there were when the adversary began. */
  private quiet = 0;
  /** What the planner asks for. A branch that asks the model again gets what is here by then. */
  plan: readonly [name: string, args: Record<string, unknown>][];
  readonly journal;
  graph;
  readonly model;
  private readonly policy: Policy;

  constructor({ url = "memory:", policy = balanced, refund = {}, plan = [["refund", APPROVED]] }: WorldOptions = {}) {
    this.plan = plan;
    this.policy = policy;
    this.journal = openJournal(url, { clock: { ...systemClock, now: () => systemClock.now() + this.passed } });
    const told = ({ messages }: { messages: readonly { content: string }[] }) => messages.at(-1)?.content ?? "";
    this.model = scriptedModel(script([calls(["look", {}]), () => calls(...this.plan), told, told, told]));
    this.graph = this.build([this.providers.refund("bank", refund)]);
  }

  /** The graph as another release of the program builds it: on the same journal, model and checkpoints. */
  build(tools: readonly HarnessTool[], policy = this.policy, reader = look) {
    const { journal, model, saver: checkpointer } = this;
    return agentGraph({ journal, model, prompt: "You are under attack.", tools: [reader, ...tools], policy }).compile({
      checkpointer,
    });
  }

  /** Replaces the graph. */
  release(tools: readonly HarnessTool[], policy = this.policy): void {
    this.graph = this.build(tools, policy);
  }

  async run(input: unknown, config: object = {}): Promise<Run> {
    const { configurable = {}, ...rest } = config as { configurable?: object };
    const merged = { ...rest, configurable: { ...THREAD.configurable, ...configurable } };
    return (await this.graph.invoke(input as never, merged)) as unknown as Run;
  }

  /** Runs until a person is asked. Returns what is asked, and the interrupt's id. */
  async ask(config: object = {}): Promise<{ readonly approval: ApprovalRecord; readonly interrupt: string }> {
    const run = await this.run({ messages: [new HumanMessage("refund order 1")] }, config);
    const interrupt = run.__interrupt__?.[0];
    const approval = await this.journal.approval(interrupt?.value.requests[0]?.id ?? "");
    if (approval === undefined || interrupt === undefined) throw new Error("nobody was asked");
    await this.watch();
    return { approval, interrupt: interrupt.id };
  }

  /** Asks, and lets the operating system's user approve. */
  async askAndApprove(): Promise<ApprovalRecord> {
    const { approval } = await this.ask();
    return this.journal.decideApproval(approval.id, "approved", { by: "ann", authenticated: "cli" });
  }

  /** Runs until `node` is next, without anybody being asked. */
  async stopBefore(node: "gate" | "act"): Promise<void> {
    await this.run({ messages: [new HumanMessage("refund order 1")] }, { interruptBefore: [node] });
    await this.watch();
  }

  /** Writes a clearance into the state, as if the gate had, and goes on. */
  async clear(callId: string, key: string): Promise<void> {
    await this.graph.updateState(THREAD, { cleared: [{ callId, key }] }, "gate");
    await this.run(null);
  }

  /** Goes on until `act` is next: the refund is approved and cleared, and has not been made. */
  async stopBeforeAct(): Promise<ApprovalRecord> {
    const approval = await this.askAndApprove();
    await this.run(null, { interruptBefore: ["act"] });
    const { next } = await this.graph.getState(THREAD);
    if (next[0] !== "act") throw new Error(`not before act, but before ${next.join()}`);
    return approval;
  }

  /** Answers the question in the thread. */
  answer(interrupt: string, answer: unknown, config: object = {}, update?: object): Promise<Run> {
    const resume = { [interrupt]: answer };
    return this.run(new Command(update === undefined ? { resume } : { resume, update: { ...update } }), config);
  }

  async state(): Promise<{ readonly messages: BaseMessage[]; readonly cleared: { callId: string; key: string }[] }> {
    return (await this.graph.getState(THREAD)).values as never;
  }

  /** How the ledger names the call. */
  async intentOf(callId: string): Promise<string> {
    return openCalls((await this.state()).messages).find(({ id }) => id === callId)?.intent ?? "";
  }

  /** The planner's message that asks for the refund, with parts of it replaced under the same id. */
  async swapped(change: Partial<{ args: object; name: string; additional_kwargs: object }>): Promise<AIMessage> {
    const { messages } = await this.state();
    const plan = messages.findLast((each) => AIMessage.isInstance(each) && each.tool_calls?.length) as AIMessage;
    const { args, name, additional_kwargs = plan.additional_kwargs } = change;
    const swap = (call: object) => ({ ...call, ...(args === undefined ? {} : { args }), ...(name && { name }) });
    return new AIMessage({
      id: plan.id as string,
      content: plan.content,
      tool_calls: (plan.tool_calls ?? []).map((call) => swap(call) as typeof call),
      response_metadata: plan.response_metadata,
      ...(additional_kwargs === undefined ? {} : { additional_kwargs: { ...additional_kwargs } }),
    });
  }

  /** The checkpoint before `node` ran last. */
  async before(node: string): Promise<{ readonly configurable: object }> {
    for await (const { next, config } of this.graph.getStateHistory(THREAD)) {
      if (next.includes(node)) return config as { configurable: object };
    }
    throw new Error(`${node} never ran`);
  }

  async events(thread = "t1"): Promise<readonly HarnessEvent[]> {
    return (await this.journal.events({ thread })).map(({ event }) => event);
  }

  /** From here on what happens is the adversary's doing. `ask` ends with it. */
  async watch(): Promise<void> {
    this.quiet = (await this.events()).length;
  }

  /** What the record says since then. */
  async attempts(thread = "t1"): Promise<readonly HarnessEvent[]> {
    return (await this.events(thread)).slice(thread === "t1" ? this.quiet : 0);
  }
}

/**
 * Gate and act behind a planner that is only a function: for messages that no model can send, since they would have to
 * come through JSON. The thread has read something, so that a person is asked.
 */
export function stagedGraph({ journal, model, saver }: World, refund: HarnessTool, plan: () => AIMessage) {
  const toolbox = createToolbox({ tools: [refund] });
  const common = { journal, toolbox, policy: balanced };
  const read = { trust: mark(label({ integrity: 2 }), "read through a stub") };
  return new HarnessGraph({ ...common, model: model.description, close: async () => undefined })
    .addNode("recall", recall({ journal }))
    .addNode(
      "planner",
      harnessNode("taint", journal, async () => ({ messages: [plan()], ...read })),
    )
    .addNode("gate", gate(common))
    .addNode("act", act(common))
    .addNode(
      "compact",
      harnessNode("neutral", journal, async () => ({})),
    )
    .addEdge(START, "recall")
    .addEdge("recall", "planner")
    .addEdge("planner", "gate")
    .addConditionalEdges("gate", afterGate, ["act", "compact"])
    .addEdge("act", "compact")
    .compile({ checkpointer: saver });
}
