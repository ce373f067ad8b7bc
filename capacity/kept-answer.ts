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
import type { CacheHit, CacheQuestion, KeptAnswer } from "./cache.js";
import { callIdOf } from "./ids.js";
import { OBTAINED_KEY, obtainedOf } from "./obtained.js";
import type { ModelRoute } from "./route.js";

const PURPOSE = "cached answer";

/** What an answer depends on. */
export interface CallQuestion {
  readonly route: ModelRoute;
  readonly tenant: string;
  readonly messages: readonly BaseMessage[];
  readonly options: Parameters<ModelRoute["model"]["invocationParams"]>[0];
  /** The tools whose calls may be in the answer. */
  readonly tools: readonly string[] | "all";
}

/** What a provider is told for its own books: no answer depends on it. */
const BOOKKEEPING = [
  "metadata",
  "prompt_cache_key",
  "safety_identifier",
  "store",
  "stream",
  "stream_options",
  "user",
] as const;

/**
 * The name of the answer to a call: a digest of everything that it depends on, and of nothing else. Message ids and
 * metadata do not count; the tenant does. It tells neither the prompt nor the key of the provider.
 */
export const answerKey = (question: CallQuestion): string => digestOf(question, saidBy(question.messages));

/** An embedding sees little of a word in a long text, and nothing of what comes after its first 256 tokens. */
const MAX_QUESTION = 400;

/**
 * The words of the question, apart from all else that the answer depends on. None when the last message is not a
 * person's, is more than text, or is longer than 400 characters.
 */
export function questionOf(question: CallQuestion): Omit<CacheQuestion, "fits"> | undefined {
  const last = question.messages.at(-1);
  if (last?.getType() !== "human" || typeof last.content !== "string") return undefined;
  if (last.content.trim() === "" || last.content.length > MAX_QUESTION) return undefined;
  const said = saidBy(question.messages);
  return { context: digestOf(question, said.with(-1, { ...said.at(-1), content: null })), text: last.content };
}

/** What was said. Calls are named by their order: their ids differ from thread to thread, and say nothing. */
function saidBy(messages: readonly BaseMessage[]): readonly object[] {
  const names = new Map<string | undefined, number>();
  return messages.map((message) => ({
    type: message.getType(),
    content: message.content,
    name: message.name,
    calls: (AIMessage.isInstance(message) ? (message.tool_calls ?? []) : []).map(({ id, name, args }) => {
      names.set(id, names.size);
      return { name, args };
    }),
    answers: "tool_call_id" in message ? (names.get(String(message.tool_call_id)) ?? null) : undefined,
  }));
}

function digestOf({ route, tenant, options, tools }: CallQuestion, asked: readonly unknown[]): string {
  const parameters = { ...(route.model.invocationParams(options) as Record<string, unknown>) };
  for (const name of BOOKKEEPING) delete parameters[name];
  const allowed = tools === "all" ? tools : [...new Set(tools)].sort();
  const request = { tenant, provider: route.provider, route: route.name, asked, parameters, allowed };
  // Through JSON first: what cannot be sent does not count.
  return digest(JSON.parse(JSON.stringify(request)));
}

/**
 * What to keep of an answer. Only a nominal one: given at the first attempt by the pinned model, complete, and without
 * calls of other tools than these. A degraded answer would otherwise be given out long after the trouble is over.
 */
export function keptOf(
  result: ChatResult,
  key: string,
  seal: Seal,
  tools: readonly string[] | "all" = [],
): KeptAnswer | undefined {
  const [generation] = result.generations;
  const obtained = generation === undefined ? undefined : obtainedOf(generation.message);
  if (generation === undefined || obtained === undefined) return undefined;
  const complete = obtained.finishReason === "stop" || obtained.finishReason === "tool_calls";
  if (obtained.route !== obtained.primary || obtained.attempts !== 1 || !complete) return undefined;
  const { tool_calls: calls = [], invalid_tool_calls: invalid = [] } = generation.message as AIMessage;
  if (invalid.length > 0 || (tools !== "all" && !calls.every(({ name }) => tools.includes(name)))) return undefined;
  // As text: a seal is over what is written, and half a surrogate pair has no other form that can be sealed.
  const stored = JSON.stringify(mapChatMessagesToStoredMessages([generation.message])[0]);
  return { stored, seal: seal.sign(PURPOSE, [key, stored]), toolCalls: calls.length };
}

/**
 * A kept answer as a result. It costs no tokens, took no attempts, and gets a new id: it is a new message. Its age is the
 * cache's word. `key` is the question that it was kept for: another one than was asked when the hit is similar.
 *
 * @throws TypeError when what the cache returned is no message of a guarded model at all.
 */
export function resultOf({ answer, ageMs, fresh, similar }: CacheHit, key: string, seal: Seal): ChatResult {
  const { stored } = answer;
  const [message] = typeof stored === "string" ? mapStoredMessagesToChatMessages([parsed(stored)]) : [];
  const obtained = message === undefined ? undefined : obtainedOf(message);
  if (message === undefined || obtained === undefined) throw new TypeError("the answer cache returned no answer");
  const { headers, requestId, messageId, responseId, ...kept } = obtained;
  const forged = seal.verify(PURPOSE, [key, stored], answer["seal"]) ? {} : { forged: true };
  const likeness = similar === undefined ? {} : { similar: { score: similar.score, matched: similar.key } };
  const cache = { ageMs, fresh, ...forged, ...likeness };
  const now = { ...kept, attempts: 0, queueMs: 0, usage: { inputTokens: 0, outputTokens: 0 }, cache };
  const given = message as BaseMessage & { usage_metadata?: UsageMetadata };
  delete given.id;
  given.response_metadata = { ...given.response_metadata, [OBTAINED_KEY]: now };
  given.usage_metadata = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  return { generations: [{ text: given.text, message: given }] };
}

/** Gives an answer from the cache ids of its own, as every other answer has. */
export function withIds(result: ChatResult, messageId: string): ChatResult {
  for (const { message } of result.generations) {
    message.id = messageId;
    message.response_metadata = {
      ...message.response_metadata,
      [OBTAINED_KEY]: { ...obtainedOf(message), messageId },
    };
    if (!AIMessage.isInstance(message)) continue;
    message.tool_calls = (message.tool_calls ?? []).map((call, index) => ({ ...call, id: callIdOf(messageId, index) }));
  }
  return result;
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
