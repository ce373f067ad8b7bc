// The tool of the effect tests: it sends, through a provider of each kind, and its planner sends again what certainly
// failed, as planners do. What is in doubt the planner leaves alone.

import { z } from "zod";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { using } from "../contracts/effect-tool/trial.js";
import type { FileProvider } from "./matrix.js";

export function sendTool(provider: FileProvider): HarnessTool {
  return defineTool({
    name: "send",
    description: "Sends.",
    schema: z.object({ to: z.string() }),
    source: {},
    honoursKey: provider.kind === "honours keys",
    ...(provider.kind === "can be probed"
      ? { probe: (key: string) => (provider.effects().includes(key) ? "committed" : "failed") }
      : {}),
    run: (_args, { idempotencyKey }) => {
      provider.send(idempotencyKey);
      return "sent";
    },
  }) as unknown as HarnessTool;
}

/** Sends, and answers with what it was told. */
export const sender = using({ name: "send" }, { to: "a" });
