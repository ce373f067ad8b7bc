// What one run of a plan works with: the model's strictness, the bound tools, the understood task and what "it" and
// "them" refer to. Made fresh for each request and filled as the plan is re-run; nothing outlives the answer.

import type { Customer } from "./facts.js";
import { type Goal, isEmpty, joinSlots, type Understanding } from "./intents.js";
import { NO_SLOTS, type Slots } from "./language.js";
import type { Toolbox } from "./toolbox.js";
import type { Step } from "./transcript.js";

/** How a goal ended: carried out, waiting for the person's answer, or not possible. */
export interface Report {
  readonly kind: "done" | "asked" | "declined";
  readonly text: string;
  /** The question was for a text to write, so the whole answer to it is that text. */
  readonly wantsText?: true;
}

export const done = (text: string): Report => ({ kind: "done", text });
export const asked = (text: string): Report => ({ kind: "asked", text });
export const declined = (text: string): Report => ({ kind: "declined", text });

/** What pronouns refer to. */
export interface Focus {
  customer: Customer | undefined;
  /** Sentences fit for the customer about what was done, so that "e-mail them to confirm" has something to say. */
  news: string[];
}

/** A run of a plan. */
export interface Session {
  /** `offline-large`: checks identities against each other, asks the auditor, never takes a first match. */
  readonly careful: boolean;
  readonly role: "planner" | "researcher";
  readonly tools: Toolbox;
  /** The task, with the person's answers to questions about it. */
  readonly text: string;
  readonly task: Understanding;
  /** What was already done for this task. */
  readonly steps: readonly Step[];
  /** The person's answer, when the last question asked for a text. */
  readonly dictated: string | undefined;
  /** Lines of memory and context from the system prompt. */
  readonly memories: readonly string[];
  /** From earlier tasks of the conversation. */
  readonly before: Focus;
  /** From earlier goals of this task. */
  readonly focus: Focus;
  /** What earlier goals of this task referred to. */
  seen: Slots;
}

/** Whether nothing in the task changes anything, so that reading outsiders' text costs no trust that is needed later. */
export const onlyReads = (session: Session): boolean =>
  session.task.goals.every((goal) => ["find", "summarise", "compare", "list", "quote", "recall"].includes(goal.intent));

/** The goal's references with what it leaves unsaid taken from this task, then from earlier ones. */
export function refer(session: Session, goal: Goal): Slots {
  const chosen = withoutChatter(session, goal);
  // "How much?" "20": an amount in an answer belongs to the action that asked.
  const own = chosen.amounts.length > 0 ? chosen : { ...chosen, amounts: session.task.context.amounts };
  const around = joinSlots(session.task.context, session.seen);
  if (!isEmpty(own)) {
    if (own.customers.length > 0) return own;
    const named = own.names.length > 0 || own.emails.length > 0;
    // An id in another sentence settles a name here; a ticket there says whose account it is.
    if (named)
      return {
        ...own,
        customers: session.task.context.customers,
        tickets: own.tickets.length > 0 ? own.tickets : around.tickets,
      };
    const names = own.tickets.length > 0 ? session.task.context.names : [];
    return { ...joinSlots(own, { ...session.task.context, names }), amounts: own.amounts };
  }
  const customer = session.focus.customer ?? (isEmpty(around) ? session.before.customer : undefined);
  if (customer !== undefined)
    return {
      ...around,
      ...onlyCustomer(customer.customer_id),
      tickets: around.tickets,
      orders: around.orders,
      amounts: own.amounts,
    };
  return { ...around, amounts: own.amounts.length > 0 ? own.amounts : around.amounts, city: own.city ?? around.city };
}

/** "e-mail them asap": beside a pronoun whose customer this task has found, a lower-case word is no name. */
function withoutChatter(session: Session, { slots, text }: Goal): Slots {
  const pronoun = /\b(?:it|them|they|him|her|that customer|this customer)\b/i.test(text);
  const proper = slots.names.some((parts) => /^\p{Lu}/u.test(parts[0] ?? ""));
  return pronoun && !proper && session.focus.customer !== undefined ? { ...slots, names: [] } : slots;
}

const onlyCustomer = (id: string): Slots => ({ ...NO_SLOTS, customers: [id] });
