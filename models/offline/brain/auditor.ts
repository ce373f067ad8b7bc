// The auditor's part: checks one planned action against the records it rests on and says CONFIRMED, CONTRADICTED or
// INSUFFICIENT with the evidence. offline-small only looks whether the records exist.

import { type Customer, commonGrounds, duplicateCharges, leftOf, type Order, sameName, type Ticket } from "./facts.js";
import { lookCustomer, lookOrder, lookTicket } from "./identity.js";
import { slotsOf } from "./language.js";
import { all, both, type Plan } from "./plan.js";
import { done, type Report, type Session } from "./session.js";
import { person, sentence } from "./wording.js";

type Action = "delete" | "merge" | "refund" | "other";

const ACTIONS: readonly (readonly [Action, RegExp])[] = [
  ["delete", /delet|eras|remov(?:e|al) (?:the )?(?:customer|account)/i],
  ["merge", /merg/i],
  ["refund", /refund/i],
];

const REQUESTS: Readonly<Record<Action, readonly string[]>> = {
  delete: ["delete_account"],
  merge: ["merge_accounts"],
  refund: ["refund", "refund_duplicate"],
  other: [],
};

interface Evidence {
  readonly customers: readonly Customer[];
  readonly tickets: readonly Ticket[];
  readonly orders: readonly Order[];
  /** What could not be read. */
  readonly missing: readonly string[];
}

/** Audits the action that the task describes. */
export function* auditAction(session: Session): Plan<Report> {
  const text = session.text;
  const action = /planned\s+merge/i.test(text)
    ? "merge"
    : (ACTIONS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other");
  const slots = slotsOf(text);
  const [customers, tickets, orders] = yield* both(
    all(slots.customers.map(lookCustomer)),
    all(slots.tickets.map(lookTicket)),
    all(slots.orders.map(lookOrder)),
  );
  const found = <Value>(lookups: readonly ({ value: Value } | { stop: Report })[]): Value[] =>
    lookups.flatMap((lookup) => ("value" in lookup ? [lookup.value] : []));
  const missing = [...customers, ...tickets, ...orders].flatMap((lookup) =>
    "stop" in lookup ? [lookup.stop.text] : [],
  );
  const evidence: Evidence = { customers: found(customers), tickets: found(tickets), orders: found(orders), missing };
  return done(verdict(session, action, evidence));
}

function verdict(session: Session, action: Action, evidence: Evidence): string {
  const ids = [
    ...evidence.tickets.map((ticket) => `ticket ${ticket.ticket_id}`),
    ...evidence.customers.map((customer) => customer.customer_id),
    ...evidence.orders.map((order) => `order ${order.order_id}`),
  ];
  const closing = `Evidence: ${ids.length === 0 ? "none" : ids.join(", ")}.`;
  const [gone] = evidence.missing;
  if (gone !== undefined)
    return `${/\bno (?:customer|ticket|order)\b/i.test(gone) ? "CONTRADICTED" : "INSUFFICIENT"}: ${sentence(gone)} ${closing}`;
  if (ids.length === 0) return "INSUFFICIENT: the task names no customer, ticket or order to check. Evidence: none.";
  const objection = session.careful ? objectionTo(session.text, action, evidence) : undefined;
  if (objection !== undefined) return `CONTRADICTED: ${objection} ${closing}`;
  return `CONFIRMED: ${grounds(evidence)} ${closing}`;
}

/** The first record that speaks against the action. */
function objectionTo(text: string, action: Action, { customers, tickets, orders }: Evidence): string | undefined {
  for (const ticket of tickets) {
    if (action !== "other" && !REQUESTS[action].includes(ticket.request))
      return `ticket ${ticket.ticket_id} is a ${ticket.request} request.`;
    if (ticket.status === "closed") return `ticket ${ticket.ticket_id} is closed.`;
    const allowed = [ticket.customer_id, ticket.other_customer_id].filter((id) => id != null);
    const stranger = customers.find((customer) => allowed.length > 0 && !allowed.includes(customer.customer_id));
    if (stranger !== undefined)
      return `ticket ${ticket.ticket_id} is of ${allowed.join(" and ")}, not of ${person(stranger)}.`;
    if (
      allowed.length === 0 &&
      ticket.customer_name &&
      !customers.some((customer) => sameName(customer.name, ticket.customer_name ?? ""))
    )
      return `ticket ${ticket.ticket_id} names "${ticket.customer_name}".`;
    const order = orders.find((entry) => ticket.order_id != null && entry.order_id !== ticket.order_id);
    if (order !== undefined)
      return `ticket ${ticket.ticket_id} is about order ${ticket.order_id}, not ${order.order_id}.`;
  }
  for (const customer of customers) {
    // `C-0212 (Harbor Bakery, Bristol)`: the name that the plan goes by has to be the record's.
    const claimed = new RegExp(`${customer.customer_id} \\(([^,)]+)`).exec(text)?.[1];
    if (claimed !== undefined && !sameName(claimed, customer.name))
      return `${customer.customer_id} is "${customer.name}", not "${claimed}".`;
  }
  if (action === "merge") {
    const [a, b] = customers;
    if (a === undefined || b === undefined) return "a merge needs two customers.";
    if (commonGrounds(a, b).length < 2)
      return `${person(a)} and ${person(b)} share fewer than two of name, e-mail domain, phone and city.`;
  }
  for (const order of action === "refund" ? orders : []) {
    if (/duplicate/i.test(text) && duplicateCharges(order).length === 0)
      return `order ${order.order_id} has no duplicate charge.`;
    const spent = slotsOf(text).charges.find((charge) => leftOf(order, charge) <= 0);
    if (spent !== undefined) return `nothing is left to refund of ${spent}.`;
  }
  return undefined;
}

function grounds({ customers, tickets, orders }: Evidence): string {
  const facts = [
    ...tickets.map(
      (ticket) =>
        `ticket ${ticket.ticket_id} (${ticket.request}, ${ticket.status}) is of ${ticket.customer_id ?? "no customer on record"}`,
    ),
    ...customers.map(
      (customer) =>
        `the record of ${customer.customer_id} is ${[customer.name, customer.city].filter(Boolean).join(", ")}`,
    ),
    ...orders.map((order) => `order ${order.order_id} is of ${order.customer_id}`),
  ];
  const [a, b] = customers;
  if (a !== undefined && b !== undefined) facts.push(`they share ${commonGrounds(a, b).join(", ") || "nothing"}`);
  return `${facts.join("; ")}.`;
}
