// Checks a model's answer before anybody believes it, and notes what it says about itself. An answer that was cut in the
// middle of a tool call, or whose stream just stopped, is an error: half an instruction must not be carried out.

import { type AIMessage, AIMessageChunk, type BaseMessage, type UsageMetadata } from "@langchain/core/messages";
import type { ChatGenerationChunk, ChatResult } from "@langchain/core/outputs";
import { UnusableAnswerError } from "./classify.js";
import { isBrokenEnd, isWholeEnd } from "./finish-reason.js";
import { excessOf, INCOMING, type IncomingLimits } from "./incoming.js";
import type { Obtained, TokenUsage } from "./types.js";

/** What an answer says about itself. */
export type AnswerFacts = Pick<
  Obtained,
  "responseId" | "returnedModel" | "systemFingerprint" | "finishReason" | "usage"
>;

const NO_USAGE: TokenUsage = { inputTokens: 0, outputTokens: 0 };

/**
 * Checks a complete answer.
 *
 * @throws UnusableAnswerError when there is none, when it was cut in a tool call, or when a tool call's arguments are not JSON.
 */
export function checkResult(result: ChatResult, limits: IncomingLimits = INCOMING): AnswerFacts {
  const [generation] = result.generations;
  if (generation === undefined) throw new UnusableAnswerError("bad-response", "it has no choices");
  const message = generation.message as AIMessage;
  const metadata = { ...generation.generationInfo, ...message.response_metadata };
  const finishReason = textOf(metadata["finish_reason"]);
  const invalid = message.invalid_tool_calls ?? [];
  const calls = [
    ...(message.tool_calls ?? []).map(({ name, args }) => ({ name, args: JSON.stringify(args) })),
    ...invalid.map(({ name, args }) => ({ name: name ?? "", args: args ?? "" })),
  ];
  checkToolCalls(finishReason, calls, limits);
  return factsOf({ id: message.id, ...metadata }, finishReason, message.usage_metadata);
}

function checkToolCalls(
  finishReason: string | undefined,
  calls: readonly { readonly name: string; readonly args: string }[],
  limits: IncomingLimits,
): void {
  const excess = excessOf(calls, limits);
  if (excess !== undefined) throw new UnusableAnswerError("bad-response", excess);
  if (finishReason !== undefined && isBrokenEnd(finishReason)) {
    throw new UnusableAnswerError("bad-response", `the provider gave it up (${finishReason})`);
  }
  const last = calls.at(-1);
  if (last !== undefined && finishReason !== undefined && !isWholeEnd(finishReason)) {
    throw new UnusableAnswerError("bad-response", `it was cut (${finishReason}) in its call of ${last.name}`);
  }
  for (const { name, args } of calls) {
    if (!isJsonObject(args)) {
      throw new UnusableAnswerError("bad-response", `the arguments of its call of ${name} are not JSON`);
    }
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false; // That is the question that was asked.
  }
}

function factsOf(
  metadata: Readonly<Record<string, unknown>>,
  finishReason: string | undefined,
  usage: UsageMetadata | undefined,
): AnswerFacts {
  const returnedModel = textOf(metadata["model_name"]);
  const systemFingerprint = textOf(metadata["system_fingerprint"]);
  const responseId = textOf(metadata["id"]);
  return {
    ...(responseId === undefined ? {} : { responseId }),
    ...(returnedModel === undefined ? {} : { returnedModel }),
    ...(systemFingerprint === undefined ? {} : { systemFingerprint }),
    ...(finishReason === undefined ? {} : { finishReason }),
    usage: usage === undefined ? NO_USAGE : toTokenUsage(usage),
  };
}

function toTokenUsage(usage: UsageMetadata): TokenUsage {
  const cachedTokens = usage.input_token_details?.cache_read;
  const reasoningTokens = usage.output_token_details?.reasoning;
  return {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Whether a chunk says anything. Providers begin a stream with an empty one that only names the role. */
export function saysSomething(chunk: ChatGenerationChunk): boolean {
  const message: BaseMessage = chunk.message;
  const calls = AIMessageChunk.isInstance(message) ? (message.tool_call_chunks?.length ?? 0) : 0;
  return chunk.text !== "" || calls > 0 || chunk.generationInfo?.["finish_reason"] != null;
}

/** Watches a streamed answer go by, so that it can be judged when it ends. */
export class StreamedAnswer {
  #metadata: Record<string, unknown> = {};
  #usage: UsageMetadata | undefined;
  readonly #calls = new Map<string | number, { name: string; args: string }>();

  constructor(private readonly limits: IncomingLimits = INCOMING) {}

  see(chunk: ChatGenerationChunk): void {
    const { message, generationInfo } = chunk;
    if (message.id !== undefined) this.#metadata["id"] = message.id;
    const told = Object.entries({ ...message.response_metadata, ...generationInfo });
    Object.assign(this.#metadata, Object.fromEntries(told.filter(([, value]) => value != null)));
    if (!AIMessageChunk.isInstance(message)) return;
    if (message.usage_metadata !== undefined) this.#usage = message.usage_metadata;
    for (const part of message.tool_call_chunks ?? []) {
      const key = part.index ?? part.id ?? 0;
      const call = this.#calls.get(key) ?? { name: "", args: "" };
      this.#calls.set(key, { name: call.name + (part.name ?? ""), args: call.args + (part.args ?? "") });
    }
  }

  /**
   * Judges the whole.
   *
   * @throws UnusableAnswerError when the stream ended without a finish reason or was cut in a tool call.
   */
  end(): AnswerFacts {
    const finishReason = textOf(this.#metadata["finish_reason"]);
    if (finishReason === undefined) {
      throw new UnusableAnswerError("truncated", "the stream ended without a finish reason");
    }
    checkToolCalls(finishReason, [...this.#calls.values()], this.limits);
    return factsOf(this.#metadata, finishReason, this.#usage);
  }
}
