// Tools that find and read customers. They only read the system of record, so what they return has integrity 2,
// except notes that were written by somebody less trusted than that.

import { defineTool, type HarnessTool, labelled } from "bulkhead/nodes";
import { isAtMost, label, meet, parseLabel } from "bulkhead/trust";
import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { customerOf, customerRow, whereAll } from "./lookup.js";
import { CUSTOMER_STATUSES } from "./schema.js";

const source = { integrity: 2 } as const;

const summaryRow = customerRow.pick({ customer_id: true, name: true, city: true, email: true, status: true });
const SUMMARY = "select customer_id, name, city, email, status from customers";

const noteRow = z.object({
  at: z.string(),
  text: z.string(),
  integrity: z.number(),
  fidelity: z.number(),
  currency: z.number(),
  certainty: z.number(),
});

/** Lower case, without accents and apostrophes: `María O'Brien` is found by `maria obrien`. */
const folded = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/[\p{M}'’]/gu, "")
    .toLowerCase();

/** The words of a name. `&` and `and` do not count, since one shop is often written both ways. */
const wordsOf = (text: string): readonly string[] =>
  (folded(text).match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word !== "and");

/** The tools that read customers. */
export function customerTools(open: () => RecordsDatabase): readonly HarnessTool[] {
  const search = defineTool({
    name: "search_customers",
    description:
      "Find customers by name, e-mail address or customer id. A name matches when it contains all the words, in any case. Exact names come first, then by id. Several customers can share a name: compare total, city and id before you act on one.",
    schema: z.object({
      query: z.string().min(1).describe('A name or part of it, an e-mail address, or an id: "Harbor Bakery".'),
      limit: z.number().int().min(1).max(20).default(10).describe("How many to return, at most 20."),
    }),
    effect: "none",
    source,
    run: ({ query, limit }) => {
      const wanted = query.trim().toLowerCase();
      const words = wordsOf(query);
      const isExact = (name: string): boolean => folded(name) === folded(wanted);
      const matches = open()
        .all(summaryRow, `${SUMMARY} order by customer_id`)
        .filter(({ customer_id, name, email }) => {
          const text = folded(name);
          const byName = words.length > 0 && words.every((word) => text.includes(word));
          return byName || customer_id.toLowerCase() === wanted || email.toLowerCase().includes(wanted);
        })
        .sort((left, right) => Number(isExact(right.name)) - Number(isExact(left.name)));
      return { matches: matches.slice(0, limit), total: matches.length };
    },
  });

  const list = defineTool({
    name: "list_customers",
    description: "List customers by id, all of them or those of one city or status. total counts all that fit.",
    schema: z.object({
      city: z.string().optional().describe('Only customers in this city, in any case: "Bristol".'),
      status: z.enum(CUSTOMER_STATUSES).optional().describe("Only customers with this status."),
      limit: z.number().int().min(1).max(100).default(20).describe("How many to return, at most 100."),
      offset: z.number().int().min(0).default(0).describe("How many to skip, to read on."),
    }),
    effect: "none",
    source,
    run: ({ city, status, limit, offset }) => {
      const { clause, values } = whereAll({ "city = ? collate nocase": city?.trim(), "status = ?": status });
      const sql = `${SUMMARY} ${clause} order by customer_id limit ? offset ?`;
      return {
        customers: open().all(summaryRow, sql, ...values, limit, offset),
        total: open().count(`select count(*) as count from customers ${clause}`, ...values),
      };
    },
  });

  const read = defineTool({
    name: "read_customer",
    description: "Read one customer: contact data, number of orders and of open tickets, and the help desk's notes.",
    schema: z.object({ customer_id: z.string().describe('The customer\'s id, like "C-0107".') }),
    effect: "none",
    source,
    run: ({ customer_id }) => {
      const records = open();
      const customer = customerOf(records, customer_id);
      const notes = records.all(noteRow, "select * from notes where customer_id = ? order by at, note_id", customer_id);
      const result = {
        ...customer,
        order_count: records.count("select count(*) as count from orders where customer_id = ?", customer_id),
        open_tickets: records.count(
          "select count(*) as count from tickets where customer_id = ? and status = 'open'",
          customer_id,
        ),
        notes: notes.map(({ at, text }) => ({ at, text })),
      };
      // A note must not launder what its writer had read: it comes back with the trust of the run that wrote it.
      const written = meet(...notes.map(parseLabel));
      return isAtMost(label(source), written) ? result : labelled(result, written, `a note on ${customer_id}`);
    },
  });

  return [search, list, read];
}
