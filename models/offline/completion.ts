// Turns the brain's answer into what goes over the wire: tokens, a `chat.completion` object, or the chunks of a
// stream. The answer is the same either way.

import { createHash } from "node:crypto";
import type { ChatRequest } from "./request.js";
import type { BrainAnswer, BrainRequest } from "./types.js";

/** What the provider says it is made of. Constant: the brain is. */
export const SYSTEM_FINGERPRINT = "fp_offline_rules_1";

/** Splits text into the provider's tokens: a word or number with the space before it, a sign, or a run of spaces. */
export const tokenize = (text: string): string[] => text.match(/ ?[\p{L}\p{M}]{1,8}| ?\p{N}{1,3}|\s+|[^\s]/gu) ?? [];

/** Tokens the request counts for: its messages, a few for each message's frame, and the bound tools. */
export function countPromptTokens({ messages, tools }: BrainRequest): number {
  const frame = 4;
  const ofMessages = messages.reduce(
    (sum, { content, tool_calls }) => sum + frame + tokenize(content + JSON.stringify(tool_calls ?? "")).length,
    0,
  );
  return ofMessages + (tools.length === 0 ? 0 : tokenize(JSON.stringify(tools)).length);
}

/** An answer as it will be sent: what the caller's token limit left of it, with its ids. */
export interface Completion {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly contentTokens: readonly string[];
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly argumentTokens: string[] }[];
  readonly finishReason: "stop" | "tool_calls" | "length";
  readonly logprobs: boolean;
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: 0 };
    readonly completion_tokens_details: { readonly reasoning_tokens: 0 };
  };
}

/**
 * Completes a request.
 *
 * @param identity Names this request; the ids of the answer and of its tool calls follow from it.
 * @param now Milliseconds since the epoch.
 */
export function complete(
  { brain, maxTokens, logprobs }: ChatRequest,
  answer: BrainAnswer,
  identity: string,
  now: number,
): Completion {
  let left = maxTokens;
  let cut = false;
  const spend = (text: string): string[] => {
    const tokens = tokenize(text);
    const kept = tokens.slice(0, left);
    cut ||= kept.length < tokens.length;
    left -= kept.length;
    return kept;
  };
  const contentTokens = spend(answer.content);
  const toolCalls = answer.toolCalls.flatMap((call, index) => {
    if (cut) return [];
    const id = `call_${hash(`${identity}:call-${index}`).slice(0, 24)}`;
    return [{ id, name: call.name, argumentTokens: spend(JSON.stringify(call.arguments)) }];
  });
  const promptTokens = countPromptTokens(brain);
  const completionTokens =
    contentTokens.length + toolCalls.reduce((sum, { argumentTokens }) => sum + 1 + argumentTokens.length, 0);
  return {
    id: `chatcmpl-${hash(identity).slice(0, 28)}`,
    created: Math.floor(now / 1_000),
    model: brain.model,
    contentTokens,
    toolCalls,
    finishReason: cut ? "length" : toolCalls.length > 0 ? "tool_calls" : "stop",
    logprobs,
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  };
}

/** The `chat.completion` object. */
export function completionBody(completion: Completion): object {
  const { toolCalls, contentTokens, finishReason } = completion;
  return {
    ...envelope(completion, "chat.completion"),
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: contentTokens.length === 0 && toolCalls.length > 0 ? null : contentTokens.join(""),
          refusal: null,
          ...(toolCalls.length === 0
            ? {}
            : {
                tool_calls: toolCalls.map(({ id, name, argumentTokens }) => ({
                  id,
                  type: "function",
                  function: { name, arguments: argumentTokens.join("") },
                })),
              }),
        },
        logprobs: logprobsOf(completion, contentTokens),
        finish_reason: finishReason,
      },
    ],
    usage: completion.usage,
  };
}

/** The `chat.completion.chunk` objects of a stream, in order: text in small groups, then each tool call in pieces. */
export function* completionChunks(completion: Completion, includeUsage: boolean): Generator<object> {
  const chunk = (delta: object, finish: string | null = null, tokens: readonly string[] = []) => ({
    ...envelope(completion, "chat.completion.chunk"),
    choices: [{ index: 0, delta, logprobs: logprobsOf(completion, tokens), finish_reason: finish }],
    ...(includeUsage ? { usage: null } : {}),
  });
  yield chunk({ role: "assistant", content: "" });
  for (const tokens of groups(completion.contentTokens, 3)) yield chunk({ content: tokens.join("") }, null, tokens);
  for (const [index, { id, name, argumentTokens }] of completion.toolCalls.entries()) {
    yield chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
    for (const tokens of groups(argumentTokens, 4)) {
      yield chunk({ tool_calls: [{ index, function: { arguments: tokens.join("") } }] });
    }
  }
  yield chunk({}, completion.finishReason);
  if (includeUsage) {
    yield { ...envelope(completion, "chat.completion.chunk"), choices: [], usage: completion.usage };
  }
}

const envelope = ({ id, created, model }: Completion, object: string) => ({
  id,
  object,
  created,
  model,
  system_fingerprint: SYSTEM_FINGERPRINT,
});

/**
 * A rule gives its answer with probability one, so every token's logprob is 0: the truth about a brain that does not
 * sample, and no made-up number that a trainer could mistake for a signal. As with OpenAI, tool calls have none.
 */
const logprobsOf = ({ logprobs }: Completion, tokens: readonly string[]): object | null =>
  logprobs && tokens.length > 0
    ? {
        content: tokens.map((token) => ({ token, logprob: 0, bytes: [...Buffer.from(token)], top_logprobs: [] })),
        refusal: null,
      }
    : null;

const groups = function* (tokens: readonly string[], size: number): Generator<readonly string[]> {
  for (let start = 0; start < tokens.length; start += size) yield tokens.slice(start, start + size);
};

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
