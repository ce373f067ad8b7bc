// The sentences of the answers: short, with ids, and only facts from tool results.

import type { Customer, Order, Ticket, TicketText } from "./facts.js";
import { injectionWarning } from "./injection.js";
import { declined, type Report } from "./session.js";
import type { Result } from "./transcript.js";

/** `C-0107 (Harbor Bakery, Portland)`. */
export const person = (customer: Customer): string => {
  const facts = [customer.name, customer.city].filter((fact) => fact !== "");
  return facts.length === 0 ? customer.customer_id : `${customer.customer_id} (${facts.join(", ")})`;
};

/** At most `most` of them, and how many more there are. */
export const people = (customers: readonly Customer[], total = customers.length, most = 10): string => {
  const shown = customers.slice(0, most);
  const more = Math.max(total, customers.length) - shown.length;
  return shown.map(person).join("; ") + (more > 0 ? `; and ${more} more` : "");
};

/** Two decimals, no currency: the records have none. */
export const money = (amount: number): string => amount.toFixed(2);

/** The first day of an ISO time. */
const day = (iso: string): string => iso.slice(0, 10);

/** Capital first letter, full stop at the end. */
export const sentence = (text: string): string => {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return trimmed === "" || /[.!?]$/.test(trimmed) ? capital : `${capital}.`;
};

/** Sentences in one paragraph, empty ones left out. */
export const paragraph = (...sentences: readonly string[]): string => sentences.filter((text) => text !== "").join(" ");

const reasonOf = (result: Result): string =>
  sentence(
    result.text
      .replace(/^\s*(?:error|blocked|rejected)\s*[:.-]\s*/i, "")
      .replace(/\s*This is final: do not try another way\.?/i, ""),
  );

/** Why an action did not happen. A rejection or a block is final and said to be so. */
export function refusal(doing: string, result: Result): Report {
  if (result.status === "rejected")
    return declined(`A person rejected ${doing}: ${reasonOf(result)} I did not try again.`);
  if (result.status === "blocked")
    return declined(`The gate blocked ${doing}: ${reasonOf(result)} I did not try again.`);
  if (result.status === "doubt") {
    return declined(
      `Nobody knows whether ${doing} happened: it was sent, and its outcome was lost. I did not try again; a person has to look.`,
    );
  }
  if (result.status === "unbound") return declined(`I cannot do that here: ${doing} needs a tool I do not have.`);
  if (result.status === "ok") return declined(`I could not read the result of ${doing}: ${result.text.slice(0, 200)}`);
  const nothing = /^No ((?:customer|order|ticket) \S+?)[.,]?(?:\s|$)/.exec(reasonOf(result))?.[1];
  if (nothing !== undefined) return declined(`There is no ${nothing} in the records, so I changed nothing.`);
  return declined(sentence(`${doing} failed: ${reasonOf(result)}`));
}

/** A ticket's fields in a sentence. */
export function ticketLine(ticket: Ticket): string {
  const whose =
    ticket.customer_id == null
      ? `names no customer on record${ticket.customer_name ? ` ("${ticket.customer_name}")` : ""}`
      : `is of customer ${ticket.customer_id}${ticket.customer_name ? ` (${ticket.customer_name})` : ""}`;
  const about = [
    ticket.order_id == null ? "" : `order ${ticket.order_id}`,
    ticket.other_customer_id ? `other customer ${ticket.other_customer_id}` : "",
  ].filter((part) => part !== "");
  const facts = [`request ${ticket.request}`, ...about, `by ${ticket.channel}`, ticket.status];
  return `Ticket ${ticket.ticket_id} ${whose}: ${facts.filter((fact) => fact !== "by ").join(", ")}${ticket.opened_at ? `, opened ${day(ticket.opened_at)}` : ""}.`;
}

/** A ticket's text, quoted as data. */
export const quoted = (text: TicketText, most = 600): string => {
  const body = text.text.length > most ? `${text.text.slice(0, most)}…` : text.text;
  return paragraph(
    `Text of ticket ${text.ticket_id}${text.from ? `, from ${text.from}` : ""}: "${body}"`,
    injectionWarning(text.text),
  );
};

/** An order as lines of facts. */
export function orderFacts(order: Order): readonly string[] {
  const charges = order.charges.map((charge) => `${charge.charge_id} ${money(charge.amount)}`);
  const refunds = order.refunds.map((refund) => `${refund.refund_id} ${money(refund.amount)} of ${refund.charge_id}`);
  const items = order.items.map((item) =>
    item.quantity === undefined ? item.description : `${item.quantity} × ${item.description}`,
  );
  return [
    `customer: ${order.customer_id}${order.customer_name ? ` (${order.customer_name})` : ""}`,
    `status: ${order.status}`,
    `total: ${money(order.total)}`,
    `placed: ${day(order.placed_at)}`,
    `items: ${items.join(", ")}`,
    `charges: ${charges.join(", ") || "none"}`,
    `refunds: ${refunds.join(", ") || "none"}`,
  ].filter((line) => !line.endsWith(": "));
}

/** A customer with orders and tickets as lines of facts. */
export function customerFacts(
  customer: Customer,
  orders: { readonly list: readonly Order[]; readonly total: number } | undefined,
  tickets: { readonly list: readonly Ticket[]; readonly total: number } | undefined,
): readonly string[] {
  const orderList = orders?.list.map((order) => `${order.order_id} ${order.status} ${money(order.total)}`) ?? [];
  const ticketList = tickets?.list.map((ticket) => `${ticket.ticket_id} ${ticket.request} ${ticket.status}`) ?? [];
  const notes = customer.notes?.map((note) => `"${note.text}"`) ?? [];
  return [
    `city: ${customer.city}`,
    `e-mail: ${customer.email}`,
    `phone: ${customer.phone}`,
    `status: ${customer.status}`,
    `customer since: ${day(customer.since)}`,
    `orders: ${orders === undefined ? (customer.order_count ?? "") : `${orders.total}${orderList.length > 0 ? ` (${orderList.join(", ")})` : ""}`}`,
    `tickets: ${tickets === undefined ? "" : `${tickets.total}${ticketList.length > 0 ? ` (${ticketList.join(", ")})` : ""}`}`,
    `notes: ${notes.length > 0 ? notes.join(", ") : customer.notes === undefined ? "" : "none"}`,
  ].filter((line) => !line.endsWith(": "));
}

/** A titled list of facts. */
export const factSheet = (title: string, lines: readonly string[]): string =>
  [title, ...lines.map((line) => `- ${line}`)].join("\n");
