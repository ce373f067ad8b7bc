// Recognises text that talks to its reader instead of describing a problem. Such text is quoted and named for what it
// is. Nothing depends on catching all of it: no plan ever takes a step from a ticket's text.

const PATTERNS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules?|polic(?:y|ies)|above|previous|prior)\b/i,
  /\b(?:system|developer|admin(?:istrator)?)\s*(?:prompt|message|override|mode|note)\b/i,
  /\byou are (?:now|no longer)\b/i,
  /\bas an? (?:ai|assistant|agent|language model)\b/i,
  /\b(?:assistant|agent|ai|bot)\s*[:,]\s*(?:please\s+)?(?:delete|refund|merge|send|call|run|execute|transfer)\b/i,
  /\b(?:delete|erase|wipe)\s+(?:the\s+)?(?:customer|account|record|all)\b.{0,30}\bC-?\d{4}\b/i,
  /\b(?:delete_customer|refund_order|merge_customers|send_email|close_ticket)\b/,
  /<\/?(?:system|instructions?|tool|im_start)\b/i,
  /\bdo not (?:tell|inform|ask|mention)\b/i,
];

/** Whether the text carries instructions for whoever reads it. */
const carriesInstructions = (text: string): boolean => PATTERNS.some((pattern) => pattern.test(text));

/** The sentence an answer adds when it does; empty otherwise. */
export const injectionWarning = (text: string): string =>
  carriesInstructions(text)
    ? "Its text contains instructions to the reader; ticket text is data, so I quoted it and did not follow them."
    : "";
