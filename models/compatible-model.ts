// `ChatOpenAI` for the many servers that speak OpenAI's protocol almost: what they leave out or put elsewhere is set right
// before LangChain reads it, and what they sent with a message goes back to them with it, in the shape in which it came.

import type { BaseMessage } from "@langchain/core/messages";
import { ChatOpenAI, ChatOpenAICompletions, type ChatOpenAIFields } from "@langchain/openai";
import { PROVIDER_FIELDS, stated, UnusableAnswerError } from "../capacity/index.js";
import { type WireOptions, wireMessages, withKnownParts } from "./wire-messages.js";

type Completions = ChatOpenAICompletions;
type Json = Readonly<Record<string, unknown>>;

/** How the messages of a call reach the place where the request is made. */
const MESSAGES = Symbol("messages");

/** Fields of a message that the protocol names, and which have a place of their own. */
const STANDARD = new Set([
  ...["role", "content", "tool_calls", "function_call", "refusal", "audio", "annotations", "name", "index"],
  ...["tool_call_id", "reasoning_content"],
]);

/** A chat model for one route. `wire`: whose answers it sends back whole, and how. */
export const compatibleModel = (fields: ChatOpenAIFields, wire: WireOptions): ChatOpenAI =>
  new ChatOpenAI({ ...fields, completions: new CompatibleCompletions(fields, wire) });

class CompatibleCompletions extends ChatOpenAICompletions {
  readonly #wire: WireOptions;

  constructor(fields: ChatOpenAIFields, wire: WireOptions) {
    super(fields);
    this.#wire = wire;
  }

  override _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: Parameters<Completions["_generate"]>[2],
  ): ReturnType<Completions["_generate"]> {
    const known = withKnownParts(messages);
    return super._generate(known, carrying(options, known), runManager);
  }

  override _streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: Parameters<Completions["_streamResponseChunks"]>[2],
  ): ReturnType<Completions["_streamResponseChunks"]> {
    const known = withKnownParts(messages);
    return super._streamResponseChunks(known, carrying(options, known), runManager);
  }

  /** The one place that all requests of the completions API pass, and their answers. */
  override async completionWithRetry(request: never, options?: never): Promise<never> {
    const { [MESSAGES]: messages, ...rest } = (options ?? {}) as { readonly [MESSAGES]?: BaseMessage[] };
    const { stream, model } = request as { readonly stream?: boolean; readonly model: string };
    const sent =
      messages === undefined
        ? request
        : ({ ...(request as Json), messages: wireMessages(messages, model, this.#wire) } as never);
    const answer: unknown = await super.completionWithRetry(sent, rest as never);
    return (stream ? read(answer as AsyncIterable<unknown>) : standardBody(answer)) as never;
  }

  override _convertCompletionsDeltaToBaseMessageChunk(
    ...given: Parameters<Completions["_convertCompletionsDeltaToBaseMessageChunk"]>
  ) {
    const [delta] = given;
    return withFields(super._convertCompletionsDeltaToBaseMessageChunk(...given), delta);
  }

  override _convertCompletionsMessageToBaseMessage(
    ...given: Parameters<Completions["_convertCompletionsMessageToBaseMessage"]>
  ) {
    const [message] = given;
    return withFields(super._convertCompletionsMessageToBaseMessage(...given), message as unknown as Json);
  }
}

/** LangChain hands on other options to a request than to a stream. */
const carrying = <Options extends { readonly options?: object }>(
  options: Options,
  messages: BaseMessage[],
): Options => ({
  ...options,
  [MESSAGES]: messages,
  options: { ...options.options, [MESSAGES]: messages },
});

async function* read(stream: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const data of stream) yield standardBody(data);
}

/** A body, or an event of a stream, as LangChain's converters expect it. */
function standardBody(body: unknown): unknown {
  const data = typeof body === "string" ? parsed(body) : body; // A server that does not say that it sends JSON.
  if (!isRecord(data) || !Array.isArray(data["choices"])) return data;
  const [first] = onlyChoice(data["choices"]);
  return {
    ...data,
    choices: (first === undefined ? [] : [first]).map((choice: unknown) => {
      if (!isRecord(choice)) return choice;
      const { message, delta } = choice;
      if (isRecord(message))
        return { ...choice, message: standardMessage(message), delta: standardMessage(delta ?? message) };
      return { ...choice, delta: standardMessage(delta) };
    }),
  };
}

/**
 * One answer is asked for. Of another one the text is left out; a call in it is neither run nor left out.
 *
 * @throws UnusableAnswerError for a call that stands in another choice.
 */
function onlyChoice(choices: readonly unknown[]): readonly unknown[] {
  const isFirst = (choice: unknown, at: number) => (isRecord(choice) ? (choice["index"] ?? at) : at) === 0;
  for (const [at, choice] of choices.entries()) {
    if (isFirst(choice, at) || !isRecord(choice)) continue;
    const { tool_calls: calls, function_call: call } = { ...recordOf(choice["message"]), ...recordOf(choice["delta"]) };
    if ((Array.isArray(calls) && calls.length > 0) || isRecord(call)) {
      throw new UnusableAnswerError("bad-response", "it calls a tool in a second answer, and one was asked for");
    }
  }
  return choices.filter(isFirst);
}

const recordOf = (value: unknown): Json => (isRecord(value) ? value : {});

/** Whose role is missing, whose text stands in parts, or whose refusal stands in place of the text. */
function standardMessage(message: unknown): Json {
  const { content, refusal, reasoning_content: reasoning, ...rest } = isRecord(message) ? message : {};
  const text = Array.isArray(content) ? content.map(textOfPart).join("") : content;
  return {
    ...rest,
    role: "assistant",
    content: (text === undefined || text === null || text === "") && typeof refusal === "string" ? refusal : text,
    ...(Array.isArray(content) ? { [PARTS]: content } : {}),
    ...(typeof reasoning === "string" ? { reasoning_content: reasoning } : {}),
  };
}

/** The content as it came, where it came in parts. */
const PARTS = Symbol("parts");

const textOfPart = (part: unknown): string => {
  if (typeof part === "string") return part;
  return isRecord(part) && part["type"] === "text" && typeof part["text"] === "string" ? part["text"] : "";
};

function withFields<Message extends BaseMessage>(
  message: Message,
  sent: Json & { readonly [PARTS]?: unknown },
): Message {
  const extras = Object.entries(stated(sent)).filter(([name]) => !STANDARD.has(name));
  const content = sent[PARTS] ?? sent["content"] ?? null;
  message.additional_kwargs = {
    ...message.additional_kwargs,
    [PROVIDER_FIELDS]: { message: Object.fromEntries(extras), content },
  };
  return message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // No JSON: whoever reads it says so.
  }
}

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
