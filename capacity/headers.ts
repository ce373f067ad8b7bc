// What a provider says about its limits in response headers: when to come back, how much is left, what to remember.

import type { Remaining } from "./headroom.js";

/** The longest hint that is believed, in milliseconds (10 minutes). Longer ones are cut to it. */
export const LONGEST_HINT_MS = 600_000;

/**
 * When the provider wants the next request, in milliseconds from `now`: `retry-after-ms`, `x-ms-retry-after-ms`, then
 * `retry-after` in seconds, as a duration (`3s`, `1m30s`) or as an HTTP date, then `x-ratelimit-reset` as a time since the
 * epoch. Nothing, zero, the past and nonsense are no hint; what is longer than {@link LONGEST_HINT_MS} is cut to it.
 *
 * `x-ratelimit-reset-requests` and `-tokens` are no hint: they say when the quota is full again, not when there is room.
 */
export function retryAfterMs(headers: Pick<Headers, "get">, now: number): number | undefined {
  return believedHint(
    toNumber(headers.get("retry-after-ms")),
    toNumber(headers.get("x-ms-retry-after-ms")),
    fromSecondsOrDate(headers.get("retry-after"), now),
    fromEpoch(headers.get("x-ratelimit-reset"), now),
  );
}

/** The first of these that is a time to come, in milliseconds, no longer than {@link LONGEST_HINT_MS}. */
export function believedHint(...candidates: readonly (number | undefined)[]): number | undefined {
  const hint = candidates.find((ms) => ms !== undefined && ms > 0);
  return hint === undefined ? undefined : Math.min(Math.ceil(hint), LONGEST_HINT_MS);
}

const UNIT_MS = { ms: 1, mil: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PART =
  /(\d{1,12}(?:\.\d{1,12})?)\s?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])\s?/giy;

/**
 * A duration as providers write it, in milliseconds: `2.5s`, `850ms`, `7m12.5s`, `1h2m`, `20 seconds`. It may be followed
 * by anything. `undefined`: the text does not begin with one.
 */
export function durationMs(text: string): number | undefined {
  let sum: number | undefined;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    const [, amount = "", unit = ""] = part;
    const short = unit.toLowerCase();
    const key = short === "ms" ? "ms" : short.startsWith("mil") ? "mil" : (short[0] as "s" | "m" | "h" | "d");
    sum = (sum ?? 0) + Number(amount) * UNIT_MS[key];
  }
  return sum;
}

function toNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function fromSecondsOrDate(text: string | null, now: number): number | undefined {
  const seconds = toNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  if (text === null) return undefined;
  const duration = durationMs(text.trim());
  if (duration !== undefined) return duration;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now;
}

/** The end of a fixed window, in seconds or milliseconds since the epoch. Smaller numbers mean something else. */
function fromEpoch(text: string | null, now: number): number | undefined {
  const time = toNumber(text);
  if (time === undefined || time < 1e9) return undefined;
  return (time < 1e11 ? time * 1000 : time) - now;
}

/**
 * What is left of the limits, as a provider tells: of requests or of tokens, whichever is the smaller part.
 * `undefined`: it tells nothing that makes sense.
 */
export function remainingOf(headers: Pick<Headers, "get">): Remaining | undefined {
  const found = ["requests", "tokens"].flatMap((unit) => {
    const limit = toNumber(headers.get(`x-ratelimit-limit-${unit}`));
    const remaining = toNumber(headers.get(`x-ratelimit-remaining-${unit}`));
    return limit === undefined || remaining === undefined || limit < 1 || remaining < 0 ? [] : [{ limit, remaining }];
  });
  return found.sort((left, right) => left.remaining / left.limit - right.remaining / right.limit)[0];
}

/** What a provider may tell of the engine that answered. */
const ENGINE = new Set(["openai-version", "openai-processing-ms"]);

/**
 * The only headers that are recorded, with lower-case names: `x-request-id`, `retry-after*`, `x-ratelimit-*`,
 * `openai-version` and `openai-processing-ms`.
 */
export function limitHeaders(headers: Headers): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [name, value] of headers) {
    const told = name === "x-request-id" || name.startsWith("retry-after") || name.startsWith("x-ratelimit-");
    if (told || ENGINE.has(name)) kept[name] = value;
  }
  return kept;
}
