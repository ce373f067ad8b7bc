// The table of patterns by which a clause's intent is recognised. The pattern that matches earliest in the clause
// decides; of two that start at the same place the upper row wins. To teach the brain a phrasing, edit one row.

/** What a clause asks for: one planner per intent. */
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

const TABLE: readonly (readonly [Intent, RegExp])[] = [
  ["remember", /\b(?:remember|keep in mind|bear in mind|memori[sz]e)\b(?!\s+to\b)(?!.*\?)/],
  ["recall", /\b(?:what|do) (?:do )?you remember\b|\bwhat have you (?:remembered|learned)\b/],
  [
    "unsupported",
    /\b(?:change|update|edit|correct|modify|rename)\b.*\b(?:address|phone|e-?mail|name|status|city|details|order|ticket|record|note)\b/,
  ],
  ["unsupported", /\b(?:undo|revert|restore|roll ?back|bring back|undelete|unmerge)\b/],
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
    /\b(?:compare|comparing|comparison|contrast|differ(?:s|ences?|ent)?|versus|vs|side by side)\b|^(?:is|are)\b.*\bthe same (?:customer|company|client|person|account)\b|^(?:is|are)\b.*\bduplicates?\b|\bwhich (?:of|one)\b.*\bor\b/,
  ],
  ["merge", /\b(?:merg(?:e|ed|ing)|combine|consolidate|unify|de-?dup(?:e|licate)|fold)\b|\bjoin\b.*\baccounts?\b/],
  [
    "close",
    /\b(?:close|closing|closed?)\s+(?:the\s+|this\s+|that\s+|off\s+|out\s+)*(?:tickets?|case|it\b|\d)|\bmark\b.*\b(?:closed|done|resolved)\b/,
  ],
  [
    "refund",
    /\b(?:give|get|issue|grant|offer|arrange|initiate|make)\b.*\b(?:refund|money back)\b|\b(?:refund(?:ed|ing)?|reimburse\w*|pay\w* back|money back|give back|credit back|charged (?:us |them |him |her )?(?:twice|double)|double[- ]charged|billed twice|overcharged|(?:revers|return)\w* (?:the |a |one )?(?:\w+ )?(?:charge|payment|money|duplicate))\b/,
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
    /\b(?:quote|verbatim|word for word|exact (?:words|wording|text))\b|\b(?:read|show|give|get|see|fetch|print)\b.*\b(?:text|body|wording|content|contents|words) (?:of|in|from)\b|\bread\b(?=.*(?:\btickets?\b|#\d))|\b(?:text|body|wording|content) of (?:the )?ticket\b|\bwhat (?:does|did)\b.*\b(?:say|write|complain)\b/,
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

/** Intents that change something. */
export const EFFECTS: ReadonlySet<Intent> = new Set([
  "merge",
  "close",
  "refund",
  "delete",
  "note",
  "email",
  "handle",
  "unsupported",
]);

/** The intent of a lower- or mixed-case clause, if the table knows it. */
export function intentOf(clause: string): Intent | undefined {
  let best: { intent: Intent; at: number } | undefined;
  const text = clause.toLowerCase();
  for (const [intent, pattern] of TABLE) {
    const at = text.search(pattern);
    if (at >= 0 && (best === undefined || at < best.at)) best = { intent, at };
  }
  return best?.intent;
}

/** `Handle ticket 1077: refund the duplicate` is a refund for ticket 1077. */
export function refine(intent: Intent | undefined, clause: string): Intent | undefined {
  if (intent !== "handle" && intent !== "summarise") return intent;
  const rest = /[:–—]\s*(\S.*)$/.exec(clause)?.[1];
  const inner = rest === undefined ? undefined : intentOf(rest);
  return inner !== undefined && EFFECTS.has(inner) ? inner : intent;
}
