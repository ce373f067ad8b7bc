// Answers what the gate asks during `run`: by flag, or by asking the person at the terminal. Every answer goes into
// the journal with who gave it; nothing here lets an action pass by itself.

import { userInfo } from "node:os";
import { ApprovalError } from "../../checkpoints/errors.js";
import type { ApprovalRecord, Approver, Journal } from "../../checkpoints/index.js";
import { describeCause } from "../../trust/cause.js";
import { describeDeficit } from "../../trust/policy.js";
import type { Terminal } from "../terminal.js";
import { barsOf, describeDeficits, type Style } from "../text.js";

/** How `run` answers the gate. */
export type ApproveMode = "ask" | "yes" | "no";

/** Who decides: the operating system's user, by the name that a policy's `approvers` would list. */
export const decider = (): Approver => ({ by: userName(), authenticated: "cli" });

/** Who settles an effect and with what, for the record: `cli effects resolve (OS user ada)`. */
export const operator = (how: string): string => `${how} (OS user ${userName()})`;

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "without a name"; // A container's user may have no entry in /etc/passwd.
  }
}

/** Decides one approval and records it. @throws ApprovalError when it is decided, expired or unknown. */
export async function decideApproval(
  journal: Journal,
  id: string,
  decision: "approved" | "rejected",
  approver: Approver,
  reason?: string,
): Promise<ApprovalRecord> {
  const decided = await journal.decideApproval(id, decision, approver, reason);
  const { thread, run, tool } = decided;
  const told = { kind: "approval.decided", id, tool, decision, ...approver } as const;
  await journal.append({ thread, run }, reason === undefined ? told : { ...told, reason });
  return decided;
}

/** A request as it is shown to the person who decides: what exactly would be done, and why it is not done already. */
export function describeRequest(request: ApprovalRecord, style: Style): string {
  const { view, considered, deficits, reasons, causes, expiresAt } = request;
  const concerned = causes.filter((cause) => deficits.length === 0 || deficits.some(({ axis }) => axis === cause.axis));
  const said = new Set([...deficits.map(describeDeficit), ...causes.map(({ reason }) => reason)]);
  const others = reasons.filter((reason) => !said.has(reason));
  const shortfall = deficits.length === 0 ? "" : `  ${describeDeficits(deficits)}`;
  return [
    ...view.split("\n").map((line, index) => (index === 0 ? style.bold(line) : line)),
    `  trust    ${style.warn(`${barsOf(considered)}${shortfall}`)}`,
    ...[...new Set([...concerned.map(describeCause), ...others])].map((why) => `  because  ${why}`),
    `  expires  ${new Date(expiresAt).toISOString()}`,
  ].join("\n");
}

/** What {@link answerPending} needs to know. */
export interface Answering {
  readonly journal: Journal;
  readonly thread: string;
  readonly mode: ApproveMode;
  readonly terminal: Terminal;
  /** Whether a person may be asked now. */
  readonly interactive: boolean;
  readonly signal: AbortSignal;
}

/** Answers what is pending in the thread. Returns whether anything was decided, so that going on makes sense. */
export async function answerPending(answering: Answering): Promise<boolean> {
  const { journal, thread, mode, terminal, interactive } = answering;
  let decided = false;
  for (const request of await journal.approvals({ thread, status: "pending" })) {
    if (mode !== "ask") {
      const decision = mode === "yes" ? "approved" : "rejected";
      await decideApproval(journal, request.id, decision, decider(), `--approve ${mode}`);
      decided = true;
    } else if (interactive) {
      terminal.err(`\n${describeRequest(request, terminal.errStyle)}`);
      const decision = await ask(answering);
      if (decision === undefined) continue;
      decided = (await decideUnlessDecided(answering, request.id, decision)) || decided;
    }
  }
  return decided;
}

async function ask({ terminal, signal }: Answering): Promise<"approved" | "rejected" | undefined> {
  try {
    const answer = await terminal.ask("Do it? y: yes, n: no, Enter: decide later [y/n/Enter] ", signal);
    if (/^y(es)?$/i.test(answer.trim())) return "approved";
    return /^no?$/i.test(answer.trim()) ? "rejected" : undefined;
  } catch (error) {
    if (signal.aborted) return undefined; // Ctrl-C at the question leaves it open.
    throw error;
  }
}

/** Somebody may have answered from another terminal while the question stood here. That answer counts. */
async function decideUnlessDecided(
  { journal, terminal }: Answering,
  id: string,
  decision: "approved" | "rejected",
): Promise<boolean> {
  try {
    await decideApproval(journal, id, decision, decider());
  } catch (error) {
    if (!ApprovalError.isInstance(error)) throw error;
    terminal.err(error.message);
  }
  return true;
}
