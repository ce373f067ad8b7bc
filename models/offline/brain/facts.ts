// The records as the tools return them. zod reads each result at this border; fields a tool leaves out are empty, so
// that a workspace with fewer fields still works.

import { z } from "zod";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const amount = z.coerce.number();
const id = z.string().nullish();
const number = z.coerce.number().int();

/** A customer, from a list or read alone. */
export const customer = z.object({
  customer_id: z.string(),
  name: text,
  city: text,
  email: text,
  status: text,
  phone: text,
  since: text,
  order_count: z.number().optional(),
  open_tickets: z.union([z.number(), z.array(z.unknown())]).optional(),
  notes: z.array(z.object({ at: text, text })).optional(),
});
export type Customer = z.output<typeof customer>;

/** A customer known only by id and name, as tickets and orders name them. */
export const namedCustomer = (customerId: string, name: string): Customer =>
  customer.parse({ customer_id: customerId, name });

export const matches = z.object({ matches: z.array(customer), total: z.number().optional() });
export const customers = z.object({ customers: z.array(customer), total: z.number().optional() });

const charge = z.object({ charge_id: z.string(), amount, at: text });
export type Charge = z.output<typeof charge>;

/** An order with its charges and refunds. */
export const order = z.object({
  order_id: number,
  customer_id: text,
  customer_name: text,
  placed_at: text,
  status: text,
  total: amount,
  items: z.array(z.object({ description: text, quantity: z.number().optional() })).default([]),
  charges: z.array(charge).default([]),
  refunds: z.array(z.object({ refund_id: z.coerce.string(), charge_id: z.string(), amount, at: text })).default([]),
});
export type Order = z.output<typeof order>;
export const orders = z.object({ orders: z.array(order), total: z.number().optional() });

/** A ticket's structured fields. Its text is another tool's. */
export const ticket = z.object({
  ticket_id: number,
  customer_id: id,
  customer_name: id,
  order_id: number.nullish(),
  other_customer_id: id,
  request: text,
  channel: text,
  status: text,
  opened_at: text,
});
export type Ticket = z.output<typeof ticket>;
export const tickets = z.object({ tickets: z.array(ticket), total: z.number().optional() });

export const ticketText = z.object({ ticket_id: number, from: text, text });
export type TicketText = z.output<typeof ticketText>;

/** What is left to refund of a charge, in the order's money. */
export function leftOf(source: Order, chargeId: string): number {
  const charged = source.charges.find((entry) => entry.charge_id === chargeId)?.amount ?? 0;
  const refunded = source.refunds.filter((entry) => entry.charge_id === chargeId);
  return Math.round((charged - refunded.reduce((sum, entry) => sum + entry.amount, 0)) * 100) / 100;
}

/** Charges of the same amount within one day of each other beyond what the order costs, the first of them first. */
export function duplicateCharges(source: Order): readonly Charge[] {
  const charged = source.charges.reduce((sum, entry) => sum + entry.amount, 0);
  if (charged <= source.total + 0.004) return [];
  const sorted = [...source.charges].sort((a, b) => a.at.localeCompare(b.at) || a.charge_id.localeCompare(b.charge_id));
  return (
    sorted
      .map((first) => sorted.filter((other) => other.amount === first.amount && within(first.at, other.at)))
      .find((group) => group.length > 1) ?? []
  );
}

const DAY = 86_400_000;

const within = (a: string, b: string): boolean => {
  const apart = Math.abs(Date.parse(a) - Date.parse(b));
  return Number.isNaN(apart) || apart <= DAY; // unknown times: the amounts and the total must speak for themselves
};

/** A name in the form in which two spellings of it are compared: case, spaces and a full stop at the end do not count. */
export const sameName = (a: string, b: string): boolean => normalName(a) === normalName(b);

const normalName = (name: string): string =>
  name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[‘’]/g, "'")
    .replace(/\s+/g, " ")
    .replace(/^the /, "")
    .replace(/[.,;:!?\s]+$/, "")
    .trim();

/** What two records have in common that two strangers would not: the grounds for calling them duplicates. */
export function commonGrounds(a: Customer, b: Customer): readonly string[] {
  const domain = (email: string) => email.split("@")[1]?.toLowerCase() ?? "";
  const digits = (phone: string) => phone.replace(/\D/g, "");
  const loose = (name: string) =>
    normalName(name)
      .replace(/&/g, "and")
      .replace(/[^a-z0-9]/g, "");
  const grounds: string[] = [];
  if (loose(a.name) !== "" && loose(a.name) === loose(b.name)) grounds.push("name");
  if (domain(a.email) !== "" && domain(a.email) === domain(b.email)) grounds.push("e-mail domain");
  if (digits(a.phone) !== "" && digits(a.phone) === digits(b.phone)) grounds.push("phone");
  if (a.city !== "" && a.city.toLowerCase() === b.city.toLowerCase()) grounds.push("city");
  return grounds;
}
