// What `approve` and `reject` have in common: decide one approval, say what was decided, and how the run goes on.

import { viewOfCall } from "../../nodes/view.js";
import type { Terminal } from "../terminal.js";
import { shellWord } from "../text.js";

/** The options of both. */
export interface DecideOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly reason?: string;
}

/** Decides the approval `id`. @throws ApprovalError when it is unknown, expired or decided already. */
export async function decide(
  id: string,
  decision: "approved" | "rejected",
  { db, json = false, reason }: DecideOptions,
  terminal: Terminal,
): Promise<void> {
  const { redactUrl } = await import("../../checkpoints/database/target.js");
  const { withJournal } = await import("../journal.js");
  const { decideApproval, decider } = await import("../run/approvals.js");
  const { wakeInQueue } = await import("../worker/wake.js");
  await withJournal(terminal, db === undefined ? {} : { db }, async ({ journal, settings }) => {
    const record = await decideApproval(journal, id, decision, decider(), reason);
    const goOn = `${terminal.program} run --thread ${record.thread} --resume${db === undefined ? "" : ` --db ${shellWord(redactUrl(db))}`}`;
    const next = (await wakeInQueue(record.thread, settings, terminal)) ? `${terminal.program} queue` : goOn;
    if (json) {
      const { tool, thread, arguments: args, decidedBy: by } = record;
      return terminal.out(JSON.stringify({ id, thread, tool, arguments: args, decision, by, next }));
    }
    terminal.out(`${decision}: ${viewOfCall(record.tool, record.arguments)}`);
    terminal.out(`Next:\n  ${next}`);
  });
}
