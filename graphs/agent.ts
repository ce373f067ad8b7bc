// The agent graph, wired as the design draws it. A scaffolded project has this wiring as its own file to change;
// this one is for programs that want the agent as it is.

import { END, START } from "@langchain/langgraph";
import type { Patience } from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import type { LabelledMemory } from "../memory/index.js";
import type { ResolvedModel } from "../models/index.js";
import {
  act,
  type CompactOptions,
  capacityGuard,
  compact,
  createToolbox,
  delegate,
  gate,
  type HarnessTool,
  planner,
  type RunBudget,
  recall,
  type SubagentPort,
  sendTasks,
  sendTools,
  tools as toolsNode,
} from "../nodes/index.js";
import { balanced, type Policy } from "../trust/index.js";
import { HarnessGraph } from "./harness.js";
import { afterCompact, afterGate, afterPlanner } from "./routing.js";

/** What {@link agentGraph} takes. */
export interface AgentGraphOptions extends Patience {
  readonly journal: Journal;
  readonly model: Pick<ResolvedModel, "model" | "description" | "close">;
  /** The agent's instructions. */
  readonly prompt: string;
  readonly tools: readonly HarnessTool[];
  readonly subagents?: readonly SubagentPort[];
  readonly memory?: LabelledMemory;
  /** A folder with `AGENTS.md` and `skills/`. */
  readonly folder?: string;
  /** Default `balanced`. */
  readonly policy?: Policy;
  /** What each run may use, its subagents included. Default: as much as it likes. */
  readonly budget?: RunBudget | undefined;
  /** Limits of the compact node. */
  readonly compaction?: Partial<Pick<CompactOptions, "evictOver" | "summariseOver" | "keep">>;
}

/** Builds the agent graph. `agentGraph(options).compile()` is ready for Studio, the command line and a server. */
export function agentGraph(options: AgentGraphOptions) {
  const { journal, model, prompt, tools, subagents, memory, folder, policy = balanced } = options;
  const toolbox = createToolbox({
    tools,
    ...(subagents === undefined ? {} : { subagents }),
    ...(memory === undefined ? {} : { memory }),
    ...(folder === undefined ? {} : { folder }),
  });
  const remembered = { ...(memory === undefined ? {} : { memory }), ...(folder === undefined ? {} : { folder }) };
  const close = async () => {
    await model.close();
    await journal.close();
  };
  const { capacity, routes } = model.model;
  const { admission, patienceMs } = options;
  const guarded = {
    journal,
    ...(admission === undefined ? {} : { admission }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  };
  const pools = routes.map(({ pool }) => pool);
  return new HarnessGraph({ journal, model: model.description, toolbox, policy, budget: options.budget, pools, close })
    .addNode("recall", recall({ journal, ...remembered }))
    .addNode("guard", capacityGuard(capacity, guarded))
    .addNode("planner", planner({ journal, model: model.model, toolbox, prompt }))
    .addNode("guard_delegate", capacityGuard(capacity, guarded))
    .addNode("delegate", delegate({ journal, toolbox }))
    .addNode("guard_tools", capacityGuard("tools", guarded))
    .addNode("tools", toolsNode({ journal, toolbox, policy }))
    .addNode("gate", gate({ journal, toolbox, policy }))
    .addNode("act", act({ journal, toolbox, policy }))
    .addNode("compact", compact({ journal, model: model.model, ...options.compaction }))
    .addEdge(START, "recall")
    .addEdge("recall", "guard")
    .addEdge("guard", "planner")
    .addConditionalEdges("planner", afterPlanner(toolbox), ["guard_delegate", "guard_tools", "gate", END])
    .addConditionalEdges("guard_delegate", sendTasks("delegate", toolbox), ["delegate"])
    .addConditionalEdges("guard_tools", sendTools("tools", toolbox), ["tools"])
    .addEdge("delegate", "compact")
    .addEdge("tools", "compact")
    .addConditionalEdges("gate", afterGate, ["act", "compact"])
    .addEdge("act", "compact")
    .addConditionalEdges("compact", afterCompact(toolbox), ["gate", "guard"]);
}
