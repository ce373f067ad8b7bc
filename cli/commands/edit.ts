// `bulkhead edit ID --arguments JSON`: puts other arguments in place of those that wait for a decision. The gate judges
// them anew, and asks about what they say.

import { type Command, InvalidArgumentError } from "commander";
import { viewOfCall } from "../../nodes/view.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";
import { shellWord } from "../text.js";

interface EditOptions {
  readonly db?: string;
  readonly json?: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
}

function object(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below: the same answer for no JSON and for JSON that is no object.
  }
  throw new InvalidArgumentError('Write a JSON object with all arguments: \'{"order_id": 7781, "amount": 49}\'.');
}

export const editCommand = (terminal: Terminal): Command =>
  withJson(
    withDatabase(
      command("edit", "change the arguments of a waiting action; it is asked about again", [
        `bulkhead edit approval-0123456789abcdef --arguments '{"order_id": 7781, "amount": 49}'`,
      ]),
    ),
  )
    .argument("<id>", "the approval, as `bulkhead approvals` lists it")
    .requiredOption("--arguments <json>", "all arguments, as they should be; the tool stays what it is", object)
    .action((id: string, options: EditOptions) => edit(id, options, terminal));

async function edit(
  id: string,
  { db, json = false, arguments: edited }: EditOptions,
  terminal: Terminal,
): Promise<void> {
  const { redactUrl } = await import("../../checkpoints/database/target.js");
  const { withJournal } = await import("../journal.js");
  const { decider } = await import("../run/approvals.js");
  const { wakeInQueue } = await import("../worker/wake.js");
  await withJournal(terminal, db === undefined ? {} : { db }, async ({ journal, settings }) => {
    const approver = decider();
    const { thread, run, tool } = await journal.editApproval(id, edited, approver);
    await journal.append({ thread, run }, { kind: "approval.decided", id, tool, decision: "edited", ...approver });
    const goOn = `${terminal.program} run --thread ${shellWord(thread)} --resume${db === undefined ? "" : ` --db ${shellWord(redactUrl(db))}`}`;
    const next = (await wakeInQueue(thread, settings, terminal)) ? `${terminal.program} queue` : goOn;
    if (json) return terminal.out(JSON.stringify({ id, thread, tool, arguments: edited, decision: "edit", next }));
    terminal.out(`edited: ${viewOfCall(tool, edited)}`);
    terminal.out(`It is judged anew, and asked about, when the run goes on. Next:\n  ${next}`);
  });
}
