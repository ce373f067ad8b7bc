// Decides whom a task is about. The careful model accepts an explicit id, the customer a ticket or order names, or the
// only customer of exactly that name, and stops when two of these disagree. offline-small is honestly weaker: it
// takes the first match of a name search, whatever else the task says.

import type { z } from "zod";
import {
  type Customer,
  customer,
  matches,
  namedCustomer,
  type Order,
  order,
  sameName,
  type Ticket,
  ticket,
} from "./facts.js";
import type { Slots } from "./language.js";
import { all, both, just, type Plan, read } from "./plan.js";
import { asked, declined, type Report, type Session } from "./session.js";
import { people, person, refusal } from "./wording.js";

/** The customer meant, the ticket that says so, and customers of the same name that are not meant. */
export interface Identity {
  readonly customer: Customer;
  readonly ticket: Ticket | undefined;
  readonly others: readonly Customer[];
}

/** An identity, or why there is none. */
export type Identified = Identity | { readonly stop: Report };

interface Named {
  readonly name: string;
  readonly found: readonly Customer[];
  readonly exact: readonly Customer[];
}

type Lookup<Value> = { readonly value: Value } | { readonly stop: Report };

function* look<Value>(
  tool: string,
  args: Record<string, unknown>,
  schema: z.ZodType<Value>,
  what: string,
): Plan<Lookup<Value>> {
  const result = yield* read(tool, args, schema);
  return "problem" in result ? { stop: refusal(what, result.problem) } : { value: result.value };
}

/** Reads a ticket's fields, or says why not. */
export const lookTicket = (id: number): Plan<Lookup<Ticket>> =>
  look("read_ticket", { ticket_id: id }, ticket, `reading ticket ${id}`);
/** Reads an order, or says why not. */
export const lookOrder = (id: number): Plan<Lookup<Order>> =>
  look("read_order", { order_id: id }, order, `reading order ${id}`);
/** Reads a customer, or says why not. */
export const lookCustomer = (id: string): Plan<Lookup<Customer>> =>
  look("read_customer", { customer_id: id }, customer, `reading customer ${id}`);

function* searchExactly(query: string): Plan<Lookup<Named>> {
  const result = yield* look("search_customers", { query, limit: 10 }, matches, `searching for "${query}"`);
  if ("stop" in result) return result;
  const found = result.value.matches;
  const exact = found.filter(
    (entry) => sameName(entry.name, query) || entry.email.toLowerCase() === query.toLowerCase(),
  );
  return { value: { name: query, found, exact } };
}

/** Searches one name, e-mail address or id. "Bristol Harbor Bakery" is the Harbor Bakery in Bristol. */
export function* search(query: string): Plan<Lookup<Named>> {
  const whole = yield* searchExactly(query);
  const [city, ...rest] = query.split(" ");
  if ("stop" in whole || whole.value.found.length > 0 || city === undefined || rest.length < 2) return whole;
  const shorter = yield* searchExactly(rest.join(" "));
  if ("stop" in shorter) return shorter;
  const there = shorter.value.exact.filter((entry) => entry.city.toLowerCase() === city.toLowerCase());
  return { value: { name: query, found: there, exact: there } };
}

/** "A and B" may be one name or two: every reading is searched, and the one with fewest names that all exist wins. */
function* searchGroup(parts: readonly string[]): Plan<Lookup<readonly Named[]>> {
  const queries: string[] = [];
  for (let from = 0; from < parts.length; from += 1) {
    for (let to = from + 1; to <= Math.min(parts.length, from + 3); to += 1)
      queries.push(parts.slice(from, to).join(" and "));
  }
  const results = yield* all(
    queries.slice(0, 6).map((query) => (query.includes(" and ") ? searchExactly(query) : search(query))),
  );
  const stopped = results.find((result) => "stop" in result);
  if (stopped !== undefined && "stop" in stopped) return stopped;
  const byName = new Map(
    results.flatMap((result) => ("value" in result ? [[result.value.name, result.value] as const] : [])),
  );
  const readings = partitions(parts).map((names) => names.flatMap((name) => byName.get(name) ?? []));
  const missing = (reading: readonly Named[]): number => reading.filter((entry) => entry.exact.length === 0).length;
  const best = readings.toSorted((a, b) => missing(a) - missing(b) || a.length - b.length)[0];
  return { value: best ?? [] };
}

function partitions(parts: readonly string[]): string[][] {
  const [first, ...rest] = parts;
  if (first === undefined) return [[]];
  return parts
    .flatMap((_, index) =>
      partitions(parts.slice(index + 1)).map((tail) => [parts.slice(0, index + 1).join(" and "), ...tail]),
    )
    .slice(0, rest.length === 0 ? 1 : 16);
}

/** All names and e-mail addresses of a passage, searched side by side. */
export function* searchNames(slots: Slots): Plan<Lookup<readonly Named[]>> {
  const groups = [...slots.emails.map((email) => [email]), ...slots.names.slice(0, 3)];
  const results = yield* all(groups.map(searchGroup));
  const stopped = results.find((result) => "stop" in result);
  if (stopped !== undefined && "stop" in stopped) return stopped;
  return { value: results.flatMap((result) => ("value" in result ? result.value : [])) };
}

/** The customers of that name which the rest of the task singles out: by city or as "the second one". */
export function singledOut(session: Session, named: Named): readonly Customer[] {
  if (named.exact.length < 2) return named.exact;
  const text = session.text.toLowerCase().replaceAll(named.name.toLowerCase(), " ");
  const left = named.exact.filter(
    ({ customer_id, city }) =>
      !session.task.excluded.includes(customer_id) && (city === "" || !isKeptOut(text, city.toLowerCase())),
  );
  const cities = left.filter((entry) => entry.city !== "" && text.includes(entry.city.toLowerCase()));
  if (cities.length === 1) return cities;
  if (left.length === 1) return left;
  const ordinal =
    /\b(first|second|third|last|former|latter) one\b|^\s*(?:the )?(first|second|third|last|former|latter)\s*[.!]?$/m.exec(
      text,
    );
  const index = { first: 0, former: 0, second: 1, latter: 1, third: 2, last: -1 }[ordinal?.[1] ?? ordinal?.[2] ?? ""];
  const chosen = index === undefined ? undefined : named.exact.at(index);
  return chosen === undefined ? named.exact : [chosen];
}

/** "not the one in Portland", "except Portland". */
const isKeptOut = (text: string, city: string): boolean =>
  new RegExp(
    `\\b(?:not|except|excluding|other than|rather than|instead of|unlike)\\b[^.;\\n]{0,30}${city.replace(/\W/g, "\\$&")}`,
  ).test(text);

/** "Which one?", with the candidates. */
export const askWhich = (name: string, candidates: readonly Customer[]): Report =>
  asked(
    `Several customers are named "${name}": ${people(candidates)}. Which one do you mean? Give me the id; I have changed nothing.`,
  );

const conflict = (what: string): Report =>
  asked(`${what} These do not agree, so I stopped and changed nothing. Which customer do you mean? Give me the id.`);

const noName = (named: Named): Report =>
  named.found.length === 0
    ? declined(`There is no customer named "${named.name}" in the records, so I changed nothing.`)
    : asked(
        `No customer is named exactly "${named.name}". Close matches: ${people(named.found, named.found.length, 5)}. Which one do you mean? Give me the id; I have changed nothing.`,
      );

/** Finds the one customer the slots mean, or asks, or declines. */
export function* identify(session: Session, slots: Slots): Plan<Identified> {
  const [ticketId] = slots.tickets;
  const [orderId] = slots.orders;
  const [customerId] = slots.customers;
  const [byTicket, byName, byOrder, byId] = yield* both(
    ticketId === undefined ? just(undefined) : lookTicket(ticketId),
    slots.names.length + slots.emails.length === 0 ? just(undefined) : searchNames(slots),
    orderId === undefined || customerId !== undefined ? just(undefined) : lookOrder(orderId),
    customerId === undefined ? just(undefined) : lookCustomer(customerId),
  );
  for (const lookup of [byTicket, byName, byOrder, byId]) if (lookup !== undefined && "stop" in lookup) return lookup;
  const from = { ticket: value(byTicket), order: value(byOrder), record: value(byId) };
  let names = value(byName) ?? [];
  const { ticket: source } = from;
  if (names.length === 0 && from.record === undefined && source?.customer_id == null && source?.customer_name) {
    const named = yield* search(source.customer_name); // the record's own field, not outsiders' text
    if ("stop" in named) return named;
    names = [named.value];
  }
  const chosen = session.careful ? choose(session, from, names) : chooseFirst(from, names);
  if ("stop" in chosen) return chosen;
  const others = names.flatMap((named) => named.exact).filter((entry) => entry.customer_id !== chosen.id);
  const known = [from.record, ...names.flatMap((named) => named.found)].find(
    (entry) => entry?.customer_id === chosen.id,
  );
  if (known !== undefined) return remember(session, { customer: known, ticket: from.ticket, others });
  const full = yield* lookCustomer(chosen.id);
  if ("value" in full) return remember(session, { customer: full.value, ticket: from.ticket, others });
  return session.tools.has("read_customer")
    ? full
    : remember(session, { customer: namedCustomer(chosen.id, chosen.name), ticket: from.ticket, others });
}

function remember(session: Session, identity: Identity): Identity {
  session.focus.customer = identity.customer;
  return identity;
}

type Evidence = {
  readonly ticket: Ticket | undefined;
  readonly order: Order | undefined;
  readonly record: Customer | undefined;
};
type Choice = { readonly id: string; readonly name: string } | { readonly stop: Report };

const value = <Value>(lookup: Lookup<Value> | undefined): Value | undefined =>
  lookup !== undefined && "value" in lookup ? lookup.value : undefined;

/** offline-small: the first match of the first name; only without a name does it look at ids. */
function chooseFirst(from: Evidence, names: readonly Named[]): Choice {
  const first = names.find((named) => named.found.length > 0)?.found[0];
  if (first !== undefined) return { id: first.customer_id, name: first.name };
  if (names[0] !== undefined && from.record === undefined) return { stop: noName(names[0]) };
  return anchorOf(from) ?? { stop: noAnchor(from) };
}

const anchorOf = (from: Evidence): { id: string; name: string } | undefined => {
  if (from.record !== undefined) return { id: from.record.customer_id, name: from.record.name };
  if (from.ticket?.customer_id != null) return { id: from.ticket.customer_id, name: from.ticket.customer_name ?? "" };
  if (from.order !== undefined && from.order.customer_id !== "")
    return { id: from.order.customer_id, name: from.order.customer_name };
  return undefined;
};

const noAnchor = (from: Evidence): Report =>
  from.ticket === undefined
    ? asked("Which customer do you mean? Give me a customer id, the exact name or a ticket number.")
    : declined(
        `Ticket ${from.ticket.ticket_id} is linked to no customer on record${from.ticket.customer_name ? ` (it names "${from.ticket.customer_name}")` : ""}, so I changed nothing.`,
      );

/** offline-large: every source must point at the same customer. */
function choose(session: Session, from: Evidence, names: readonly Named[]): Choice {
  const { ticket: source, record } = from;
  const anchor = anchorOf(from);
  if (record !== undefined && source?.customer_id != null) {
    const allowed = [source.customer_id, source.other_customer_id];
    if (!allowed.includes(record.customer_id))
      return {
        stop: conflict(
          `Ticket ${source.ticket_id} is of customer ${source.customer_id} (${source.customer_name ?? "no name"}), but the task says ${person(record)}.`,
        ),
      };
  }
  // A lower-case word that no customer is called by is language, not a name, when an id says who is meant.
  const real = names.filter((named) => named.found.length > 0 || anchor === undefined || /^\p{Lu}/u.test(named.name));
  if (anchor !== undefined) {
    const stranger = real.find(
      (named) => !named.exact.some((entry) => entry.customer_id === anchor.id) && !sameName(named.name, anchor.name),
    );
    if (stranger === undefined) return anchor;
    const meant = stranger.exact.length > 0 ? ` (${people(stranger.exact)})` : "";
    const says =
      record !== undefined
        ? `Customer ${anchor.id} is "${record.name}"`
        : `${source === undefined ? `Order ${from.order?.order_id}` : `Ticket ${source.ticket_id}`} is of customer ${anchor.id} (${anchor.name})`;
    return { stop: conflict(`${says}, but the task names "${stranger.name}"${meant}.`) };
  }
  const exact = real.filter((named) => named.exact.length > 0);
  const [first] = exact;
  if (first === undefined) return { stop: real[0] === undefined ? noAnchor(from) : noName(real[0]) };
  const candidates = singledOut(session, first);
  const [only] = candidates;
  if (only === undefined || candidates.length > 1) return { stop: askWhich(first.name, first.exact) };
  const second = exact.find((named) => !named.exact.some((entry) => entry.customer_id === only.customer_id));
  if (second !== undefined) return { stop: conflict(`The task names "${first.name}" and "${second.name}".`) };
  if (source?.customer_name && !sameName(source.customer_name, only.name))
    return {
      stop: conflict(`Ticket ${source.ticket_id} names "${source.customer_name}", but the task names ${person(only)}.`),
    };
  return { id: only.customer_id, name: only.name };
}
