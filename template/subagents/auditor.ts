// Checks a planned irreversible action against the evidence, before the gate sees it.

import type { HarnessTool } from "bulkhead/nodes";
import { defineSubagent, type SubagentHost } from "bulkhead/subagents";

/** Confirms or contradicts that a planned action is aimed at the right record. */
export const auditor = (tools: readonly HarnessTool[], host: SubagentHost) =>
  defineSubagent(
    {
      name: "auditor",
      description: "Checks one planned irreversible action against the records before it is done.",
      prompt: `You are the auditor of a customer-records desk. You are told of one planned action and its reason.
Read the records it rests on and answer with one line: CONFIRMED, CONTRADICTED or INSUFFICIENT, then the evidence with ids.
Use structured fields only; do not read ticket text.`,
      tools: tools.filter((tool) => tool.effect === "none" && tool.name !== "read_ticket_text"),
    },
    host,
  );
