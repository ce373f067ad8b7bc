// `bulkhead approve ID`: lets one action pass, once.

import type { Command } from "commander";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { type DecideOptions, decide } from "./decide.js";

export const approveCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("approve", "let a waiting action pass, once", [
        "bulkhead approvals",
        "bulkhead approve approval-0123456789abcdef",
      ]),
    ),
  )
    .argument("<id>", "the approval, as `bulkhead approvals` lists it")
    .option("--reason <text>", "why, for the record")
    .action((id: string, options: DecideOptions) => decide(id, "approved", options, terminal));
