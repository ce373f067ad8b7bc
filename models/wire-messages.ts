// Messages as a server of OpenAI's protocol gets them. LangChain's converter drops what it has no name for, sends content of
// newer messages in parts, and offers calls again that nobody answered.

import {
  AIMessage,
  type BaseMessage,
  type ContentBlock,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { convertMessagesToCompletionsMessageParams } from "@langchain/openai";
import { changed, fieldsFor, type KeptFields, type ModelRoute } from "../capacity/index.js";

/** How messages go to one route. */
export interface WireOptions {
  readonly route: Pick<ModelRoute, "name" | "provider">;
  /** Whether fields that no standard names go back to the server that sent them. */
  readonly returnFields: boolean;
  /** How the content of a tool's answer is sent when it has parts. `text`: other parts are named and left out. */
  readonly toolContent: "text" | "parts";
}

type Param = Record<string, unknown>;

/**
 * The messages without parts that the protocol has no name for, or that a client left without contents: a server refuses
 * the request for them, and LangChain's converter throws. In place of such a part stands what it was.
 */
export const withKnownParts = (messages: readonly BaseMessage[]): BaseMessage[] =>
  messages.map((message) => {
    const { content } = message;
    if (typeof content === "string") return message;
    const known = SystemMessage.isInstance(message) ? [] : MEDIA;
    const parts = content.flatMap((part) => {
      if (part.type === "text") return [part];
      const sent = converted(part);
      // Of an answer the text is sent, whatever stands beside it.
      if (AIMessage.isInstance(message)) return sent === undefined ? [] : [part];
      const isKnown = sent?.length === 1 && sent.every((each) => known.some((type) => isFilled(each, type)));
      return [isKnown ? part : { type: "text", text: `[${part.type}: not sent, this model is not given such parts]` }];
    });
    return parts.length === content.length && parts.every((part, at) => part === content[at])
      ? message
      : changed(message, { content: parts });
  });

/** What a message may hold beside text, by the field in which it stands. */
const MEDIA = ["image_url", "input_audio", "file"];

/** A part as LangChain's converter sends it. `undefined`: it throws. */
function converted(part: ContentBlock): readonly Param[] | undefined {
  const messages = [new HumanMessage({ content: [part] })];
  try {
    return convertMessagesToCompletionsMessageParams({ messages }).flatMap(
      (param) => param.content as unknown as Param[],
    );
  } catch {
    return undefined; // That is how it says that it has no name for it.
  }
}

const isFilled = (param: Param, type: string): boolean =>
  param["type"] === type && typeof param[type] === "object" && param[type] !== null;

/** The `messages` of a request. */
export const wireMessages = (messages: readonly BaseMessage[], model: string, options: WireOptions): Param[] =>
  messages.flatMap((message) => {
    const [param, ...more] = convertMessagesToCompletionsMessageParams({
      messages: [message],
      model,
    }) as unknown as Param[];
    if (param === undefined) return [];
    if (AIMessage.isInstance(message)) return [assistant(param, message, options), ...more];
    if (ToolMessage.isInstance(message) && options.toolContent === "text") {
      return [{ ...param, content: textOf(message) }];
    }
    return [param, ...more];
  });

function assistant(
  { tool_calls: _, function_call: __, ...param }: Param,
  message: AIMessage,
  options: WireOptions,
): Param {
  const kept = options.returnFields ? fieldsFor(message, options.route) : undefined;
  const reasoning = kept === undefined ? undefined : message.additional_kwargs["reasoning_content"];
  const calls = message.tool_calls ?? [];
  return {
    ...param,
    content: contentOf(message, kept),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...kept?.message,
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call, index) => wireCall(call, kept?.calls?.[index])) }),
  };
}

/** As it came, unless somebody has changed what it says since. */
function contentOf({ text }: AIMessage, kept: KeptFields | undefined): unknown {
  if (kept?.content === null) return text === "" ? null : text;
  const said = kept?.content?.map((part) =>
    (part as { type?: unknown }).type === "text" ? String((part as { text?: unknown }).text) : "",
  );
  return said?.join("") === text ? kept?.content : text;
}

function wireCall(
  { id, name, args }: NonNullable<AIMessage["tool_calls"]>[number],
  kept: Param | null | undefined,
): Param {
  const { id: _, function: inner, ...extras } = kept ?? {};
  return {
    ...extras,
    id,
    type: "function",
    function: { ...(inner as Param | undefined), name, arguments: JSON.stringify(args) },
  };
}

/** The text of a tool's answer. What is no text is named, so that the model knows that there was more. */
function textOf({ content }: ToolMessage): string {
  if (typeof content === "string") return content;
  return content
    .map((part) =>
      part.type === "text" ? String(part["text"] ?? "") : `[${part.type}: not sent, this model is given text]`,
    )
    .join("\n");
}
