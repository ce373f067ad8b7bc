// Merging two records of one customer, and taking that back: the merge keeps the removed record and what it moved.

import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { ChangeRefusedError } from "./errors.js";
import { customerOf, customerRow } from "./lookup.js";

/** Which record stays, which goes. */
export interface Merge {
  readonly keep_id: string;
  readonly remove_id: string;
  readonly reason: string;
}

const KEYS = { orders: "order_id", tickets: "ticket_id", notes: "note_id" } as const;
type Moved = Readonly<Record<keyof typeof KEYS, readonly number[]>>;

const mergeRow = z.object({
  id: z.number(),
  removed: z.string().transform((text) => customerRow.parse(JSON.parse(text))),
  moved: z
    .string()
    .transform((text) => z.record(z.enum(["orders", "tickets", "notes"]), z.array(z.number())).parse(JSON.parse(text))),
});

/** Who they are, for the person who decides. */
export function mergePreview(records: RecordsDatabase, { keep_id, remove_id }: Merge) {
  const [keep, remove] = [customerOf(records, keep_id), customerOf(records, remove_id)];
  const line = ({ name, city, email, phone }: typeof keep) => `${name}, ${city} (${email}, ${phone})`;
  return { shows: `keeps   ${line(keep)}\nremoves ${line(remove)}`, preconditions: { keep, remove } };
}

/** Moves everything of one record to the other and removes it. @throws ChangeRefusedError for one and the same. */
export function merge(records: RecordsDatabase, { keep_id: keep, remove_id: remove, reason }: Merge) {
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
  const moved: Moved = {
    orders: move("orders", KEYS.orders),
    tickets: move("tickets", KEYS.tickets),
    notes: move("notes", KEYS.notes),
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

/** Puts the removed record back, and with it what the merge moved. @throws ChangeRefusedError without such a merge. */
export function unmerge(records: RecordsDatabase, { keep_id, remove_id }: Merge) {
  const where = "where keep_id = ? and removed_id = ? order by rowid desc limit 1";
  const merged = records.first(mergeRow, `select rowid as id, removed, moved from merges ${where}`, keep_id, remove_id);
  if (merged === undefined) throw new ChangeRefusedError(`there is no merge of ${remove_id} into ${keep_id}.`);
  records.insert("customers", merged.removed);
  for (const table of ["orders", "tickets", "notes"] as const) {
    for (const id of merged.moved[table]) {
      records.run(`update ${table} set customer_id = ? where ${KEYS[table]} = ?`, remove_id, id);
    }
  }
  records.run("delete from merges where rowid = ?", merged.id);
  return { keep_id, restored_id: remove_id };
}
