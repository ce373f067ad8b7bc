// `bulkhead approvals`: what the gate is waiting for.

import type { Command } from "commander";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";

interface ApprovalsOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly thread?: string;
}

export const approvalsCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("approvals", "list the actions that wait for a decision", [
        "bulkhead approvals",
        "bulkhead approvals --json | jq -r '.[0].id'",
      ]),
    ),
  )
    .option("--thread <id>", "of this thread only")
    .action(async (options: ApprovalsOptions) => list(options, terminal));

async function list({ json = false, thread, ...flags }: ApprovalsOptions, terminal: Terminal): Promise<void> {
  const { withJournal } = await import("../journal.js");
  const { listingOf } = await import("../run/result.js");
  const { describeRequest } = await import("../run/approvals.js");
  await withJournal(terminal, flags, async ({ journal }) => {
    const pending = await journal.approvals({ status: "pending", ...(thread === undefined ? {} : { thread }) });
    if (json) return terminal.out(JSON.stringify(pending.map(listingOf), null, 2));
    if (pending.length === 0) return terminal.out("Nothing waits for a decision.");
    for (const request of pending) {
      terminal.out(`${request.id}  thread ${request.thread}`);
      terminal.out(`${describeRequest(request, terminal.outStyle)}\n`);
    }
    terminal.out(`Next:\n  ${terminal.program} approve ID\n  ${terminal.program} reject ID --reason TEXT`);
  });
}
