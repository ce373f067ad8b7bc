// What a server sends with an answer that no standard names, and wants to see again: reasoning, thought signatures, ids that
// carry something. It is kept with the message, and goes back unchanged to the server that sent it, and to no other one.

import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { obtainedOf } from "./obtained.js";
import type { ModelRoute } from "./route.js";
import { type SentCall, stated } from "./tool-calls.js";

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

/** Gathers it from the chunks of one answer. */
export class ProviderFields {
  readonly #message: Record<string, unknown> = {};
  #parts: unknown[] | undefined;
  #isText = false;
  #isNull = false;

  /** Takes it out of a chunk's `additional_kwargs`, and returns the rest. */
  take({ [PROVIDER_FIELDS]: fields, ...kwargs }: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { message = {}, content } = (fields ?? {}) as KeptFields;
    for (const [name, value] of Object.entries(message)) this.#message[name] = joined(this.#message[name], value);
    if (Array.isArray(content)) this.#parts = [...(this.#parts ?? []), ...content];
    else if (content === null) this.#isNull = true;
    else if (fields !== undefined) this.#isText = true;
    const rest = stated(kwargs);
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
      const fields = isBound(id, metadata) ? { ...extras, id } : extras;
      return Object.keys(fields).length === 0 ? null : fields;
    });
    const content = this.#parts ?? (this.#isNull && !this.#isText ? null : undefined);
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

/** Text goes on where it was; lists and objects grow; anything else is said anew. */
function joined(before: unknown, value: unknown): unknown {
  if (typeof before === "string" && typeof value === "string") return before + value;
  if (Array.isArray(before) && Array.isArray(value)) return value.reduce<unknown[]>(appended, before);
  return isRecord(before) && isRecord(value) ? { ...before, ...value } : (value ?? before);
}

/** Fragments of one entry have its index and type; what is text in both goes on. */
function appended(entries: readonly unknown[], entry: unknown): unknown[] {
  const last = entries.at(-1);
  if (!isRecord(last) || !isRecord(entry) || entry["index"] === undefined) return [...entries, entry];
  if (last["index"] !== entry["index"] || last["type"] !== entry["type"]) return [...entries, entry];
  const grown = Object.entries(stated(entry)).map(([name, value]) => [
    name,
    GROWING.has(name) ? joined(last[name], value) : value,
  ]);
  return [...entries.slice(0, -1), { ...last, ...Object.fromEntries(grown) }];
}

const GROWING = new Set(["text", "summary", "data", "thinking", "reasoning"]);

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
