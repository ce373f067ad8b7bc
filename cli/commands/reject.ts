// `bulkhead reject ID`: refuses one action for good.

import type { Command } from "commander";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { type DecideOptions, decide } from "./decide.js";

export const rejectCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("reject", "refuse a waiting action", [
        'bulkhead reject approval-0123456789abcdef --reason "the customer called it off"',
      ]),
    ),
  )
    .argument("<id>", "the approval, as `bulkhead approvals` lists it")
    .option("--reason <text>", "why; the agent is told")
    .action((id: string, options: DecideOptions) => decide(id, "rejected", options, terminal));
