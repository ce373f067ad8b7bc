// Messages as a server of OpenAI's protocol gets them. LangChain's converter drops what it has no name for, sends content of
// newer messages in parts, and offers calls again that nobody answered.

import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { convertMessagesToCompletionsMessageParams } from "@langchain/openai";
import { fieldsFor, type ModelRoute } from "../capacity/index.js";

/** How messages go to one route. */
export interface WireOptions {
  readonly route: Pick<ModelRoute, "name" | "provider">;
  /** Whether fields that no standard names go back to the server that sent them. */
  readonly returnFields: boolean;
  /** How the content of a tool's answer is sent when it has parts. `text`: other parts are named and left out. */
  readonly toolContent: "text" | "parts";
}

type Param = Record<string, unknown>;

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
    content: kept?.content ?? (kept?.content === null && message.text === "" ? null : message.text),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...kept?.message,
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call, index) => wireCall(call, kept?.calls?.[index])) }),
  };
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
