// What the cache keeps of a model's answer, under which name, and how it is given out again. The cache may be open to
// others: what is kept is sealed together with its name, and what comes back without that seal is given out as forged.

import {
  AIMessage,
  type BaseMessage,
  mapChatMessagesToStoredMessages,
  mapStoredMessagesToChatMessages,
  type StoredMessage,
  type UsageMetadata,
} from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import { digest, type Seal } from "../trust/index.js";
import type { CacheHit, KeptAnswer } from "./cache.js";
import { OBTAINED_KEY, obtainedOf } from "./obtained.js";
import type { ModelRoute } from "./route.js";

const PURPOSE = "cached answer";

/**
 * The name of the answer to a call: a digest of everything that it depends on, and of nothing else. Message ids and
 * metadata do not count; the tenant does.
 */
export function answerKey(
  route: ModelRoute,
  tenant: string,
  messages: readonly BaseMessage[],
  options: Parameters<ModelRoute["model"]["invocationParams"]>[0],
): string {
  const asked = messages.map((message) => ({
    type: message.getType(),
    content: message.content,
    name: message.name,
    calls: AIMessage.isInstance(message) ? message.tool_calls : undefined,
    answers: "tool_call_id" in message ? message.tool_call_id : undefined,
  }));
  const parameters: unknown = route.model.invocationParams(options);
  const request = { tenant, provider: route.provider, route: route.name, asked, parameters };
  // Through JSON first: what cannot be sent does not count.
  return digest(JSON.parse(JSON.stringify(request)));
}

/**
 * What to keep of an answer. Only a nominal one: given at the first attempt by the pinned model, and complete. A degraded
 * answer would otherwise be given out long after the trouble is over.
 */
export function keptOf(result: ChatResult, key: string, seal: Seal): KeptAnswer | undefined {
  const [generation] = result.generations;
  const obtained = generation === undefined ? undefined : obtainedOf(generation.message);
  if (generation === undefined || obtained === undefined) return undefined;
  const complete = obtained.finishReason === "stop" || obtained.finishReason === "tool_calls";
  if (obtained.route !== obtained.primary || obtained.attempts !== 1 || !complete) return undefined;
  // As text: a seal is over what is written, and half a surrogate pair has no other form that can be sealed.
  const stored = JSON.stringify(mapChatMessagesToStoredMessages([generation.message])[0]);
  return { stored, seal: seal.sign(PURPOSE, [key, stored]) };
}

/**
 * A kept answer as a result. It costs no tokens, took no attempts, and gets a new id: it is a new message. Its age is the
 * cache's word.
 *
 * @throws TypeError when what the cache returned is no message of a guarded model at all.
 */
export function resultOf({ answer, ageMs, fresh }: CacheHit, key: string, seal: Seal): ChatResult {
  const { stored } = answer;
  const [message] = typeof stored === "string" ? mapStoredMessagesToChatMessages([parsed(stored)]) : [];
  const obtained = message === undefined ? undefined : obtainedOf(message);
  if (message === undefined || obtained === undefined) throw new TypeError("the answer cache returned no answer");
  const { headers, requestId, responseId, ...kept } = obtained;
  const forged = seal.verify(PURPOSE, [key, stored], answer["seal"]) ? {} : { forged: true };
  const cache = { ageMs, fresh, ...forged };
  const now = { ...kept, attempts: 0, queueMs: 0, usage: { inputTokens: 0, outputTokens: 0 }, cache };
  const given = message as BaseMessage & { usage_metadata?: UsageMetadata };
  delete given.id;
  given.response_metadata = { ...given.response_metadata, [OBTAINED_KEY]: now };
  given.usage_metadata = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  return { generations: [{ text: given.text, message: given }] };
}

/** An answer from the cache as it was given out, from the record of that. */
export function recordedResult(stored: string): ChatResult {
  const [message] = mapStoredMessagesToChatMessages([parsed(stored)]);
  if (message === undefined) throw new TypeError("the record has no message");
  return { generations: [{ text: message.text, message }] };
}

function parsed(stored: string): StoredMessage {
  try {
    return JSON.parse(stored) as StoredMessage;
  } catch (error) {
    throw new TypeError("the answer cache returned no answer", { cause: error });
  }
}
