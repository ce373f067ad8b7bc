// That the agent's wiring holds is proved when `graphs/agent.ts` compiles; this says what you may rely on after that.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { harnessOf } from "bulkhead/graphs";
import { gateContract, trustContract } from "bulkhead/testing";
import { afterAll, expect, test } from "vitest";
import { RecordsDatabase } from "../nodes/records/database.js";

// Before the graph is imported, which reads them: a journal and records of its own.
const workspace = mkdtempSync(join(tmpdir(), "agent-"));
process.env["BULKHEAD_DB"] = "memory:";
process.env["BULKHEAD_WORKSPACE"] = workspace;
const { agent } = await import("../graphs/agent.js");
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

test("the only way to act is through the gate", async () => {
  const { edges } = await agent.getGraphAsync();
  expect(edges.filter(({ target }) => target === "act").map(({ source }) => source)).toEqual(["gate"]);
});

test("the planner is offered the tools of nodes/index.ts and the harness's own", () => {
  const names = harnessOf(agent)?.toolbox.tools.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["read_ticket", "refund_order", "write_todos", "task", "remember"]));
});

gateContract(agent, {
  tool: "refund_order",
  args: { order_id: 7781, charge_id: "CH-7781-2", amount: 1, reason: "ticket 1077" },
  changed: { order_id: 7781, charge_id: "CH-7781-2", amount: 30, reason: "ticket 1077" },
  effects: () => {
    const records = new RecordsDatabase(workspace);
    const refunds = records.count("select count(*) as count from refunds");
    records.close();
    return refunds;
  },
});

trustContract(agent, { task: "How many tickets are open?" });
