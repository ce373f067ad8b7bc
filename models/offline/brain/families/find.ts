// Finding customers by name, e-mail address, id, ticket or order. Finding several is an answer, not a problem.

import { type Customer, sameName } from "../facts.js";
import { identify, lookCustomer, searchNames, singledOut } from "../identity.js";
import type { Goal } from "../intents.js";
import { all, type Plan } from "../plan.js";
import { declined, done, type Report, refer, type Session } from "../session.js";
import { people, person } from "../wording.js";

const card = (customer: Customer): string =>
  `${person(customer)}${customer.email === "" ? "" : `, e-mail ${customer.email}`}${customer.status === "" ? "" : `, ${customer.status}`}`;

/** Answers with whom it found, and with close matches where no name is exact. */
export function* find(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  if (slots.customers.length > 0 && goal.slots.names.length === 0) {
    const lookups = yield* all(slots.customers.map(lookCustomer));
    const found = lookups.flatMap((lookup) => ("value" in lookup ? [lookup.value] : []));
    if (found.length === 1) session.focus.customer = found[0];
    const texts = lookups.map((lookup) => ("value" in lookup ? `Found ${card(lookup.value)}.` : lookup.stop.text));
    return found.length === 0 ? declined(texts.join("\n")) : done(texts.join("\n"));
  }
  if (slots.names.length + slots.emails.length === 0) {
    const identity = yield* identify(session, slots);
    return "stop" in identity ? identity.stop : done(`Found ${card(identity.customer)}.`);
  }
  const names = yield* searchNames(slots);
  if ("stop" in names) return names.stop;
  const reports = names.value.map((named) => {
    const [first] = named.found;
    if (first === undefined) return declined(`There is no customer named "${named.name}" in the records.`);
    if (!session.careful) {
      session.focus.customer = first;
      return done(`Found ${card(first)}.`);
    }
    const exact = singledOut(session, named);
    const close = named.found.filter((entry) => !named.exact.includes(entry) && !sameName(entry.name, named.name));
    const also = close.length === 0 ? "" : ` Similar names: ${people(close, close.length, 4)}.`;
    const [only] = exact;
    if (only === undefined)
      return done(`No customer is named exactly "${named.name}". Close matches: ${people(named.found)}.`);
    if (exact.length === 1) {
      session.focus.customer = only;
      return done(`Found ${card(only)}.${also}`);
    }
    return done(`Found ${exact.length} customers named "${named.name}": ${exact.map(card).join("; ")}.${also}`);
  });
  const kind = reports.some((report) => report.kind === "done") ? "done" : "declined";
  return { kind, text: reports.map((report) => report.text).join("\n") };
}
