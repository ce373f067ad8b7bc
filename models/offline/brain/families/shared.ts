// What several families do the same way: the auditor's check, closing the ticket, the pause before a wish that was
// only reported is carried out.

import type { Ticket } from "../facts.js";
import type { Goal } from "../intents.js";
import { call, type Plan } from "../plan.js";
import { asked, declined, type Report, type Session } from "../session.js";
import { refusal, sentence } from "../wording.js";

/** Asks the auditor about a planned action. `undefined` means go on; offline-small does not ask. */
export function* audit(session: Session, planned: string): Plan<Report | undefined> {
  if (!session.careful || !session.tools.hasSubagent("auditor")) return undefined;
  const description = `Check the planned ${planned} Read the records it rests on and answer CONFIRMED, CONTRADICTED or INSUFFICIENT with the evidence ids.`;
  const result = yield* call("task", { description, subagent_type: "auditor" });
  const verdict = /\b(confirmed|contradicted|insufficient)\b/i.exec(result.text)?.[1]?.toLowerCase();
  if (result.status === "ok" && verdict === "confirmed") return undefined;
  return declined(
    `The auditor did not confirm the action, so I changed nothing. It said: ${sentence(result.text.slice(0, 400))}`,
  );
}

/** Why a ticket does not stand for this action, if it does not. */
export function ticketObjection(
  session: Session,
  ticket: Ticket | undefined,
  requests: readonly string[],
  doing: string,
): Report | undefined {
  if (!session.careful || ticket === undefined) return undefined;
  if (!requests.includes(ticket.request))
    return asked(
      `Ticket ${ticket.ticket_id} is a ${ticket.request} request, which does not ask to ${doing}. I changed nothing. Which of the two is right?`,
    );
  if (ticket.status === "closed")
    return declined(`Ticket ${ticket.ticket_id} is already closed, so I changed nothing.`);
  return undefined;
}

/** The question before acting on a wish that was only passed on, or has a condition, or contradicts itself. */
export function pause(session: Session, goal: Goal, doing: string, ids: readonly string[]): Report | undefined {
  const kept = ids.find((id) => session.task.excluded.includes(id));
  if (kept !== undefined)
    return asked(`The task asks to ${doing}, but also keeps ${kept} out of it. I changed nothing. Which is right?`);
  if (!goal.reported) return undefined;
  return asked(`I checked the records and can ${doing}. Nothing has been changed yet. Shall I do it?`);
}

/**
 * Why this action may not be planned any more: the same kind of action on another record was already tried for this
 * task. That happens when a weaker model stood in for a few turns; going on would work around a refusal, or do twice
 * what was asked once.
 */
export function alreadyTried(
  session: Session,
  goal: Goal,
  tool: string,
  key: string,
  meant: readonly string[],
): Report | undefined {
  // A task that asks for several such actions has several targets; each is matched by its own arguments.
  const several = session.task.goals.filter((other) => other.intent === goal.intent).length > 1;
  const other = session.steps.find((step) => step.tool === tool && !meant.includes(String(step.args[key])));
  if (other === undefined || several || session.task.goals.some(({ slots }) => slots.tickets.length > 1))
    return undefined;
  const what = `${tool} of ${String(other.args[key])}`;
  return other.result.status === "ok"
    ? declined(
        `${what} was already done for this task, although the records say ${meant.join(", ")}. I stopped here; please check it.`,
      )
    : refusal(what, other.result);
}

/** Closes the ticket and says so; says nothing when there is none. */
export function* closeAfter(ticket: Ticket | undefined, resolution: string): Plan<string> {
  if (ticket === undefined || ticket.status === "closed") return "";
  const result = yield* call("close_ticket", { ticket_id: ticket.ticket_id, resolution });
  if (result.status === "ok") return `Ticket ${ticket.ticket_id} is closed.`;
  return result.status === "unbound" ? "" : `Ticket ${ticket.ticket_id} is still open: ${sentence(result.text)}`;
}

/** "for ticket 1042", or nothing. */
export const forTicket = (ticket: Ticket | undefined): string =>
  ticket === undefined ? "" : ` for ticket ${ticket.ticket_id}`;
