// Recognises what a task asks for. One table of patterns; the pattern that matches earliest in a clause decides. Mood
// comes after: what is negated, asked about or only reported is never carried out on the spot.

import { NO_SLOTS, type Slots, slotsOf } from "./language.js";
import { type Masked, mask, type Payload, payloadOf, unmask } from "./payload.js";
import { COMMAND_PATTERN } from "./words.js";

export type Intent =
  | "remember"
  | "recall"
  | "unsupported"
  | "compare"
  | "merge"
  | "close"
  | "refund"
  | "delete"
  | "note"
  | "email"
  | "quote"
  | "list"
  | "handle"
  | "summarise"
  | "find";

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

const TABLE: readonly (readonly [Intent, RegExp])[] = [
  ["remember", /\b(?:remember|keep in mind|bear in mind|memori[sz]e)\b(?!\s+to\b)(?!.*\?)/],
  ["recall", /\b(?:what|do) (?:do )?you remember\b|\bwhat have you (?:remembered|learned)\b/],
  [
    "unsupported",
    /\b(?:change|update|edit|correct|modify|rename)\b.*\b(?:address|phone|e-?mail|name|status|city|details|order|ticket|record|note)\b/,
  ],
  [
    "unsupported",
    /\b(?:create|register|open|add|set up)\s+(?:an?\s+)?(?:new\s+)?(?:customer|client|account|order|ticket)\b/,
  ],
  [
    "unsupported",
    /\b(?:cancel|delete|remove|erase|reopen|re-open|ship)\s+(?:the\s+|a\s+|this\s+|that\s+|all\s+)?(?:orders?|tickets?|notes?|e-?mails?|items?|files?)\b/,
  ],
  [
    "compare",
    /\b(?:compare|comparing|comparison|contrast|differ(?:s|ences?|ent)?|versus|vs|side by side)\b|\b(?:is|are)\b.*\bthe same (?:customer|company|client|person|account)\b|\bare\b.*\bduplicates\b|\bwhich (?:of|one)\b.*\bor\b/,
  ],
  ["merge", /\b(?:merg(?:e|ed|ing)|combine|consolidate|unify|de-?dup(?:e|licate)|fold)\b|\bjoin\b.*\baccounts?\b/],
  [
    "close",
    /\b(?:close|closing|closed?)\s+(?:the\s+|this\s+|that\s+|off\s+|out\s+)*(?:tickets?|case|it\b|\d)|\bmark\b.*\b(?:closed|done|resolved)\b/,
  ],
  [
    "refund",
    /\b(?:refund(?:ed|ing)?|reimburse\w*|pay\w* back|money back|give back|credit back|charged (?:us |them |him |her )?(?:twice|double)|double[- ]charged|billed twice|overcharged|(?:revers|return)\w* (?:the |a |one )?(?:\w+ )?(?:charge|payment|money|duplicate))\b/,
  ],
  [
    "delete",
    /\b(?:delet(?:e|ed|ing|ion)|eras(?:e|ed|ing|ure)|purge|wipe|get rid of|terminate|deactivate)\b|\bremove\b(?!.*\bduplicate charge)|\b(?:close|closing|cancel|shut down|closed)\b(?=[^.]*\baccounts?\b)|\bright to be forgotten\b/,
  ],
  [
    "note",
    /\b(?:add|leave|put|write|make|attach|append|jot|record|log|place|enter|drop|save)\b(?:(?!\be-?mail).)*\bnotes?\b|\bnotes?\s+(?:should be|to be|needs to be|must be)\s+(?:added|made|put|left)|\bnote\s+(?:on|for|to|down|that|in|against)\b|^(?:please\s+)?note\b|\b(?:record|log|jot down)\s+that\b|\bannotate\b/,
  ],
  [
    "email",
    /\b(?:send|write|drop|shoot|fire off|compose)\b.*\b(?:e-?mail|mail|message|line|letter)\b|(?<!\b(?:the|their|his|her|its|an?|with|by|whose|find|and|what|which|or|customer|company)\s+)\be-?mail(?:ed|ing)?\b(?!\s*(?:address|of|is|for|domain|:|$|\?))|^(?:please\s+)?(?:mail|message|write to|contact)\b|\b(?:notify|inform)\b|\blet\b.*\bknow\b|\btell\b(?!\s+(?:me|us)\b)|\b(?:reply|respond|write (?:back )?)\s*to\b/,
  ],
  [
    "quote",
    /\b(?:quote|verbatim|word for word|exact (?:words|wording|text))\b|\b(?:read|show|give|get|see|fetch|print)\b.*\b(?:text|body|wording|content|contents|words) (?:of|in|from)\b|\bread\b(?=.*(?:\btickets?\b|#\d))|\btickets?\b.*\b(?:say|says|said|text|written|wrote)\b|\b(?:text|body|wording|content) of (?:the )?ticket\b|\bwhat (?:does|did)\b.*\b(?:say|write|complain)\b/,
  ],
  [
    "list",
    /^(?:(?:all|the|open|closed|pending|any|our)\s+)*(?:customers|clients|companies|orders|tickets|complaints)\b(?!\s*(?:\d|#))|\b(?:list|how many|count|number of)\b|\b(?:show|give|find|get|which|what|see|display|fetch|are there|any|do we have|all|open|closed|who are)\b.*\b(?:customers|clients|companies|orders|tickets|complaints)\b(?!\s*(?:\d|#|:\s*\d))/,
  ],
  [
    "handle",
    /\b(?:handle|process|deal with|take care of|work on|resolve|sort out|act on|action|carry out|fulfil|fulfill|see to|look after|complete|finish)\b|^(?:please\s+)?do\s+(?:what\s+)?ticket\b|\bdo what\b/,
  ],
  [
    "summarise",
    /\b(?:summar\w+|overview|brief(?:ing)?|describe|details|profile|status of|history of|tell (?:me|us)(?: more)? about|know about|check|inspect|examine|review|look (?:at|into)|pull up|what happened|what is going on|explain|info(?:rmation)?)\b|\b(?:show|give|get|read|open|display|view)\b(?=.*(?:\bC-?\d{4}|\b(?:customer|record|order|ticket|account|notes?)\b))|\bwh(?:o|at)(?: is|'s) (?:in |customer |order |ticket )?(?:C-?\d{4}|order|ticket|customer \d)|\bwhat does\b.*\bwant\b|\bnotes (?:on|of|for)\b|\bphone\b/i,
  ],
  [
    "find",
    /\b(?:find|search|look(?:ing)? ?up|look(?:ing)? for|locate|lookup)\b|\b(?:customer )?ids? (?:of|for)\b|\bwho(?:'s| is| are)\b(?!\s+the\b(?!\s+(?:customer|client|owner|company|account)))|\bwhere is\b|\bwhich (?:customer|company|client|account)\b|\bdo we have\b|\bis there\b|\be-?mail(?: address)? (?:of|for|is)\b|\bget me\b|\b(?:show|give|get|fetch)\b|\bwhat is\b.*\b(?:e-?mail|id|city|number)\b/,
  ],
];

const EFFECTS: ReadonlySet<Intent> = new Set([
  "merge",
  "close",
  "refund",
  "delete",
  "note",
  "email",
  "handle",
  "unsupported",
]);

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
  /\b(?:do not|don'?t|never|must not|mustn'?t|should not|shouldn'?t|without|not to|avoid|instead of)\b(?!\s+forget)/i;
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

function intentOf(clause: string): Intent | undefined {
  let best: { intent: Intent; at: number } | undefined;
  const text = clause.toLowerCase();
  for (const [intent, pattern] of TABLE) {
    const at = text.search(pattern);
    if (at >= 0 && (best === undefined || at < best.at)) best = { intent, at };
  }
  return best?.intent;
}

/** `Handle ticket 1077: refund the duplicate` is a refund for ticket 1077. */
function refine(intent: Intent | undefined, clause: string): Intent | undefined {
  if (intent !== "handle" && intent !== "summarise") return intent;
  const rest = /[:–—]\s*(\S.*)$/.exec(clause)?.[1];
  const inner = rest === undefined ? undefined : intentOf(rest);
  return inner !== undefined && EFFECTS.has(inner) ? inner : intent;
}

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
    EFFECTS.has(readOnly) &&
    REPORTED.test(clause) &&
    !COMMANDED.test(clause) &&
    !new RegExp(`^(?:${COMMAND_PATTERN})\\b`, "i").test(clause);
  return { intent: readOnly, text, slots, payload, reported, bare: false };
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
  for (const clause of clauses) {
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
  const settled = goAhead ? kept.map((goal) => ({ ...goal, reported: false })) : kept;
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
