// What spans say of model calls, tools and labels. Names are those of OpenTelemetry's GenAI conventions; what they have no
// name for is under `bulkhead.`. Nothing here is what somebody wrote or was told: that is opt-in, and not in this file.

import type { Attributes, AttributeValue } from "@opentelemetry/api";
import { isSubstituted } from "../../capacity/obtained.js";
import { type Label, minTrust } from "../../trust/index.js";
import type { HarnessEvent } from "../journal/events.js";

/** An event of one kind. */
export type EventOf<Kind extends HarnessEvent["kind"]> = Extract<HarnessEvent, { readonly kind: Kind }>;

/** The fields of one request's body that the conventions have a name for. Source: trust-replay.md, section 3.2. */
const REQUEST_FIELDS: readonly (readonly [field: string, attribute: string])[] = [
  ["temperature", "gen_ai.request.temperature"],
  ["top_p", "gen_ai.request.top_p"],
  ["top_k", "gen_ai.request.top_k"],
  ["max_tokens", "gen_ai.request.max_tokens"],
  ["max_completion_tokens", "gen_ai.request.max_tokens"],
  ["max_output_tokens", "gen_ai.request.max_tokens"],
  ["frequency_penalty", "gen_ai.request.frequency_penalty"],
  ["presence_penalty", "gen_ai.request.presence_penalty"],
  ["seed", "gen_ai.request.seed"],
  ["n", "gen_ai.request.choice.count"],
  ["stream", "gen_ai.request.stream"],
];

/** The four ranks and the lowest of them. */
export const labelAttributes = (label: Label): Attributes => ({
  "bulkhead.trust.integrity": label.integrity,
  "bulkhead.trust.fidelity": label.fidelity,
  "bulkhead.trust.currency": label.currency,
  "bulkhead.trust.certainty": label.certainty,
  "bulkhead.trust.min": minTrust(label),
});

/** Of the tool a span or an event is about. */
export const toolAttributes = (tool: string, callId?: string): Attributes => ({
  "gen_ai.tool.name": tool,
  ...(callId === undefined ? {} : { "gen_ai.tool.call.id": callId }),
});

/** What a provider was asked for, and where. */
export function requestAttributes({
  call,
  provider,
  endpoint,
  route,
  bytes,
  digest,
  prompt,
}: EventOf<"model.request">) {
  const attributes: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": provider,
    "gen_ai.request.model": route,
    "bulkhead.call": call,
    "bulkhead.request.digest": digest,
    "bulkhead.request.bytes": bytes,
    ...serverAttributes(endpoint),
  };
  const { frame = {} } = prompt;
  for (const [field, attribute] of REQUEST_FIELDS) {
    const value = frame[field];
    if (typeof value === "number" || typeof value === "boolean") attributes[attribute] = value;
  }
  const { stop } = frame;
  const sequences = (Array.isArray(stop) ? stop : [stop]).filter((each) => typeof each === "string");
  if (sequences.length > 0) attributes["gen_ai.request.stop_sequences"] = sequences;
  return attributes;
}

function serverAttributes(endpoint: string): Attributes {
  const address = endpoint.includes("://") ? endpoint : `http://${endpoint}`;
  if (!URL.canParse(address)) return {};
  const { hostname, port } = new URL(address);
  return { "server.address": hostname, ...(port === "" ? {} : { "server.port": Number(port) }) };
}

/** What came back, and how it was obtained. */
export function responseAttributes({ obtained, toolCalls, engine, batch }: EventOf<"model.response">): Attributes {
  const { route, returnedModel, finishReason, usage, cache } = obtained;
  return defined({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": obtained.provider,
    "gen_ai.request.model": route,
    "gen_ai.response.id": obtained.responseId,
    "gen_ai.response.model": returnedModel,
    "gen_ai.response.finish_reasons": finishReason === undefined ? undefined : [finishReason],
    "gen_ai.usage.input_tokens": usage.inputTokens,
    "gen_ai.usage.output_tokens": usage.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cachedTokens,
    "gen_ai.usage.reasoning.output_tokens": usage.reasoningTokens,
    "bulkhead.offline": obtained.offline,
    "bulkhead.route": route,
    "bulkhead.primary": obtained.primary,
    "bulkhead.fallback_reason": obtained.fallbackReason,
    "bulkhead.model.substituted": isSubstituted(obtained) ? true : undefined,
    "bulkhead.attempts": obtained.attempts,
    "bulkhead.attempts.rate_limited": obtained.rateLimited,
    "bulkhead.attempts.unclear": obtained.unclearAttempts,
    "bulkhead.queue_ms": obtained.queueMs,
    "bulkhead.cache.age_ms": cache?.ageMs,
    "bulkhead.cache.fresh": cache?.fresh,
    "bulkhead.cache.score": cache?.similar?.score,
    "bulkhead.response.request_id": obtained.requestId,
    "bulkhead.response.system_fingerprint": obtained.systemFingerprint,
    "bulkhead.response.tool_calls": [...toolCalls],
    ...told("bulkhead.engine", engine),
    ...told("bulkhead.batch", batch),
  });
}

/** What a provider told of its engine: field by field, or that it told nothing. */
const told = (name: string, value: Readonly<Record<string, string>> | "unavailable" | undefined): Attributes =>
  typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([field, each]) => [`${name}.${field}`, each]))
    : defined({ [name]: value });

/** Leaves out what is not known. */
export const defined = (attributes: Readonly<Record<string, AttributeValue | undefined>>): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
