// Sorts every way in which a model call can fail into the few that are treated differently. Done once, here, by
// walking `cause`: libraries wrap, rename and re-wrap what a provider said. What a provider's answer means is
// `provider-kinds.ts`'s to say.

import { CapacityWaitError } from "./errors.js";
import { believedHint, retryAfterMs } from "./headers.js";
import { LONGEST_WORDS, property, readProviderError } from "./provider-error.js";
import { kindOfAnswer } from "./provider-kinds.js";
import { wireFailureKind } from "./wire.js";

/** The ways in which a call can fail. */
export type FailureKind =
  | "rate-limit"
  | "quota-exhausted"
  | "overload"
  | "server-error"
  | "network"
  | "timeout"
  | "truncated"
  | "bad-response"
  | "invalid-request"
  | "auth"
  | "context-length"
  | "aborted";

/** A failed call, sorted. */
export interface Failure {
  readonly kind: FailureKind;
  /** What the provider asked for, in milliseconds, bounded. */
  readonly retryAfterMs?: number;
  /** Whether the request surely had no unknown outcome at the provider: refused, failed or answered in full. */
  readonly clean: boolean;
  /** The HTTP status, when there was one. */
  readonly status?: number;
  readonly message: string;
  /** The operating system's or the provider's own code: `ECONNREFUSED`, `model_not_found`. */
  readonly code?: string;
}

/** An answer that arrived and cannot be used. Thrown by the checks on answers; read back here. */
export class UnusableAnswerError extends Error {
  override readonly name = "UnusableAnswerError";
  constructor(
    readonly kind: "truncated" | "bad-response",
    message: string,
  ) {
    super(message);
  }
}

/** Nothing was sent: the connection was never made. */
const NEVER_CONNECTED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const BROKE_OFF = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ERR_STREAM_PREMATURE_CLOSE"]);
const TOO_SLOW = new Set(["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** Sorts `error`. Total, whatever was thrown: what nothing is known about is `server-error`, unclean. */
export function classifyError(error: unknown, now: number = Date.now()): Failure {
  const chain = causes(error);
  for (const link of chain) {
    const failure = safely(() => classifyLink(link, now));
    if (failure !== undefined) return failure;
  }
  // Node reports whatever goes wrong before there is a response as `fetch failed`, sometimes without any code below it.
  if (chain.some((link) => property(link, "message") === "fetch failed")) {
    return { kind: "network", clean: false, message: textOf(chain.at(-1)) };
  }
  return { kind: "server-error", clean: false, message: textOf(chain[0] ?? error) };
}

/** What somebody else's getter throws is not looked at. */
function safely<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

interface Link {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly kind?: unknown;
  readonly headers?: unknown;
  /** What the provider said, as a client keeps it: its text, or what was made of that. */
  readonly error?: unknown;
}

function causes(error: unknown): Link[] {
  const chain: Link[] = [];
  let next: unknown = error;
  while (typeof next === "object" && next !== null && !chain.includes(next) && chain.length < 16) {
    chain.push(next);
    next = property(next, "cause");
  }
  return chain;
}

function classifyLink(link: Link, now: number): Failure | undefined {
  const message = textOf(link);
  if (CapacityWaitError.isInstance(link)) {
    return { kind: "rate-limit", clean: true, message, retryAfterMs: Math.max(0, link.retryAt - now) };
  }
  const wire = wireFailureKind(link);
  if (wire !== undefined) return { kind: wire === "broken" ? "truncated" : "timeout", clean: false, message };
  if (link.name === "UnusableAnswerError" && (link.kind === "truncated" || link.kind === "bad-response")) {
    return { kind: link.kind, clean: link.kind === "bad-response", message };
  }
  if (link.name === "ContextOverflowError") return { kind: "context-length", clean: true, message };
  // The gate's own has no status when the provider said it with a 200.
  if (typeof link.status === "number" || link.name === "ProviderError") return classifyAnswer(link, message, now);
  return classifyConnection(link, message);
}

function classifyAnswer(link: Link, message: string, now: number): Failure {
  const words = readProviderError(link.error, now);
  const own = readProviderError({ code: link.code, type: link.type, message }, now);
  const status = typeof link.status === "number" ? link.status : words.status;
  const told = hasGet(link.headers) ? retryAfterMs(link.headers, now) : undefined;
  const hint = believedHint(told, words.retryAfterMs, own.retryAfterMs);
  const codes = [...own.codes, ...words.codes];
  const text = words.message === "" || message.includes(words.message) ? message : `${message} ${words.message}`;
  const code = typeof link.code === "string" ? link.code : codes.find((each) => !/^\d+$/.test(each));
  return {
    kind: kindOfAnswer({ status, codes, hinted: hint !== undefined, text }),
    clean: true,
    message: text.slice(0, LONGEST_WORDS),
    ...(status === undefined ? {} : { status }),
    ...(hint === undefined ? {} : { retryAfterMs: hint }),
    ...(code === undefined ? {} : { code }),
  };
}

function classifyConnection(link: Link, message: string): Failure | undefined {
  const code = typeof link.code === "string" ? { code: link.code } : {};
  if (link.name === "AbortError") return { kind: "aborted", clean: false, message };
  if (link.name === "TimeoutError") return { kind: "timeout", clean: false, message };
  if (link.name === "SyntaxError") return { kind: "bad-response", clean: true, message: `not JSON: ${message}` };
  if (code.code === undefined) return undefined;
  if (NEVER_CONNECTED.has(code.code)) return { kind: "network", clean: true, message, ...code };
  if (TOO_SLOW.has(code.code)) return { kind: "timeout", clean: false, message, ...code };
  if (BROKE_OFF.has(code.code) || code.code.startsWith("E")) return { kind: "network", clean: false, message, ...code };
  return undefined;
}

const hasGet = (headers: unknown): headers is Pick<Headers, "get"> =>
  typeof headers === "object" && headers !== null && typeof (headers as { get?: unknown }).get === "function";

// @langchain/openai appends a link to its own help pages, which would send people to the wrong place.
const textOf = (link: unknown): string => {
  const message = property(link, "message");
  const text = typeof message === "string" ? message : (safely(() => String(link)) ?? "something that cannot be read");
  return text.slice(0, LONGEST_WORDS).split("\n\nTroubleshooting URL:")[0]?.trim() ?? "";
};

/** What servers refuse to take, and the setting that leaves it out. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/temperature|top_p|sampling/i, "BULKHEAD_TEMPERATURE=none sends no temperature"],
  [/logprobs/i, "BULKHEAD_LOGPROBS=off asks for none"],
  [/reasoning|thinking|thought_signature|extra_content/i, "BULKHEAD_RETURN_FIELDS=off sends none of it back"],
];

const whatToChange = (message: string): string =>
  REFUSED.find(([words]) => words.test(message))?.[1] ?? "repeating it will not help";

/** What happened and what to do next, for a person. `host` is where the request went; `route` is the model asked. */
export function explain(failure: Failure, route: string, host: string): string {
  switch (failure.kind) {
    case "auth":
      return failure.status === 401 || failure.status === undefined
        ? `the provider at ${host} refused the API key (${failure.status ?? 401}): set OPENAI_API_KEY; it says: ${failure.message}`
        : `the provider at ${host} refused access to ${route} (${failure.status}): check OPENAI_API_KEY and what it may use; it says: ${failure.message}`;
    case "network":
      return `cannot reach ${host} (${failure.code ?? failure.message}): is the server running? check OPENAI_BASE_URL`;
    case "quota-exhausted":
      return `the account at ${host} has no quota left for ${route}: ${failure.message}; check the plan and its billing`;
    case "context-length":
      return `the conversation is too long for ${route}: ${failure.message}; compact it or use a model with more context`;
    case "invalid-request":
      return failure.status === 404
        ? `the provider at ${host} does not know ${route} (404): check the model's name and OPENAI_BASE_URL; it says: ${failure.message}`
        : `the provider at ${host} rejected the request to ${route}: ${failure.message}; ${whatToChange(failure.message)}`;
    case "timeout":
      return `${route} at ${host} did not answer in time: ${failure.message}`;
    case "truncated":
      return `the answer of ${route} at ${host} broke off: ${failure.message}`;
    case "bad-response":
      return `the answer of ${route} at ${host} cannot be used: ${failure.message}`;
    case "rate-limit":
      return failure.message;
    default:
      return `${route} at ${host} failed: ${failure.message}`;
  }
}
