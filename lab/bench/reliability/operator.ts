// The person who is asked. He knows what each task's truth is, looks into the workspace, and approves an action exactly if
// it belongs to the truth and is not done yet. He takes his time, and every question counts.

import type { Clock } from "../../../capacity/index.js";
import type { Task } from "./tasks.js";

/** Answers for one task. */
export interface Operator {
  /** Whether the action may be done. */
  approves(tool: string, args: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** Whether the action was done, for a run that does not know. */
  finds(tool: string, args: Readonly<Record<string, unknown>>): Promise<boolean>;
}

/** The change that an action makes, as a task's truth names it. */
export function changeOf(tool: string, args: Readonly<Record<string, unknown>>): string {
  const text = (name: string): string => String(args[name]);
  switch (tool) {
    case "refund_order":
      return `refund ${text("charge_id")} ${Math.round(Number(args["amount"]) * 100)}`;
    case "send_email":
      return `email ${text("customer_id")}`;
    case "delete_customer":
      return `delete ${text("customer_id")}`;
    case "merge_customers":
      return `merge ${text("remove_id")} into ${text("keep_id")}`;
    default:
      return `${tool} ${JSON.stringify(args)}`;
  }
}

/** The operator of a task. `asked` hears of each question before he thinks about it. */
export function operatorOf(
  task: Task,
  changes: () => readonly string[],
  { clock, thinkMs, asked }: { readonly clock: Clock; readonly thinkMs: number; readonly asked: () => void },
): Operator {
  const think = async () => {
    asked();
    await clock.sleep(thinkMs);
  };
  return {
    approves: async (tool, args) => {
      await think();
      const change = changeOf(tool, args);
      return task.truth.includes(change) && !changes().includes(change);
    },
    finds: async (tool, args) => {
      await think();
      return changes().includes(changeOf(tool, args));
    },
  };
}
