// What may come in from a model server: from the place that was asked, so much, and without falling silent in the middle.
// A server that is broken, or was taken over, can neither fill the memory, nor hold a slot for ever, nor send a prompt on.

import { UnusableAnswerError } from "./classify.js";
import type { Clock } from "./clock.js";
import { WireFailure } from "./wire.js";

/** The limits on the answers of a model. What is over one is a bad answer, and says which setting allows more. */
export interface IncomingLimits {
  /** The longest body, in bytes, decompressed. Default 32 MiB. */
  readonly maxBodyBytes: number;
  /** The longest silence after the first byte of a body, in ms; a comment that keeps a connection open is none. Default 60 000. */
  readonly idleMs: number;
  /** The longest arguments of one tool call, in characters of their JSON. Default 1 Mi. */
  readonly maxArgumentCharacters: number;
  /** The most tool calls in one answer. Default 128. */
  readonly maxToolCalls: number;
}

/** The limits where nobody says otherwise. */
export const INCOMING: IncomingLimits = {
  maxBodyBytes: 32 * 2 ** 20,
  idleMs: 60_000,
  maxArgumentCharacters: 2 ** 20,
  maxToolCalls: 128,
};

/** A server sends a request elsewhere, or in circles. Something is set up wrongly, so nothing is tried again. */
class RedirectError extends Error {
  override readonly name = "RedirectError";
  /** As `classifyError` reads it: repeating it does not help. */
  readonly code = "invalid_request_error";

  constructor(
    /** The HTTP status. */
    readonly status: number,
    why: string,
  ) {
    super(
      `it redirects (${status}) ${why}, and no prompt follows; set OPENAI_BASE_URL, or BULKHEAD_FALLBACK_BASE_URL, to where the model is`,
    );
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Those that ask for the same request once more. The others turn a POST into a GET without a body. */
const REPEATS = new Set([307, 308]);
const MOST_REDIRECTS = 3;

/**
 * A `fetch` whose redirects stay on the server that was asked. The plain one would hand the prompt to any other.
 *
 * @throws RedirectError for a redirect to another scheme, host or port, for one that loses the body, and for a circle.
 */
export function onOneServer(inner: typeof fetch): typeof fetch {
  return async (input, init = {}) => {
    const asked = new URL(input instanceof Request ? input.url : input);
    let at = asked;
    for (let redirects = 0; ; redirects += 1) {
      const response = await inner(redirects === 0 ? input : at.href, { ...init, redirect: "manual" });
      if (!REDIRECTS.has(response.status)) return response;
      await response.body?.cancel();
      at = next(response, at, input instanceof Request ? input : init, redirects);
    }
  };
}

/** Where a redirect leads, when it may be followed. */
function next({ status, headers }: Response, at: URL, { method = "GET", body }: RequestInit, redirects: number): URL {
  const location = headers.get("location") ?? "";
  const refused = (why: string) => new RedirectError(status, why);
  if (location === "" || !URL.canParse(location, at.href)) throw refused("to no address");
  const target = new URL(location, at.href);
  if (target.origin !== at.origin) throw refused(`from ${at.origin} to ${target.origin}, another server`);
  const isRepeated = REPEATS.has(status) && (body === undefined || body === null || typeof body === "string");
  if (!isRepeated && method !== "GET") throw refused(`to ${target.pathname} that loses the body of the request`);
  if (redirects >= MOST_REDIRECTS) throw refused(`once more, after ${redirects}`);
  return target;
}

/** Looks at the parts of one body as they come. */
export type BodyWatch = (part: Uint8Array) => void;

/**
 * Watches one body: its size, and its silences from the first byte on, until `over` aborts. A silence that is too long ends
 * `request`.
 *
 * @throws UnusableAnswerError from the watch, for a body that is too long.
 */
export function bodyWatch(
  { maxBodyBytes, idleMs }: IncomingLimits,
  clock: Clock,
  over: AbortSignal,
  request: AbortController,
): BodyWatch {
  let bytes = 0;
  let heardAt: number | undefined;
  const watchSilence = async (): Promise<void> => {
    for (;;) {
      const leftMs = (heardAt ?? 0) + idleMs - clock.now();
      if (leftMs <= 0) break;
      await clock.sleep(leftMs, over);
    }
    request.abort(
      new WireFailure("unanswered", `silent for ${idleMs} ms in the middle of its answer (BULKHEAD_STREAM_IDLE_MS)`),
    );
  };
  return (part) => {
    bytes += part.byteLength;
    if (bytes > maxBodyBytes) {
      const size = `${Number((maxBodyBytes / 2 ** 20).toFixed(2))} MB`;
      throw new UnusableAnswerError("bad-response", `it is longer than ${size} (BULKHEAD_MAX_BODY_MB)`);
    }
    const isFirst = heardAt === undefined;
    heardAt = clock.now();
    if (!isFirst) return;
    watchSilence().catch((error: unknown) => {
      if (!over.aborted) throw error;
    });
  };
}

/** Why an answer's tool calls are too much; `undefined` when they are not. `args` is the JSON as it came. */
export function excessOf(
  calls: readonly { readonly name: string; readonly args: string }[],
  { maxArgumentCharacters, maxToolCalls }: IncomingLimits,
): string | undefined {
  if (calls.length > maxToolCalls) {
    return `it calls ${calls.length} tools at once, and may call ${maxToolCalls} (BULKHEAD_MAX_TOOL_CALLS)`;
  }
  const long = calls.find(({ args }) => args.length > maxArgumentCharacters);
  if (long === undefined) return undefined;
  const most = Math.ceil(maxArgumentCharacters / 1024);
  return `the arguments of its call of ${long.name} are longer than ${most} KB (BULKHEAD_MAX_ARGUMENTS_KB)`;
}
