// What a provider says about its limits in response headers: when to come back, how much is left, what to remember.

import type { Remaining } from "./headroom.js";

/** The longest hint that is believed, in milliseconds (10 minutes). Longer ones are cut to it. */
export const LONGEST_HINT_MS = 600_000;

/**
 * When the provider wants the next request, in milliseconds from `now`: `retry-after-ms`, `x-ms-retry-after-ms`, then
 * `retry-after` in seconds or as an HTTP date. Nothing, zero, the past and nonsense are no hint; what is longer than
 * {@link LONGEST_HINT_MS} is cut to it.
 */
export function retryAfterMs(headers: Pick<Headers, "get">, now: number): number | undefined {
  const candidates = [
    toNumber(headers.get("retry-after-ms")),
    toNumber(headers.get("x-ms-retry-after-ms")),
    fromSecondsOrDate(headers.get("retry-after"), now),
  ];
  const hint = candidates.find((ms) => ms !== undefined && ms > 0);
  return hint === undefined ? undefined : Math.min(hint, LONGEST_HINT_MS);
}

function toNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function fromSecondsOrDate(text: string | null, now: number): number | undefined {
  const seconds = toNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now;
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
