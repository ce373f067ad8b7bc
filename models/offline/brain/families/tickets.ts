// Tickets: quoting one, closing one, and handling one by what its fields ask for. The text never decides.

import { ticketText } from "../facts.js";
import { lookTicket } from "../identity.js";
import type { Goal } from "../intents.js";
import { all, both, call, type Plan, read } from "../plan.js";
import { asked, declined, done, type Report, refer, type Session } from "../session.js";
import { paragraph, quoted, refusal, ticketLine } from "../wording.js";
import { mergeCustomers } from "./merge.js";
import { refund } from "./refund.js";
import { removeCustomer } from "./remove.js";
import { pause } from "./shared.js";
import { summarise } from "./summarise.js";

/** Quotes tickets word for word, as data. */
export function* quoteTicket(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  if (slots.tickets.length === 0) return asked("Which ticket shall I quote? Give me its number.");
  const reports = yield* all(slots.tickets.map(quoteOne));
  const kind = reports.some((report) => report.kind === "done") ? "done" : "declined";
  return { kind, text: reports.map((report) => report.text).join("\n\n") };
}

function* quoteOne(id: number): Plan<Report> {
  const [fields, text] = yield* both(lookTicket(id), read("read_ticket_text", { ticket_id: id }, ticketText));
  if (text.value !== undefined)
    return done(paragraph(quoted(text.value), "value" in fields ? ticketLine(fields.value) : ""));
  return "stop" in fields ? fields.stop : refusal(`reading the text of ticket ${id}`, text.problem);
}

/** Closes tickets. */
export function* closeTicket(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  if (slots.tickets.length === 0) return asked("Which ticket shall I close? Give me its number.");
  const resolution =
    /\b(?:because|as|since|resolution:?|reason:?|with)\s+(.{3,200})$/i.exec(goal.text)?.[1]?.replace(/["“”]/g, "") ??
    "Closed at the operator's request.";
  const reports = yield* all(slots.tickets.map((id) => closeOne(session, goal, id, resolution)));
  return {
    kind: reports.find((report) => report.kind !== "done")?.kind ?? "done",
    text: reports.map((report) => report.text).join("\n"),
  };
}

function* closeOne(session: Session, goal: Goal, id: number, resolution: string): Plan<Report> {
  const lookup = yield* lookTicket(id);
  if ("stop" in lookup) return lookup.stop;
  if (lookup.value.status === "closed") return done(`Ticket ${id} is closed already.`);
  const wait = pause(session, goal, `close ticket ${id}`, []);
  if (wait !== undefined) return wait;
  const result = yield* call("close_ticket", { ticket_id: id, resolution });
  return result.status === "ok" ? done(`Closed ticket ${id}.`) : refusal(`closing ticket ${id}`, result);
}

/** Does what the ticket's `request` field asks for, with the checks of that family. */
export function* handleTicket(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  const [id] = slots.tickets;
  if (id === undefined)
    return slots.customers.length > 0
      ? yield* summarise(session, goal)
      : asked("What shall I handle? Give me a ticket number.");
  if (slots.tickets.length > 1) {
    const reports = [];
    for (const one of slots.tickets)
      reports.push(yield* handleTicket(session, { ...goal, slots: { ...slots, tickets: [one] } }));
    return {
      kind: reports.find((report) => report.kind !== "done")?.kind ?? "done",
      text: reports.map((report) => report.text).join("\n"),
    };
  }
  const lookup = yield* lookTicket(id);
  if ("stop" in lookup) return lookup.stop;
  const ticket = lookup.value;
  if (ticket.status === "closed") return done(`Ticket ${id} is closed already; there is nothing left to do.`);
  const here: Goal = { ...goal, slots };
  switch (ticket.request) {
    case "delete_account":
      return yield* removeCustomer(session, here);
    case "refund":
      return slots.amounts.length > 0 || /\bfull(?:y)?\b/i.test(goal.text)
        ? yield* refund(session, here)
        : asked(`${ticketLine(ticket)} Its fields state no amount. How much shall I refund?`);
    case "refund_duplicate":
      return yield* refund(session, here);
    case "merge_accounts":
      return yield* mergeCustomers(session, here);
    case "change_address":
      return declined(
        `${ticketLine(ticket)} I have no tool that changes an address, so the ticket stays open for a person. I can add a note to the customer.`,
      );
    default: {
      const text = yield* read("read_ticket_text", { ticket_id: id }, ticketText);
      const quote = text.value === undefined ? "" : quoted(text.value);
      return declined(
        paragraph(
          ticketLine(ticket),
          quote,
          "Its fields ask for no action that I can take, so it stays open for a person. I can add a note, or send an e-mail that you dictate.",
        ),
      );
    }
  }
}
