import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { tools } from "../../template/nodes/index.js";
import { recordsFile } from "../../template/nodes/records/index.js";
import { emptyDirectory, openWorkspace } from "./support.js";

const { call, run, tools: all, workspace } = openWorkspace();
const ids = async (name: string, args: object, list: string, key: string): Promise<unknown[]> => {
  const result = z.record(z.string(), z.unknown()).parse(await call(name, args));
  return z
    .array(z.record(z.string(), z.unknown()))
    .parse(result[list])
    .map((row) => row[key]);
};
const found = (query: string, limit?: number) =>
  ids("search_customers", limit === undefined ? { query } : { query, limit }, "matches", "customer_id");

describe("the tools", () => {
  it("are the ones the planner is told of, with a description for every argument", () => {
    expect(all.map(({ name, effect, floor }) => [name, effect, floor])).toEqual([
      ["search_customers", "none", undefined],
      ["list_customers", "none", undefined],
      ["read_customer", "none", undefined],
      ["list_orders", "none", undefined],
      ["read_order", "none", undefined],
      ["list_tickets", "none", undefined],
      ["read_ticket", "none", undefined],
      ["read_ticket_text", "none", undefined],
      ["add_note", "idempotent", undefined],
      ["close_ticket", "idempotent", undefined],
      ["refund_order", "irreversible", undefined],
      ["send_email", "irreversible", undefined],
      ["delete_customer", "irreversible", "strict"],
      ["merge_customers", "compensable", "strict"],
    ]);
    for (const tool of all) {
      expect(tool.description.length).toBeGreaterThan(30);
      for (const field of Object.values(tool.schema.shape)) expect((field as z.ZodType).description).toBeTruthy();
      // The bank that pays refunds takes no keys.
      if (tool.effect !== "none") expect(tool.honoursKey).toBe(tool.name !== "refund_order");
    }
  });

  it("open nothing before the first call", async () => {
    const fresh = openWorkspace(`${emptyDirectory()}/not/yet/there`);
    expect(existsSync(fresh.workspace)).toBe(false);
    await fresh.call("read_customer", { customer_id: "C-0001" });
    expect(existsSync(recordsFile(fresh.workspace))).toBe(true);
  });

  it("are the project's tools", () => {
    expect(tools({ workspace }).map(({ name }) => name)).toEqual(all.map(({ name }) => name));
  });
});

describe("search_customers", () => {
  it("finds both of a shared name, by id", async () => {
    expect(await found("Harbor Bakery")).toEqual(["C-0107", "C-0212"]);
    expect(await found("bakery HARBOR")).toEqual(["C-0107", "C-0212"]);
  });

  it("puts exact names first and keeps look-alikes", async () => {
    expect(await found("lumen optic")).toEqual(["C-0067", "C-0154"]);
    expect(await found("Maria Santos")).toEqual(["C-0058", "C-0131", "C-0176", "C-0205", "C-0247"]);
    expect((await found("Olivia Browne"))[0]).toBe("C-0262");
    expect((await found("Olivia Brown"))[0]).toBe("C-0261");
  });

  it("reads an ampersand and the word and alike, the exact spelling first", async () => {
    expect(await found("Quill & Ledger Books")).toEqual(["C-0033", "C-0233"]);
    expect(await found("Quill and Ledger Books")).toEqual(["C-0233", "C-0033"]);
  });

  it("finds by id and by e-mail address", async () => {
    expect(await found("c-0212")).toEqual(["C-0212"]);
    expect(await found("office@harbor-bakery.example")).toEqual(["C-0212"]);
  });

  it("counts what it leaves out and says when there is nobody", async () => {
    expect(await call("search_customers", { query: "maria santos", limit: 1 })).toMatchObject({ total: 5 });
    expect(await found("maria santos", 1)).toHaveLength(1);
    expect(await call("search_customers", { query: "Nimbus Cartography" })).toEqual({ matches: [], total: 0 });
    expect(await call("search_customers", { query: "&" })).toEqual({ matches: [], total: 0 });
  });
});

describe("list_customers and read_customer", () => {
  it("lists a city in any case, page by page", async () => {
    const bristol = await ids("list_customers", { city: "bristol", limit: 100 }, "customers", "customer_id");
    expect(bristol).toContain("C-0212");
    expect(bristol).not.toContain("C-0107");
    expect(await call("list_customers", { city: "Bristol", limit: 1 })).toMatchObject({ total: bristol.length });
    expect(await ids("list_customers", { city: "Bristol", limit: 2, offset: 2 }, "customers", "customer_id")).toEqual(
      bristol.slice(2, 4),
    );
    const held = await call("list_customers", { status: "on_hold", city: "Bristol" });
    expect(held).toMatchObject({
      customers: expect.not.arrayContaining([expect.objectContaining({ status: "active" })]),
    });
  });

  it("reads a customer with counts and notes", async () => {
    expect(await call("read_customer", { customer_id: "C-0212" })).toEqual({
      customer_id: "C-0212",
      name: "Harbor Bakery",
      city: "Bristol",
      email: "office@harbor-bakery.example",
      phone: expect.stringMatching(/^\+44 117 /),
      status: "active",
      since: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      order_count: 1,
      open_tickets: 1,
      notes: expect.arrayContaining([{ at: expect.any(String), text: expect.any(String) }]),
    });
  });

  it("says how to find a customer that is not there", async () => {
    await expect(call("read_customer", { customer_id: "C-9999" })).rejects.toThrow(
      "no customer C-9999. Search by name with search_customers.",
    );
  });
});

describe("list_orders and read_order", () => {
  it("reads an order with items, charges and refunds, money in whole units", async () => {
    expect(await call("read_order", { order_id: 7781 })).toEqual({
      order_id: 7781,
      customer_id: "C-0154",
      customer_name: "Lumen Optics",
      placed_at: expect.any(String),
      status: "delivered",
      total: 49,
      items: [{ sku: "STD-DISP-OAK", description: expect.any(String), quantity: 1, price: 49 }],
      charges: [
        { charge_id: "CH-7781-1", amount: 49, at: expect.any(String) },
        { charge_id: "CH-7781-2", amount: 49, at: expect.any(String) },
      ],
      refunds: [],
    });
    expect(await call("read_order", { order_id: 7730 })).toMatchObject({
      refunds: [{ refund_id: expect.stringMatching(/^RF-\d{4}$/), charge_id: "CH-7730-2" }],
    });
  });

  it("lists the newest first, by customer and by status", async () => {
    const orders = await ids("list_orders", { customer_id: "C-0154" }, "orders", "order_id");
    expect(orders[0]).toBe(7781);
    expect(orders).toEqual([...orders].sort((left, right) => Number(right) - Number(left)));
    expect(await call("list_orders", { limit: 1 })).toMatchObject({ total: 600 });
    const cancelled = await ids("list_orders", { status: "cancelled", limit: 100 }, "orders", "status");
    expect(new Set(cancelled)).toEqual(new Set(["cancelled"]));
  });

  it("tells a customer without orders from one who is not there", async () => {
    await expect(call("list_orders", { customer_id: "C-9999" })).rejects.toThrow("no customer C-9999");
    await expect(call("read_order", { order_id: 1 })).rejects.toThrow(
      "no order 1. List a customer's orders with list_orders.",
    );
  });
});

describe("list_tickets, read_ticket and read_ticket_text", () => {
  it("reads what was filed, without the text", async () => {
    const { content, mark } = await run("read_ticket", { ticket_id: 1042 });
    expect(JSON.parse(content)).toEqual({
      ticket_id: 1042,
      customer_id: "C-0212",
      customer_name: "Harbor Bakery",
      other_customer_id: null,
      order_id: null,
      request: "delete_account",
      channel: "email",
      status: "open",
      opened_at: expect.any(String),
      has_text: true,
    });
    expect(mark.integrity).toBe(2);
    expect(await call("read_ticket", { ticket_id: 1085 })).toMatchObject({ other_customer_id: "C-0233" });
    expect(await call("read_ticket", { ticket_id: 1091 })).toMatchObject({ customer_id: null, customer_name: null });
    await expect(call("read_ticket", { ticket_id: 9 })).rejects.toThrow("no ticket 9. List tickets with list_tickets.");
  });

  it("marks a text as written by an outsider, and by anybody at all from the web form", async () => {
    const mail = await run("read_ticket_text", { ticket_id: 1042 });
    expect(JSON.parse(mail.content)).toEqual({
      ticket_id: 1042,
      from: "office@harbor-bakery.example",
      text: expect.stringContaining("C-0212"),
    });
    expect(mail.mark).toMatchObject({ integrity: 1, fidelity: 3, currency: 3, certainty: 3 });
    const form = await run("read_ticket_text", { ticket_id: 1063 });
    expect(form.mark.integrity).toBe(0);
    expect(form.mark.causes?.map(({ reason }) => reason)).toContain("text of an anonymous web form");
    await expect(call("read_ticket_text", { ticket_id: 9 })).rejects.toThrow("no ticket 9");
  });

  it("lists by customer, status and request", async () => {
    expect(await ids("list_tickets", { request: "merge_accounts" }, "tickets", "ticket_id")).toEqual([1085, 1104]);
    expect(await ids("list_tickets", { customer_id: "C-0212", status: "open" }, "tickets", "ticket_id")).toEqual([
      1042,
    ]);
    expect(await call("list_tickets", { status: "open", limit: 1 })).toEqual({
      tickets: [expect.objectContaining({ status: "open" })],
      total: expect.any(Number),
    });
    expect(await call("list_tickets", { limit: 1 })).toMatchObject({ total: 120 });
  });
});

it("gives every plain reading the integrity of the system of record", async () => {
  const readings: readonly (readonly [string, object])[] = [
    ["search_customers", { query: "harbor" }],
    ["list_customers", {}],
    ["read_customer", { customer_id: "C-0212" }],
    ["list_orders", {}],
    ["read_order", { order_id: 7781 }],
    ["list_tickets", {}],
  ];
  for (const [name, args] of readings)
    expect((await run(name, args)).mark).toMatchObject({ integrity: 2, fidelity: 3 });
});
