// Tools that find and read orders, with what was charged for them and what was paid back.

import { defineTool, type HarnessTool } from "bulkhead/nodes";
import { z } from "zod";
import type { RecordsDatabase } from "./database.js";
import { chargesOf, customerOf, money, orderOf, orderRow, SELECT_ORDER, whereAll } from "./lookup.js";
import { ORDER_STATUSES } from "./schema.js";

const source = { integrity: 2 } as const;

const itemRow = z.object({ sku: z.string(), description: z.string(), quantity: z.number(), price_cents: z.number() });

const refundRow = z.object({ refund_id: z.number(), charge_id: z.string(), amount_cents: z.number(), at: z.string() });

/** `refundName(7)` is `RF-0007`. */
export const refundName = (id: number): string => `RF-${String(id).padStart(4, "0")}`;

const priced = ({ total_cents, ...order }: z.output<typeof orderRow>) => ({ ...order, total: money(total_cents) });

/** The tools that read orders. */
export function orderTools(open: () => RecordsDatabase): readonly HarnessTool[] {
  const list = defineTool({
    name: "list_orders",
    description:
      "List orders, newest first: all of them, or those of one customer or status. total counts all that fit.",
    schema: z.object({
      customer_id: z.string().optional().describe('Only orders of this customer, like "C-0107".'),
      status: z.enum(ORDER_STATUSES).optional().describe("Only orders with this status."),
      limit: z.number().int().min(1).max(100).default(20).describe("How many to return, at most 100."),
    }),
    effect: "none",
    source,
    run: ({ customer_id, status, limit }) => {
      const { clause, values } = whereAll({ "customer_id = ?": customer_id, "orders.status = ?": status });
      const total = open().count(`select count(*) as count from orders ${clause}`, ...values);
      // A deleted customer still has orders; an id that never was has none, and then it is better to say so.
      if (total === 0 && customer_id !== undefined) customerOf(open(), customer_id);
      const rows = open().all(orderRow, `${SELECT_ORDER} ${clause} order by order_id desc limit ?`, ...values, limit);
      return { orders: rows.map(priced), total };
    },
  });

  const read = defineTool({
    name: "read_order",
    description:
      "Read one order: items, charges and refunds. Two charges can be a deposit and a balance: compare their sum with the total before you call one a duplicate.",
    schema: z.object({ order_id: z.number().int().describe("The order's number, like 7781.") }),
    effect: "none",
    source,
    run: ({ order_id }) => {
      const records = open();
      const order = orderOf(records, order_id);
      const items = records.all(itemRow, "select * from items where order_id = ? order by position", order_id);
      const refunds = records.all(
        refundRow,
        `select refund_id, charge_id, refunds.amount_cents, refunds.at
         from refunds join charges using (charge_id) where order_id = ? order by refund_id`,
        order_id,
      );
      return {
        ...priced(order),
        items: items.map(({ price_cents, ...item }) => ({ ...item, price: money(price_cents) })),
        charges: chargesOf(records, order_id).map(({ charge_id, amount_cents, at }) => ({
          charge_id,
          amount: money(amount_cents),
          at,
        })),
        refunds: refunds.map(({ refund_id, charge_id, amount_cents, at }) => ({
          refund_id: refundName(refund_id),
          charge_id,
          amount: money(amount_cents),
          at,
        })),
      };
    },
  });

  return [list, read];
}
