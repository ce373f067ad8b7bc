// A subagent of the house: a prompt, a few harmless tools and a small graph of the same nodes as the agent's. It has
// no gate and no effects; what has to be done is done by the parent, where the gate is.

import { END, MessagesValue, START, StateGraph } from "@langchain/langgraph";
import type { GuardedChatModel } from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import {
  agentFields,
  capacityGuard,
  createToolbox,
  type HarnessTool,
  isGated,
  openCalls,
  planner,
  type SubagentPort,
  sendTools,
  tools as toolsNode,
} from "../nodes/index.js";
import { type FloorSpecification, type Policy, TrustedState } from "../trust/index.js";
import { asSubagent, type SubagentGraph } from "./run.js";

/** What {@link defineSubagent} takes. */
export interface SubagentDefinition {
  /** Letters, digits, `_` and `-`. */
  readonly name: string;
  /** For the planner: when to delegate to it. */
  readonly description: string;
  /** Its instructions. */
  readonly prompt: string;
  /** Tools with effect `none` or `idempotent`. */
  readonly tools: readonly HarnessTool[];
  /** Default: the parent's model. */
  readonly model?: GuardedChatModel;
  /** An answer below this label is withheld. Default: none. */
  readonly floor?: FloorSpecification;
}

/** What a subagent gets from the graph it is part of. */
export interface SubagentHost {
  readonly journal: Journal;
  readonly model: GuardedChatModel;
  /** Its rules on arguments hold for the subagent's tools as well. */
  readonly policy: Policy;
}

const SubagentState = new TrustedState({ ...agentFields, messages: MessagesValue });

/** Builds the subagent's graph and wraps it. @throws TypeError when a tool has an effect that needs the gate. */
export function defineSubagent(definition: SubagentDefinition, host: SubagentHost): SubagentPort {
  const { name, description, prompt, tools, floor } = definition;
  const gated = tools.find((tool) => isGated(tool.effect));
  if (gated !== undefined) {
    throw new TypeError(
      `subagent ${name}: tool ${gated.name} is ${gated.effect}; a subagent has no gate. Give the tool to the agent and let the subagent only recommend.`,
    );
  }
  const { journal, policy } = host;
  const model = definition.model ?? host.model;
  const toolbox = createToolbox({ tools });
  const graph = new StateGraph(SubagentState)
    .addNode("guard", capacityGuard(model.capacity, { journal }))
    .addNode("planner", planner({ journal, model, toolbox, prompt }))
    .addNode("tools", toolsNode({ journal, toolbox, policy }))
    .addEdge(START, "guard")
    .addEdge("guard", "planner")
    .addConditionalEdges(
      "planner",
      (state) => (openCalls(state.messages).length === 0 ? END : sendTools("tools", toolbox)(state)),
      ["tools", END],
    )
    .addEdge("tools", "guard")
    .compile({ name });
  return asSubagent({
    name,
    description,
    graph: graph as unknown as SubagentGraph,
    ...(floor === undefined ? {} : { floor }),
  });
}
