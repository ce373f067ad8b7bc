// Finds the two customers that a comparison or a merge is about.

import type { Customer } from "../facts.js";
import { askWhich, lookCustomer, searchNames, singledOut } from "../identity.js";
import type { Slots } from "../language.js";
import { all, type Plan } from "../plan.js";
import { asked, declined, type Report, type Session } from "../session.js";

type Pair = { readonly pair: readonly [Customer, Customer] } | { readonly stop: Report };

/** Two customers by id, by two names, or the only two of one name; each read in full. */
export function* pair(session: Session, slots: Slots, doing: string): Plan<Pair> {
  const ids = [...slots.customers];
  if (ids.length < 2 && slots.names.length + slots.emails.length > 0) {
    const names = yield* searchNames(slots);
    if ("stop" in names) return names;
    for (const named of names.value) {
      const chosen = session.careful
        ? singledOut(session, named)
        : named.found.slice(0, names.value.length === 1 ? 2 : 1);
      if (chosen.length === 0)
        return {
          stop:
            named.found.length === 0
              ? declined(`There is no customer named "${named.name}" in the records, so there is nothing to ${doing}.`)
              : {
                  ...askWhich(named.name, named.found),
                  text: `No customer is named exactly "${named.name}". ${askWhich(named.name, named.found).text}`,
                },
        };
      const wanted = names.value.length === 1 ? 2 - ids.length : 1;
      const fresh = chosen.filter((customer) => !ids.includes(customer.customer_id));
      if (fresh.length > wanted && !(chosen.length > fresh.length)) return { stop: askWhich(named.name, chosen) };
      ids.push(...fresh.map((customer) => customer.customer_id));
    }
  }
  const [a, b, ...more] = [...new Set(ids)];
  if (a === undefined || b === undefined)
    return {
      stop: asked(
        `Which two customers shall I ${doing}? Give me both ids or both exact names${a === undefined ? "" : `; I have ${a} so far`}.`,
      ),
    };
  if (more.length > 0)
    return { stop: asked(`I ${doing} two customers at a time; you named ${[a, b, ...more].join(", ")}. Which two?`) };
  const [first, second] = yield* all([lookCustomer(a), lookCustomer(b)]);
  if (first === undefined || "stop" in first) return first ?? { stop: declined(`There is no customer ${a}.`) };
  if (second === undefined || "stop" in second) return second ?? { stop: declined(`There is no customer ${b}.`) };
  return { pair: [first.value, second.value] };
}
