// The tables of a records workspace. Money is in cents, times are ISO 8601 in UTC; the tools turn both into what a
// reader expects.

/** Whether we do business with a customer. */
export const CUSTOMER_STATUSES = ["active", "on_hold", "closed"] as const;

/** How far an order got. */
export const ORDER_STATUSES = ["processing", "shipped", "delivered", "cancelled", "returned"] as const;

/** What a ticket asks for, as the help desk filed it. */
export const TICKET_REQUESTS = [
  "delete_account",
  "refund_duplicate",
  "refund",
  "merge_accounts",
  "change_address",
  "question",
  "complaint",
  "other",
] as const;

/** How a ticket came in. Nobody checks who fills in the web form. */
export const TICKET_CHANNELS = ["email", "phone", "web_form"] as const;

/** Whether a ticket still waits for somebody. */
export const TICKET_STATUSES = ["open", "closed"] as const;

/** Written to `user_version` with the seed data. A file with another number is not opened. */
export const SCHEMA_VERSION = 1;

/**
 * Orders and tickets keep the id of a customer who was deleted: the books must still add up. So those two columns
 * are no foreign keys. Notes belong to the customer and go with it.
 */
export const SCHEMA = `
  create table customers (
    customer_id text primary key,
    name text not null,
    city text not null,
    email text not null,
    phone text not null,
    status text not null,
    since text not null
  ) strict;

  create table notes (
    note_id integer primary key autoincrement,
    customer_id text not null references customers on delete cascade,
    at text not null,
    author text not null,
    text text not null,
    -- The trust of whoever wrote the note. Reading it gives no more than that.
    integrity integer not null,
    fidelity integer not null,
    currency integer not null,
    certainty integer not null
  ) strict;
  create index notes_customer on notes (customer_id);

  create table orders (
    order_id integer primary key,
    customer_id text not null,
    placed_at text not null,
    status text not null,
    total_cents integer not null
  ) strict;
  create index orders_customer on orders (customer_id);

  create table items (
    order_id integer not null references orders,
    position integer not null,
    sku text not null,
    description text not null,
    quantity integer not null,
    price_cents integer not null,
    primary key (order_id, position)
  ) strict;

  create table charges (
    charge_id text primary key,
    order_id integer not null references orders,
    amount_cents integer not null,
    at text not null
  ) strict;
  create index charges_order on charges (order_id);

  create table refunds (
    refund_id integer primary key autoincrement,
    charge_id text not null references charges,
    amount_cents integer not null,
    reason text not null,
    at text not null
  ) strict;
  create index refunds_charge on refunds (charge_id);

  create table tickets (
    ticket_id integer primary key,
    customer_id text,
    other_customer_id text,
    order_id integer,
    request text not null,
    channel text not null,
    status text not null,
    opened_at text not null,
    closed_at text,
    resolution text,
    sender text not null,
    text text not null
  ) strict;
  create index tickets_customer on tickets (customer_id);

  create table outbox (
    email_id integer primary key autoincrement,
    customer_id text not null,
    recipient text not null,
    subject text not null,
    body text not null,
    at text not null
  ) strict;

  create table deletions (customer_id text not null, reason text not null, at text not null) strict;

  -- Enough to take a merge back: the removed customer as it was, and the ids of what was moved, as JSON.
  create table merges (
    keep_id text not null,
    removed_id text not null,
    reason text not null,
    removed text not null,
    moved text not null,
    at text not null
  ) strict;

  -- What each effect answered, under its idempotency key, written in the transaction of the effect itself.
  create table effects (key text primary key, tool text not null, result text not null, at text not null) strict;
`;
