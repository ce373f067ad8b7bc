// The agent of this project. The wiring is yours to read and change; `builder.compile()` proves that no effect can be
// reached around the gate and tells you when a change breaks that.

import { END, START } from "@langchain/langgraph";
import { afterCompact, afterGate, afterPlanner, HarnessGraph, readBudget, readPolicy } from "bulkhead/graphs";
import { readSettings, resolveModel } from "bulkhead/models";
import {
  act,
  capacityGuard,
  compact,
  createToolbox,
  delegate,
  gate,
  planner,
  recall,
  sendTasks,
  sendTools,
  tools as toolsNode,
} from "bulkhead/nodes";
import { openThreads } from "../checkpoints/index.js";
import { folder, openMemory } from "../memory/index.js";
import { tools } from "../nodes/index.js";
import { subagents } from "../subagents/index.js";
import { prompt } from "./prompt.js";

const settings = readSettings();
const journal = openThreads(settings);
const { model, description, close: closeModel } = resolveModel(settings, { seal: journal.seal });
const memory = openMemory(settings, journal);
const policy = readPolicy(settings.policy);
const budget = readBudget(settings, description);
const domainTools = tools(settings);
const toolbox = createToolbox({
  tools: domainTools,
  subagents: subagents(domainTools, { journal, model, policy }),
  memory: memory.items,
  folder,
});

// What a worker's /metrics shows. Add the quotas of your tools' own services.
const pools = model.routes.map(({ pool }) => pool);

const close = async () => {
  await closeModel();
  await memory.close();
  await journal.close();
};

const builder = new HarnessGraph({ journal, model: description, toolbox, policy, budget, pools, close })
  .addNode("recall", recall({ journal, memory: memory.items, folder }))
  .addNode("guard", capacityGuard(model.capacity, { journal }))
  .addNode("planner", planner({ journal, model, toolbox, prompt }))
  .addNode("guard_delegate", capacityGuard(model.capacity, { journal }))
  .addNode("delegate", delegate({ journal, toolbox }))
  .addNode("guard_tools", capacityGuard("tools", { journal }))
  .addNode("tools", toolsNode({ journal, toolbox, policy }))
  .addNode("gate", gate({ journal, toolbox, policy }))
  .addNode("act", act({ journal, toolbox, policy }))
  .addNode("compact", compact({ journal, model }))
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

export const agent = builder.compile();
