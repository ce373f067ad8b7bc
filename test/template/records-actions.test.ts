import { END, START, StateGraph } from "@langchain/langgraph";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { NotDoneError } from "../../nodes/outcome.js";
import { PermitRequiredError } from "../../nodes/tool.js";
import { begin, type Label, label, mark, TOP, TrustedState } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { emptyDirectory, lookInto, openWorkspace } from "./support.js";

const anyRow = z.record(z.string(), z.unknown());
const why = { reason: "ticket 1077" };
const refund = { order_id: 7781, charge_id: "CH-7781-2", amount: 49, ...why };

describe("the gate is the only way", () => {
  it.each([
    ["refund_order", refund],
    ["send_email", { customer_id: "C-0212", subject: "Hello", body: "Hello" }],
    ["delete_customer", { customer_id: "C-0212", reason: "ticket 1042" }],
    ["merge_customers", { keep_id: "C-0033", remove_id: "C-0233", reason: "ticket 1085" }],
  ])("%s throws without a permit and changes nothing", async (name, args) => {
    const { tool, workspace } = openWorkspace();
    await expect(tool(name).invoke(args)).rejects.toThrow(PermitRequiredError);
    const records = lookInto(workspace);
    expect(records.count("select count(*) as count from customers")).toBe(300);
    expect(records.count("select count(*) as count from outbox")).toBe(0);
    expect(records.count("select count(*) as count from effects")).toBe(0);
  });
});

describe("a key", () => {
  it.each([
    ["add_note", { customer_id: "C-0107", text: "Called back." }, "notes"],
    ["send_email", { customer_id: "C-0107", subject: "Hello", body: "Hello" }, "outbox"],
    ["delete_customer", { customer_id: "C-0212", ...why }, "deletions"],
    ["merge_customers", { keep_id: "C-0033", remove_id: "C-0233", ...why }, "merges"],
    ["close_ticket", { ticket_id: 1042, resolution: "Deleted." }, "effects"],
  ])("makes %s happen once, also from another process, and answers the same", async (name, args, table) => {
    const { call, workspace } = openWorkspace();
    const before = lookInto(workspace).count(`select count(*) as count from ${table}`);
    const first = await call(name, args, "one");
    expect(await call(name, args, "one")).toEqual(first);
    expect(await openWorkspace(workspace).call(name, args, "one")).toEqual(first);
    expect(lookInto(workspace).count(`select count(*) as count from ${table}`)).toBe(before + 1);
  });

  it("of a refused change is not used up", async () => {
    const { call, workspace } = openWorkspace();
    await expect(call("delete_customer", { customer_id: "C-9999", ...why }, "one")).rejects.toThrow(
      "no customer C-9999",
    );
    expect(lookInto(workspace).count("select count(*) as count from effects")).toBe(0);
    expect(await call("delete_customer", { customer_id: "C-0212", ...why }, "one")).toMatchObject({ deleted: true });
  });
});

describe("add_note and close_ticket", () => {
  it("adds a note that the next reader sees", async () => {
    const { call } = openWorkspace();
    expect(await call("add_note", { customer_id: "C-0107", text: "Called back." })).toEqual({
      note_id: expect.any(Number),
      customer_id: "C-0107",
    });
    expect(await call("read_customer", { customer_id: "C-0107" })).toMatchObject({
      notes: expect.arrayContaining([{ at: "2026-07-01T09:00:00.000Z", text: "Called back." }]),
    });
    await expect(call("add_note", { customer_id: "C-9999", text: "?" })).rejects.toThrow("no customer C-9999");
  });

  it("closes a ticket, and says when it is closed already", async () => {
    const { call, workspace } = openWorkspace();
    expect(await call("close_ticket", { ticket_id: 1042, resolution: "Deleted." })).toEqual({
      ticket_id: 1042,
      status: "closed",
    });
    expect(await call("read_ticket", { ticket_id: 1042 })).toMatchObject({ status: "closed" });
    const [ticket] = lookInto(workspace).all(anyRow, "select * from tickets where ticket_id = 1042");
    expect(ticket).toMatchObject({ resolution: "Deleted.", closed_at: "2026-07-01T09:00:00.000Z" });
    const again = call("close_ticket", { ticket_id: 1042, resolution: "Again." });
    await expect(again).rejects.toThrow("ticket 1042 is already closed");
    await expect(call("close_ticket", { ticket_id: 9, resolution: "?" })).rejects.toThrow("no ticket 9");
  });
});

describe("a note's trust", () => {
  /** Adds a note from inside a graph whose trust was lowered by `lowered` before. */
  async function noteFromGraph(lowered: Partial<Label>): Promise<Label> {
    const { run } = openWorkspace();
    const note = { customer_id: "C-0107", text: "Says the form." };
    const graph = new StateGraph(new TrustedState({ done: z.boolean().default(false) }))
      .addNode("read", () => ({ trust: mark(label(lowered), "what it read") }))
      .addNode("note", async (_state, config) => {
        await run("add_note", note, "one", config);
        return { done: true };
      })
      .addEdge(START, "read")
      .addEdge("read", "note")
      .addEdge("note", END)
      .compile();
    await graph.invoke({ trust: begin(TOP) });
    return (await run("read_customer", { customer_id: "C-0107" })).mark;
  }

  it("is that of the run that wrote it: a note launders nothing", async () => {
    expect(await noteFromGraph({ integrity: 0 })).toMatchObject({ integrity: 0, fidelity: 3 });
    expect(await noteFromGraph({ fidelity: 1 })).toMatchObject({ integrity: 2, fidelity: 1 });
  });

  it("costs a clean run nothing", async () => {
    expect(await noteFromGraph({ integrity: 2 })).toMatchObject({
      integrity: 2,
      fidelity: 3,
      currency: 3,
      certainty: 3,
    });
  });

  it("is the lowest when nobody says who wrote it", async () => {
    const { call, run } = openWorkspace();
    await call("add_note", { customer_id: "C-0107", text: "From nowhere." });
    expect((await run("read_customer", { customer_id: "C-0107" })).mark).toMatchObject({ integrity: 0, certainty: 0 });
  });
});

describe("refund_order", () => {
  it("pays back a charge, whole or in parts, and shows it on the order", async () => {
    const { call } = openWorkspace();
    expect(await call("refund_order", { ...refund, amount: 20.1 })).toEqual({
      refund_id: expect.stringMatching(/^RF-\d{4}$/),
      order_id: 7781,
      charge_id: "CH-7781-2",
      amount: 20.1,
    });
    await call("refund_order", { ...refund, amount: 28.9 });
    expect(await call("read_order", { order_id: 7781 })).toMatchObject({
      refunds: [
        { charge_id: "CH-7781-2", amount: 20.1 },
        { charge_id: "CH-7781-2", amount: 28.9 },
      ],
    });
    await expect(call("refund_order", { ...refund, amount: 0.01 })).rejects.toThrow("0.01 is more than the 0.00 left");
  });

  it("refuses what was refunded already, as one that has certainly not paid", async () => {
    const { call, workspace } = openWorkspace();
    await call("refund_order", refund);
    const again = call("refund_order", { ...refund, reason: "the customer asked once more" });
    await expect(again).rejects.toThrow("49.00 is more than the 0.00 left of charge CH-7781-2");
    await expect(again).rejects.toSatisfy(NotDoneError.isInstance);
    expect(lookInto(workspace).count("select count(*) as count from refunds where charge_id = 'CH-7781-2'")).toBe(1);
  });

  it("shows whoever decides that the same amount was paid before", async () => {
    const { tool, call } = openWorkspace();
    const half = { ...refund, amount: 20 };
    const { signal } = new AbortController();
    expect((await tool("refund_order").preview(half, { signal }))?.shows).not.toContain("paid before");
    await call("refund_order", half);
    expect((await tool("refund_order").preview(half, { signal }))?.shows).toMatch(
      /refunded 20.00 → 40.00; the same amount was paid before, as RF-\d{4}$/,
    );
  });

  it.each([
    [{ amount: 49.01 }, "49.01 is more than the 49.00 left of charge CH-7781-2"],
    [{ charge_id: "CH-7781-9" }, "order 7781 has no charge CH-7781-9. Its charges are: CH-7781-1, CH-7781-2."],
    [{ charge_id: "CH-7730-1" }, "order 7781 has no charge CH-7730-1"],
    [{ order_id: 1 }, "no order 1"],
    [{ amount: 1.005 }, "1.005 is no amount of money"],
    [{ amount: 0.001 }, "0.001 is no amount of money"],
    [{ amount: 0 }, "amount"],
    [{ amount: -49 }, "amount"],
  ])("refuses %j", async (wrong, message) => {
    const { call, workspace } = openWorkspace();
    const count = "select count(*) as count from refunds where charge_id like 'CH-7781-%'";
    await expect(call("refund_order", { ...refund, ...wrong })).rejects.toThrow(message);
    expect(lookInto(workspace).count(count)).toBe(0);
  });
});

describe("the ledger", () => {
  const LEFT = { ...refund, amount: 29, reason: "and the rest" };

  it.each([
    [
      "the same in other words",
      { ...refund, amount: 20, reason: "the customer asked once more" },
      "the same amount was paid before",
    ],
    ["another part of the same charge", LEFT, "refunded 20.00 → 49.00"],
  ])("asks about a second refund of a charge: %s", async (_, second, shows) => {
    const { tools, workspace } = openWorkspace();
    const steps = [calls(["refund_order", { ...refund, amount: 20 }]), calls(["refund_order", second]), "done"];
    const agent = testAgent(script(steps), { tools });
    const { asked } = await agent.run("refund");
    expect(asked?.value.requests).toMatchObject([
      { view: expect.stringContaining(shows), causes: [expect.stringContaining("already done")] },
    ]);
    expect(lookInto(workspace).count("select count(*) as count from refunds where charge_id = 'CH-7781-2'")).toBe(1);
  });

  it("says so too where the tool refuses: nobody is asked about what is refunded already", async () => {
    const { tools, workspace } = openWorkspace();
    const again = { ...refund, reason: "the customer asked once more" };
    const agent = testAgent(script([calls(["refund_order", refund]), calls(["refund_order", again]), "done"]), {
      tools,
    });
    const { asked, messages } = await agent.run("refund");
    expect(asked).toBeUndefined();
    expect(messages.map(({ text }) => text).join("\n")).toMatch(
      /its preview failed: 49.00 is more than the 0.00 left .*; the same action was already done, or may have been/,
    );
    expect(lookInto(workspace).count("select count(*) as count from refunds where charge_id = 'CH-7781-2'")).toBe(1);
  });

  it.each([
    ["refund_order", ["order_id", "charge_id"]],
    ["send_email", ["customer_id", "subject"]],
    ["delete_customer", ["customer_id"]],
    ["merge_customers", ["keep_id", "remove_id"]],
  ])("knows %s by %j", (name, identity) => {
    expect(openWorkspace().tool(name).identity).toEqual(identity);
  });
});

describe("send_email", () => {
  it("puts the message into the outbox, to the address on record", async () => {
    const { call, workspace } = openWorkspace();
    expect(await call("send_email", { customer_id: "C-0212", subject: "Done", body: "Your account is gone." })).toEqual(
      {
        email_id: "EM-0001",
        to: "office@harbor-bakery.example",
      },
    );
    expect(lookInto(workspace).all(anyRow, "select * from outbox")).toMatchObject([
      { customer_id: "C-0212", recipient: "office@harbor-bakery.example", subject: "Done" },
    ]);
    await expect(call("send_email", { customer_id: "C-9999", subject: "x", body: "x" })).rejects.toThrow(
      "no customer C-9999",
    );
  });
});

describe("delete_customer", () => {
  it("removes that customer and its notes, and nobody and nothing else", async () => {
    const { call, workspace } = openWorkspace();
    const records = lookInto(workspace);
    const notes = records.count("select count(*) as count from notes where customer_id <> 'C-0212'");
    expect(records.count("select count(*) as count from notes")).toBeGreaterThan(notes);
    expect(await call("delete_customer", { customer_id: "C-0212", reason: "ticket 1042" })).toEqual({
      customer_id: "C-0212",
      deleted: true,
      name: "Harbor Bakery",
    });
    expect(records.count("select count(*) as count from customers")).toBe(299);
    expect(records.count("select count(*) as count from notes")).toBe(notes);
    expect(records.all(anyRow, "select * from deletions")).toMatchObject([
      { customer_id: "C-0212", reason: "ticket 1042" },
    ]);
    expect(await call("search_customers", { query: "Harbor Bakery" })).toMatchObject({
      matches: [{ customer_id: "C-0107" }],
    });
    await expect(call("delete_customer", { customer_id: "C-0212", ...why })).rejects.toThrow("no customer C-0212");
  });

  it("keeps orders and tickets, which still name the id", async () => {
    const { call } = openWorkspace();
    await call("delete_customer", { customer_id: "C-0212", reason: "ticket 1042" });
    expect(await call("list_orders", { customer_id: "C-0212" })).toMatchObject({
      orders: [{ customer_id: "C-0212", customer_name: null }],
    });
    expect(await call("read_ticket", { ticket_id: 1042 })).toMatchObject({
      customer_id: "C-0212",
      customer_name: null,
    });
  });
});

describe("a preview", () => {
  const { signal } = new AbortController();

  it.each([
    ["refund_order", refund, "of the 49.00 of CH-7781-2; refunded 0.00 → 49.00"],
    ["send_email", { customer_id: "C-0212", subject: "Hello", body: "Hello" }, "to Harbor Bakery <"],
    ["delete_customer", { customer_id: "C-0212", ...why }, "deletes Harbor Bakery, Bristol ("],
    ["merge_customers", { keep_id: "C-0033", remove_id: "C-0233", ...why }, "\nremoves "],
  ])("of %s says what would change and changes nothing", async (name, args, shows) => {
    const { tool, workspace } = openWorkspace();
    expect((await tool(name).preview(args, { signal }))?.shows).toContain(shows);
    for (const table of ["refunds", "outbox", "deletions", "merges", "effects"]) {
      const before =
        table === "refunds" ? lookInto(emptyDirectory()).count("select count(*) as count from refunds") : 0;
      expect(lookInto(workspace).count(`select count(*) as count from ${table}`)).toBe(before);
    }
  });

  it("rests on what it read: a charge that was refunded meanwhile is another one", async () => {
    const { tool, call } = openWorkspace();
    const half = { ...refund, amount: 20 };
    const before = await tool("refund_order").preview(half, { signal });
    await call("refund_order", half);
    expect((await tool("refund_order").preview(half, { signal }))?.preconditions).not.toEqual(before?.preconditions);
  });
});

describe("merge_customers", () => {
  it("can be taken back, once", async () => {
    const { tool, call, workspace } = openWorkspace();
    const ids = () =>
      lookInto(workspace).all(
        anyRow,
        "select customer_id, order_id from orders where customer_id like 'C-0%33' order by order_id",
      );
    const args = { keep_id: "C-0033", remove_id: "C-0233", ...why };
    const before = ids();
    await call("merge_customers", args);
    expect(ids()).not.toEqual(before);
    const undo = { idempotencyKey: "undo", signal: new AbortController().signal };
    const receipt = await tool("merge_customers").compensate("", args, undo);
    expect(await tool("merge_customers").compensate("", args, undo)).toBe(receipt);
    expect(ids()).toEqual(before);
    expect(await call("read_customer", { customer_id: "C-0233" })).toMatchObject({ customer_id: "C-0233" });
    await expect(tool("merge_customers").compensate("", args, { ...undo, idempotencyKey: "again" })).rejects.toThrow(
      "no merge",
    );
  });

  it("moves everything, removes the duplicate and keeps what undoing it needs", async () => {
    const { call, workspace } = openWorkspace();
    const count = (id: string, table: string) =>
      lookInto(workspace).count(`select count(*) as count from ${table} where customer_id = ?`, id);
    const [orders, tickets, notes] = ["orders", "tickets", "notes"].map((table) => count("C-0233", table));
    const [kept, keptNotes] = ["orders", "notes"].map((table) => count("C-0033", table));
    expect(await call("merge_customers", { keep_id: "C-0033", remove_id: "C-0233", reason: "ticket 1085" })).toEqual({
      keep_id: "C-0033",
      removed_id: "C-0233",
      moved_orders: orders,
      moved_tickets: tickets,
    });
    expect(orders).toBe(3);
    expect(notes).toBeGreaterThan(0);
    expect(count("C-0033", "orders")).toBe(Number(kept) + 3);
    expect(count("C-0033", "notes")).toBe(Number(keptNotes) + Number(notes));
    for (const table of ["customers", "orders", "tickets", "notes"]) expect(count("C-0233", table)).toBe(0);
    const [merge] = lookInto(workspace).all(anyRow, "select * from merges");
    expect(JSON.parse(String(merge?.["removed"]))).toMatchObject({
      customer_id: "C-0233",
      name: "Quill and Ledger Books",
    });
    expect(JSON.parse(String(merge?.["moved"]))).toMatchObject({ orders: expect.arrayContaining([7434, 7789, 7850]) });
  });

  it.each([
    ["C-0033", "C-0033", "keep_id and remove_id are both C-0033"],
    ["C-0033", "C-9999", "no customer C-9999"],
    ["C-9999", "C-0233", "no customer C-9999"],
  ])("refuses to merge %s and %s", async (keep_id, remove_id, message) => {
    const { call, workspace } = openWorkspace();
    await expect(call("merge_customers", { keep_id, remove_id, ...why })).rejects.toThrow(message);
    expect(lookInto(workspace).count("select count(*) as count from customers")).toBe(300);
  });
});
