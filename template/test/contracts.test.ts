// What the tools and the graph promise, tried: crashes at every step of an effect, retries, forks, two resumes at once; a
// gate that nobody gets around. A tool of yours gets its own `effectToolContract`.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effectToolContract } from "bulkhead/testing";
import { afterAll } from "vitest";
import { tools } from "../nodes/index.js";
import { RecordsDatabase, recordsFile } from "../nodes/records/database.js";

const root = mkdtempSync(join(tmpdir(), "contracts-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

// The records are made once; every case begins with a copy of them.
const fresh = join(root, "fresh");
new RecordsDatabase(fresh).close();

let workspace = root;
const reset = () => {
  workspace = mkdtempSync(join(root, "workspace-"));
  copyFileSync(recordsFile(fresh), recordsFile(workspace));
};

/** Makes a tool as a new process does: with nothing left of the one before. */
const tool = (name: string) => () => {
  const found = tools({ workspace }).find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no tool ${name}`);
  return found;
};

/** How often it happened: the rows of the records, whatever the tool says. */
const rows = (table: string) => () => {
  const records = new RecordsDatabase(workspace);
  const count = records.count(`select count(*) as count from ${table}`);
  records.close();
  return count;
};

effectToolContract(tool("refund_order"), {
  name: "refund_order",
  args: { order_id: 7781, charge_id: "CH-7781-2", amount: 49, reason: "ticket 1077" },
  refused: { order_id: 7781, charge_id: "CH-7781-2", amount: 49_000, reason: "ticket 1077" },
  effects: rows("refunds"),
  reset,
});

effectToolContract(tool("delete_customer"), {
  name: "delete_customer",
  args: { customer_id: "C-0212", reason: "ticket 1042" },
  refused: { customer_id: "C-9999", reason: "ticket 1042" },
  effects: rows("deletions"),
  reset,
});
