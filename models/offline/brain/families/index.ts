// One planner per family of tasks, and the plan of a whole task: todos first, each goal in order, stop at the first
// that cannot be carried out.

import { type Goal, isEmpty, joinSlots } from "../intents.js";
import { NO_SLOTS } from "../language.js";
import type { Intent } from "../patterns.js";
import { call, type Plan } from "../plan.js";
import { asked, declined, done, type Report, type Session } from "../session.js";
import { compare } from "./compare.js";
import { find } from "./find.js";
import { list } from "./list.js";
import { mergeCustomers } from "./merge.js";
import { refund } from "./refund.js";
import { removeCustomer } from "./remove.js";
import { summarise } from "./summarise.js";
import { OUT_OF_DOMAIN, recallFacts, rememberFact, unsupported } from "./talk.js";
import { closeTicket, handleTicket, quoteTicket } from "./tickets.js";
import { addNote, sendEmail } from "./write.js";

const FAMILIES: Readonly<Record<Intent, (session: Session, goal: Goal) => Plan<Report>>> = {
  remember: rememberFact,
  recall: recallFacts,
  unsupported,
  compare,
  merge: mergeCustomers,
  close: closeTicket,
  refund,
  delete: removeCustomer,
  note: addNote,
  email: sendEmail,
  quote: quoteTicket,
  list,
  handle: handleTicket,
  summarise,
  find,
};

/** The plan a person sees, for goals that take several steps by themselves. */
const STEPS: Partial<Readonly<Record<Intent, readonly string[]>>> = {
  delete: [
    "Establish which customer is meant",
    "Check the deletion against the records",
    "Delete the account and report",
  ],
  merge: ["Read both customers", "Check that they are one customer", "Merge the accounts and report"],
  refund: ["Read the order and its charges", "Refund the charge that is meant and report"],
  handle: ["Read the ticket", "Do what its fields ask for, where the records support it", "Report"],
};

const READS: ReadonlySet<Intent> = new Set(["find", "summarise", "compare", "list", "quote"]);

/** What the todo list says, or nothing for a task of one step. */
function stepsOf(goals: readonly Goal[]): readonly string[] {
  const [first] = goals;
  if (first === undefined) return [];
  return goals.length === 1
    ? (STEPS[first.intent] ?? [])
    : goals.map((goal) => goal.text.slice(0, 100).replace(/[.!?\s]+$/, ""));
}

/** Writes the todo list; a list that could not be written stops nothing. */
function* writeTodos(
  steps: readonly string[],
  state: (index: number) => "pending" | "in_progress" | "completed",
): Plan<void> {
  if (steps.length > 1)
    yield* call("write_todos", { todos: steps.map((content, index) => ({ content, status: state(index) })) });
}

/** Carries out a whole task. */
export function* runTask(session: Session): Plan<Report> {
  const goals = goalsOf(session);
  if (goals.length === 0) return withoutGoal(session);
  const steps = session.role === "researcher" ? [] : stepsOf(goals);
  yield* writeTodos(steps, (index) => (index === 0 ? "in_progress" : "pending"));
  const texts: string[] = [];
  for (const [index, goal] of goals.entries()) {
    const report = yield* FAMILIES[goal.intent](session, goal);
    session.seen = joinSlots(session.seen, goal.slots);
    texts.push(report.text);
    if (report.kind !== "done") {
      const rest = goals.slice(index + 1).map((later) => `"${later.text.replace(/[.!?\s]+$/, "")}"`);
      if (rest.length > 0) texts.push(`Not done because of that: ${rest.join(", ")}.`);
      return { ...report, text: texts.join("\n") };
    }
  }
  yield* writeTodos(steps, () => "completed");
  return done(texts.join("\n"));
}

/** The researcher only reads: what it is told about effects is context. "Do it" about a ticket means handle it. */
function goalsOf({ role, task }: Session): readonly Goal[] {
  if (role === "researcher") {
    const goals = task.goals.map((goal): Goal => (READS.has(goal.intent) ? goal : { ...goal, intent: "summarise" }));
    return goals.length > 0 || isEmpty(task.context) ? goals : [implied("summarise")];
  }
  return task.goals.length === 0 && task.goAhead && task.context.tickets.length > 0 ? [implied("handle")] : task.goals;
}

const implied = (intent: Intent): Goal => ({
  intent,
  text: "",
  slots: NO_SLOTS,
  payload: { head: "", subject: undefined, text: undefined, verbatim: false, topic: undefined },
  reported: false,
  bare: false,
});

function withoutGoal({ task }: Session): Report {
  if (task.refused || task.forbidden) return done("Understood. I have changed nothing.");
  if (!isEmpty({ ...task.context, names: [] }))
    return asked("What shall I do with that? I can find, summarise, compare, note, refund, e-mail, merge or delete.");
  if (task.goAhead) return asked("What shall I do? Name the customer, order or ticket and the action.");
  return declined(OUT_OF_DOMAIN);
}
