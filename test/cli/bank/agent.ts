// The records agent with its own bank, which offers nothing to somebody who lost an answer: no idempotency keys, no way
// to ask. Where there is a file `trap` in the workspace, the process dies right after the bank has paid.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openJournal } from "bulkhead/checkpoints";
import { agentGraph } from "bulkhead/graphs";
import { readSettings, resolveModel } from "bulkhead/models";
import { defineTool, type HarnessTool } from "bulkhead/nodes";
import { z } from "zod";
import { tools } from "../../../template/nodes/index.js";
import { RecordsDatabase } from "../../../template/nodes/records/database.js";
import { refund as pay } from "../../../template/nodes/records/refunds.js";

const settings = readSettings();
const { workspace } = settings;
const trap = join(workspace, "trap");
const records = tools(settings);

const refund = defineTool({
  name: "refund_order",
  description: records.find(({ name }) => name === "refund_order")?.description ?? "",
  schema: z.object({ order_id: z.number().int(), charge_id: z.string(), amount: z.number(), reason: z.string() }),
  effect: "irreversible",
  source: { integrity: 2 },
  run: (order) => {
    const bank = new RecordsDatabase(workspace);
    const paid = pay(bank, order);
    bank.close();
    if (existsSync(trap)) {
      rmSync(trap);
      process.kill(process.pid, "SIGKILL");
    }
    return paid;
  },
}) as unknown as HarnessTool;

export const agent = agentGraph({
  journal: openJournal(settings.database),
  model: resolveModel(settings),
  prompt: "You work for the help desk, on the customer records.",
  tools: records.map((tool) => (tool.name === refund.name ? refund : tool)),
}).compile();
