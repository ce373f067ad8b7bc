// Puts a model's answer together, judges it, and gives it the harness's own ids: one message, the same whether it was
// streamed or not, so that what was judged is what is stored and run. Tool calls are handed out when the answer is whole:
// half an instruction must not be carried out, and an answer that is no good can be asked for again until then.

import { AIMessage, AIMessageChunk, type BaseMessage, type UsageMetadata } from "@langchain/core/messages";
import type { ToolCallChunk } from "@langchain/core/messages/tool";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { UnusableAnswerError } from "./classify.js";
import { finishOf, isCut } from "./finish-reason.js";
import { callIdOf } from "./ids.js";
import { excessOf, type IncomingLimits } from "./incoming.js";
import { isShallow, ProviderFields } from "./provider-fields.js";
import {
  argumentText,
  type CallPart,
  parseArguments,
  partsOfRaw,
  type SentCall,
  ToolCallAssembly,
} from "./tool-calls.js";
import type { Obtained, TokenUsage } from "./types.js";
import { saysWords, writtenCall } from "./written-call.js";

/** What an answer says about itself. */
export type AnswerFacts = Pick<
  Obtained,
  "messageId" | "responseId" | "returnedModel" | "systemFingerprint" | "finishReason" | "usage"
>;

/** What an answer is judged by. */
export interface Judging {
  /** The id that its message gets. */
  readonly messageId: string;
  /** The names of the tools that it may call. */
  readonly tools: readonly string[];
  /** How many calls it may make, and how large. */
  readonly limits: IncomingLimits;
}

/** An answer that may be used. */
export interface JudgedAnswer {
  /** The end of the stream: all tool calls, and what is known of the answer. */
  readonly last: ChatGenerationChunk;
  readonly facts: AnswerFacts;
}

/** One answer, put together from its chunks. */
export class AnswerAssembly {
  readonly #judging: Judging;
  readonly #calls: ToolCallAssembly;
  readonly #fields = new ProviderFields();
  readonly #metadata: Record<string, unknown> = {};
  #responseId: string | undefined;
  #usage: UsageMetadata | undefined;
  #says = false;
  #text = "";

  constructor(judging: Judging) {
    this.#judging = judging;
    this.#calls = new ToolCallAssembly(judging.tools);
  }

  /** Takes a chunk in. Returns what of it can be handed out at once: text and reasoning. */
  see(chunk: ChatGenerationChunk): ChatGenerationChunk | undefined {
    const { message, generationInfo = {} } = chunk;
    const { prompt, completion, logprobs, ...info } = generationInfo;
    this.#responseId = message.id ?? this.#responseId;
    for (const [name, value] of Object.entries({ ...message.response_metadata, ...info })) {
      if (value !== undefined && value !== null && value !== "" && isShallow(value)) this.#metadata[name] = value;
    }
    this.#calls.add(partsOf(message));
    const { tool_calls, function_call, ...kwargs } = this.#fields.take(message.additional_kwargs);
    if (AIMessage.isInstance(message) || AIMessageChunk.isInstance(message)) this.#count(message.usage_metadata);
    if (typeof message.content !== "string" || message.additional_kwargs["audio"] !== undefined) {
      if (saysSomething(message)) this.#says = true;
    }
    this.#text += message.text;
    if (message.content.length === 0 && Object.keys(kwargs).length === 0 && logprobs == null) return undefined;
    return this.#chunk(
      { content: message.content, additional_kwargs: kwargs },
      {
        ...(prompt === undefined ? {} : { prompt, completion }),
        ...(isShallow(logprobs) && logprobs != null ? { logprobs } : {}),
      },
    );
  }

  /**
   * Judges the whole.
   *
   * @throws UnusableAnswerError when it broke off, was cut in a tool call, calls what cannot be run, or asks for nothing
   *   and says nothing.
   */
  end(isStream: boolean): JudgedAnswer {
    const { messageId } = this.#judging;
    const finishReason = finishOf(this.#metadata);
    if (isStream && finishReason === undefined) {
      throw new UnusableAnswerError("truncated", "the stream ended without a finish reason");
    }
    const { calls } = this.#calls;
    this.#check(finishReason, calls);
    const { usage: _, ...metadata } = this.#metadata;
    const fields = this.#fields.of(calls, this.#metadata);
    const last = this.#chunk(
      {
        content: "",
        tool_call_chunks: calls.map((call, index) => chunkOf(call, index, messageId)),
        response_metadata: { ...metadata, ...fields },
        usage_metadata: this.#usage,
      },
      finishReason === undefined ? {} : { finish_reason: finishReason },
    );
    const { invalid_tool_calls: invalid = [], tool_calls: run = [] } = last.message as AIMessageChunk;
    if (invalid.length > 0 || run.length !== calls.length) {
      throw new UnusableAnswerError("bad-response", `its call of ${invalid[0]?.name ?? "a tool"} cannot be read`);
    }
    return { last, facts: this.#facts(finishReason) };
  }

  #check(finishReason: string | undefined, calls: readonly SentCall[]): void {
    const bad = (why: string) => new UnusableAnswerError("bad-response", why);
    const how = finishReason === undefined ? "" : ` (finish reason ${finishReason})`;
    if (finishReason === "error") throw bad(`the provider gave it up (${this.#metadata["finish_reason"] ?? "failed"})`);
    if (this.#calls.doubt !== undefined) throw bad(this.#calls.doubt);
    const excess = excessOf(calls, this.#judging.limits);
    if (excess !== undefined) throw bad(excess);
    const last = calls.at(-1);
    if (last !== undefined && isCut(finishReason))
      throw bad(`it was cut (${finishReason}) in its call of ${last.name}`);
    for (const { name, args } of calls) {
      if (name.trim() === "") throw bad("it calls a tool without a name");
      if (parseArguments(args) === undefined) throw bad(`the arguments of its call of ${name} are not a JSON object`);
    }
    if (calls.length > 0) return;
    if (finishReason === "tool_calls") throw bad(`it says that it calls tools${how}, and calls none`);
    if (!this.#says && !saysWords(this.#text)) throw bad(`it says nothing and calls no tool${how}`);
    const written = writtenCall(this.#text, this.#judging.tools);
    if (written === undefined) return;
    throw bad(
      `it calls ${written} in its text, and the server did not read that as a tool call: switch its tool-call parser on (vLLM: --enable-auto-tool-choice --tool-call-parser, llama.cpp: --jinja)`,
    );
  }

  #count(usage: UsageMetadata | undefined): void {
    if (usage === undefined) return;
    const sum = messageChunk({ content: "", usage_metadata: this.#usage }).concat(
      messageChunk({ content: "", usage_metadata: usage }),
    );
    this.#usage = sum.usage_metadata;
  }

  #chunk(fields: ChunkFields, generationInfo: Record<string, unknown>): ChatGenerationChunk {
    const message = messageChunk({ ...fields, id: this.#judging.messageId });
    return new ChatGenerationChunk({ text: message.text, message, generationInfo });
  }

  #facts(finishReason: string | undefined): AnswerFacts {
    const returnedModel = textOf(this.#metadata["model_name"]);
    const systemFingerprint = textOf(this.#metadata["system_fingerprint"]);
    const responseId = textOf(this.#responseId);
    return {
      messageId: this.#judging.messageId,
      ...(responseId === undefined ? {} : { responseId }),
      ...(returnedModel === undefined ? {} : { returnedModel }),
      ...(systemFingerprint === undefined ? {} : { systemFingerprint }),
      ...(finishReason === undefined ? {} : { finishReason }),
      usage: toTokenUsage(this.#usage),
    };
  }
}

/**
 * Judges an answer that came whole.
 *
 * @throws UnusableAnswerError as {@link AnswerAssembly.end} does, and when there is no answer at all.
 */
export function judgeResult(
  { generations, llmOutput }: ChatResult,
  judging: Judging,
): { readonly result: ChatResult; readonly facts: AnswerFacts } {
  const [generation] = generations;
  if (generation === undefined) throw new UnusableAnswerError("bad-response", "it has no choices");
  const assembly = new AnswerAssembly(judging);
  const { text, message: sent, generationInfo = {} } = generation;
  const first = assembly.see(new ChatGenerationChunk({ text, message: sent as never, generationInfo }));
  const { last, facts } = assembly.end(false);
  const whole = first === undefined ? last : first.concat(last);
  const { id, content, additional_kwargs, tool_calls, usage_metadata, response_metadata } =
    whole.message as AIMessageChunk;
  const message = new AIMessage({
    ...{ content, additional_kwargs, response_metadata, tool_calls: tool_calls ?? [] },
    ...(id === undefined ? {} : { id }),
    ...(usage_metadata === undefined ? {} : { usage_metadata }),
  });
  const result = { generations: [{ text: message.text, message, generationInfo: whole.generationInfo ?? {} }] };
  return { result: llmOutput === undefined ? result : { ...result, llmOutput }, facts };
}

interface ChunkFields {
  readonly content: BaseMessage["content"];
  readonly id?: string;
  readonly additional_kwargs?: Record<string, unknown>;
  readonly response_metadata?: Record<string, unknown>;
  readonly tool_call_chunks?: ToolCallChunk[];
  readonly usage_metadata?: UsageMetadata | undefined;
}

// LangChain's own types of the fields depend on each other in a way that no value of them satisfies.
const messageChunk = (fields: ChunkFields): AIMessageChunk => new AIMessageChunk(fields as never);

/** The parts of tool calls in a chunk or message, from whatever LangChain's converters leave of them. */
function partsOf(message: BaseMessage): readonly CallPart[] {
  const { tool_calls: raw, function_call } = message.additional_kwargs;
  if (Array.isArray(raw) && raw.length > 0) return partsOfRaw(raw);
  if (function_call !== undefined && function_call !== null) return partsOfRaw([{ function: function_call }]);
  const { tool_call_chunks: chunks, tool_calls: calls, invalid_tool_calls: invalid } = message as AIMessageChunk;
  if (chunks !== undefined && chunks.length > 0) {
    return chunks.map(({ index, id, name, args }) => ({
      ...(index === undefined ? {} : { index }),
      ...{ id: id ?? "", name: name ?? "", args: argumentText(args) },
    }));
  }
  return [...(calls ?? []), ...(invalid ?? [])].map(({ id, name, args }) => ({
    ...{ id: id ?? "", name: name ?? "", args: argumentText(args) },
  }));
}

/** LangChain's bridge to its newer stream protocol puts text at index 0: calls begin behind it. */
const chunkOf = ({ name, args }: SentCall, index: number, messageId: string): ToolCallChunk => ({
  type: "tool_call_chunk",
  index: index + 1,
  id: callIdOf(messageId, index),
  name,
  args: JSON.stringify(parseArguments(args)),
});

/** Whether a message has content that is more than white space and reasoning. */
function saysSomething({ content, additional_kwargs }: BaseMessage): boolean {
  if (additional_kwargs["audio"] !== undefined) return true;
  if (typeof content === "string") return content.trim() !== "";
  return content.some(({ type, text }) =>
    type === "text" ? String(text ?? "").trim() !== "" : type !== "reasoning" && type !== "thinking",
  );
}

function toTokenUsage(usage: UsageMetadata | undefined): TokenUsage {
  const cachedTokens = usage?.input_token_details?.cache_read;
  const reasoningTokens = usage?.output_token_details?.reasoning;
  return {
    inputTokens: usage?.input_tokens ?? 0,
    outputTokens: usage?.output_tokens ?? 0,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
