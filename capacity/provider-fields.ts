// What a server sends with an answer that no standard names, and wants to see again: reasoning, thought signatures, ids that
// carry something. It is kept with the message, and goes back unchanged to the server that sent it, and to no other one.

import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { obtainedOf } from "./obtained.js";
import type { ModelRoute } from "./route.js";
import { merge, type SentCall, stated } from "./tool-calls.js";

/** The key in `additional_kwargs` of a chunk, and in `response_metadata` of a message. */
export const PROVIDER_FIELDS = "provider_fields";

/** What a message has of it. */
export interface KeptFields {
  /** Fields of the message beside those of the protocol: `reasoning_content`, `reasoning_details`, `extra_content`. */
  readonly message?: Readonly<Record<string, unknown>>;
  /** The content, where it was not text: `null`, or the parts. */
  readonly content?: null | readonly unknown[];
  /** Of each tool call: the fields beside those of the protocol, and the id when something hangs on it. */
  readonly calls?: readonly (Readonly<Record<string, unknown>> | null)[];
}

/** The deepest value that is kept, in levels: LangChain reads no message back that is deeper than 50. */
const MAX_DEPTH = 20;

/** Whether a value can be kept with a message. One that is nested deeper would make the whole thread unreadable. */
export const isShallow = (value: unknown, depth = MAX_DEPTH): boolean =>
  typeof value !== "object" ||
  value === null ||
  (depth > 0 && Object.values(value).every((each) => isShallow(each, depth - 1)));

/** Gathers it from the chunks of one answer. */
export class ProviderFields {
  readonly #message: Record<string, unknown> = {};
  /** The content, text and parts in the order in which they came. */
  readonly #pieces: unknown[] = [];
  #hasParts = false;
  #isText = false;
  #isNull = false;

  /** Takes it out of a chunk's `additional_kwargs`, and returns the rest. */
  take({ [PROVIDER_FIELDS]: fields, ...kwargs }: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { message = {}, content } = (fields ?? {}) as { message?: Record<string, unknown>; content?: unknown };
    for (const [name, value] of Object.entries(message)) {
      if (isShallow(value)) this.#message[name] = joined(name, this.#message[name], value);
    }
    if (Array.isArray(content)) {
      this.#hasParts = true;
      this.#pieces.push(...content.filter((part) => isShallow(part)));
    } else if (typeof content === "string") {
      this.#isText = true;
      const last = this.#pieces.at(-1);
      if (isText(last)) this.#pieces[this.#pieces.length - 1] = { ...last, text: last.text + content };
      else if (content !== "") this.#pieces.push({ type: "text", text: content });
    } else if (content === null) this.#isNull = true;
    const rest = Object.fromEntries(Object.entries(stated(kwargs)).filter(([, value]) => isShallow(value)));
    // LangChain's own place for it; interfaces show it from there while it streams.
    if (rest["reasoning_content"] === "") delete rest["reasoning_content"];
    return rest;
  }

  /** For the `response_metadata` of the whole. */
  of(
    calls: readonly SentCall[],
    metadata: Readonly<Record<string, unknown>>,
  ): { readonly [PROVIDER_FIELDS]?: KeptFields } {
    const own = calls.map(({ id, extras }) => {
      const kept = Object.fromEntries(Object.entries(extras).filter(([, value]) => isShallow(value)));
      const fields = isBound(id, metadata) ? { ...kept, id } : kept;
      return Object.keys(fields).length === 0 ? null : fields;
    });
    const content = this.#hasParts ? this.#pieces : this.#isNull && !this.#isText ? null : undefined;
    const fields: KeptFields = {
      ...(Object.keys(this.#message).length === 0 ? {} : { message: this.#message }),
      ...(content === undefined ? {} : { content }),
      ...(own.every((each) => each === null) ? {} : { calls: own }),
    };
    return Object.keys(fields).length === 0 ? {} : { [PROVIDER_FIELDS]: fields };
  }
}

/**
 * Whether a server may hang something on the id of a call: the Responses API names its items by them, and some gateways
 * and models write into them (a thought signature; the function and its number). A plain id is only a name.
 */
const isBound = (id: string, { object, output }: Readonly<Record<string, unknown>>): boolean =>
  id !== "" && (object === "response" || Array.isArray(output) || !/^[\w-]{1,64}$/.test(id) || id.includes("__"));

/** Fields in which text streams. Any other text is said again in every chunk. */
const GROWING = new Set(["text", "summary", "data", "thinking", "reasoning", "reasoning_content"]);

/** Streamed text goes on where it was; lists and objects grow; anything else is said anew. */
function joined(name: string, before: unknown, value: unknown): unknown {
  if (typeof before === "string" && typeof value === "string" && GROWING.has(name)) return before + value;
  if (Array.isArray(before) && Array.isArray(value)) {
    for (const entry of value) append(before, entry);
    return before;
  }
  if (Array.isArray(value)) return joined(name, [], value);
  if (!isRecord(before) || !isRecord(value)) return value ?? before;
  const both = { ...before };
  merge(both, value);
  return both;
}

/** Fragments of one entry have its index and type; what is text in both goes on. */
function append(entries: unknown[], entry: unknown): void {
  const at =
    isRecord(entry) && entry["index"] !== undefined
      ? entries.findLastIndex(
          (each) => isRecord(each) && each["index"] === entry["index"] && each["type"] === entry["type"],
        )
      : -1;
  if (at === -1 || !isRecord(entry)) {
    entries.push(entry);
    return;
  }
  const last = entries[at] as Record<string, unknown>;
  const grown = Object.entries(stated(entry)).map(([name, value]) => [name, joined(name, last[name], value)]);
  entries[at] = { ...last, ...Object.fromEntries(grown) };
}

const isText = (part: unknown): part is { readonly type: "text"; readonly text: string } =>
  isRecord(part) && part["type"] === "text" && typeof part["text"] === "string";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the server on `route` sent with this message. `undefined` for a message of another one. */
export function fieldsFor(message: BaseMessage, route: Pick<ModelRoute, "name" | "provider">): KeptFields | undefined {
  const fields: unknown = message.response_metadata?.[PROVIDER_FIELDS];
  if (!isRecord(fields)) return undefined;
  const obtained = obtainedOf(message);
  return obtained?.provider === route.provider && obtained.route === route.name ? fields : undefined;
}

/** The messages with the ids of calls that this server hangs something on. The others have the harness's own. */
export function withServerIds(messages: readonly BaseMessage[], route: ModelRoute): BaseMessage[] {
  const ids = new Map<string, string>();
  return messages.map((message) => {
    if (ToolMessage.isInstance(message)) {
      const id = ids.get(message.tool_call_id);
      return id === undefined ? message : changed(message, { tool_call_id: id });
    }
    const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
    if (calls.length === 0) return message;
    const kept = fieldsFor(message, route)?.calls ?? [];
    for (const [index, { id = "" }] of calls.entries()) {
      const own = kept[index]?.["id"];
      if (typeof own === "string") ids.set(id, own);
    }
    if (!kept.some((each) => each?.["id"] !== undefined)) return message;
    return changed(message, { tool_calls: calls.map((call) => ({ ...call, id: ids.get(call.id ?? "") ?? call.id })) });
  });
}

/** The same message with other fields, whatever its class computes when it is made. */
export function changed<Message extends BaseMessage>(
  message: Message,
  fields: Readonly<Record<string, unknown>>,
): Message {
  const copy = Object.create(Object.getPrototypeOf(message), Object.getOwnPropertyDescriptors(message)) as Message;
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}
