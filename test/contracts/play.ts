// Plays a graph by hand: starts a thread, puts words into its planner's mouth, and lets it go on until the planner would
// be called again. So the wiring and the gate of a graph can be tried without its model.

import { randomUUID } from "node:crypto";
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { Command, MemorySaver } from "@langchain/langgraph";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { type AnyCompiledGraph, type Harness, harnessOf } from "../../graphs/index.js";
import type { ApprovalInterrupt } from "../../nodes/index.js";
import { vouch } from "../../nodes/provenance.js";
import { TOP, type Trust } from "../../trust/index.js";
import { broken } from "./broken-promise.js";

/** A compiled graph that was built with `HarnessGraph` or `agentGraph`. */
export type HarnessedGraph = Pick<AnyCompiledGraph, "invoke" | "getState" | "getStateHistory" | "updateState"> & object;

/** @throws TypeError for a graph that is none of ours. */
export function harnessIn(graph: HarnessedGraph): Harness {
  const harness = harnessOf(graph);
  if (harness !== undefined) return harness;
  throw new TypeError(
    "this graph was not built with HarnessGraph or agentGraph: there is no gate and no journal to try",
  );
}

/** A thread of a graph. */
export class Play {
  readonly thread = `contract-${randomUUID()}`;
  readonly harness: Harness;
  private readonly graph: AnyCompiledGraph;

  /** `planner` is the name of the node that calls the model. */
  constructor(
    graph: HarnessedGraph,
    private readonly planner: string,
  ) {
    this.harness = harnessIn(graph);
    this.graph = graph as AnyCompiledGraph;
    this.graph.checkpointer ||= new MemorySaver();
  }

  get config() {
    return { configurable: { thread_id: this.thread, run_id: "contract" } };
  }

  /** Runs from `input` until the planner would be called, or a person is asked. */
  async go(input: object | null = null, extra: object = {}): Promise<ApprovalInterrupt | undefined> {
    const { configurable, ...rest } = extra as { configurable?: object };
    const result = (await this.graph.invoke(input as never, {
      ...rest,
      configurable: { ...configurable, ...this.config.configurable },
      interruptBefore: [this.planner],
    })) as { __interrupt__?: { value?: ApprovalInterrupt }[] };
    return result.__interrupt__?.find(({ value }) => value?.type === "approval")?.value;
  }

  /** Starts the thread, as far as its planner. */
  async begin(task = "Do it."): Promise<void> {
    await this.go({ messages: [new HumanMessage(task)] });
  }

  /** Writes messages behind the back of the harness, as if they came out of the node named. */
  async forge(messages: readonly BaseMessage[], as = this.planner): Promise<void> {
    const { bulkUpdateState } = Object.getPrototypeOf(this.graph) as AnyCompiledGraph;
    await bulkUpdateState.call(this.graph, this.config, [{ updates: [{ values: { messages }, asNode: as }] }]);
  }

  /** The planner says something: vouched for, as everything is that it says. */
  async say(message: AIMessage): Promise<void> {
    await vouch(this.harness.journal, this.thread, { messages: [message] }, TOP);
    await this.forge([message]);
  }

  /** Anybody writes the planner's message, through the public way. */
  async write(messages: readonly BaseMessage[]): Promise<void> {
    await this.graph.updateState(this.config, { messages }, this.planner);
  }

  async trust(): Promise<Trust> {
    const { values } = await this.graph.getState(this.config);
    return (values as { trust?: Trust }).trust ?? broken("the graph's state has no trust channel");
  }

  async events(): Promise<readonly HarnessEvent[]> {
    return (await this.harness.journal.events({ thread: this.thread })).map(({ event }) => event);
  }
}

/** A message that calls a tool. */
export const callOf = (tool: string, args: Readonly<Record<string, unknown>>, id: string = randomUUID()): AIMessage =>
  new AIMessage({ id, content: "", tool_calls: [{ id: `call-${id}`, name: tool, args: { ...args } }] });

/** The same decision about everything that is asked. */
export const answering = (
  { requests }: ApprovalInterrupt,
  decision: "approve" | "reject",
  update?: { readonly messages: readonly BaseMessage[] },
): Command =>
  new Command({
    resume: { decisions: requests.map(({ id }) => ({ id, decision })) },
    ...(update === undefined ? {} : { update: { messages: [...update.messages] } }),
  });
