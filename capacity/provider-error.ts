// Reads what a provider says when it refuses or fails, whatever shape it gives that: OpenAI's object, Google's array,
// FastAPI's `detail`, a proxy's HTML, an error of another provider wrapped in its own. It finds the structured words, the
// hints when to come back, and the prose; `classify.ts` decides what they mean. Total: no body makes it throw, and none
// makes it slow, because everything is cut before it is looked at.

import { believedHint, durationMs, retryAfterMs } from "./headers.js";

/** What a body says. */
export interface ProviderWords {
  /** For a person, in the provider's own words, at most {@link LONGEST_WORDS} characters. Empty: it says nothing. */
  readonly message: string;
  /** Everything that names the error: `code`, `type`, `status`, `reason`, in lower case; the outermost first. */
  readonly codes: readonly string[];
  /** An HTTP status that the body itself names. */
  readonly status?: number;
  /** When to come back, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** The most characters of a provider's words that are kept. */
export const LONGEST_WORDS = 2_000;
/** The most characters of a body that are looked at. */
const LONGEST_BODY = 64_000;
/** How often an error may be wrapped in another, and how many objects are looked at. */
const DEEPEST = 8;
const MOST = 64;

/** Where the error stands in what holds it. A string that is JSON counts as what it says. */
const HOLDERS = ["error", "errors", "detail", "details", "response", "metadata", "raw", "choices", "message", "body"];
const MESSAGES = ["message", "detail", "msg", "error", "error_description", "errorMessage", "title", "raw"];
const NAMES = [
  "code",
  "type",
  "status",
  "reason",
  "error_code",
  "error_type",
  "errorCode",
  "statusCode",
  "status_code",
];
const DURATIONS = ["retryDelay", "retry_delay", "retry_after", "retryAfter", "retry_after_seconds"];

/**
 * What a provider said.
 *
 * @param body its text, or what a client made of it
 */
export function readProviderError(body: unknown, now: number): ProviderWords {
  const found: Found = { seen: new Set(), messages: [], codes: [], statuses: [], hints: [] };
  try {
    collect(typeof body === "string" ? parsed(body) : body, found, now, 0);
  } catch {
    // Somebody else's proxy. What was found before it counts.
  }
  const message = words(found.messages);
  const hint = believedHint(...found.hints, ...found.messages.map(hintIn));
  const [status] = found.statuses;
  return {
    message,
    codes: [...new Set(found.codes)],
    ...(status === undefined ? {} : { status }),
    ...(hint === undefined ? {} : { retryAfterMs: hint }),
  };
}

/**
 * Whether a body that came with status 200, or an event of a stream, is an error all the same: at its top, in its only
 * choice, or as a problem document.
 */
export function isErrorBody(body: unknown): boolean {
  const one = Array.isArray(body) ? (body[0] as unknown) : body;
  if (["error", "errors"].some((key) => isTold(property(one, key)))) return true;
  const choices = property(one, "choices");
  if (Array.isArray(choices)) return isTold(property(choices[0], "error"));
  if (["object", "type"].some((key) => property(one, key) === "error")) return true;
  return isTold(property(one, "detail")) || isTold(property(property(one, "response"), "error"));
}

/** Reads a property of whatever it is. A getter that throws has none. */
export function property(of: unknown, key: string): unknown {
  if (typeof of !== "object" || of === null) return undefined;
  try {
    return (of as Record<string, unknown>)[key];
  } catch {
    return undefined; // Somebody else's getter.
  }
}

/** The text as JSON, or as it is. */
export function parsed(text: string): unknown {
  const cut = text.slice(0, LONGEST_BODY).trim();
  if (!/^[{[]/.test(cut)) return cut;
  try {
    return JSON.parse(cut) as unknown;
  } catch {
    return cut;
  }
}

interface Found {
  readonly seen: Set<unknown>;
  readonly messages: string[];
  readonly codes: string[];
  readonly statuses: number[];
  readonly hints: (number | undefined)[];
}

function collect(of: unknown, found: Found, now: number, depth: number): void {
  if (depth > DEEPEST) return;
  if (typeof of === "string") {
    if (of !== "") found.messages.push(of.slice(0, LONGEST_BODY));
    return;
  }
  if (Array.isArray(of)) {
    for (const each of of.slice(0, 8)) collect(each, found, now, depth + 1);
    return;
  }
  if (typeof of !== "object" || of === null || found.seen.has(of) || found.seen.size >= MOST) return;
  found.seen.add(of);
  for (const key of NAMES) noteName(property(of, key), found);
  for (const key of DURATIONS) found.hints.push(durationOf(property(of, key)));
  const headers = property(of, "headers");
  if (headers !== undefined) found.hints.push(retryAfterMs({ get: (name) => header(headers, name) }, now));
  for (const key of MESSAGES) noteMessage(property(of, key), found, now, depth);
  for (const key of HOLDERS) {
    const inner = property(of, key);
    if (typeof inner === "object" && inner !== null) collect(inner, found, now, depth + 1);
  }
}

function noteMessage(value: unknown, found: Found, now: number, depth: number): void {
  if (typeof value !== "string" || value === "") return;
  const inner = parsed(value);
  if (typeof inner === "object") collect(inner, found, now, depth + 1);
  else found.messages.push(value.slice(0, LONGEST_BODY));
}

function noteName(value: unknown, found: Found): void {
  if (typeof value !== "string" && typeof value !== "number") return;
  const code = String(value).slice(0, 100).toLowerCase();
  found.codes.push(code);
  const status = Number(code);
  if (Number.isInteger(status) && status >= 400 && status <= 599) found.statuses.push(status);
}

/** Numbers are seconds. */
const durationOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value * 1000;
  return typeof value === "string" ? durationMs(value.slice(0, 100)) : undefined;
};

const header = (headers: unknown, name: string): string | null => {
  if (typeof headers !== "object" || headers === null) return null;
  const key = Object.keys(headers).find((each) => each.toLowerCase() === name);
  const value = key === undefined ? undefined : property(headers, key);
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 100) : null;
};

const SOON = /\b(?:try again|retry|retrying|wait|resets?)\b[^0-9.\n]{0,30}(?=\d)/gi;

/** "Please try again in 2.5s", "Please retry after 20 seconds". A number without a unit says nothing. */
function hintIn(message: string): number | undefined {
  const text = message.slice(0, LONGEST_WORDS);
  for (const { 0: before, index } of text.matchAll(SOON)) {
    const from = index + before.length;
    const hint = durationMs(text.slice(from, from + 60));
    if (hint !== undefined) return hint;
  }
  return undefined;
}

/** What to show: each message once, without markup. */
function words(messages: readonly string[]): string {
  const plain = messages.map((message) => withoutMarkup(message.slice(0, LONGEST_BODY)));
  const said = plain.filter(
    (text, index) => text !== "" && !plain.slice(0, index).some((other) => other.includes(text)),
  );
  const whole = said.join(" / ");
  return whole.length <= LONGEST_WORDS ? whole : `${whole.slice(0, LONGEST_WORDS - 1)}…`;
}

function withoutMarkup(text: string): string {
  const cut = text.slice(0, LONGEST_WORDS * 4);
  const plain = /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(cut)
    ? cut.replace(/<(style|script)\b[^>]{0,200}>[^<]*/gi, " ").replace(/<[^<>]{0,500}>/g, " ")
    : cut;
  return plain.replace(/\s+/g, " ").trim();
}

const isTold = (value: unknown): boolean =>
  typeof value === "object" && value !== null
    ? Object.keys(value).length > 0
    : typeof value === "string" && value !== "";
