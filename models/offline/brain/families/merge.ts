// Merging duplicate accounts: find the pair, look for grounds that they are one customer, ask the auditor, merge.

import { type Customer, commonGrounds, type Ticket } from "../facts.js";
import { lookTicket } from "../identity.js";
import type { Goal } from "../intents.js";
import { call, type Plan } from "../plan.js";
import { asked, declined, done, type Report, refer, type Session } from "../session.js";
import { paragraph, person, refusal } from "../wording.js";
import { pair } from "./pair.js";
import { alreadyTried, audit, closeAfter, forTicket, pause, ticketObjection } from "./shared.js";

/** Merges two customers. What the task says to keep is kept; else the older account. */
export function* mergeCustomers(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  let ticket: Ticket | undefined;
  if (slots.tickets[0] !== undefined) {
    const lookup = yield* lookTicket(slots.tickets[0]);
    if ("stop" in lookup) return lookup.stop;
    ticket = lookup.value;
    const objection = ticketObjection(session, ticket, ["merge_accounts"], "merge accounts");
    if (objection !== undefined) return objection;
  }
  const fromTicket = [ticket?.customer_id, ticket?.other_customer_id].filter((id) => id != null);
  const stranger = slots.customers.find((id) => fromTicket.length > 0 && !fromTicket.includes(id));
  if (session.careful && stranger !== undefined)
    return asked(
      `Ticket ${ticket?.ticket_id} is about ${fromTicket.join(" and ")}, but the task says ${stranger}. I changed nothing. Which customers do you mean?`,
    );
  const found = yield* pair(
    session,
    fromTicket.length === 2 ? { ...slots, customers: fromTicket, names: [] } : slots,
    "merge",
  );
  if ("stop" in found) return found.stop;

  const { keep, remove } = keeper(session.text, found.pair, ticket);
  const grounds = commonGrounds(keep, remove);
  if (session.careful && grounds.length < 2)
    return declined(
      `${person(keep)} and ${person(remove)} share ${grounds.length === 0 ? "neither name, e-mail domain, phone nor city" : `only the ${grounds[0]}`}, so the records do not show that they are one customer. I did not merge them.`,
    );
  const doing = `merge ${person(remove)} into ${person(keep)}`;
  const wait = pause(session, goal, doing, [remove.customer_id]);
  if (wait !== undefined) return wait;
  const tried = alreadyTried(session, goal, "merge_customers", "remove_id", [remove.customer_id]);
  if (tried !== undefined) return tried;
  const unsure = yield* audit(
    session,
    `merge_customers that keeps ${person(keep)} and removes ${person(remove)}${forTicket(ticket)}: are they one customer?`,
  );
  if (unsure !== undefined) return unsure;

  const reason = `Duplicate accounts${forTicket(ticket)}`;
  const result = yield* call("merge_customers", { keep_id: keep.customer_id, remove_id: remove.customer_id, reason });
  if (result.status !== "ok") return refusal(`merging ${remove.customer_id} into ${keep.customer_id}`, result);
  session.focus.customer = keep;
  session.focus.news.push("we merged your two accounts into one");
  const closed = yield* closeAfter(ticket, `Merged ${remove.customer_id} into ${keep.customer_id}.`);
  const shared = grounds.length === 0 ? "" : `They share ${grounds.join(", ")}.`;
  return done(paragraph(`Merged ${person(remove)} into ${person(keep)}, which is kept.`, shared, closed));
}

/** "merge A into B" and "keep B" keep B; a ticket keeps its own customer; else the older account, then the lower id. */
function keeper(
  text: string,
  [a, b]: readonly [Customer, Customer],
  ticket: Ticket | undefined,
): { keep: Customer; remove: Customer } {
  const order = (keep: Customer): { keep: Customer; remove: Customer } => ({ keep, remove: keep === a ? b : a });
  const said = /\b(?:into|keep(?:ing)?|retain(?:ing)?)\s+(?:the\s+)?(?:customer\s+|account\s+)?(C-?\d{4})\b/i.exec(
    text,
  )?.[1];
  const dropped = /\b(?:remov(?:e|ing)|drop(?:ping)?)\s+(?:the\s+)?(?:customer\s+|account\s+)?(C-?\d{4})\b/i.exec(
    text,
  )?.[1];
  const is = (customer: Customer, id: string | undefined): boolean =>
    id !== undefined && id.replace(/\D/g, "") === customer.customer_id.replace(/\D/g, "");
  if (is(a, said) || is(b, dropped)) return order(a);
  if (is(b, said) || is(a, dropped)) return order(b);
  if (ticket?.customer_id != null) return order(a.customer_id === ticket.customer_id ? a : b);
  const aFirst =
    a.since !== b.since && a.since !== "" && b.since !== "" ? a.since < b.since : a.customer_id < b.customer_id;
  return order(aFirst ? a : b);
}
