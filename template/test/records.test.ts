// The records tools, tried without a graph. A test for a tool of yours can look like this one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PermitRequiredError } from "bulkhead/nodes";
import { afterAll, describe, expect, it } from "vitest";
import { tools } from "../nodes/index.js";

const workspace = mkdtempSync(join(tmpdir(), "records-"));
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const all = tools({ workspace });

/** Runs a tool as the tools node does, without a permit. */
async function run(name: string, args: object) {
  const tool = all.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  const signal = new AbortController().signal;
  return tool.execute(args, { idempotencyKey: `test-${name}`, permit: undefined, signal, config: {} });
}

describe("the records tools", () => {
  it("find both customers of one name", async () => {
    const { content, mark } = await run("search_customers", { query: "Harbor Bakery" });
    expect(JSON.parse(content)).toMatchObject({
      matches: [
        { customer_id: "C-0107", city: "Portland" },
        { customer_id: "C-0212", city: "Bristol" },
      ],
      total: 2,
    });
    expect(mark.integrity).toBe(2);
  });

  it("trust the text of a web form with nothing", async () => {
    const { mark } = await run("read_ticket_text", { ticket_id: 1063 });
    expect(mark.integrity).toBe(0);
  });

  it("delete nobody without a permit from the gate", async () => {
    const call = run("delete_customer", { customer_id: "C-0212", reason: "ticket 1042" });
    await expect(call).rejects.toThrow(PermitRequiredError);
    await expect(run("read_customer", { customer_id: "C-0212" })).resolves.toBeDefined();
  });

  it("say what to do when a record is not there", async () => {
    await expect(run("read_customer", { customer_id: "C-9999" })).rejects.toThrow(
      "Search by name with search_customers",
    );
  });
});
