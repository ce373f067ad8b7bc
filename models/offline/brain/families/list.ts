// Lists and counts of customers, orders and tickets.

import { customers, orders, tickets } from "../facts.js";
import { identify } from "../identity.js";
import type { Goal } from "../intents.js";
import { type Plan, read } from "../plan.js";
import { done, type Report, refer, type Session } from "../session.js";
import { money, person, refusal } from "../wording.js";

const LIMIT = 20;

/** What is listed: the noun of the goal, the last one named before "of" or "for" winning ties. */
type Kind = "customers" | "orders" | "tickets";

const REQUESTS: readonly (readonly [RegExp, string])[] = [
  [/\bcomplaints?\b/i, "complaint"],
  [/\b(?:duplicate|double)[\w -]*(?:refunds?|charges?)\b|\brefund_duplicate\b/i, "refund_duplicate"],
  [/\brefunds?\b/i, "refund"],
  [/\b(?:delet\w+|erasure)\b/i, "delete_account"],
  [/\bmerg\w+\b/i, "merge_accounts"],
  [/\baddress\b/i, "change_address"],
  [/\bquestions?\b/i, "question"],
];

/** Lists what the goal asks for, or counts it. */
export function* list(session: Session, goal: Goal): Plan<Report> {
  const kind = kindOf(goal.text);
  if (kind === "customers") return yield* listCustomers(session, goal);
  const refers = goal.slots.customers.length + goal.slots.names.length + goal.slots.emails.length > 0;
  const pronoun = /\b(?:their|them|they|its?|his|her|that (?:customer|company)|this (?:customer|company))\b/i.test(
    goal.text,
  );
  let whose = "";
  let about: { customer_id?: string } = {};
  if (refers || pronoun) {
    const identity = yield* identify(session, refer(session, goal));
    if ("stop" in identity) return identity.stop;
    about = { customer_id: identity.customer.customer_id };
    whose = ` of ${person(identity.customer)}`;
  }
  return yield* kind === "orders" ? listOrders(session, goal, about, whose) : listTickets(session, goal, about, whose);
}

function kindOf(text: string): Kind {
  const at = (pattern: RegExp): number => {
    const index = text.search(pattern);
    return index < 0 ? Number.POSITIVE_INFINITY : index;
  };
  const places: readonly (readonly [Kind, number])[] = [
    ["orders", at(/\borders?\b/i)],
    ["tickets", at(/\b(?:tickets?|complaints?|requests?)\b/i)],
    ["customers", at(/\b(?:customers?|clients?|companies|accounts?)\b/i)],
  ];
  const [first] = places.toSorted((a, b) => a[1] - b[1]);
  return first === undefined || first[1] === Number.POSITIVE_INFINITY ? "customers" : first[0];
}

const counts = (text: string): boolean => /\b(?:how many|count|number of)\b/i.test(text);

/** The status the text names, of those the tool knows; of `usual` ones when its schema does not list them. */
function statusOf({ tools }: Session, tool: string, text: string, usual: readonly string[]): { status?: string } {
  const plain = text
    .toLowerCase()
    .replace(/canceled/g, "cancelled")
    .replace(/[\s-]+/g, "_");
  const status = (tools.choices(tool, "status") ?? usual).find((word) =>
    new RegExp(`(?:^|[^a-z])${word}(?:$|[^a-z])`).test(plain),
  );
  return status === undefined ? {} : { status };
}

/** "12 open tickets of …: first, second; and 10 more." */
function listing(what: string, total: number, items: readonly string[], countOnly: boolean): Report {
  if (total === 0) return done(`There are no ${what}.`);
  const head = `${total} ${total === 1 ? what.replace(/s\b/, "") : what}`;
  if (countOnly)
    return done(`There ${total === 1 ? "is" : "are"} ${head}${items.length <= 5 ? `: ${items.join("; ")}` : ""}.`);
  const more = total - items.length;
  return done(
    [`${head}:`, ...items.map((item) => `- ${item}`), ...(more > 0 ? [`- and ${more} more`] : [])].join("\n"),
  );
}

function* listCustomers(session: Session, goal: Goal): Plan<Report> {
  const city = goal.slots.city ?? /\b(?:from|at|near)\s+(\p{L}[\p{L} '-]*\p{L})/u.exec(goal.text)?.[1];
  const status = statusOf(session, "list_customers", goal.text, ["inactive", "active", "closed"]);
  const place = city === undefined ? {} : { city: capitalised(city) };
  const result = yield* read("list_customers", { ...place, ...status, limit: LIMIT }, customers);
  if ("problem" in result) return refusal("listing customers", result.problem);
  const { customers: found, total = found.length } = result.value;
  const what = `${status.status === undefined ? "" : `${status.status} `}customers${place.city === undefined ? "" : ` in ${place.city}`}`;
  return listing(what, total, found.map(person), counts(goal.text));
}

const capitalised = (words: string): string => words.replace(/(^|[\s-])\p{Ll}/gu, (letter) => letter.toUpperCase());

function* listOrders(session: Session, goal: Goal, about: { customer_id?: string }, whose: string): Plan<Report> {
  const status = statusOf(session, "list_orders", goal.text, ["processing", "shipped", "delivered", "cancelled"]);
  const result = yield* read("list_orders", { ...about, ...status, limit: LIMIT }, orders);
  if ("problem" in result) return refusal("listing orders", result.problem);
  const { orders: found, total = found.length } = result.value;
  const items = found.map(
    (order) =>
      `${order.order_id}, ${order.status}, ${money(order.total)}${whose === "" ? `, ${order.customer_id} ${order.customer_name}` : ""}`,
  );
  return listing(
    `${status.status === undefined ? "" : `${status.status} `}orders${whose}`,
    total,
    items,
    counts(goal.text),
  );
}

function* listTickets(session: Session, goal: Goal, about: { customer_id?: string }, whose: string): Plan<Report> {
  const status = statusOf(session, "list_tickets", goal.text, ["open", "closed"]);
  const kind = REQUESTS.find(([pattern]) => pattern.test(goal.text))?.[1];
  const request = kind === undefined ? {} : { request: kind };
  const result = yield* read("list_tickets", { ...about, ...status, ...request, limit: LIMIT }, tickets);
  if ("problem" in result) return refusal("listing tickets", result.problem);
  const { tickets: found, total = found.length } = result.value;
  const items = found.map(
    (ticket) =>
      `${ticket.ticket_id}, ${ticket.request}, ${ticket.status}${whose === "" ? `, ${ticket.customer_id ?? "no customer"}` : ""}`,
  );
  const what = [status.status, kind, `tickets${whose}`].filter((word) => word !== undefined).join(" ");
  return listing(what, total, items, counts(goal.text));
}
