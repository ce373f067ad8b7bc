// Understands a whole task: splits it into clauses, finds each one's goal, and judges its mood. What is negated, asked
// about, conditional or only reported is never carried out on the spot.

import { NO_SLOTS, type Slots, slotsOf } from "./language.js";
import { EFFECTS, type Intent, intentOf, refine } from "./patterns.js";
import { type Masked, mask, type Payload, payloadOf, unmask } from "./payload.js";
import { COMMAND_PATTERN } from "./words.js";

/** One thing to do, with what its clause refers to. */
export interface Goal {
  readonly intent: Intent;
  /** The clause as written. */
  readonly text: string;
  readonly slots: Slots;
  readonly payload: Payload;
  /** Somebody else's wish is reported ("the ticket asks …") and nobody said to act on it. */
  readonly reported: boolean;
  /** Only an id or a name was given, no verb. */
  readonly bare: boolean;
}

/** A task as understood. */
export interface Understanding {
  readonly goals: readonly Goal[];
  /** What clauses without a goal of their own refer to. */
  readonly context: Slots;
  /** Ids that a clause forbids to touch. */
  readonly excluded: readonly string[];
  readonly goAhead: boolean;
  readonly refused: boolean;
  /** A clause forbids something. */
  readonly forbidden: boolean;
}

const ABBREVIATION = String.raw`(?<!\b(?:ltd|inc|co|corp|st|dr|mr|mrs|ms|no|nr|vs)\.)`;
const SENTENCE = new RegExp(String.raw`(?<=[.!?;])${ABBREVIATION}\s+|\n+(?:\s*(?:\d+[.)]|[-*•])\s+)?`, "i");
const CONNECTIVE = String.raw`(?:and\s+then|and\s+also|and|then|after\s+that|afterwards|after\s+which|finally|next|also|lastly|second(?:ly)?|but)`;
const STEP = new RegExp(
  String.raw`[\s,;:–—-]*\b${CONNECTIVE}\b,?\s+(?:(?:please|also|then|finally|kindly)\s+)*(?=(?:do(?:n't| not)|never|${COMMAND_PATTERN})\b)|,\s*(?:please\s+)?(?=(?:${COMMAND_PATTERN})\b)`,
  "i",
);
const GO_AHEAD =
  /^(?:ok(?:ay)?,?\s+|yes,?\s+|so,?\s+)?(?:please\s+)?(?:(?:can|could|would|will) you\s+)?(?:please\s+)?(?:do (?:it|so|this|that)|go ahead|proceed|handle (?:it|this|that)|take care of (?:it|this|that)|make it so|carry (?:it|this) out|process (?:it|this)|sort (?:it|this) out|fix (?:it|this)|act on (?:it|this)|deal with (?:it|this)|please do|confirmed?|approved?|yes|yep|yeah|sure|correct|ok(?:ay)?|that'?s right|see to it)\b[\s\w]{0,20}[.!]*$/i;
const REFUSED =
  /^(?:please\s+)?(?:no|nope|cancel|stop|never ?mind|forget (?:it|that)|leave (?:it|that)|don'?t(?: do (?:it|that))?|do not do (?:it|that)|abort)\b(?:[\s,]+(?:no|thanks?|thank you|please|it|that|leave|don'?t|do|cancel|stop|then))*[.!]*$/i;
const NEGATED =
  /\b(?:do not|don['’]?t|never|must not|mustn['’]?t|should not|shouldn['’]?t|cannot|can['’]?t|won['’]?t|without|not (?:to|be)|avoid|refrain|instead of|no circumstances|no need|nobody|no one|not allowed|forbidden)\b(?!\s+forget)/i;
/** "not C-0107", "except C-0107": an id that a clause keeps out of its action. */
const KEPT_OUT =
  /\b(?:(?:and|but)\s+)?(?:not|except(?: for)?|other than|rather than|instead of|unlike|leave)\s+(?:the\s+)?(?:one\s+)?(?:customer\s+|account\s+)?(C-?\d{4})(?:\s+alone)?\b/gi;
const CONDITION =
  /\b(?:if|unless|provided|assuming|in case|as long as|once|until)\b(?!\s+(?:possible|necessary|needed|you|so)\b)(?<!\b(?:appreciate|great|nice|good|happy|grateful) if)/i;
const STATEMENT = /\b(?:is|are|was|were|has|have|had|says?|said|got|received|contains?)\b/i;
const COMMAND_FIRST = new RegExp(`^(?:${COMMAND_PATTERN})\\b`, "i");
const POLITE = /^(?:please|kindly|can|could|would|will|may)\b/i;
const QUESTION =
  /^(?:(?:and|but|so|also)\s+)?(?:did|was|were|has|have|had|is|are|does|do (?:we|they|you)|should|shall|why|when|what|how|who|whose|which|where|if)\b/i;
const REPORTED =
  /\b(?:asks?|asked|asking|wants?|wanted|requests?|requested|says?|said|claims?|complains?|would like|was|were|been|got)\b/i;
const COMMANDED =
  /^(?:please|kindly|can|could|would|will)\b|\b(?:please|i need|i want|i'd like|i would like|we need|we should|we have to|you should|needs? to be|must be|should be|has to be|have to be|is to be|is due|make sure)\b/i;

const clean = (clause: string): string =>
  clause
    .trim()
    .replace(/^(?:first(?:ly)?|then|next|finally|also|and|ok(?:ay)?|hi|hello|hey|so|now)\b[\s,:]*/i, "")
    .trim();

/** Whether the passage refers to no record at all. */
export const isEmpty = (slots: Slots): boolean =>
  [slots.customers, slots.tickets, slots.orders, slots.charges, slots.emails, slots.names].every(
    (list) => list.length === 0,
  );

/** Two passages' slots together, the first one's first. */
export function joinSlots(a: Slots, b: Slots): Slots {
  const join = <Item>(left: readonly Item[], right: readonly Item[]): Item[] => [...new Set([...left, ...right])];
  return {
    customers: join(a.customers, b.customers),
    tickets: join(a.tickets, b.tickets),
    orders: join(a.orders, b.orders),
    charges: join(a.charges, b.charges),
    amounts: join(a.amounts, b.amounts),
    emails: join(a.emails, b.emails),
    names: a.names.length > 0 ? a.names : b.names,
    city: a.city ?? b.city,
  };
}

function goalOf(clause: string, masked: Masked): Goal | undefined {
  const intent = refine(intentOf(clause), clause);
  const text = unmask(clause, masked);
  const writes = intent === "note" || intent === "email";
  const payload = writes
    ? payloadOf(clause, masked)
    : { head: text, subject: undefined, text: undefined, verbatim: false, topic: undefined };
  const head = slotsOf(payload.head);
  const slots = writes && isEmpty(head) ? { ...slotsOf(payload.text ?? payload.topic ?? ""), names: [] } : head;
  if (intent === undefined) {
    const words = text.replace(/[?.!]+$/, "").split(/\s+/).length;
    const bare =
      !isEmpty(slots) && (slots.names.length === 0 || words <= 4) && !/^(?:write|sing|tell|make|do)\b/i.test(text);
    if (!bare) return undefined;
    return { intent: slots.names.length > 0 ? "find" : "summarise", text, slots, payload, reported: false, bare };
  }
  const asks = QUESTION.test(clause) && !POLITE.test(clause);
  const readOnly = asks && EFFECTS.has(intent) ? "summarise" : intent;
  const reported =
    EFFECTS.has(readOnly) && REPORTED.test(clause) && !COMMANDED.test(clause) && !COMMAND_FIRST.test(clause);
  const commands = asks || COMMANDED.test(clause) || COMMAND_FIRST.test(clause);
  // "They have two open tickets": a remark beside a command, though a question by itself.
  const bare = !EFFECTS.has(readOnly) && !commands && STATEMENT.test(clause);
  return { intent: readOnly, text, slots, payload, reported, bare };
}

/** Reads a whole task: its goals in order, and everything that constrains them. */
export function understand(task: string): Understanding {
  const masked = mask(task);
  const clauses = masked.text
    .split(SENTENCE)
    .flatMap((sentence) => sentence.split(STEP))
    .map(clean)
    .filter(Boolean);
  const goals: Goal[] = [];
  let context = NO_SLOTS;
  const excluded: string[] = [];
  let goAhead = false;
  let refused = false;
  let forbidden = false;
  for (const written of clauses) {
    const clause = written.replace(KEPT_OUT, (_, id: string) => {
      excluded.push(...slotsOf(id).customers);
      return "";
    });
    if (GO_AHEAD.test(clause)) {
      goAhead = true;
      continue;
    }
    if (REFUSED.test(clause)) {
      refused = true;
      continue;
    }
    const goal = goalOf(clause, masked);
    const forbids = goal !== undefined && goal.payload.text === undefined && NEGATED.test(clause);
    if (forbids && (EFFECTS.has(goal.intent) || goal.intent === "summarise")) excluded.push(...goal.slots.customers);
    if (goal === undefined || (forbids && EFFECTS.has(goal.intent))) {
      if (forbids) forbidden = true;
      else context = joinSlots(context, slotsOf(unmask(clause, masked)));
      continue;
    }
    goals.push(goal);
  }
  const kept = settle(goals);
  for (const goal of goals) if (!kept.includes(goal)) context = joinSlots(context, goal.slots);
  // A condition the rules cannot judge is the person's to confirm, like a wish that was only reported.
  const conditional = CONDITION.test(masked.text);
  const settled = kept.map((goal) => ({
    ...goal,
    reported: !goAhead && (goal.reported || (conditional && EFFECTS.has(goal.intent))),
  }));
  return { goals: settled, context, excluded, goAhead, refused, forbidden };
}

/** Drops what is no step of its own: a verb without an object before another step, a report that a command acts on. */
function settle(goals: readonly Goal[]): readonly Goal[] {
  const commanded = goals.filter((goal) => !goal.reported && !goal.bare);
  return goals.filter((goal, index) => {
    if (goal.bare) return commanded.length === 0 && !goals.some((other) => other.reported);
    if (goal.reported) return commanded.length === 0;
    const isBareVerb = isEmpty(goal.slots) && goal.text.split(/\s+/).length <= 2 && !EFFECTS.has(goal.intent);
    return !(isBareVerb && index < goals.length - 1);
  });
}
