// Notes and e-mails: the two families that write what a person dictated, to a customer whose identity is certain.

import { identify } from "../identity.js";
import type { Goal } from "../intents.js";
import { call, type Plan } from "../plan.js";
import { asked, done, type Report, refer, type Session } from "../session.js";
import { person, refusal, sentence } from "../wording.js";
import { pause } from "./shared.js";

const PRONOUN = /^(?:it|this|that|them|so)$/i;

/** Adds a note. Asks for the text when there is none. */
export function* addNote(session: Session, goal: Goal): Plan<Report> {
  const { text, topic } = goal.payload;
  const identity = yield* identify(session, refer(session, goal));
  if ("stop" in identity) return identity.stop;
  const { customer } = identity;
  const note =
    session.dictated ?? text ?? (topic === undefined || PRONOUN.test(topic) ? undefined : sentence(`About ${topic}`));
  if (note === undefined || note.trim() === "")
    return { ...asked(`What shall the note on ${person(customer)} say?`), wantsText: true };
  const wait = pause(session, goal, `add the note to ${person(customer)}`, [customer.customer_id]);
  if (wait !== undefined) return wait;
  const result = yield* call("add_note", { customer_id: customer.customer_id, text: note });
  if (result.status !== "ok") return refusal(`adding the note to ${person(customer)}`, result);
  return done(`Added a note to ${person(customer)}: "${note}".`);
}

/** Sends an e-mail. Without a text it tells what was done for the customer, or asks what to say. */
export function* sendEmail(session: Session, goal: Goal): Plan<Report> {
  const identity = yield* identify(session, refer(session, goal));
  if ("stop" in identity) return identity.stop;
  const { customer } = identity;
  const letter = compose(session, goal, customer.name);
  if (letter === undefined) return { ...asked(`What shall the e-mail to ${person(customer)} say?`), wantsText: true };
  const wait = pause(session, goal, `send the e-mail to ${person(customer)}`, [customer.customer_id]);
  if (wait !== undefined) return wait;
  const result = yield* call("send_email", { customer_id: customer.customer_id, ...letter });
  if (result.status !== "ok") return refusal(`sending the e-mail to ${person(customer)}`, result);
  return done(`Sent an e-mail to ${person(customer)}, subject "${letter.subject}".`);
}

function compose(session: Session, goal: Goal, name: string): { subject: string; body: string } | undefined {
  const { subject, topic } = goal.payload;
  const news = [...session.focus.news, ...(session.focus.news.length === 0 ? session.before.news : [])];
  const about = topic === undefined || PRONOUN.test(topic) ? undefined : topic;
  const text =
    session.dictated ?? goal.payload.text ?? (about === undefined ? undefined : `we are writing to you about ${about}`);
  const content = text ?? (news.length === 0 ? undefined : news.join(", and "));
  if (content === undefined || content.trim() === "") return undefined;
  return {
    subject: subject ?? subjectOf(about ?? content),
    body: goal.payload.verbatim && text === goal.payload.text ? content : bodyOf(content, name),
  };
}

const subjectOf = (text: string): string => {
  const words = text.replace(/\s+/g, " ").trim().split(" ");
  const short = words
    .slice(0, 8)
    .join(" ")
    .replace(/[.,;:!?]+$/, "");
  return short.charAt(0).toUpperCase() + short.slice(1) + (words.length > 8 ? "…" : "");
};

/** A text that is a letter already stays as it is. */
const bodyOf = (text: string, name: string): string =>
  /^(?:dear|hi|hello|good (?:morning|day|afternoon))\b/i.test(text)
    ? text
    : `Dear ${name},\n\n${sentence(text)}\n\nKind regards,\nCustomer records`;
