// Finding one record by its id, for every tool that takes an id. What is not there is an error that says how to find
// it; nothing here guesses.

import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { RecordNotFoundError } from "./errors.js";
import { CUSTOMER_STATUSES, ORDER_STATUSES, TICKET_CHANNELS, TICKET_REQUESTS, TICKET_STATUSES } from "./schema.js";

/** A row of `customers`. */
export const customerRow = z.object({
  customer_id: z.string(),
  name: z.string(),
  city: z.string(),
  email: z.string(),
  phone: z.string(),
  status: z.enum(CUSTOMER_STATUSES),
  since: z.string(),
});

/** A row of `orders`, with the customer's name while there is such a customer. */
export const orderRow = z.object({
  order_id: z.number(),
  customer_id: z.string(),
  customer_name: z.string().nullable(),
  placed_at: z.string(),
  status: z.enum(ORDER_STATUSES),
  total_cents: z.number(),
});

/** Selects {@link orderRow}; a `where` may follow. */
export const SELECT_ORDER = `select order_id, customer_id, name as customer_name, placed_at, orders.status, total_cents
  from orders left join customers using (customer_id)`;

/** A charge, and how much of it has been paid back. */
export const chargeRow = z.object({
  charge_id: z.string(),
  amount_cents: z.number(),
  at: z.string(),
  refunded_cents: z.number(),
});

/** A row of `tickets` without the text. */
export const ticketRow = z.object({
  ticket_id: z.number(),
  customer_id: z.string().nullable(),
  customer_name: z.string().nullable(),
  other_customer_id: z.string().nullable(),
  order_id: z.number().nullable(),
  request: z.enum(TICKET_REQUESTS),
  channel: z.enum(TICKET_CHANNELS),
  status: z.enum(TICKET_STATUSES),
  opened_at: z.string(),
});

/** Selects {@link ticketRow}; a `where` may follow. */
export const SELECT_TICKET = `select ticket_id, customer_id, name as customer_name, other_customer_id, order_id, request,
  channel, tickets.status, opened_at from tickets left join customers using (customer_id)`;

/** What an amount in cents is in the tools' results: a number of whole currency units. */
export const money = (cents: number): number => cents / 100;

/** An amount in an error's text: `49.00`. */
export const moneyText = (cents: number): string => money(cents).toFixed(2);

/** The customer with this id. Throws {@link RecordNotFoundError}. */
export function customerOf(records: RecordsDatabase, id: string): z.output<typeof customerRow> {
  const customer = records.first(customerRow, "select * from customers where customer_id = ?", id);
  if (customer === undefined) throw new RecordNotFoundError(`no customer ${id}. Search by name with search_customers.`);
  return customer;
}

/** The order with this number. Throws {@link RecordNotFoundError}. */
export function orderOf(records: RecordsDatabase, id: number): z.output<typeof orderRow> {
  const order = records.first(orderRow, `${SELECT_ORDER} where order_id = ?`, id);
  if (order === undefined) throw new RecordNotFoundError(`no order ${id}. List a customer's orders with list_orders.`);
  return order;
}

/** The charges of an order, oldest first. */
export const chargesOf = (records: RecordsDatabase, order: number): z.output<typeof chargeRow>[] =>
  records.all(
    chargeRow,
    `select charge_id, amount_cents, at,
       (select coalesce(sum(amount_cents), 0) from refunds where refunds.charge_id = charges.charge_id) as refunded_cents
     from charges where order_id = ? order by charge_id`,
    order,
  );

/** The ticket with this number. Throws {@link RecordNotFoundError}. */
export function ticketOf(records: RecordsDatabase, id: number): z.output<typeof ticketRow> {
  const ticket = records.first(ticketRow, `${SELECT_TICKET} where ticket_id = ?`, id);
  if (ticket === undefined) throw new RecordNotFoundError(`no ticket ${id}. List tickets with list_tickets.`);
  return ticket;
}

/** Joins the conditions that are stated into a `where` clause. A condition whose value is `undefined` is left out. */
export function whereAll(conditions: Readonly<Record<string, string | number | undefined>>) {
  const stated = Object.entries(conditions).filter((each): each is [string, string | number] => each[1] !== undefined);
  const clause = stated.length === 0 ? "" : `where ${stated.map(([condition]) => condition).join(" and ")}`;
  return { clause, values: stated.map(([, value]) => value) };
}
