// Patterns that somebody else wrote, or that are tried on what somebody else wrote. JavaScript's own engine goes back and
// tries again, so that `(a+)+$` hangs the process on forty characters; here a search takes time in proportion to the text,
// whatever the pattern. A pattern that such an engine cannot search by is refused, never searched by in another way.

import { RE2JS } from "re2js";

/** A pattern that is ready to be searched by. */
export interface LinearPattern {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
  /** Where it is found, from left to right. Places do not overlap; one may be empty. */
  matches(text: string): Iterable<{ readonly index: number; readonly found: string }>;
  /** As JavaScript writes it; tells one pattern from another. */
  toString(): string;
}

/** How much of a pattern an error repeats, in characters. */
const MAX_SHOWN = 100;

/** A pattern that cannot be searched by in linear time. Correct the pattern. */
export class PatternError extends Error {
  override readonly name = "PatternError";
  readonly code = "PATTERN";
  constructor(
    source: string,
    /** Without the pattern: it may be a secret. */
    readonly why: string,
  ) {
    const shown = source.length > MAX_SHOWN ? `${source.slice(0, MAX_SHOWN)}…` : source;
    super(`the pattern ${JSON.stringify(shown)} cannot be searched by in linear time: ${why}`);
  }
}

const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  g: 0, // Every search is for all places, and each pattern is read by characters.
  u: 0,
};

/**
 * Reads a JavaScript pattern, with the flags `i`, `m`, `s`, `u` and `g`. It finds what JavaScript finds.
 *
 * @throws SyntaxError when it is no pattern
 * @throws PatternError when it looks around, refers back, repeats more than 1,000 times, has another flag, or is
 * otherwise more than RE2 can read
 */
export function linearPattern(source: string, flags = ""): LinearPattern {
  new RegExp(source, flags); // In JavaScript's own words, what is wrong with it.
  const refuse = (why: string): PatternError => new PatternError(source, why);
  let given = 0;
  for (const flag of flags.replace("s", "")) {
    const known = FLAGS[flag];
    if (known === undefined) throw refuse(`it has the flag ${flag}`);
    given |= known;
  }
  const translated = translate(source, flags.includes("s"), refuse);
  let engine: RE2JS;
  try {
    engine = RE2JS.compile(translated, given);
  } catch (error) {
    const repeats = (error as Error).message.includes("repeat count");
    throw refuse(repeats ? "it repeats something more than 1,000 times" : "RE2 cannot read it");
  }
  return {
    test: (text) => engine.test(text),
    *matches(text) {
      for (const { index = 0, 0: found } of engine.matchAll(text)) yield { index, found };
    },
    toString: () => `/${source}/${flags}`,
  };
}

/** {@link linearPattern} as Ajv takes it: its option `code.regExp`. */
export const linearEngine = Object.assign((source: string, flags: string) => linearPattern(source, flags), {
  code: "linearPattern",
});

/** The pieces of a pattern that are written in another way there, or mean something else. */
const PIECE =
  /\\u\{(?<point>[0-9a-f]+)\}|\\u(?<high>d[89ab][0-9a-f]{2})\\u(?<low>d[c-f][0-9a-f]{2})|\\u(?<unit>[0-9a-f]{4})|\\x(?<byte>[0-9a-f]{2})|\\c(?<control>[a-z])|\\(?<category>p\{[^}]*\})|\\(?<letter>.)|(?<look>\(\?<?[=!])|(?<named>\(\?<)|(?<empty>\[\^?\])|(?<bracket>[[\]])|(?<dot>\.)/gisu;

const BLANKS = "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const NOT_BLANKS =
  "\\x00-\\x08\\x0e-\\x1f!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
const ANYTHING = "[\\x00-\\x{10ffff}]";
const NOTHING = "[^\\x00-\\x{10ffff}]";
const LINE = "[^\\n\\r\\x{2028}\\x{2029}]";

const point = (code: number): string => `\\x{${code.toString(16)}}`;

type Refuse = (why: string) => PatternError;

function translate(source: string, dotAll: boolean, refuse: Refuse): string {
  let inClass = false;
  return source.replaceAll(PIECE, (piece: string, ...rest: readonly unknown[]) => {
    const part = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    const { high, low, letter } = part;
    if (high !== undefined && low !== undefined) {
      return point(0x10000 + (Number.parseInt(high, 16) - 0xd800) * 0x400 + Number.parseInt(low, 16) - 0xdc00);
    }
    const code = part["point"] ?? part["unit"] ?? part["byte"];
    if (code !== undefined) return point(Number.parseInt(code, 16));
    if (part["control"] !== undefined) return point(part["control"].charCodeAt(0) % 32);
    if (part["category"] !== undefined) return category(part["category"], inClass, refuse);
    if (letter !== undefined) return escaped(letter, inClass, refuse);
    if (part["bracket"] === "]") {
      inClass = false;
      return piece;
    }
    if (inClass)
      return piece === "["
        ? "\\["
        : piece === "[]"
          ? leaveClass("\\[]")
          : piece === "[^]"
            ? leaveClass("\\[^]")
            : piece;
    if (part["look"] !== undefined) throw refuse("it looks ahead or behind");
    if (part["named"] !== undefined) return "(?P<";
    if (part["empty"] !== undefined) return piece === "[]" ? NOTHING : ANYTHING;
    if (part["dot"] !== undefined) return dotAll ? ANYTHING : LINE;
    inClass = true; // What is left is an opening bracket.
    return piece;
  });

  function leaveClass(text: string): string {
    inClass = false;
    return text;
  }
}

/** Escapes that mean the same there, in a class and outside. */
const SAME = /[dDwWnrtf]/;

function escaped(letter: string, inClass: boolean, refuse: Refuse): string {
  if (letter === "b") return inClass ? "\\x08" : "\\b";
  if (letter === "B") return "\\B";
  if (letter === "s") return inClass ? BLANKS : `[${BLANKS}]`;
  if (letter === "S") return inClass ? NOT_BLANKS : `[${NOT_BLANKS}]`;
  if (letter === "v") return "\\x0b";
  if (letter === "0") return "\\x00";
  if (SAME.test(letter)) return `\\${letter}`;
  if (letter === "k" || /\d/.test(letter)) throw refuse("it refers back to what it found");
  if (/[a-z]/i.test(letter)) throw refuse(`it has the escape \\${letter}`);
  return point(letter.codePointAt(0) ?? 0);
}

/** `\p{Script=Greek}` is `\p{Greek}` there. */
function category(text: string, inClass: boolean, refuse: Refuse): string {
  const [, sign = "p", name = ""] = /^(p)\{(?:(?:sc|Script|gc|General_Category)=)?([^}]*)\}$/i.exec(text) ?? [];
  if (name.includes("=")) throw refuse(`it has the property ${name}`);
  if (name !== "Any" && name !== "ASCII") return `\\${sign}{${name}}`;
  const ranges = { Any: [ANYTHING, NOTHING], ASCII: ["[\\x00-\\x7f]", "[^\\x00-\\x7f]"] }[name];
  if (inClass) throw refuse(`it has the property ${name} in a class`);
  return ranges[sign === "p" ? 0 : 1] ?? NOTHING;
}
