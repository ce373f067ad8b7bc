// Summaries of customers, orders and tickets: facts in lines, each from a record read in this run.

import { orders, tickets, ticketText } from "../facts.js";
import { identify, lookCustomer, lookOrder, lookTicket } from "../identity.js";
import type { Goal } from "../intents.js";
import { all, both, call, just, type Plan, read } from "../plan.js";
import { done, onlyReads, type Report, refer, type Session } from "../session.js";
import { customerFacts, factSheet, orderFacts, paragraph, person, quoted, ticketLine } from "../wording.js";

/** Summarises everything the goal refers to, side by side; several customers go to researchers where there are any. */
export function* summarise(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  const plans: Plan<Report>[] = [
    ...slots.tickets.map((id) => summariseTicket(session, id, goal.text)),
    ...slots.orders.map(summariseOrder),
  ];
  const wantsCustomer = slots.customers.length + slots.names.length + slots.emails.length > 0;
  if (slots.customers.length > 1) plans.push(...slots.customers.map((id) => researchCustomer(session, id)));
  else if (
    (wantsCustomer && !(plans.length > 0 && goal.slots.customers.length + goal.slots.names.length === 0)) ||
    plans.length === 0
  ) {
    const identity = yield* identify(session, { ...slots, tickets: wantsCustomer ? [] : slots.tickets });
    plans.push("stop" in identity ? just(identity.stop) : summariseCustomer(session, identity.customer.customer_id));
  }
  const reports = yield* all(plans);
  const kind =
    reports.find((report) => report.kind === "asked")?.kind ??
    (reports.some((report) => report.kind === "done") ? "done" : "declined");
  return { kind, text: reports.map((report) => report.text).join("\n\n") };
}

/** One customer: through a researcher where one is bound, else read here. */
export function* researchCustomer(session: Session, id: string): Plan<Report> {
  if (session.role === "planner" && session.tools.hasSubagent("researcher")) {
    const description = `Summarise customer ${id}: the record, its orders and its tickets. Report the facts with their ids.`;
    const result = yield* call("task", { description, subagent_type: "researcher" });
    if (result.status === "ok" && result.text.includes(id)) return done(result.text.trim());
  }
  return yield* summariseCustomer(session, id);
}

/** One customer's record, orders and tickets, read in one turn. */
function* summariseCustomer(session: Session, id: string): Plan<Report> {
  const about = { customer_id: id, limit: 10 };
  const [customer, orderList, ticketList] = yield* both(
    lookCustomer(id),
    read("list_orders", about, orders),
    read("list_tickets", about, tickets),
  );
  if ("stop" in customer) return customer.stop;
  session.focus.customer = customer.value;
  const found = orderList.value;
  const open = ticketList.value;
  const lines = customerFacts(
    customer.value,
    found === undefined ? undefined : { list: found.orders, total: found.total ?? found.orders.length },
    open === undefined ? undefined : { list: open.tickets, total: open.total ?? open.tickets.length },
  );
  return done(factSheet(person(customer.value), lines));
}

function* summariseOrder(id: number): Plan<Report> {
  const lookup = yield* lookOrder(id);
  return "stop" in lookup ? lookup.stop : done(factSheet(`Order ${id}`, orderFacts(lookup.value)));
}

/** A ticket's fields; its text only when nothing is changed afterwards, since reading outsiders' text costs trust. */
function* summariseTicket(session: Session, id: number, asked: string): Plan<Report> {
  const wantsText = onlyReads(session) && (session.role === "planner" || /\btext\b/i.test(asked));
  if (!wantsText) {
    const lookup = yield* lookTicket(id);
    return "stop" in lookup ? lookup.stop : done(ticketLine(lookup.value));
  }
  const [fields, text] = yield* both(lookTicket(id), read("read_ticket_text", { ticket_id: id }, ticketText));
  if ("stop" in fields) return fields.stop;
  return done(paragraph(ticketLine(fields.value), text.value === undefined ? "" : quoted(text.value)));
}
