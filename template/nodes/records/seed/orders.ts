// Six hundred orders with their items, charges and refunds. The sums agree: what was charged is what was ordered,
// but for the duplicate charges that tickets complain about.

import type { CustomerRow } from "./customers.js";
import { customerId } from "./customers.js";
import type { SeededRandom } from "./random.js";
import { CATALOGUE } from "./words.js";

/** A row of `orders`. */
export type OrderRow = {
  readonly order_id: number;
  readonly customer_id: string;
  readonly placed_at: string;
  readonly status: string;
  readonly total_cents: number;
};

/** A row of `items`. */
export type ItemRow = {
  readonly order_id: number;
  readonly position: number;
  readonly sku: string;
  readonly description: string;
  readonly quantity: number;
  readonly price_cents: number;
};

/** A row of `charges`. */
export type ChargeRow = {
  readonly charge_id: string;
  readonly order_id: number;
  readonly amount_cents: number;
  readonly at: string;
};

/** A row of `refunds`. */
export type RefundRow = {
  readonly charge_id: string;
  readonly amount_cents: number;
  readonly reason: string;
  readonly at: string;
};

/** An order with all that belongs to it. */
export type SeedOrder = {
  readonly order: OrderRow;
  readonly items: readonly ItemRow[];
  readonly charges: readonly ChargeRow[];
  readonly refunds: readonly RefundRow[];
};

const FIRST_ORDER = 7301;
const COUNT = 600;
const MINUTE_MS = 60_000;
const OPENED = Date.UTC(2025, 4, 5, 7);
const STEP_MINUTES = 1000;

/** Orders charged twice, a minute apart. 7781 is the one of ticket 1077. */
const DUPLICATES: ReadonlySet<number> = new Set([7730, 7748, 7781, 7809, 7819, 7884]);

/** Of those, the ones where the second charge has been paid back already. */
const REPAID: ReadonlySet<number> = new Set([7730, 7748, 7809]);

/** Draws the orders, oldest first. */
export function seedOrders(customers: readonly CustomerRow[], random: SeededRandom): readonly SeedOrder[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const id = FIRST_ORDER + index;
    const placed = OPENED + (index * STEP_MINUTES + random.between(0, STEP_MINUTES - 1)) * MINUTE_MS;
    const items = id === 7781 ? [itemOf(id, 1, 1, "STD-DISP-OAK")] : drawItems(id, random);
    const drawnStatus = statusAt(index, random);
    const total = items.reduce((sum, item) => sum + item.quantity * item.price_cents, 0);
    const drawn = random.pick(customers).customer_id;
    const order = {
      order_id: id,
      customer_id: id === 7781 ? customerId(154) : drawn,
      placed_at: new Date(placed).toISOString(),
      status: DUPLICATES.has(id) ? "delivered" : drawnStatus,
      total_cents: total,
    };
    const charges = chargesOf(order, placed, random);
    return { order, items, charges, refunds: refundsOf(order, charges, placed) };
  });
}

const itemOf = (order: number, position: number, quantity: number, sku: string): ItemRow => {
  const [, description, price] = CATALOGUE.find(([each]) => each === sku) ?? CATALOGUE[0];
  return { order_id: order, position, sku, description, quantity, price_cents: price };
};

function drawItems(order: number, random: SeededRandom): ItemRow[] {
  const skus = new Set(Array.from({ length: random.between(1, 4) }, () => random.pick(CATALOGUE)[0]));
  return [...skus].map((sku, index) => itemOf(order, index + 1, random.between(1, 5), sku));
}

function statusAt(index: number, random: SeededRandom): string {
  if (index >= COUNT - 15) return "processing";
  if (index >= COUNT - 40) return random.pick(["shipped", "processing", "shipped"]);
  const chance = random.next();
  if (chance < 0.04) return "cancelled";
  return chance < 0.08 ? "returned" : "delivered";
}

/** One charge for most orders; a deposit and a balance for some; the same amount twice where the shop's terminal stuttered. */
function chargesOf(order: OrderRow, placed: number, random: SeededRandom): readonly ChargeRow[] {
  const { order_id, total_cents } = order;
  const charge = (number: number, amount_cents: number, minutes: number): ChargeRow => ({
    charge_id: `CH-${order_id}-${number}`,
    order_id,
    amount_cents,
    at: new Date(placed + minutes * MINUTE_MS).toISOString(),
  });
  const inParts = random.chance(0.06);
  if (DUPLICATES.has(order_id)) return [charge(1, total_cents, 1), charge(2, total_cents, 2)];
  if (!inParts) return [charge(1, total_cents, 1)];
  const deposit = Math.round(total_cents * 0.3);
  return [charge(1, deposit, 1), charge(2, total_cents - deposit, 3 * 24 * 60)];
}

function refundsOf(order: OrderRow, charges: readonly ChargeRow[], placed: number): readonly RefundRow[] {
  const refund = ({ charge_id, amount_cents }: ChargeRow, reason: string): RefundRow => ({
    charge_id,
    amount_cents,
    reason,
    at: new Date(placed + 10 * 24 * 60 * MINUTE_MS).toISOString(),
  });
  if (REPAID.has(order.order_id)) return charges.slice(1).map((charge) => refund(charge, "Charged twice."));
  if (order.status !== "cancelled" && order.status !== "returned") return [];
  return charges.map((charge) => refund(charge, `Order ${order.status}.`));
}
