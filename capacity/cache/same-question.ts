// Whether two questions that an embedding finds alike may have the same answer. Every guard can only say no: numbers,
// names, negation, opposites, time, and what is asked must agree, and no single word may have been exchanged or added.

import { INTERROGATIVE, MEANINGLESS, MODE_OF, NEGATING, NUMBER_WORDS, SAME_AS, SIDES, TIMING } from "./vocabulary.js";

/** What the guards compare, read from a question once. */
export interface QuestionFacts {
  /** In their order: `$20 and 5 %` is `$20 5%`. Identifiers, addresses and quoted text count. */
  readonly numbers: readonly string[];
  /** Words that are written like names, in lower case and in their order. */
  readonly names: readonly string[];
  /** How many words turn the question round. */
  readonly negations: number;
  /** The sides of opposites that are taken. */
  readonly sides: string;
  readonly times: string;
  /** Who, where, when, why, how; may, must, will, was. */
  readonly asks: string;
  /** All words, in lower case. */
  readonly words: ReadonlySet<string>;
  /** The words that carry meaning, stems of them, in their order. */
  readonly content: readonly string[];
  /** Whether it begins with a phrase and a comma: such a phrase may as well stand at the end. */
  readonly fronted: boolean;
}

/** Which guard says that two questions differ. */
export type Mismatch =
  | "numbers"
  | "names"
  | "negation"
  | "opposite"
  | "time"
  | "asks"
  | "word exchanged"
  | "word added"
  | "word order";

/** Ways to begin that ask for nothing. */
const COURTESY =
  /^(?:(?:hi|hello|hey)[\s,!]+)?(?:please\s+)?(?:(?:can|could|would|will) you (?:please )?(?:tell|show|give|explain to|help)(?: me)?|(?:do|would) you (?:happen to )?know|(?:i (?:want|need|would like|'d like)|i'd like) to know|tell me|let me know|i (?:am|was) wondering)\b[\s,]*/i;
/** Other words for an interrogative. */
const ROUNDABOUT: readonly (readonly [RegExp, string])[] = [
  [/\b(?:what (?:is|are|'s) the (?:best )?(?:way|ways|steps|procedure|process|method) (?:to|for|of))\b/g, "how "],
  [/\b(?:at )?what (?:time|date|day)\b/g, "when"],
  [/\b(how|where) (?:can|could) (?:i|we|one|you)\b/g, "$1"],
  [/\bfor what reason\b|\bwhat is the reason\b|\bwhat's the reason\b|\bhow come\b/g, "why"],
  [/\b(?:in )?(?:what|which) (?:place|location)\b/g, "where"],
  [/\bwhat (?:number|amount|quantity) of\b|\bhow much\b/g, "how many"],
];
const IDENTIFIER =
  /"[^"]*"|“[^”]*”|`[^`]*`|\S+@\S+\.\S+|\bhttps?:\/\/\S+|[$€£]?\d[\d.,:/-]*\s?%?|\b[A-Za-z]*\d[\w-]*|[#@/]\w[\w./-]*|\b\w+_\w+\b/g;

/** Reads a question. */
export function factsOf(question: string): QuestionFacts {
  const whole = question.normalize("NFKC").replace(/[’‘]/g, "'").trim();
  const plain = whole.replace(COURTESY, "");
  const asked = ROUNDABOUT.reduce((text, [pattern, to]) => text.replace(pattern, to), expanded(plain.toLowerCase()));
  const all = asked.match(/[\p{L}][\p{L}']*/gu) ?? [];
  const listed = (pick: (word: string) => string | undefined): string =>
    [...new Set(all.flatMap((word) => pick(word) ?? []))].sort().join(" ");
  return {
    numbers: numbersOf(plain),
    names: namesOf(plain),
    negations: all.filter((word) => NEGATING.has(word) || isUndone(word)).length,
    sides: listed((word) => SIDES.get(word)),
    times: listed((word) => (TIMING.has(word) ? word.replace(/(?:i?ly|s)$/, "") : undefined)),
    asks: listed((word) => (INTERROGATIVE.has(word) ? word : MODE_OF.get(word))),
    words: new Set(wordsOf(plain.toLowerCase()).flatMap((word) => [word, ...word.split("-")])),
    content: all.filter((word) => !MEANINGLESS.has(word) && !INTERROGATIVE.has(word) && !MODE_OF.has(word)).map(stemOf),
    fronted: /^[^,.?!]{2,40},\s/.test(plain),
  };
}

/** The first guard that says the two ask for different things; none when all let them pass. */
export function mismatchOf(left: QuestionFacts, right: QuestionFacts): Mismatch | undefined {
  if (left.numbers.join(" ") !== right.numbers.join(" ")) return "numbers";
  if (!sameNames(left, right)) return "names";
  if (left.negations !== right.negations) return "negation";
  if (left.sides !== right.sides) return "opposite";
  if (left.times !== right.times) return "time";
  if (left.asks !== right.asks) return "asks";
  return wordingOf(left.content, right.content, left.fronted || right.fronted);
}

function numbersOf(text: string): string[] {
  const spelled = text.replace(/\p{L}+/gu, (word) => NUMBER_WORDS.get(word.toLowerCase()) ?? word);
  return (spelled.match(IDENTIFIER) ?? []).map((found) => {
    const bare = found.toLowerCase().replace(/[.,:;?!'/-]+$/, "");
    const digits = bare.replace(/(?<=\d),(?=\d{3})/g, "").replace(/\s/g, "");
    return /^\d+(?:\.\d+)?$/.test(digits) ? String(Number(digits)) : digits;
  });
}

/** Capitals inside of a sentence, and abbreviations anywhere. A word at its start may be there for that reason only. */
function namesOf(text: string): string[] {
  const names: string[] = [];
  for (const sentence of text.split(/(?<=[.!?:])\s+|\n+/)) {
    const found = wordsOf(sentence);
    for (const [index, word] of found.entries()) {
      const abbreviated = word.length > 1 && word === word.toUpperCase();
      const capital = /^\p{Lu}/u.test(word) && index > 0 && !/^I(?:'|$)/.test(word);
      if (abbreviated || capital) names.push(word.toLowerCase());
    }
  }
  return names;
}

const wordsOf = (text: string): readonly string[] =>
  (text.match(/\p{L}[\p{L}'-]*/gu) ?? []).map((word) => word.replace(/'s$/, ""));

/** Each name of one is somewhere in the other, and those that both have come in the same order. */
function sameNames(left: QuestionFacts, right: QuestionFacts): boolean {
  const has = (words: ReadonlySet<string>, name: string): boolean => name.split("-").every((part) => words.has(part));
  if (!left.names.every((name) => has(right.words, name)) || !right.names.every((name) => has(left.words, name))) {
    return false;
  }
  const shared = (from: readonly string[], of: readonly string[]): string =>
    [...new Set(from)].filter((name) => of.includes(name)).join(" ");
  return shared(left.names, right.names) === shared(right.names, left.names);
}

/** `unpaid`, `non-refundable`; not `under`, `until`, `unit`, `universe`, `uncle`. */
const isUndone = (word: string): boolean =>
  /^(?:non-?|un(?!der|til|ion|it|iv|iq|less|cle))\p{L}{4,}$/u.test(word) ||
  /^(?:in(?:active|valid|correct|complete|visible|secure|sufficient|eligible|direct)|im(?:possible|proper|mutable)|ir(?:regular|relevant|reversible)|il(?:legal|logical)|dis(?:connect(?:ed)?|agree|allow(?:ed)?|continued?))$/.test(
    word,
  );

/** `don't` is `do not`. */
const expanded = (text: string): string =>
  text
    .replace(/\bcan't\b|\bcannot\b/g, "can not")
    .replace(/\bwon't\b/g, "will not")
    .replace(/n't\b/g, " not")
    .replace(/\b(what|where|when|who|why|how|it|that|there)'s\b/g, "$1 is")
    .replace(/'s\b/g, "");

function stemOf(word: string): string {
  const same = SAME_AS.get(word);
  if (same !== undefined) return same;
  const stem = word
    .replace(/ies$/, "y")
    .replace(/(?<=[^aeious])(?:es|s)$/, "")
    .replace(/(?<=\p{L}{3})(?:ing|ed|ation|ment)$/u, "")
    .replace(/e$/, "");
  return SAME_AS.get(stem) ?? SAME_AS.get(`${stem}e`) ?? stem;
}

/** The first words at the end: `at sea level, what is the boiling point`. */
const turned = (words: readonly string[], by: number): string => [...words.slice(by), ...words.slice(0, by)].join(" ");

/** One word exchanged or some added is a near miss more often than it is a paraphrase; so is another order. */
function wordingOf(left: readonly string[], right: readonly string[], fronted: boolean): Mismatch | undefined {
  const onlyLeft = left.filter((word) => !right.includes(word));
  const onlyRight = right.filter((word) => !left.includes(word));
  if (onlyLeft.length === 0 && onlyRight.length === 0) {
    const turns = fronted && left.length > 2 ? left.length : 1;
    const same =
      left.length === right.length &&
      Array.from({ length: turns }, (_, by) => turned(left, by)).includes(right.join(" "));
    return same ? undefined : "word order";
  }
  if (onlyLeft.length === 0 || onlyRight.length === 0) return "word added";
  if (onlyLeft.length === 1 && onlyRight.length === 1) return "word exchanged";
  // The same sentence with several words exchanged: the longer it is, the less an embedding sees of that.
  const agreeing = left.filter((word, index) => word === right[index]).length;
  return left.length === right.length && 2 * agreeing >= left.length ? "word exchanged" : undefined;
}
