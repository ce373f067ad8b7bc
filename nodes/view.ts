// What a person is shown of an action, and nothing else than the action: written by code, never by a model, with every
// character escaped that is invisible, reorders the line, hides another one, or looks like it in a different form. Two
// actions that differ are never shown alike, other than by letters of one foreign script that look like Latin ones.

/** Controls, format and bidirectional characters, unassigned and ignorable ones, and every blank but the plain one. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}]|(?! )\p{Zs}/gu;
/** Marks that lie over plain characters, a stroke through a digit, and marks that enclose. Accents have other bases. */
const COVERING = /(?<![^\p{ASCII}\p{M}]\p{M}*)\p{M}|\p{Me}/gu;
/** What a text that is not in normal form C is written with: marks, parts of Hangul syllables, doubles of others. */
const LOOSE = /\p{M}|[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]|[^\p{ASCII}]/gu;
const PART = /[\p{M}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const LATIN = /\p{Script=Latin}/u;
/** Scripts with letters that look like Latin ones. */
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/gu;
const PLAIN_NAME = /^[A-Za-z_$][\w$-]*$/;

const escaped = (character: string): string => {
  const point = character.codePointAt(0) ?? 0;
  return point > 0xffff ? `\\u{${point.toString(16)}}` : `\\u${point.toString(16).padStart(4, "0")}`;
};

const decomposed = (character: string): boolean => PART.test(character) || character !== character.normalize("NFC");

/**
 * `text` with nothing hidden in it. Letters whose accents stand apart (not in normal form C) show them apart, and in a
 * word that mixes Latin letters with ones that look like them the foreign ones are escaped.
 */
export function visible(text: string): string {
  const shown = text.replaceAll(UNSEEN, escaped).replaceAll(COVERING, escaped);
  const apart =
    shown === shown.normalize("NFC")
      ? shown
      : shown.replaceAll(LOOSE, (character) => (decomposed(character) ? escaped(character) : character));
  return apart.replaceAll(WORD, (word) => (LATIN.test(word) ? word.replaceAll(LOOKALIKE, escaped) : word));
}

/** An argument's name; in quotes and in plain characters when it could be taken for more than a name. */
const nameOf = (name: string): string =>
  PLAIN_NAME.test(name) ? name : JSON.stringify(name).replaceAll(/[^ -~]/gu, escaped);

/** A tool call as it would be written, whole: `refund_order(order_id: 7781, reason: "duplicate")`. */
export const viewOfCall = (tool: string, args: Readonly<Record<string, unknown>>): string =>
  `${visible(tool)}(${Object.entries(args)
    .map(([name, value]) => `${nameOf(name)}: ${visible(JSON.stringify(value) ?? "undefined")}`)
    .join(", ")})`;

/** The call and, below it, what the tool's preview says would change. */
export const viewOfAction = (tool: string, args: Readonly<Record<string, unknown>>, preview?: string): string =>
  [
    viewOfCall(tool, args),
    ...(preview === undefined ? [] : preview.split("\n").map((line) => `  preview  ${visible(line)}`)),
  ].join("\n");
