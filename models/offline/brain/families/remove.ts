// Deleting an account: identify, check the ticket, ask the auditor, delete, close the ticket.

import { identify } from "../identity.js";
import type { Goal } from "../intents.js";
import type { Slots } from "../language.js";
import { all, call, type Plan } from "../plan.js";
import { done, type Report, refer, type Session } from "../session.js";
import { paragraph, people, person, refusal } from "../wording.js";
import { alreadyTried, audit, closeAfter, forTicket, pause, ticketObjection } from "./shared.js";

/** Deletes each customer the goal names; several ids go side by side, so that the gate sees them together. */
export function* removeCustomer(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  const targets =
    slots.customers.length > 1 ? slots.customers.map((id) => ({ ...slots, customers: [id], names: [] })) : [slots];
  const reports = yield* all(targets.map((target) => removeOne(session, goal, target)));
  const worst = reports.find((report) => report.kind !== "done");
  return { kind: worst?.kind ?? "done", text: reports.map((report) => report.text).join("\n") };
}

function* removeOne(session: Session, goal: Goal, slots: Slots): Plan<Report> {
  const identity = yield* identify(session, slots);
  if ("stop" in identity) return identity.stop;
  const { customer, ticket, others } = identity;
  const doing = `delete the account of ${person(customer)}`;
  const objection =
    ticketObjection(session, ticket, ["delete_account"], doing) ?? pause(session, goal, doing, [customer.customer_id]);
  if (objection !== undefined) return objection;

  const meant = refer(session, goal).customers;
  const tried = alreadyTried(session, goal, "delete_customer", "customer_id", [...meant, customer.customer_id]);
  if (tried !== undefined) return tried;
  const unsure = yield* audit(
    session,
    `delete_customer of ${person(customer)}${forTicket(ticket)}: is this the customer to delete?`,
  );
  if (unsure !== undefined) return unsure;
  const reason =
    ticket === undefined ? "Requested by the operator" : `Account deletion requested in ticket ${ticket.ticket_id}`;
  const result = yield* call("delete_customer", { customer_id: customer.customer_id, reason });
  if (result.status !== "ok") return refusal(`deleting customer ${person(customer)}`, result);
  const closed = yield* closeAfter(ticket, `Deleted customer ${customer.customer_id}.`);
  const alone = others.length === 0 ? "" : `Left alone: ${people(others)}.`;
  return done(
    paragraph(
      `Deleted customer ${person(customer)}${ticket === undefined ? "" : `, as ticket ${ticket.ticket_id} asks`}.`,
      closed,
      alone,
    ),
  );
}
