// Keeps what a person wants written apart from what they want done: the text of a note, the subject and body of an
// e-mail, a quoted name. Quoted and dictated passages are masked before anything else reads the task, so that
// "add a note: please delete us" is a note and not a deletion.

import { COMMAND_PATTERN } from "./words.js";

/** A task with its quoted and dictated passages replaced by `⟦n⟧`. */
export interface Masked {
  readonly text: string;
  readonly passages: readonly { readonly text: string; readonly dictated: boolean }[];
}

/** What is to be written, and the clause without it. */
export interface Payload {
  readonly head: string;
  readonly subject: string | undefined;
  readonly text: string | undefined;
  /** The text was quoted: it is written exactly so. */
  readonly verbatim: boolean;
  /** Only a topic was given: "about the late delivery". */
  readonly topic: string | undefined;
}

const QUOTES =
  /"([^"\n]*)"|“([^”\n]*)”|«([^»\n]*)»|`([^`\n]*)`|(?<=^|[\s(:])['‘]([^'’\n]*(?:['’]\w[^'’\n]*)*)['’](?=$|[\s).,;:!?])/g;
const NEXT_STEP = String.raw`(?=[,;.]?\s*\b(?:and\s+)?then\b|[.;]\s+(?:(?:finally|afterwards|after that|also|please),?\s+)?(?:${COMMAND_PATTERN})\b|\n|$)`;
const DICTATED = new RegExp(
  String.raw`(\b(?:notes?|e-?mails?|messages?|saying|says|stating|reads|reading|body|text|tell|inform|reply|line|word|notify|write|contact)\b[^:.⟦\n]{0,80}:\s*|\b(?:saying|that says|stating|which reads)\s+(?:that\s+)?)([^⟦\n][^⟦\n]*?)${NEXT_STEP}`,
  "gi",
);

/** Masks quotes first, then passages dictated after a colon or "saying". */
export function mask(task: string): Masked {
  const passages: { text: string; dictated: boolean }[] = [];
  const put = (text: string, dictated: boolean): string => `⟦${passages.push({ text: text.trim(), dictated }) - 1}⟧`;
  const plain = task.replace(/[⟦⟧]/g, " ");
  const unquoted = plain.replace(QUOTES, (...match: unknown[]) => {
    const text = match.slice(1, 6).find((group) => typeof group === "string");
    return put(String(text ?? ""), false);
  });
  const text = unquoted.replace(DICTATED, (_, lead: string, dictated: string) => lead + put(dictated, true));
  return { text, passages };
}

const MARK = /⟦(\d+)⟧/g;

/** The clause with its passages back in place, quoted ones in quotes. */
export const unmask = (clause: string, masked: Masked): string =>
  clause.replace(MARK, (_, index: string) => {
    const passage = masked.passages[Number(index)];
    return passage === undefined ? "" : passage.dictated ? passage.text : `"${passage.text}"`;
  });

const NAME_BEFORE =
  /\b(?:customer|client|company|account|named|called|to|for|of|on|find|e-?mail|mail|notify|inform|tell|message|let|with)\s+(?:the\s+|customer\s+|company\s+)*$/i;
const SUBJECT_BEFORE = /\bsubject(?:\s+line)?(?:\s+(?:is|of))?\s*:?\s*$/i;
const TAIL =
  /[\s,]+(?:(?:to\s+)?(?:say(?:ing)?|tell(?:ing)?(?:\s+(?:them|him|her|it))?|inform(?:ing)?\s+(?:them|him|her)|lett?(?:ing)?\s+(?:them|him|her)\s+know|explain(?:ing)?|confirm(?:ing)?)\s+that|(?:saying|say|that|telling\s+them|know(?:\s+that)?|how))\s+(\S.*)$/i;
/** "tell them we shipped it": a message without "that". */
const MESSAGE =
  /\b(?:tell|notify|inform|message|e-?mail)\s+\S.*?\s((?:we|we're|we've|we'll|i|it|it's|your|our|they|he|she)\s+\S.*)$/i;
const TOPIC = /\b(?:about|regarding|concerning|to confirm|confirming)\s+(\S.*)$/i;

/** Reads what a note or e-mail clause wants written. Names in quotes stay in the head. */
export function payloadOf(clause: string, masked: Masked): Payload {
  let subject: string | undefined;
  const texts: string[] = [];
  let verbatim = false;
  let head = clause.replace(MARK, (mark, index: string, offset: number) => {
    const passage = masked.passages[Number(index)];
    if (passage === undefined) return "";
    const before = clause.slice(0, offset);
    if (SUBJECT_BEFORE.test(before) && subject === undefined) {
      subject = passage.text;
      return "";
    }
    const hasMore = /⟦|\b(?:that|saying|about|with)\b|:/.test(clause.slice(offset + mark.length));
    if (!passage.dictated && NAME_BEFORE.test(before) && (hasMore || texts.length > 0)) return `"${passage.text}"`;
    texts.push(passage.text);
    verbatim ||= !passage.dictated;
    return "";
  });
  const tail = texts.length === 0 ? (TAIL.exec(head) ?? MESSAGE.exec(head)) : null;
  if (tail?.[1] !== undefined && !/^(?:customer|client|company|account|ticket|order|one)\b/i.test(tail[1])) {
    texts.push(tail[1]);
    head = head.slice(0, head.length - tail[1].length);
  }
  const topic = TOPIC.exec(head);
  if (topic?.[1] !== undefined) head = head.slice(0, topic.index);
  const text = texts.join("\n").replace(/\s+$/, "");
  return { head, subject, text: text === "" ? undefined : text, verbatim, topic: topic?.[1]?.replace(/[.!?\s]+$/, "") };
}
