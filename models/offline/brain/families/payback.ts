// Which charge a refund is for, and how much of it. Money goes back only when both are certain: an unclear amount or one
// of several charges is a question, an impossible one a refusal.

import { type Charge, duplicateCharges, leftOf, type Order } from "../facts.js";
import type { Slots } from "../language.js";
import { asked, declined, type Report } from "../session.js";
import { money } from "../wording.js";

/** One charge and what to give back of it. */
export type Payback = { readonly charge: Charge; readonly amount: number } | { readonly stop: Report };

const IDS = /\bCH?-?\d+(?:-\d+)?\b|\b(?:order|ticket|invoice|case|customer)s?\s*(?:no\.?|number|id)?\s*#?\d+|#\d+/gi;
const PART = /\d|\b(?:dollars?|euros?|pounds?|percent|part|partial(?:ly)?|some|third|quarter)\b/i;

/** Chooses the charge and the amount, or says why that is not certain. */
export function choosePayback(order: Order, slots: Slots, meansDuplicate: boolean, text: string): Payback {
  const charge = chooseCharge(order, slots, meansDuplicate);
  if ("stop" in charge) return charge;
  const left = leftOf(order, charge.charge_id);
  if (left <= 0)
    return {
      stop: declined(
        `Charge ${charge.charge_id} of order ${order.order_id} is already refunded in full, so I did not refund it again.`,
      ),
    };
  const howMuch = asked(
    `How much of charge ${charge.charge_id} (${money(left)} left) on order ${order.order_id} shall I refund?`,
  );
  if (!meansDuplicate && slots.amounts.length === 0 && PART.test(text.replace(IDS, ""))) return { stop: howMuch };
  const [amount = /\bhalf\b/i.test(text) ? Math.round(left * 50) / 100 : left, ...more] = slots.amounts;
  if (meansDuplicate && slots.amounts.includes(charge.amount)) return { charge, amount: charge.amount };
  if (more.length > 0 || (meansDuplicate && amount !== charge.amount)) return { stop: howMuch };
  if (amount > left)
    return {
      stop: declined(
        `Only ${money(left)} is left of charge ${charge.charge_id}, less than the ${money(amount)} asked for, so I refunded nothing.`,
      ),
    };
  return { charge, amount };
}

function chooseCharge(order: Order, slots: Slots, meansDuplicate: boolean): Charge | { readonly stop: Report } {
  const listed = order.charges.map((entry) => `${entry.charge_id} ${money(entry.amount)}`).join(", ");
  const duplicates = duplicateCharges(order);
  const [chargeId] = slots.charges;
  const named = order.charges.find((entry) => entry.charge_id === chargeId);
  if (order.charges.length === 0)
    return { stop: declined(`Order ${order.order_id} has no charges, so there is nothing to refund.`) };
  if (chargeId !== undefined && named === undefined)
    return { stop: declined(`Order ${order.order_id} has no charge ${chargeId}. Its charges: ${listed}.`) };
  if (meansDuplicate) {
    const last = duplicates.at(-1);
    if (last === undefined)
      return {
        stop: declined(
          `Order ${order.order_id} has no duplicate charge (total ${money(order.total)}, charges: ${listed}), so I refunded nothing.`,
        ),
      };
    const refunded = duplicates.find((entry) => leftOf(order, entry.charge_id) < entry.amount);
    if (refunded !== undefined)
      return {
        stop: declined(
          `The duplicate on order ${order.order_id} is already refunded (${refunded.charge_id}), so I did not refund it again.`,
        ),
      };
    return named ?? last;
  }
  if (named !== undefined) return named;
  const same = order.charges.filter((entry) => entry.amount === slots.amounts[0]);
  const meant =
    order.charges.length === 1 ? order.charges : same.length === 1 || duplicates.length > 0 ? same.slice(-1) : [];
  return (
    meant[0] ?? {
      stop: asked(`Order ${order.order_id} has the charges ${listed}. Which one shall I refund, and how much?`),
    }
  );
}
