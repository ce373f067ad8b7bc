// Comparing two customers, orders or tickets: the facts that differ first, then each one's sheet.

import { commonGrounds } from "../facts.js";
import { lookOrder, lookTicket } from "../identity.js";
import type { Goal } from "../intents.js";
import { all, type Plan } from "../plan.js";
import { asked, done, type Report, refer, type Session } from "../session.js";
import { factSheet, orderFacts, person, ticketLine } from "../wording.js";
import { pair } from "./pair.js";
import { researchCustomer } from "./summarise.js";

/** Compares what the goal names; customers through two researchers side by side where they are bound. */
export function* compare(session: Session, goal: Goal): Plan<Report> {
  const slots = refer(session, goal);
  if (slots.orders.length > 1) return yield* compareOrders(slots.orders.slice(0, 2));
  if (slots.tickets.length > 1 && slots.customers.length === 0) {
    const lookups = yield* all(slots.tickets.slice(0, 2).map(lookTicket));
    return done(lookups.map((lookup) => ("stop" in lookup ? lookup.stop.text : ticketLine(lookup.value))).join("\n"));
  }
  const found = yield* pair(session, slots, "compare");
  if ("stop" in found) return found.stop;
  const [a, b] = found.pair;
  const sheets = yield* all([researchCustomer(session, a.customer_id), researchCustomer(session, b.customer_id)]);
  const stop = sheets.find((sheet) => sheet.kind !== "done");
  if (stop !== undefined) return stop;
  const [first, second] = sheets.map((sheet) => sheet.text);
  const grounds = commonGrounds(a, b);
  const shared = `In common: ${grounds.length === 0 ? "neither name, e-mail domain, phone nor city" : grounds.join(", ")}.`;
  return done(side(person(a), person(b), first ?? "", second ?? "", shared));
}

function* compareOrders(ids: readonly number[]): Plan<Report> {
  const [first, second] = yield* all(ids.map(lookOrder));
  if (first === undefined || second === undefined) return asked("Which two orders shall I compare?");
  if ("stop" in first) return first.stop;
  if ("stop" in second) return second.stop;
  const [a, b] = [`Order ${ids[0]}`, `Order ${ids[1]}`];
  return done(side(a, b, factSheet(a, orderFacts(first.value)), factSheet(b, orderFacts(second.value)), ""));
}

/** `- key: value` lines of a sheet. */
const factsOf = (sheet: string): ReadonlyMap<string, string> =>
  new Map([...sheet.matchAll(/^- ([^:\n]+): (.*)$/gm)].map((match) => [match[1] ?? "", match[2] ?? ""]));

function side(a: string, b: string, first: string, second: string, shared: string): string {
  const [left, right] = [factsOf(first), factsOf(second)];
  const keys = [...new Set([...left.keys(), ...right.keys()])].filter((key) => left.get(key) !== right.get(key));
  const differences = keys.map((key) => `- ${key}: ${left.get(key) ?? "none"} | ${right.get(key) ?? "none"}`);
  return [
    `${a} compared with ${b}. ${shared}`.trim(),
    ...(differences.length > 0 ? ["Differences:", ...differences] : []),
    "",
    first,
    "",
    second,
  ].join("\n");
}
