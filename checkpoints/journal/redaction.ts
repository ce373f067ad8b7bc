// Declared secrets never reach a record: before anything is hashed or written, each is replaced by a tag that is made
// with the journal's key. Equal secrets have equal tags, so records stay comparable; nobody without the key can try out
// what a tag stands for. Source: trust-replay.md, section 6.

import type { Seal } from "../../trust/index.js";
import { type LinearPattern, linearPattern } from "../../trust/pattern.js";

/** What must not be recorded. */
export interface Secrets {
  /** The secrets themselves, at least {@link SHORTEST} characters each. Found also where JSON escapes them. */
  readonly values?: readonly string[];
  /** What a secret looks like. Tried on every text of a record, each JSON string by itself, in linear time. */
  readonly patterns?: readonly RegExp[];
}

/** A secret that is shorter would be found everywhere. */
export const SHORTEST = 6;

/** JSON in JSON in JSON: the arguments of a tool call in a message in a request. */
const NESTING = 3;

const PURPOSE = "secret";
const TAG = "\\[secret:[0-9a-f]{16}\\]";

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** Fields of an event whose words are from a list of the harness's own: not even a secret that is such a word changes them. */
const WORDS = words(
  "kind status verdict decision as use authenticated state axis routes floor integrity fidelity currency certainty engine batch",
);

/** Why a call waits: the one field that has words of a list in some events, and anything in others. */
const WAITING = words("pace pause in-flight");

/** Fields by which an event names things, with digests and ids. A pattern may match these; what it replaced would lead nowhere. */
const NAMES = words(
  "id parent from digest key call callId approval binding policy toolDigest definition compensates value values output raw message query pages rest tools whole",
);

/** Where an event holds what others wrote, of any shape. Elsewhere a number is a number of the harness. */
const FREE: ReadonlySet<string> = new Set(["arguments", "frame"]);

/** A digest where an event names a text: not told from a secret by its looks. */
const DIGEST = /^[0-9a-f]{64}$/;

/** A line of a stream of server-sent events, up to its JSON. */
const STREAMED = /^data: ?(?=[[{])/;

/** Replaces secrets in texts of a record. */
export interface Redaction {
  /** In a text that may be JSON, or lines of a stream. What was JSON stays JSON; what holds no secret keeps its bytes. */
  text(text: string): string;
  /** In every string of an event, and in the names and numbers of what has any shape in it. */
  value<Value>(value: Value): Value;
}

/**
 * The redaction of these secrets.
 *
 * @throws TypeError for a value that is too short to be told from other text, and for a pattern that matches nothing at all.
 * @throws PatternError for a pattern that cannot be searched by in linear time.
 */
export function redactionOf({ values = [], patterns = [] }: Secrets, seal: Seal): Redaction {
  const short = values.find((value) => value.length < SHORTEST);
  if (short !== undefined) {
    throw new TypeError(`a declared secret has ${short.length} characters and needs at least ${SHORTEST}`);
  }
  const looks = patterns.map((pattern) => linearPattern(pattern.source, pattern.flags.replace(/[dy]/g, "")));
  const empty = patterns[looks.findIndex((look) => look.test(""))];
  if (empty !== undefined) throw new TypeError(`the pattern ${empty} of secrets matches the empty text`);
  if (values.length === 0 && looks.length === 0) return { text: (text) => text, value: (value) => value };

  const tagOf = (secret: string): string =>
    `[secret:${seal.sign(PURPOSE, Buffer.from(secret).toString()).slice(0, 16)}]`;
  const secretOf = new Map(values.flatMap((value) => spellings(value).map((spelling) => [spelling, value] as const)));
  // The longest first: one secret may be the beginning of another.
  const declared = [...secretOf.keys()].toSorted((left, right) => right.length - left.length);
  const known = new RegExp([TAG, ...declared.map(escaped)].join("|"), "g");
  /** A tag that stands there already stays: what was redacted once may come again, as part of something else. */
  const tagged = (found: string): string => {
    const secret = secretOf.get(found);
    return secret === undefined ? found : tagOf(secret);
  };
  const exact = (text: string): string => text.replace(known, tagged);
  const plain = (text: string): string => {
    let parts = cut(text, placesOf(known, text), tagged);
    for (const look of looks)
      parts = parts.flatMap((part) => (part.isTag ? part : cut(part.text, look.matches(part.text), tagOf)));
    return parts.map((part) => part.text).join("");
  };
  /** Token by token: a pattern must not eat the syntax of JSON, and the rest must keep its bytes. */
  const inJson = (text: string): string =>
    replaceTokens(text, (token) => {
      const content = token.startsWith('"') ? String(JSON.parse(token)) : token;
      const left = token.startsWith('"') ? inText(content) : plain(content);
      return left === content ? token : JSON.stringify(left);
    });
  const inLine = (line: string): string => {
    const head = STREAMED.exec(line)?.[0] ?? "";
    const content = line.slice(head.length);
    return head !== "" && isJson(content) ? head + inJson(content) : plain(line);
  };
  const inText = (text: string): string => {
    if (looks.length === 0 && !text.includes("\\") && exact(text) === text) return text;
    const isStream = /^data:/m.test(text);
    const left = isJson(text) ? inJson(text) : isStream ? text.split("\n").map(inLine).join("\n") : plain(text);
    // A secret that has lines, or is JSON itself: it counts for more than the syntax of what it stands in.
    return exact(left);
  };

  const deep = (value: unknown, name: string, isFree: boolean): unknown => {
    if (typeof value === "string") {
      if (!isFree && (WORDS.has(name) || (name === "reason" && WAITING.has(value)))) return value;
      const isName = !isFree && (NAMES.has(name) || (name === "arguments" && DIGEST.test(value)));
      return isName ? exact(value) : inText(value);
    }
    if (typeof value === "number" && isFree) {
      const left = plain(String(value));
      return left === String(value) ? value : left;
    }
    if (Array.isArray(value)) return value.map((each) => deep(each, name, isFree));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([inner, of]) => {
      const isInnerFree = isFree || FREE.has(inner);
      return [isFree ? plain(inner) : inner, deep(of, inner, isInnerFree && typeof of === "object" ? true : isFree)];
    });
    return Object.fromEntries(entries); // Not by assignment: a key named __proto__ is a key like any other.
  };
  return { text: inText, value: (value) => deep(value, "", false) as typeof value };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
/** `.`, `+`, `E` and `e`: what a number may go on with. */
const IN_NUMBER: ReadonlySet<number> = new Set([0x2e, 0x2b, 0x45, 0x65]);
const isNumeric = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code === MINUS;

/**
 * Replaces the tokens of JSON that can hold a secret, strings and numbers. By hand: a regular expression overflows the
 * stack on a string of some megabytes.
 */
function replaceTokens(json: string, replace: (token: string) => string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < json.length; at += 1) {
    const first = json.charCodeAt(at);
    if (first !== QUOTE && !isNumeric(first)) continue;
    let end = at + 1;
    if (first === QUOTE) {
      while (end < json.length && json.charCodeAt(end) !== QUOTE) end += json.charCodeAt(end) === BACKSLASH ? 2 : 1;
      end += 1;
    } else while (isNumeric(json.charCodeAt(end)) || IN_NUMBER.has(json.charCodeAt(end))) end += 1;
    parts.push(json.slice(from, at), replace(json.slice(at, end)));
    from = end;
    at = end - 1;
  }
  return parts.join("") + json.slice(from);
}

interface Part {
  readonly text: string;
  readonly isTag: boolean;
}

type Places = ReturnType<LinearPattern["matches"]>;

/** What a pattern of our own finds, which goes back over nothing. */
const placesOf = (look: RegExp, text: string): Places =>
  [...text.matchAll(look)].map(({ 0: found, index }) => ({ index, found }));

/** The text in parts: what was found as its tag, and what is between. */
function cut(text: string, places: Places, tagOf: (found: string) => string): readonly Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const { found, index } of places) {
    if (found === "") continue;
    parts.push({ text: text.slice(from, index), isTag: false }, { text: tagOf(found), isTag: true });
    from = index + found.length;
  }
  return [...parts, { text: text.slice(from), isTag: false }];
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** A secret as it is, and as JSON has it. */
function spellings(value: string): readonly string[] {
  const found = new Set([value]);
  let spelling = value;
  for (let depth = 0; depth < NESTING; depth += 1) {
    spelling = JSON.stringify(spelling).slice(1, -1);
    found.add(spelling);
  }
  return [...found];
}

/** How JSON begins that can hold a secret. */
const JSON_BEGINS = /^\s*["[{\d-]/;

function isJson(text: string): boolean {
  if (!JSON_BEGINS.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
