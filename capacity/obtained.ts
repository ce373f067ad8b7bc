// From how an answer was obtained to how far it may be believed. Reads what the guarded model wrote into the message, and
// judges it; a message that does not say how it was obtained is of unknown origin.

import type { BaseMessage } from "@langchain/core/messages";
import { z } from "zod";
import { BOTTOM, label, mark, meetMarks, TOP, type TrustMark } from "../trust/index.js";
import type { ModelRoute } from "./route.js";
import type { Obtained } from "./types.js";

/** The key of {@link Obtained} in a message's `response_metadata`. */
export const OBTAINED_KEY = "bulkhead";

const count = z.number().min(0);

const schema: z.ZodType<Obtained> = z.object({
  provider: z.string(),
  offline: z.boolean(),
  route: z.string(),
  primary: z.string(),
  returnedModel: z.exactOptional(z.string()),
  alias: z.exactOptional(z.string()),
  attempts: count,
  rateLimited: count,
  unclearAttempts: count,
  queueMs: count,
  fallbackReason: z.exactOptional(z.string()),
  cache: z.exactOptional(
    z.object({
      ageMs: count,
      fresh: z.boolean(),
      forged: z.exactOptional(z.literal(true)),
      similar: z.exactOptional(z.object({ score: z.number(), matched: z.string() })),
    }),
  ),
  requestId: z.exactOptional(z.string()),
  messageId: z.exactOptional(z.string()),
  responseId: z.exactOptional(z.string()),
  headers: z.exactOptional(z.record(z.string(), z.string())),
  systemFingerprint: z.exactOptional(z.string()),
  finishReason: z.exactOptional(z.string()),
  usage: z.object({
    inputTokens: count,
    outputTokens: count,
    cachedTokens: z.exactOptional(count),
    reasoningTokens: z.exactOptional(count),
  }),
});

/** How the answer was obtained. `undefined` when the message does not say, or says something else than {@link Obtained}. */
export function obtainedOf(message: BaseMessage): Obtained | undefined {
  const parsed = schema.safeParse(message.response_metadata?.[OBTAINED_KEY]);
  return parsed.success ? parsed.data : undefined;
}

/**
 * The label of a model's answer, with a cause for each fall.
 *
 * - fidelity: 3 from the pinned primary model; 2 when cut or filtered; 1 from a fallback or another model than asked, or
 *   for the cached answer to a similar question; 0 when nobody knows.
 * - certainty: 2 after a clean failed attempt (5xx, never connected), 1 after one with an unknown outcome. A call that
 *   was refused for rate and then waited for its turn is still at its first attempt: 3.
 * - currency: 2 for a cached answer within its age, 1 beyond it.
 * - all of them: 0 for a cached answer that this harness has not sealed.
 */
export function trustOfAnswer(message: BaseMessage, at?: string): TrustMark {
  const obtained = obtainedOf(message);
  if (obtained === undefined) return mark(label({ fidelity: 0 }), "answer of unknown origin", at);
  if (obtained.cache?.forged) return mark(BOTTOM, "cached answer that was not sealed with this key", at);
  return meetMarks({ ...TOP }, ...fidelity(obtained, at), ...certainty(obtained, at), ...currency(obtained, at));
}

function* fidelity(obtained: Obtained, at: string | undefined): Generator<TrustMark> {
  const { route, primary, returnedModel = route, finishReason, fallbackReason, cache } = obtained;
  if (route !== primary) {
    yield mark(label({ fidelity: 1 }), `fallback: ${route} (${primary}: ${fallbackReason ?? "reason unknown"})`, at);
  }
  if (isSubstituted(obtained)) {
    const setting = route === primary ? "BULKHEAD_MODEL_ALIASES" : "BULKHEAD_FALLBACK_MODEL_ALIASES";
    const reason = `answered by ${returnedModel} instead of ${route}`;
    yield mark(label({ fidelity: 1 }), `${reason}; if that is the same model, name it in ${setting}`, at);
  }
  if (cache?.similar !== undefined) {
    const { score, matched } = cache.similar;
    const reason = `cached answer to a similar question (${score.toFixed(3)}, ${matched.slice(0, 12)})`;
    yield mark(label({ fidelity: 1 }), reason, at);
  }
  if (finishReason !== "stop" && finishReason !== "tool_calls") {
    const how = finishReason === undefined ? "without a finish reason" : `early: ${finishReason}`;
    yield mark(label({ fidelity: 2 }), `answer ended ${how}`, at);
  }
}

function* certainty(obtained: Obtained, at: string | undefined): Generator<TrustMark> {
  const { attempts, rateLimited, unclearAttempts } = obtained;
  if (unclearAttempts > 0) {
    yield mark(label({ certainty: 1 }), "retry after an attempt with an unclear outcome", at);
  }
  // A 429 is a refusal at the door: the call went back to its place in the queue. That is waiting, not retrying.
  if (attempts - 1 > rateLimited + unclearAttempts) {
    yield mark(label({ certainty: 2 }), "retry after a clean failure", at);
  }
}

function* currency({ cache }: Obtained, at: string | undefined): Generator<TrustMark> {
  if (cache === undefined) return;
  const age = `${Math.round(cache.ageMs / 1000)} s old`;
  yield cache.fresh
    ? mark(label({ currency: 2 }), `cached answer, ${age}`, at)
    : mark(label({ currency: 1 }), `stale cached answer, ${age}`, at);
}

/** Whether the provider says that another model answered than the one that was asked. */
export const isSubstituted = ({ route, returnedModel, alias }: Obtained): boolean =>
  returnedModel !== undefined && alias === undefined && !isSameModel(route, returnedModel);

/** The alias of a route by which the model that its provider reports is the route's own. */
export function aliasOf(
  { name, aliases = [] }: Pick<ModelRoute, "name" | "aliases">,
  returned: string | undefined,
): string | undefined {
  if (returned === undefined || isSameModel(name, returned)) return undefined;
  const got = returned.toLowerCase();
  return aliases.find((alias) => {
    const known = alias.toLowerCase();
    return known.endsWith("*") ? got.startsWith(known.slice(0, -1)) : got === known;
  });
}

/** A dated snapshot or a tag of the same model: `-2024-08-06`, `-0613`, `-20241022`, `:latest`. */
const VERSION = /^(?:-\d{4}(?:-\d{2}-\d{2})?|-\d{8}|[:@].+)?$/;

/**
 * Whether a provider that was asked for `route` and says `returned` used the same model. A bare prefix is not enough:
 * `gpt-4o-mini` is not a snapshot of `gpt-4o`. A gateway's prefix (`openai/gpt-4o`) does not count.
 */
export function isSameModel(route: string, returned: string): boolean {
  const bare = (name: string): string => name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const asked = bare(route).replace(/-latest$/, "");
  const got = bare(returned);
  return got.startsWith(asked) && VERSION.test(got.slice(asked.length).replace(/^-latest$/, ""));
}
