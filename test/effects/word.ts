// One call of one tool in an agent, and what the ledger says of it.

import { z } from "zod";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

/** Calls a tool once in an agent. Returns what the planner is told and what the ledger says. */
export async function ledgerOf(tool: HarnessTool, args: Record<string, unknown> = {}) {
  const agent = testAgent(script([calls([tool.name, args]), ({ messages }) => messages.at(-1)?.content ?? ""]), {
    tools: [tool],
  });
  const { answer } = await agent.run("send");
  const effects = await agent.journal.effects();
  await agent.journal.close();
  return { answer, status: effects[0]?.status, error: effects[0]?.error, attempts: effects[0]?.attempts };
}

/** A tool that does `run`. */
export const sending = (run: (signal: AbortSignal) => unknown, effect: "irreversible" | "compensable" | "idempotent") =>
  defineTool({
    ...{ name: "send", description: "Sends.", schema: z.object({}), source: {}, effect },
    run: (_, { signal }) => run(signal),
  }) as unknown as HarnessTool;

/** The ledger's word for a tool that does `run`. */
export const word = async (
  run: (signal: AbortSignal) => unknown,
  effect: Parameters<typeof sending>[1] = "irreversible",
) => (await ledgerOf(sending(run, effect))).status;
