// The contracts of a graph, on the package's own agent graph, and on graphs that are wrong: each fault fails a case.

import { AIMessage } from "@langchain/core/messages";
import { END, START } from "@langchain/langgraph";
import { expect, test } from "vitest";
import { HarnessGraph } from "../../graphs/index.js";
import { type HarnessTool, recall, withRole } from "../../nodes/index.js";
import { definePolicy } from "../../trust/index.js";
import {
  type ContractCase,
  calls,
  type GateOptions,
  gateCases,
  gateContract,
  script,
  trustCases,
  trustContract,
} from "../contracts/index.js";
import { harnessIn } from "../contracts/play.js";
import { type TestAgentOptions, testAgent } from "../support/agent.js";

const brain = script([calls(["look", { id: "1" }]), "done"]);
const agent = testAgent(brain);
const options = (done: readonly string[]): GateOptions => ({
  tool: "pay",
  args: { to: "ann", amount: 1 },
  changed: { to: "mallory", amount: 1_000_000 },
  effects: () => done.length,
});

gateContract(agent.graph, options(agent.done));
trustContract(agent.graph, { task: "Look it up." });

async function brokenIn(cases: readonly ContractCase[]): Promise<readonly string[]> {
  const messages: string[] = [];
  for (const { run } of cases) await run().catch((error: Error) => messages.push(error.message));
  return messages;
}

const gateOf = (given: TestAgentOptions, change: Partial<GateOptions> = {}) => {
  const { graph, done } = testAgent(brain, given);
  return brokenIn(gateCases(graph, { ...options(done), ...change }));
};

test("a gate whose policy lets everything pass", async () => {
  const policy = definePolicy({ name: "off", floor: 0 });
  expect(await gateOf({ policy })).toContain("pay ran although nobody vouched for the call");
});

test("a tool that runs without a permit", async () => {
  const { tools } = testAgent(brain);
  const [pay] = tools.filter(({ name }) => name === "pay");
  const careless: HarnessTool = Object.create(pay ?? null, { execute: { value: async () => ({}) } });
  const [first] = await gateOf({ tools: [careless] });
  expect(first).toBe("pay ran without a permit from the gate. Do not override `execute`.");
});

test("a contract that counts nothing, or in the wrong place, does not pass by accident", async () => {
  expect(await gateOf({}, { effects: () => 0 })).toContainEqual(expect.stringMatching(/happened 0 times/));
  const { graph, done } = testAgent(brain);
  expect(() => gateCases(graph, { ...options(done), tool: "look" })).toThrow(/look is no gated tool.* pay, erase/);
  expect(() => harnessIn({} as never)).toThrow(/not built with HarnessGraph/);
});

test("a node that writes what nobody vouches for", async () => {
  const graph = new HarnessGraph(harnessIn(agent.graph))
    .addNode("recall", recall({ journal: agent.journal }))
    .addNode(
      "planner",
      withRole(() => ({ messages: [new AIMessage("All is well.")] }), "taint"),
    )
    .addEdge(START, "recall")
    .addEdge("recall", "planner")
    .addEdge("planner", END)
    .compile();
  const [first] = await brokenIn(trustCases(graph, { task: "Hello." }));
  expect(first).toBe("nobody vouched for messages[1] (ai): make the node that writes it with harnessNode");
});
