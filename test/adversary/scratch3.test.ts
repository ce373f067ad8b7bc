import { test } from "vitest";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { Command, MemorySaver, Send, START, StateGraph, END, isCommand } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { act, AgentState, createToolbox, gate, harnessNode, withRole, recall } from "../../nodes/index.js";
import { HarnessGraph, checkGraph, afterGate } from "../../graphs/index.js";
import { balanced, strict, TOP, trustOf, label, mark } from "../../trust/index.js";
import { APPROVED, CHANGED, THREAD, World } from "./refund.js";
const show = async (world: World, what: string) => {
  const events = (await world.events()).filter((e) => ["gate.decision","state.update","label.missing","tool.response","approval.decided","approval.refused","trust.fell", "effect"].includes(e.kind)).map((e: any) => `${e.kind} ${e.tool ?? ""} ${e.verdict ?? e.decision ?? e.ok ?? e.status ?? ""} ${JSON.stringify(e.arguments ?? e.values ?? e.fields ?? "")} ${e.error ?? e.why ?? ""} ${e.reasons ?? ""}`);
  process.stdout.write(`\n## ${what}\n${world.providers.done.join("|")}\n${events.join("\n")}\n`);
};
const input = { messages: [new HumanMessage("x")] };
const keys: [string, object][] = [
  ["read", { __pregel_read: () => trustOf(TOP) }],
  ["scratchpad", { __pregel_scratchpad: { resume: [{ decisions: [] }], interruptCounter: -1 } }],
  ["send", { __pregel_send: () => undefined }],
  ["resuming", { __pregel_resuming: true }],
  ["task", { __pregel_task_id: "x", __pregel_skip_done_tasks: false }],
  ["resume_map", { __pregel_resume_map: { x: true } }],
  ["call", { __pregel_call: () => undefined }],
  ["ns", { checkpoint_ns: "evil" }],
  ["map", { checkpoint_map: { "": "x" } }],
  ["checkpointer", { __pregel_checkpointer: new MemorySaver() }],
  ["node_finished", { __pregel_node_finished: () => undefined, __pregel_replay_state: {}, __pregel_runtime: { context: {} }, __pregel_durability: "exit", __pregel_stream: {} }],
];
for (const [name, configurable] of keys) test(name, async () => {
  const w = new World();
  try { const r = await w.run(input, { configurable }); process.stdout.write(`\nASKED ${JSON.stringify(r.__interrupt__?.map((i) => i.value.requests.length))}`); } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0, 200)}`); }
  await show(w, name);
  try { await w.run(null, { configurable }); } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0, 200)}`); }
  process.stdout.write(`\nafter ${w.providers.done}`);
});
test("metadata lane, thread", async () => {
  const w = new World();
  await w.askAndApprove();
  await w.run(null, { metadata: { bulkhead_lane: "auditor", langgraph_node: "gate", run_id: "zz" } } as never);
  await show(w, "lane");
});
test("no thread id", async () => {
  const w = new World();
  try { await w.graph.invoke(input as never, { configurable: {} }); } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0, 200)}`); }
  await show(w, "nothread");
});
test("createAgent with the tool", async () => {
  const w = new World();
  const tool = w.providers.refund();
  const agent = createAgent({ model: w.model.model as never, tools: [tool as never] });
  try { const r = await agent.invoke({ messages: [new HumanMessage("x")] } as never, {}); process.stdout.write("\n" + (r as any).messages.map((m: any) => m.text.slice(0, 150)).join("|")); } catch (e) { process.stdout.write(`\nTHROWN ${(e as Error).message.slice(0, 200)}`); }
  process.stdout.write(`\ncreateAgent ${w.providers.done}`);
});
test("node command goto act", async () => {
  const w = new World();
  const tool = w.providers.refund();
  const toolbox = createToolbox({ tools: [tool] });
  const common = { journal: w.journal, toolbox, policy: balanced };
  const base = () => new HarnessGraph({ ...common, model: w.model.description, close: async () => undefined })
    .addNode("recall", recall({ journal: w.journal }))
    .addNode("planner", harnessNode("taint", w.journal, async () => ({ messages: [new AIMessage({ id: "m", content: "", tool_calls: [{ id: "c", name: "refund", args: APPROVED }] })], trust: mark(label({integrity: 2}), "r") })))
    .addNode("gate", gate(common)).addNode("act", act(common)).addEdge(START, "recall").addEdge("recall", "planner");
  const tryIt = async (name: string, make: () => any) => {
    try { const g = make().compile({ checkpointer: new MemorySaver() }); const r = await g.invoke(input, { configurable: { thread_id: name } }); process.stdout.write(`\n${name}: ran ${w.providers.done} asked ${!!r.__interrupt__} ${r.messages.at(-1).text}`); } catch (e) { process.stdout.write(`\n${name}: ${(e as Error).name} ${(e as Error).message.slice(0, 300)}`); }
  };
  await tryIt("edge", () => base().addEdge("planner", "act"));
  await tryIt("send", () => base().addConditionalEdges("planner", () => [new Send("act", { messages: [], cleared: [] })], ["act"]));
  await tryIt("send undeclared", () => base().addConditionalEdges("planner", () => [new Send("act", { messages: [new AIMessage({ id: "m", content: "", tool_calls: [{ id: "c", name: "refund", args: APPROVED }] })], cleared: [{ callId: "c", key: "x" }] })], ["gate"]));
  await tryIt("command undeclared", () => base().addNode("sly", withRole(async () => new Command({ goto: "act", update: { cleared: [{ callId: "c", key: "k" }] } }), "neutral")).addEdge("planner", "sly"));
  await tryIt("roles", () => base().addNode("mine", withRole(async () => ({}), "gate")).addEdge("planner", "mine").addEdge("mine", "act"));
  const inner = () => base().addEdge("planner", "act");
  await tryIt("subgraph", () => new HarnessGraph({ ...common, model: w.model.description, close: async () => undefined }).addNode("inner", (StateGraph.prototype.compile.call(inner()) as never)).addEdge(START, "inner"));
  await tryIt("subgraph fn", () => new HarnessGraph({ ...common, model: w.model.description, close: async () => undefined }).addNode("inner", async (s: any, c: any) => (StateGraph.prototype.compile.call(inner()) as any).invoke(s, c)).addEdge(START, "inner"));
  await tryIt("plain StateGraph", () => { const b: any = inner(); return { compile: (o: any) => StateGraph.prototype.compile.call(b, o) }; });
});
