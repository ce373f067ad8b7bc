// An in-memory stand-in of the customer-records workspace, with the records that the task families are about. Small
// on purpose: it keeps the contract of the tools (names, arguments, results, errors), not their storage.

import type { BrainTool } from "../../../models/offline/types.js";
import { type Row, seedCustomers, seedOrders, seedTickets, TEXTS } from "./seed.js";

type Args = Record<string, unknown>;

const string = { type: "string" };
const integer = { type: "integer" };
const limit = { type: "integer", minimum: 1, maximum: 20 };

const tool = (name: string, properties: Row, required: readonly string[], description = name): BrainTool => ({
  name,
  description,
  parameters: { type: "object", properties, required, additionalProperties: false },
});

/** The domain's tools as bound for the planner. */
export const DOMAIN_TOOLS: readonly BrainTool[] = [
  tool("search_customers", { query: string, limit }, ["query"]),
  tool("list_customers", { city: string, status: string, limit, offset: integer }, []),
  tool("read_customer", { customer_id: string }, ["customer_id"]),
  tool("list_orders", { customer_id: string, status: string, limit }, []),
  tool("read_order", { order_id: integer }, ["order_id"]),
  tool("list_tickets", { customer_id: string, status: string, request: string, limit }, []),
  tool("read_ticket", { ticket_id: integer }, ["ticket_id"]),
  tool("read_ticket_text", { ticket_id: integer }, ["ticket_id"]),
  tool("add_note", { customer_id: string, text: string }, ["customer_id", "text"]),
  tool("close_ticket", { ticket_id: integer, resolution: string }, ["ticket_id", "resolution"]),
  tool("refund_order", { order_id: integer, charge_id: string, amount: { type: "number" }, reason: string }, [
    "order_id",
    "charge_id",
    "amount",
    "reason",
  ]),
  tool("send_email", { customer_id: string, subject: string, body: string }, ["customer_id", "subject", "body"]),
  tool("delete_customer", { customer_id: string, reason: string }, ["customer_id", "reason"]),
  tool("merge_customers", { keep_id: string, remove_id: string, reason: string }, ["keep_id", "remove_id", "reason"]),
];

/** What the harness binds beside them. */
export const HARNESS_TOOLS: readonly BrainTool[] = [
  tool("write_todos", { todos: { type: "array" } }, ["todos"]),
  tool("task", { description: string, subagent_type: { type: "string", enum: ["researcher", "auditor"] } }, [
    "description",
    "subagent_type",
  ]),
  tool("remember", { text: string }, ["text"]),
  tool("read_file", { file_path: string }, ["file_path"]),
];

const READ_TOOLS = new Set([
  "search_customers",
  "list_customers",
  "read_customer",
  "list_orders",
  "read_order",
  "list_tickets",
  "read_ticket",
  "read_ticket_text",
]);

/** What subagents get. */
export const SUBAGENT_TOOLS: readonly BrainTool[] = DOMAIN_TOOLS.filter((entry) => READ_TOOLS.has(entry.name));

/** Fresh records with the tools over them. `refuse` makes a tool answer like the gate or a person. */
export class FakeWorkspace {
  readonly customers: Row[] = seedCustomers();
  readonly orders: Row[] = seedOrders();
  readonly tickets: Row[] = seedTickets();
  readonly merges: Row[] = [];
  readonly notes: Row[] = [];
  readonly outbox: Row[] = [];
  readonly remembered: string[] = [];
  readonly refuse = new Map<string, string>();

  /** All refunds made. */
  get refunds(): Row[] {
    return this.orders.flatMap((order) => order["refunds"] as Row[]);
  }

  /** Runs a tool as the harness would: JSON text, or `Error: …`. */
  run(name: string, args: Args): string {
    const refusal = this.refuse.get(name);
    if (refusal !== undefined) return refusal;
    try {
      return JSON.stringify(this.call(name, args));
    } catch (error) {
      return `Error: ${(error as Error).message}`;
    }
  }

  private call(name: string, args: Args): unknown {
    const most = typeof args["limit"] === "number" ? args["limit"] : 20;
    const by = (rows: readonly Row[], ...fields: string[]): Row[] =>
      rows.filter((row) => fields.every((field) => args[field] === undefined || row[field] === args[field]));
    const page = (key: string, rows: readonly Row[]): Row => ({ [key]: rows.slice(0, most), total: rows.length });
    const named = (row: Row): Row => ({
      ...row,
      customer_name: this.customers.find((entry) => entry["customer_id"] === row["customer_id"])?.["name"] ?? "",
    });
    switch (name) {
      case "search_customers":
        return page("matches", this.search(String(args["query"])));
      case "list_customers":
        return page("customers", by(this.customers, "city", "status"));
      case "read_customer": {
        const row = this.customer(args["customer_id"]);
        const mine = (rows: readonly Row[]): Row[] =>
          rows.filter((entry) => entry["customer_id"] === row["customer_id"]);
        return {
          ...row,
          order_count: mine(this.orders).length,
          open_tickets: mine(this.tickets).length,
          notes: mine(this.notes),
        };
      }
      case "list_orders":
        return page(
          "orders",
          by(this.orders, "customer_id", "status").map(({ charges: _, items: __, refunds: ___, ...row }) => named(row)),
        );
      case "read_order":
        return named(this.order(args["order_id"]));
      case "list_tickets":
        return page("tickets", by(this.tickets, "customer_id", "status", "request"));
      case "read_ticket":
        return this.ticketRow(args["ticket_id"]);
      case "read_ticket_text": {
        const row = this.ticketRow(args["ticket_id"]);
        return {
          ticket_id: row["ticket_id"],
          from: "someone",
          text: TEXTS[Number(row["ticket_id"])] ?? "No text.",
        };
      }
      case "add_note":
        this.notes.push({
          customer_id: this.customer(args["customer_id"])["customer_id"],
          at: "2025-06-02",
          text: args["text"],
        });
        return { note_id: this.notes.length, customer_id: args["customer_id"] };
      case "close_ticket":
        this.ticketRow(args["ticket_id"])["status"] = "closed";
        return { ticket_id: args["ticket_id"], status: "closed" };
      case "refund_order":
        return this.refund(args);
      case "send_email": {
        const to = this.customer(args["customer_id"])["email"];
        this.outbox.push({ ...args, to });
        return { email_id: this.outbox.length, to };
      }
      case "delete_customer":
        return { deleted: true, ...this.remove(args["customer_id"]) };
      case "merge_customers": {
        this.customer(args["keep_id"]);
        this.remove(args["remove_id"]);
        this.merges.push(args);
        return { keep_id: args["keep_id"], removed_id: args["remove_id"], moved_orders: 0, moved_tickets: 0 };
      }
      case "remember":
        this.remembered.push(String(args["text"]));
        return "Remembered.";
      case "write_todos":
        return "Updated the todo list.";
      default:
        throw new Error(`no tool ${name}`);
    }
  }

  private search(query: string): Row[] {
    const words = query.toLowerCase().split(/\s+/);
    const text = (row: Row): string => `${row["customer_id"]} ${row["name"]} ${row["email"]}`.toLowerCase();
    const found = this.customers.filter((row) => words.every((word) => text(row).includes(word)));
    const exact = (row: Row): boolean => String(row["name"]).toLowerCase() === query.toLowerCase();
    return [...found.filter(exact), ...found.filter((row) => !exact(row))];
  }

  private customer(id: unknown): Row {
    const row = this.customers.find((entry) => entry["customer_id"] === id);
    if (row === undefined) throw new Error(`no customer ${id}. Search by name with search_customers.`);
    return row;
  }

  private order(id: unknown): Row {
    const row = this.orders.find((entry) => entry["order_id"] === id);
    if (row === undefined) throw new Error(`no order ${id}.`);
    return row;
  }

  private ticketRow(id: unknown): Row {
    const row = this.tickets.find((entry) => entry["ticket_id"] === id);
    if (row === undefined) throw new Error(`no ticket ${id}.`);
    return row;
  }

  private remove(id: unknown): Row {
    const row = this.customer(id);
    this.customers.splice(this.customers.indexOf(row), 1);
    return { customer_id: id, name: row["name"] };
  }

  private refund(args: Args): Row {
    const order = this.order(args["order_id"]);
    const charge = (order["charges"] as Row[]).find((entry) => entry["charge_id"] === args["charge_id"]);
    if (charge === undefined) throw new Error(`order ${args["order_id"]} has no charge ${args["charge_id"]}.`);
    const refunds = order["refunds"] as Row[];
    const spent = refunds
      .filter((entry) => entry["charge_id"] === args["charge_id"])
      .reduce((sum, entry) => sum + Number(entry["amount"]), 0);
    if (Number(args["amount"]) > Number(charge["amount"]) - spent) throw new Error("more than is left of the charge.");
    const refund = {
      refund_id: `R-${refunds.length + 1}`,
      charge_id: args["charge_id"],
      amount: args["amount"],
      at: "2025-06-02",
    };
    refunds.push(refund);
    return { ...refund, order_id: args["order_id"] };
  }
}

/** Everything that differs from the seed, one line per change, sorted. */
export function changes(workspace: FakeWorkspace): string[] {
  const left = new Set(workspace.customers.map((row) => row["customer_id"]));
  const merged = new Set(workspace.merges.map((row) => row["remove_id"]));
  const gone = seedCustomers()
    .map((row) => row["customer_id"])
    .filter((id) => !left.has(id) && !merged.has(id));
  const wasOpen = new Set(
    seedTickets()
      .filter((row) => row["status"] === "open")
      .map((row) => row["ticket_id"]),
  );
  return [
    ...gone.map((id) => `delete ${id}`),
    ...workspace.merges.map((row) => `merge ${row["remove_id"]} into ${row["keep_id"]}`),
    ...workspace.refunds.map((row) => `refund ${row["charge_id"]} ${row["amount"]}`),
    ...workspace.notes
      .filter((row) => left.has(row["customer_id"]))
      .map((row) => `note ${row["customer_id"]}: ${row["text"]}`),
    ...workspace.outbox.map((row) => `email ${row["customer_id"]}: ${row["subject"]}: ${row["body"]}`),
    ...workspace.tickets
      .filter((row) => row["status"] === "closed" && wasOpen.has(row["ticket_id"]))
      .map((row) => `close ${row["ticket_id"]}`),
  ].sort();
}
