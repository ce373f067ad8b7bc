// Refunds: find the order and the one charge that is meant, check what is left of it, refund once, close the ticket.

import { duplicateCharges, namedCustomer, type Order, orders, sameName, type Ticket } from "../facts.js";
import { identify, lookOrder, lookTicket } from "../identity.js";
import type { Goal } from "../intents.js";
import type { Slots } from "../language.js";
import { all, both, call, just, type Plan, read } from "../plan.js";
import { asked, declined, done, type Report, refer, type Session } from "../session.js";
import { money, paragraph, refusal } from "../wording.js";
import { choosePayback } from "./payback.js";
import { alreadyTried, closeAfter, forTicket, pause, ticketObjection } from "./shared.js";

type Or<Value> = Value | { readonly stop: Report };

/** Refunds one charge of one order. */
export function* refund(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  const meansDuplicate = /\bdup(?:e|licated?|licates)?\b|twice|double|second charge|extra charge|overcharg/i.test(
    `${goal.text} ${session.text}`,
  );
  const target = yield* findOrder(session, slots, meansDuplicate);
  if ("stop" in target) return target.stop;
  const { order, ticket } = target;
  const doing = `refund order ${order.order_id}`;
  const objection =
    ticketObjection(session, ticket, ["refund", "refund_duplicate"], doing) ??
    (session.careful ? mismatch(slots, order, ticket) : undefined);
  if (objection !== undefined) return objection;

  const payback = choosePayback(order, slots, meansDuplicate || ticket?.request === "refund_duplicate", goal.text);
  if ("stop" in payback) return payback.stop;
  const { charge, amount } = payback;
  const what = `${money(amount)} of charge ${charge.charge_id} on order ${order.order_id}`;
  // An amount nobody named, on an order nobody named, is the person's to confirm.
  const vague = slots.orders.length + slots.charges.length + slots.tickets.length + slots.amounts.length === 0;
  const unsure = vague && !meansDuplicate && !session.task.goAhead;
  const wait = pause(session, unsure ? { ...goal, reported: true } : goal, `refund ${what}`, [order.customer_id]);
  if (wait !== undefined) return wait;

  const tried = alreadyTried(session, goal, "refund_order", "charge_id", [charge.charge_id]);
  if (tried !== undefined) return tried;
  const reason = `${amount === charge.amount && duplicateCharges(order).length > 0 ? "Duplicate charge" : "Refund"}${forTicket(ticket)}`;
  const result = yield* call("refund_order", { order_id: order.order_id, charge_id: charge.charge_id, amount, reason });
  if (result.status !== "ok") return refusal(`refunding ${what}`, result);
  session.focus.news.push(`we refunded ${money(amount)} for order ${order.order_id}`);
  const closed = yield* closeAfter(ticket, `Refunded ${what}.`);
  return done(
    paragraph(
      `Refunded ${what}${order.customer_name === "" ? "" : ` to ${order.customer_name} (${order.customer_id})`}.`,
      closed,
    ),
  );
}

function* findOrder(
  session: Session,
  slots: Slots,
  meansDuplicate: boolean,
): Plan<Or<{ order: Order; ticket: Ticket | undefined }>> {
  const named = [...slots.orders, ...slots.charges.map((charge) => Number(charge.split("-")[1]))];
  const orderIds = [...new Set(named)];
  const [ticketId] = slots.tickets;
  if (orderIds.length > 1)
    return { stop: asked(`Which order do you mean: ${orderIds.join(" or ")}? I refund one at a time.`) };

  const [first, second] = yield* both(
    ticketId === undefined ? just(undefined) : lookTicket(ticketId),
    orderIds[0] === undefined ? just(undefined) : lookOrder(orderIds[0]),
  );
  if (first !== undefined && "stop" in first) return first;
  if (second !== undefined && "stop" in second) return second;
  const ticket = first === undefined ? undefined : first.value;
  let order = second === undefined ? undefined : second.value;
  if (order === undefined && ticket?.order_id != null) {
    const lookup = yield* lookOrder(ticket.order_id);
    if ("stop" in lookup) return lookup;
    order = lookup.value;
  }
  if (order === undefined) {
    const found = yield* orderOfCustomer(session, slots, meansDuplicate);
    if ("stop" in found) return found;
    order = found.order;
  }
  if (session.careful && ticket?.order_id != null && ticket.order_id !== order.order_id)
    return {
      stop: asked(
        `Ticket ${ticket.ticket_id} is about order ${ticket.order_id}, but the task says order ${order.order_id}. I changed nothing. Which one do you mean?`,
      ),
    };
  session.focus.customer = namedCustomer(order.customer_id, order.customer_name);
  return { order, ticket };
}

/** No order number: the customer's only order, or the only one with a duplicate charge. */
function* orderOfCustomer(session: Session, slots: Slots, meansDuplicate: boolean): Plan<Or<{ order: Order }>> {
  if (slots.customers.length + slots.names.length + slots.emails.length + slots.tickets.length === 0)
    return { stop: asked("Which order shall I refund? Give me the order number or a ticket number.") };
  const identity = yield* identify(session, slots);
  if ("stop" in identity) return identity;
  const { customer } = identity;
  const listed = yield* read("list_orders", { customer_id: customer.customer_id, limit: 20 }, orders);
  if ("problem" in listed) return { stop: refusal(`listing the orders of ${customer.customer_id}`, listed.problem) };
  const ids = listed.value.orders.map((entry) => entry.order_id);
  if (ids.length === 0)
    return {
      stop: declined(
        `Customer ${customer.customer_id} (${customer.name}) has no orders, so there is nothing to refund.`,
      ),
    };
  const lookups = yield* all((meansDuplicate ? ids : ids.slice(0, 2)).map(lookOrder));
  const full = lookups.flatMap((lookup) => ("value" in lookup ? [lookup.value] : []));
  const candidates = meansDuplicate ? full.filter((entry) => duplicateCharges(entry).length > 0) : full;
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return { order: only };
  if (meansDuplicate && only === undefined)
    return {
      stop: declined(
        `None of the orders of ${customer.customer_id} (${ids.join(", ")}) has a duplicate charge, so I refunded nothing.`,
      ),
    };
  const choices = meansDuplicate ? candidates.map((entry) => entry.order_id) : ids;
  return {
    stop: asked(
      `Customer ${customer.customer_id} (${customer.name}) has the orders ${choices.join(", ")}. Which one shall I refund?`,
    ),
  };
}

/** Whether ticket and task name somebody else than the order's customer. */
function mismatch(slots: Slots, order: Order, ticket: Ticket | undefined): Report | undefined {
  const whose = `Order ${order.order_id} is of ${order.customer_id} (${order.customer_name})`;
  if (ticket?.customer_id != null && ticket.customer_id !== order.customer_id)
    return asked(
      `${whose}, but ticket ${ticket.ticket_id} is of ${ticket.customer_id}. I changed nothing. Which is right?`,
    );
  const stranger = slots.customers.find((id) => id !== order.customer_id);
  if (stranger !== undefined)
    return asked(`${whose}, but the task says ${stranger}. I changed nothing. Which is right?`);
  const names = slots.names.map((parts) => parts.join(" and ")).filter((name) => /^\p{Lu}/u.test(name));
  if (names.length > 0 && order.customer_name !== "" && !names.some((name) => sameName(name, order.customer_name)))
    return asked(`${whose}, but the task names "${names[0]}". I changed nothing. Which is right?`);
  return undefined;
}
