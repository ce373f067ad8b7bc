// Tools that change the records. Each change and its result are stored in one transaction under the call's
// idempotency key, so that a retry, a resume or a second process gets the first result and changes nothing.

import { defineTool, type HarnessTool, type ToolContext } from "bulkhead/nodes";
import { BOTTOM, readTrust } from "bulkhead/trust";
import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { ChangeRefusedError } from "./errors.js";
import { chargesOf, customerOf, money, moneyText, orderOf, ticketOf } from "./lookup.js";
import { refundName } from "./orders.js";

const source = { integrity: 2 } as const;

const customerId = (what: string) => z.string().describe(`${what}, like "C-0107".`);
const reasonField = z.string().min(1).describe("Why, for the record: name the ticket or the person who asked.");

/** The tools that change records. Refunds, e-mails, deletions and merges have to pass the gate. */
export function actionTools(open: () => RecordsDatabase): readonly HarnessTool[] {
  /** Makes a tool's change at most once for the call's key. */
  const once = (tool: string, context: ToolContext, change: (records: RecordsDatabase) => unknown): unknown => {
    const records = open();
    return records.once(context.idempotencyKey, tool, () => change(records));
  };

  const addNote = defineTool({
    name: "add_note",
    description: "Add a note to a customer, for the help desk to read.",
    schema: z.object({
      customer_id: customerId("The customer the note is about"),
      text: z.string().min(1).max(2000).describe("The note, at most 2000 characters."),
    }),
    effect: "idempotent",
    honoursKey: true,
    source,
    run: ({ customer_id, text }, context) =>
      once("add_note", context, (records) => {
        customerOf(records, customer_id);
        const { integrity, fidelity, currency, certainty } = readTrust(context.config) ?? BOTTOM;
        const note = { customer_id, at: records.timestamp(), author: "agent", text };
        return { note_id: records.insert("notes", { ...note, integrity, fidelity, currency, certainty }), customer_id };
      }),
  });

  const closeTicket = defineTool({
    name: "close_ticket",
    description: "Close an open ticket. Do this last, when what it asked for is done or is not going to be done.",
    schema: z.object({
      ticket_id: z.number().int().describe("The ticket's number, like 1042."),
      resolution: z.string().min(1).describe("What was done, in a sentence or two."),
    }),
    effect: "idempotent",
    honoursKey: true,
    source,
    run: ({ ticket_id, resolution }, context) =>
      once("close_ticket", context, (records) => {
        if (ticketOf(records, ticket_id).status === "closed") {
          throw new ChangeRefusedError(`ticket ${ticket_id} is already closed. There is nothing left to do for it.`);
        }
        const set = "status = 'closed', closed_at = ?, resolution = ?";
        records.run(`update tickets set ${set} where ticket_id = ?`, records.timestamp(), resolution, ticket_id);
        return { ticket_id, status: "closed" };
      }),
  });

  const refundOrder = defineTool({
    name: "refund_order",
    description:
      "Pay money back to the card of one charge of an order. Cannot be undone. Read the order first: state the charge and no more than what is left of it.",
    schema: z.object({
      order_id: z.number().int().describe("The order's number, like 7781."),
      charge_id: z.string().describe('The charge to refund, from read_order, like "CH-7781-2".'),
      amount: z
        .number()
        .positive()
        .describe("How much, in whole currency units with at most two decimals: 49 or 49.5."),
      reason: reasonField,
    }),
    effect: "irreversible",
    honoursKey: true,
    source,
    run: ({ order_id, charge_id, amount, reason }, context) =>
      once("refund_order", context, (records) => {
        const cents = refundable(records, order_id, charge_id, amount);
        const row = { charge_id, amount_cents: cents, reason, at: records.timestamp() };
        return { refund_id: refundName(records.insert("refunds", row)), order_id, charge_id, amount: money(cents) };
      }),
  });

  const sendEmail = defineTool({
    name: "send_email",
    description: "Send an e-mail to a customer's address on record. Cannot be undone.",
    schema: z.object({
      customer_id: customerId("The customer to write to"),
      subject: z.string().min(1).describe("The subject line."),
      body: z.string().min(1).describe("The message in plain text."),
    }),
    effect: "irreversible",
    honoursKey: true,
    source,
    run: ({ customer_id, subject, body }, context) =>
      once("send_email", context, (records) => {
        const { email } = customerOf(records, customer_id);
        const message = { customer_id, recipient: email, subject, body, at: records.timestamp() };
        const id = records.insert("outbox", message);
        return { email_id: `EM-${String(id).padStart(4, "0")}`, to: email };
      }),
  });

  const deleteCustomer = defineTool({
    name: "delete_customer",
    description:
      "Delete one customer and the notes on it. Cannot be undone. Orders and tickets stay and keep the id. Names are not unique: be certain of the id, from a ticket's customer_id or from the person who asks.",
    schema: z.object({ customer_id: customerId("The customer to delete"), reason: reasonField }),
    effect: "irreversible",
    honoursKey: true,
    floor: "strict",
    source,
    run: ({ customer_id, reason }, context) =>
      once("delete_customer", context, (records) => {
        const { name } = customerOf(records, customer_id);
        records.run("delete from customers where customer_id = ?", customer_id);
        records.insert("deletions", { customer_id, reason, at: records.timestamp() });
        return { customer_id, deleted: true, name };
      }),
  });

  const mergeCustomers = defineTool({
    name: "merge_customers",
    description:
      "Merge two records of the same customer: orders, tickets and notes of remove_id move to keep_id, then remove_id is deleted. Only for true duplicates: compare city, telephone and e-mail domain of both first.",
    schema: z.object({
      keep_id: customerId("The customer to keep"),
      remove_id: customerId("The duplicate to remove"),
      reason: reasonField,
    }),
    effect: "compensable",
    honoursKey: true,
    floor: "strict",
    source,
    run: ({ keep_id, remove_id, reason }, context) =>
      once("merge_customers", context, (records) => merge(records, keep_id, remove_id, reason)),
  });

  return [addNote, closeTicket, refundOrder, sendEmail, deleteCustomer, mergeCustomers];
}

/** The amount in cents, when that much of the charge can still be refunded. Throws {@link ChangeRefusedError} if not. */
function refundable(records: RecordsDatabase, order: number, chargeId: string, amount: number): number {
  orderOf(records, order);
  const charges = chargesOf(records, order);
  const charge = charges.find(({ charge_id }) => charge_id === chargeId);
  if (charge === undefined) {
    const known = charges.map(({ charge_id }) => charge_id).join(", ");
    throw new ChangeRefusedError(`order ${order} has no charge ${chargeId}. Its charges are: ${known}.`);
  }
  const cents = Math.round(amount * 100);
  if (cents === 0 || Math.abs(amount * 100 - cents) > 1e-6) {
    throw new ChangeRefusedError(`${amount} is no amount of money. Give at least 0.01, with at most two decimals.`);
  }
  const left = charge.amount_cents - charge.refunded_cents;
  if (cents > left) {
    throw new ChangeRefusedError(
      `${moneyText(cents)} is more than the ${moneyText(left)} left of charge ${chargeId} (${moneyText(charge.amount_cents)} charged, ${moneyText(charge.refunded_cents)} refunded). Read order ${order} and refund what is left at most.`,
    );
  }
  return cents;
}

function merge(records: RecordsDatabase, keep: string, remove: string, reason: string) {
  if (keep === remove) throw new ChangeRefusedError(`keep_id and remove_id are both ${keep}. Name two customers.`);
  customerOf(records, keep);
  const removed = customerOf(records, remove);
  const move = (table: string, key: string): number[] => {
    const ids = records.all(
      z.object({ id: z.number() }),
      `select ${key} as id from ${table} where customer_id = ?`,
      remove,
    );
    records.run(`update ${table} set customer_id = ? where customer_id = ?`, keep, remove);
    return ids.map(({ id }) => id);
  };
  const moved = {
    orders: move("orders", "order_id"),
    tickets: move("tickets", "ticket_id"),
    notes: move("notes", "note_id"),
  };
  records.run("delete from customers where customer_id = ?", remove);
  records.insert("merges", {
    keep_id: keep,
    removed_id: remove,
    reason,
    removed: JSON.stringify(removed),
    moved: JSON.stringify(moved),
    at: records.timestamp(),
  });
  return { keep_id: keep, removed_id: remove, moved_orders: moved.orders.length, moved_tickets: moved.tickets.length };
}
