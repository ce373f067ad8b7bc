// Paying money back. Stands in for a bank that takes no idempotency keys and has no list to look into: a call that is
// made twice pays twice, and a call whose answer was lost stays unknown to us.

import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { ChangeRefusedError } from "./errors.js";
import { chargesOf, money, moneyText, orderOf } from "./lookup.js";
import { refundName } from "./orders.js";

/** What is to be paid back. */
export interface Refund {
  readonly order_id: number;
  readonly charge_id: string;
  readonly amount: number;
  readonly reason: string;
}

/** Pays. @throws ChangeRefusedError when there is not that much to pay back. */
export const refund = (records: RecordsDatabase, { order_id, charge_id, amount, reason }: Refund) =>
  records.transaction(() => {
    const { cents } = refundable(records, order_id, charge_id, amount);
    const row = { charge_id, amount_cents: cents, reason, at: records.timestamp() };
    return { refund_id: refundName(records.insert("refunds", row)), order_id, charge_id, amount: money(cents) };
  });

/** What the payment would do. It rests on how much of the charge was paid back by now. */
export function refundPreview(records: RecordsDatabase, { order_id, charge_id, amount }: Refund) {
  const { cents, charge, customer } = refundable(records, order_id, charge_id, amount);
  const { amount_cents: charged, refunded_cents: before } = charge;
  const same = "select refund_id from refunds where charge_id = ? and amount_cents = ? order by refund_id desc";
  const again = records.first(z.object({ refund_id: z.number() }), same, charge_id, cents);
  const warning = again === undefined ? "" : `; the same amount was paid before, as ${refundName(again.refund_id)}`;
  return {
    shows: `pays ${customer} ${moneyText(cents)} of the ${moneyText(charged)} of ${charge_id}; refunded ${moneyText(before)} → ${moneyText(before + cents)}${warning}`,
    preconditions: { charged, before },
  };
}

/** The amount in cents and its charge, when that much can still be refunded. Throws {@link ChangeRefusedError} if not. */
function refundable(records: RecordsDatabase, order: number, chargeId: string, amount: number) {
  const customer = orderOf(records, order).customer_name ?? "a customer who is gone";
  const charges = chargesOf(records, order);
  const charge = charges.find(({ charge_id }) => charge_id === chargeId);
  if (charge === undefined) {
    const known = charges.map(({ charge_id }) => charge_id).join(", ");
    throw new ChangeRefusedError(`order ${order} has no charge ${chargeId}. Its charges are: ${known}.`);
  }
  const cents = Math.round(amount * 100);
  if (cents === 0 || Math.abs(amount * 100 - cents) > 1e-6) {
    throw new ChangeRefusedError(`${amount} is no amount of money. Give at least 0.01, with at most two decimals.`);
  }
  const left = charge.amount_cents - charge.refunded_cents;
  if (cents > left) {
    throw new ChangeRefusedError(
      `${moneyText(cents)} is more than the ${moneyText(left)} left of charge ${chargeId} (${moneyText(charge.amount_cents)} charged, ${moneyText(charge.refunded_cents)} refunded). Read order ${order} and refund what is left at most.`,
    );
  }
  return { cents, charge, customer };
}
