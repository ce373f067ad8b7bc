// That the agent's wiring holds is proved when `graphs/agent.ts` compiles; this says what you may rely on after that.

import { harnessOf } from "bulkhead/graphs";
import { expect, test } from "vitest";
import { agent } from "../graphs/agent.js";

test("the only way to act is through the gate", async () => {
  const { edges } = await agent.getGraphAsync();
  expect(edges.filter(({ target }) => target === "act").map(({ source }) => source)).toEqual(["gate"]);
});

test("the planner is offered the tools of nodes/index.ts and the harness's own", () => {
  const names = harnessOf(agent)?.toolbox.tools.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["read_ticket", "refund_order", "write_todos", "task", "remember"]));
});
