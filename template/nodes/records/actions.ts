// Tools that change the records. Each change and its result are stored in one transaction under the call's idempotency
// key, so that a retry, a resume or a second process gets the first result and changes nothing. The exception are
// refunds: this bank takes no keys and cannot be asked, as many cannot, and the harness has to say when it is in doubt.

import { defineTool, type HarnessTool, type ToolContext } from "bulkhead/nodes";
import { BOTTOM, readTrust } from "bulkhead/trust";
import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { ChangeRefusedError } from "./errors.js";
import { customerOf, ticketOf } from "./lookup.js";
import { merge, mergePreview, unmerge } from "./merges.js";
import { refund, refundPreview } from "./refunds.js";

const source = { integrity: 2 } as const;

const customerId = (what: string) => z.string().describe(`${what}, like "C-0107".`);
const reasonField = z.string().min(1).describe("Why, for the record: name the ticket or the person who asked.");

/** The tools that change records. Refunds, e-mails, deletions and merges have to pass the gate. */
export function actionTools(open: () => RecordsDatabase): readonly HarnessTool[] {
  /** Makes a tool's change at most once for the call's key. */
  const once = (
    tool: string,
    context: Pick<ToolContext, "idempotencyKey">,
    change: (records: RecordsDatabase) => unknown,
  ): unknown => {
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
    identity: ["order_id", "charge_id"],
    source,
    preview: (order) => refundPreview(open(), order),
    run: (order) => refund(open(), order),
  });

  const sendEmail = defineTool({
    name: "send_email",
    description: "Send an e-mail to a customer's address on record. Cannot be undone.",
    schema: z.object({
      customer_id: customerId("The customer to write to"),
      subject: z.string().trim().min(1).describe("The subject line."),
      body: z.string().min(1).describe("The message in plain text."),
    }),
    effect: "irreversible",
    identity: ["customer_id", "subject"],
    honoursKey: true,
    source,
    preview: ({ customer_id }) => {
      const { name, email } = customerOf(open(), customer_id);
      return { shows: `to ${name} <${email}>`, preconditions: { email } };
    },
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
    identity: ["customer_id"],
    honoursKey: true,
    floor: "strict",
    source,
    preview: ({ customer_id }) => {
      const customer = customerOf(open(), customer_id);
      const { name, city, email, status, since } = customer;
      return { shows: `deletes ${name}, ${city} (${email}, ${status} since ${since})`, preconditions: customer };
    },
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
    identity: ["keep_id", "remove_id"],
    honoursKey: true,
    floor: "strict",
    source,
    preview: (customers) => mergePreview(open(), customers),
    run: (customers, context) => once("merge_customers", context, (records) => merge(records, customers)),
    compensate: (_receipt, customers, context) =>
      once("undo merge_customers", context, (records) => unmerge(records, customers)),
  });

  return [addNote, closeTicket, refundOrder, sendEmail, deleteCustomer, mergeCustomers];
}
