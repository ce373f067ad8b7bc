// Messages as anybody may write them: a client's JSON, an edit in Studio, a checkpoint of another version. What is no
// message is read as one here, because a write that throws has been stored already and would break the thread for good.

import {
  AIMessage,
  type BaseMessage,
  type BaseMessageLike,
  coerceMessageLikeToMessage,
  HumanMessage,
  type MessageContent,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { messagesStateReducer, Overwrite, REMOVE_ALL_MESSAGES } from "@langchain/langgraph";
import type { BaseChannel } from "@langchain/langgraph/channels";

type Fields = Readonly<Record<string, unknown>>;

/** How deep a field may be nested: LangChain reads back nothing of more than 50 levels, those around the message included. */
const MAX_DEPTH = 32;

/**
 * Reads anything as messages; total. A message without a role, or with one that nobody knows, is what a person said, and
 * a value that is no message at all is its own text. What is sound comes back as it is, and so does a list of it.
 */
export function soundMessages(value: unknown): BaseMessage[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const read = given.flatMap((each) => soundMessage(each) ?? []);
  const isSound = Array.isArray(value) && read.length === value.length && read.every((each, at) => each === value[at]);
  return isSound ? value : read;
}

/** Whether a channel folds messages. */
export const holdsMessages = (channel: BaseChannel): boolean =>
  (channel as { readonly operator?: unknown }).operator === messagesStateReducer;

/**
 * Makes a channel of messages take every write and hold nothing but messages: also where one is overwritten around its
 * reducer, or a message is removed that is not there.
 */
export function absorbing(channel: BaseChannel): BaseChannel {
  const update = channel.update.bind(channel);
  const fromCheckpoint = channel.fromCheckpoint.bind(channel);
  channel.update = (writes) => {
    if (writes.length === 0) return update(writes);
    const before = channel.isAvailable() ? (channel.get() as BaseMessage[]) : [];
    return update([new Overwrite(writes.reduce<BaseMessage[]>(merged, before))]);
  };
  channel.fromCheckpoint = (saved) =>
    absorbing(fromCheckpoint(saved === undefined ? saved : withoutRemovals(soundMessages(saved)))) as never;
  return channel;
}

const withoutRemovals = (messages: BaseMessage[]): BaseMessage[] =>
  messages.some(RemoveMessage.isInstance) ? messages.filter((each) => !RemoveMessage.isInstance(each)) : messages;

/** LangGraph's reducer, for writes that it throws at. */
function merged(before: BaseMessage[], write: unknown): BaseMessage[] {
  const whole = overwritten(write);
  const given = soundMessages(whole === undefined ? write : whole.value);
  const all = given.findLastIndex((each) => RemoveMessage.isInstance(each) && each.id === REMOVE_ALL_MESSAGES);
  const held = whole === undefined && all === -1 ? before : [];
  const known = new Set(held.map(({ id }) => id));
  const usable = given.slice(all + 1).filter((each) => {
    if (RemoveMessage.isInstance(each)) return known.delete(each.id);
    known.add(each.id);
    return true;
  });
  return messagesStateReducer(held, usable);
}

/** LangGraph's `Overwrite`, also in the forms in which it comes over the wire (langgraph 1.7.3). */
function overwritten(write: unknown): { readonly value: unknown } | undefined {
  if (!isRecord(write)) return undefined;
  if ("__overwrite__" in write) return { value: write["__overwrite__"] };
  return write["type"] === "__overwrite__" && "value" in write ? { value: write["value"] } : undefined;
}

function soundMessage(value: unknown): BaseMessage | undefined {
  if (value === null || value === undefined) return undefined;
  const message = coerced(value);
  if (message !== undefined && isSound(message)) return message;
  const fields = message === undefined ? fieldsOf(value) : { ...message, type: message.getType() };
  const built = build(fields);
  return isSound(built) ? built : build({ ...fields, content: wordsOf(built.content) });
}

function coerced(value: unknown): BaseMessage | undefined {
  try {
    return coerceMessageLikeToMessage(value as BaseMessageLike);
  } catch {
    return undefined; // It is read field by field.
  }
}

/** Whether everything that reads messages can read this one: providers' converters, nodes, the checkpointer. */
function isSound(message: BaseMessage): boolean {
  try {
    const { id, name, content, additional_kwargs, response_metadata } = message;
    const { tool_calls, invalid_tool_calls, tool_call_id, usage_metadata, artifact } = message as unknown as Fields;
    if (RemoveMessage.isInstance(message)) return typeof id === "string";
    return (
      KINDS.has(message.getType()) &&
      (id === undefined || typeof id === "string") &&
      (name === undefined || typeof name === "string") &&
      (typeof content === "string" || content.every(isPart)) &&
      typeof message.text === "string" &&
      (message.getType() !== "tool" || typeof tool_call_id === "string") &&
      (tool_calls === undefined || (Array.isArray(tool_calls) && tool_calls.every(isCall))) &&
      (invalid_tool_calls === undefined ||
        (Array.isArray(invalid_tool_calls) && invalid_tool_calls.every(isShallow))) &&
      [additional_kwargs, response_metadata].every((each) => isRecord(each) && isShallow(each)) &&
      [usage_metadata, artifact].every(isShallow)
    );
  } catch {
    return false; // A getter that throws cannot be relied on.
  }
}

/** As LangChain names them. */
const KINDS = new Set(["human", "ai", "system", "tool"]);

const isPart = (part: unknown): boolean =>
  isRecord(part) &&
  typeof part["type"] === "string" &&
  (part["type"] !== "text" || typeof part["text"] === "string") &&
  isShallow(part);

const isCall = (call: unknown): boolean =>
  isRecord(call) &&
  typeof call["name"] === "string" &&
  (call["id"] === undefined || typeof call["id"] === "string") &&
  isRecord(call["args"]) &&
  isShallow(call["args"]);

/** The fields of what LangChain does not take for a message. */
function fieldsOf(value: unknown): Fields {
  if (Array.isArray(value)) return { type: value[0], content: value[1] };
  if (!isRecord(value)) return { content: value };
  const { role, kwargs, id, ...fields } = value;
  if (isRecord(kwargs)) return { content: wordsOf(kwargs), type: Array.isArray(id) ? id.at(-1) : undefined, ...kwargs };
  return { type: role, content: "content" in value ? undefined : wordsOf(value), ...fields, id };
}

/** A message of what can be kept of these fields. */
function build(fields: Fields): BaseMessage {
  const { id, name, additional_kwargs, response_metadata, tool_calls, tool_call_id, status } = fields;
  const kept = {
    content: soundContent(fields["content"]),
    additional_kwargs: soundRecord(additional_kwargs),
    response_metadata: soundRecord(response_metadata),
    ...(typeof id === "string" || typeof id === "number" ? { id: String(id) } : {}),
    ...(typeof name === "string" ? { name } : {}),
  };
  switch (kindOf(fields)) {
    case "ai":
      return new AIMessage({ ...kept, tool_calls: Array.isArray(tool_calls) ? tool_calls.flatMap(soundCall) : [] });
    case "system":
      return new SystemMessage(kept);
    case "tool":
      return new ToolMessage({
        ...kept,
        tool_call_id: typeof tool_call_id === "string" ? tool_call_id : "",
        ...(status === "error" || status === "success" ? { status } : {}),
      });
    default:
      return new HumanMessage(kept);
  }
}

/** Who speaks. Somebody whom nobody knows is a person. */
function kindOf({ type, role }: Fields): string {
  const named = String(role ?? type).toLowerCase();
  if (/^(ai|assistant|model)/.test(named)) return "ai";
  if (/^(system|developer)/.test(named)) return "system";
  return /^(tool|function)/.test(named) ? "tool" : "human";
}

function soundContent(content: unknown): MessageContent {
  if (content === null || content === undefined) return "";
  if (!Array.isArray(content)) return wordsOf(content);
  const parts = content.filter((part) => part !== null && part !== undefined);
  return parts.map((part) => (isPart(part) ? part : { type: "text", text: wordsOf(part) }));
}

const soundRecord = (value: unknown): Record<string, unknown> =>
  isRecord(value) && isShallow(value) ? { ...value } : {};

function soundCall(call: unknown) {
  if (!isRecord(call)) return [];
  const { id, name, args } = call;
  const known = typeof id === "string" ? { id } : {};
  return { ...known, name: typeof name === "string" ? name : "", args: soundRecord(args), type: "tool_call" as const };
}

/** What a value reads like. */
function wordsOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value); // A circle, or a `bigint` in it.
  }
}

function isShallow(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((each) => isShallow(each, depth - 1));
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
