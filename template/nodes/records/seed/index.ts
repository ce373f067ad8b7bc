// The records a new workspace starts with: the same ones, to the last character, every time.

import { seedCustomers, seedNotes } from "./customers.js";
import { seedOrders } from "./orders.js";
import { SeededRandom } from "./random.js";
import { seedTickets } from "./tickets.js";

/** A row to insert: column names and values. */
type Row = Readonly<Record<string, string | number | null>>;

/** Rows by table, in an order that satisfies the foreign keys. */
export type SeedRecords = Readonly<Record<string, readonly Row[]>>;

const SEED = 1042;

/** Draws everything. Parts have generators of their own, so that a change to one leaves the others as they were. */
export function seedRecords(): SeedRecords {
  const customers = seedCustomers(new SeededRandom(SEED));
  const orders = seedOrders(customers, new SeededRandom(SEED + 1));
  return {
    customers,
    notes: seedNotes(customers, new SeededRandom(SEED + 2)),
    orders: orders.map(({ order }) => order),
    items: orders.flatMap(({ items }) => items),
    charges: orders.flatMap(({ charges }) => charges),
    refunds: orders.flatMap(({ refunds }) => refunds),
    tickets: seedTickets(customers, orders, new SeededRandom(SEED + 3)),
  };
}
