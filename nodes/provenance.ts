// Which label a value in the state has. It is kept in the journal by the digest of the value's content, never in the
// value: a message that was replaced under its id, or came from `updateState`, an input or a forged checkpoint, has a
// digest nobody recorded and counts as the bottom. Source: trust-replay.md, sections 0 (finding 4) and 5.3.

import { createHash } from "node:crypto";
import { AIMessage, type BaseMessage, RemoveMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import { PROVIDER_FIELDS } from "../capacity/index.js";
import type { Journal } from "../checkpoints/index.js";
import {
  BOTTOM,
  canonicalJson,
  isAtMost,
  type Label,
  mark,
  meet,
  meetMarks,
  soundMessages,
  type TrustMark,
} from "../trust/index.js";

/** The state values that can carry outside content. `call` and `calls` are payloads of a `Send`. */
export interface Values {
  readonly messages?: unknown;
  readonly context?: unknown;
  readonly todos?: unknown;
  readonly files?: unknown;
  readonly call?: unknown;
  readonly calls?: readonly ToolCall[];
}

/** One value that has a label of its own. */
export interface Piece {
  /** Where it stands, for people: `messages[3] (tool)`. */
  readonly at: string;
  readonly digest: string;
}

/** What is known of the values a node reads. */
export interface Provenance {
  readonly pieces: readonly Piece[];
  readonly labels: ReadonlyMap<string, Label>;
  /** The meet of all; {@link BOTTOM} when one of them is unknown. */
  readonly label: Label;
}

/** Digests of values that were named before, each with the text it is of: what changed since is named anew. */
export type KnownDigests = WeakMap<object, { readonly text: string; readonly digest: string }>;

/** How a state is digested. */
export interface Digesting {
  /** What is known already: for a state that grows. */
  readonly known?: KnownDigests;
  /** Replaces declared secrets: a recording has none, and a replay puts its tags into the state. */
  readonly redact?: (text: string) => string;
}

/** As it reads after a checkpoint's round trip through JSON. What canonical JSON refuses still has one name. */
function contentDigest(content: unknown, value?: object, { known, redact }: Digesting = {}): string {
  const text = JSON.stringify(content) ?? "null";
  const before = value === undefined ? undefined : known?.get(value);
  if (before?.text === text) return before.digest;
  const digest = createHash("sha256")
    .update(canonicalOr(redact === undefined ? text : redact(text)))
    .digest("hex");
  if (value !== undefined) known?.set(value, { text, digest });
  return digest;
}

function canonicalOr(text: string): string {
  try {
    return canonicalJson(JSON.parse(text));
  } catch {
    return text; // Half a surrogate pair: JSON escapes it, RFC 8785 refuses it.
  }
}

/** Names a call, whichever message or `Send` it stands in. */
export const callDigest = (call: Pick<ToolCall, "id" | "name" | "args">, by?: Digesting): string =>
  contentDigest(["call", call.id, call.name, call.args], call, by);

/** Everything of a message that a model or a node reads. Its id is not: two branches give the same content other ids. */
function messageDigest(message: BaseMessage, by: Digesting | undefined): string {
  const { content, name, additional_kwargs, response_metadata } = message;
  const { tool_calls, invalid_tool_calls, tool_call_id, status } = message as unknown as Record<string, unknown>;
  const calls = Array.isArray(tool_calls) ? tool_calls.map(({ id, name, args }) => ({ id, name, args })) : [];
  // A key without a value does not survive a checkpoint, and an empty object means as much as none.
  const extra = JSON.stringify(additional_kwargs ?? {}) === "{}" ? undefined : additional_kwargs;
  const invalid = Array.isArray(invalid_tool_calls) && invalid_tool_calls.length > 0 ? invalid_tool_calls : undefined;
  const fields: unknown = response_metadata?.[PROVIDER_FIELDS]; // They go back to the model's server.
  return contentDigest(
    ["message", { type: message.getType(), content, name, calls, invalid, tool_call_id, status, extra, fields }],
    message,
    by,
  );
}

function* messagePieces(messages: unknown, by?: Digesting): Generator<Piece> {
  if (messages === undefined) return;
  for (const [index, message] of soundMessages(messages).entries()) {
    if (RemoveMessage.isInstance(message)) continue;
    yield { at: `messages[${index}] (${message.getType()})`, digest: messageDigest(message, by) };
    if (!AIMessage.isInstance(message)) continue;
    for (const call of message.tool_calls ?? []) yield { at: `call ${call.name}`, digest: callDigest(call, by) };
  }
}

/** The values that have labels, by what they contain. An empty default has none and needs none. */
export function piecesOf({ messages, context, todos, files, call, calls = [] }: Values): readonly Piece[] {
  const pieces = [...messagePieces(messages)];
  for (const each of call === undefined ? calls : [call as ToolCall, ...calls]) {
    pieces.push({ at: "the call", digest: callDigest(each) });
  }
  if (context !== undefined && context !== "") {
    pieces.push({ at: "context", digest: contentDigest(["context", context]) });
  }
  if (Array.isArray(todos) ? todos.length > 0 : todos !== undefined) {
    pieces.push({ at: "todos", digest: contentDigest(["todos", todos]) });
  }
  for (const [path, file] of Object.entries(files ?? {})) {
    if (file === null || file === undefined) continue; // A deletion.
    pieces.push({ at: `file ${path}`, digest: contentDigest(["file", path, file]) });
  }
  return pieces;
}

/** What differs between any two runs of a graph: when a file was written. */
const FILE_TIMES = new Set(["created_at", "modified_at"]);

const timeless = (file: unknown): unknown =>
  typeof file === "object" && file !== null
    ? Object.fromEntries(Object.entries(file).filter(([name]) => !FILE_TIMES.has(name)))
    : file;

/** A channel that nobody wrote yet has its default, which not every checkpointer stores. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** LangGraph's own channels: what was triggered, and what a run was given. */
const isInternal = (channel: string): boolean => channel.startsWith("__") || channel.startsWith("branch:");

/**
 * SHA-256 of a graph's state, without what differs between any two runs: ids of messages, times of files.
 */
export function stateDigest(values: Readonly<Record<string, unknown>>, by: Digesting = {}): string {
  const plain = by.redact === undefined ? {} : { redact: by.redact };
  const digestOf = (value: unknown): string => contentDigest(value, undefined, plain);
  const parts = Object.entries(values)
    .filter(([channel, value]) => !isInternal(channel) && !isEmpty(value))
    .map(([channel, value]): [string, unknown] => {
      if (channel === "messages") return [channel, [...messagePieces(value, by)].map(({ digest }) => digest)];
      if (channel !== "files" || typeof value !== "object" || value === null) return [channel, digestOf(value)];
      const files = Object.entries(value).map(([path, file]) => [path, digestOf(timeless(file))]);
      return [channel, digestOf(files.toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1)))];
    });
  return contentDigest(parts.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Looks the values up. */
export async function weigh(journal: Journal, thread: string, values: Values): Promise<Provenance> {
  const pieces = piecesOf(values);
  if (pieces.length === 0) return { pieces, labels: new Map(), label: meet() };
  const labels = await journal.labels(thread, [...new Set(pieces.map(({ digest }) => digest))]);
  return { pieces, labels, label: meet(...pieces.map(({ digest }) => labels.get(digest) ?? BOTTOM)) };
}

/** Says what values may be believed from now on. */
export async function vouch(journal: Journal, thread: string, values: Values, label: Label): Promise<void> {
  const digests = new Set(piecesOf(values).map(({ digest }) => digest));
  if (digests.size > 0)
    await journal.recordLabels(
      thread,
      [...digests].map((digest) => ({ digest, label })),
    );
}

/** The values that nothing in this thread wrote. */
export const unlabelled = ({ pieces, labels }: Provenance): readonly Piece[] =>
  pieces.filter(({ digest }) => !labels.has(digest));

/**
 * The mark of having read something that is below the thread's own label: it came in from outside of a run.
 * `undefined` when nothing is, as always when only the harness's nodes wrote.
 */
export function injectedMark(read: Provenance, trust: Label, at: string): TrustMark | undefined {
  const below = read.pieces.filter(({ digest }) => !isAtMost(trust, read.labels.get(digest) ?? BOTTOM));
  if (below.length === 0) return undefined;
  const marks = below.map(({ at: where, digest }) => {
    const label = read.labels.get(digest);
    return label === undefined
      ? mark(BOTTOM, `unlabelled: nothing in this thread wrote ${where}`, at)
      : mark(label, `${where} was written from outside of a run`, at);
  });
  return meetMarks(...marks);
}
