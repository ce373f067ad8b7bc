// What comes in: several calls that write the state, names of models, and answers that are too much, too slow or elsewhere.

import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Reply } from "../../capacity/openai-server.js";
import { chunk, completion, GOOD, sse, type WireReply, type WireRow } from "../row.js";

const call = (name: string, args: object) => ({ name, args: JSON.stringify(args) });
const plan = (content: string) => call("write_todos", { todos: [{ content, status: "pending" }] });
const edit = (old_string: string, new_string: string) =>
  call("edit_file", { file_path: "/a.md", old_string, new_string });

/** What the tools of the turn before the last request answered. */
const toolAnswers = (requests: readonly { readonly [key: string]: unknown }[]): readonly string[] => {
  const { messages } = requests.at(-1) as { readonly messages: readonly { role: string; content: unknown }[] };
  const turn = messages.findLastIndex(({ role }) => role === "assistant");
  return messages
    .slice(turn + 1)
    .map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)));
};

const stateWrites: readonly WireRow[] = [
  {
    family: "any",
    behaviour: "several `write_todos` in one message",
    section: "1.5",
    streamed: "both",
    task: "plan",
    replies: [{ toolCalls: [plan("a"), plan("b"), plan("c")] }, { content: "done" }],
    expect: { text: "done", note: "the last plan stands", sent: (all) => expect(toolAnswers(all)).toHaveLength(3) },
  },
  {
    family: "any",
    behaviour: "two `edit_file` of one file in one message, and a read of it",
    section: "1.5",
    streamed: "both",
    task: "edit",
    replies: [
      { toolCalls: [call("write_file", { file_path: "/a.md", content: "one two" })] },
      { toolCalls: [edit("one", "1"), edit("1 two", "1 2"), call("read_file", { file_path: "/a.md" })] },
      { content: "done" },
    ],
    expect: {
      text: "done",
      note: "each call sees what the one before it wrote",
      sent: (all) => expect(toolAnswers(all).at(-1)).toContain("1 2"),
    },
  },
  {
    family: "any",
    behaviour: "an edit that fails between two that do not",
    section: "1.5",
    streamed: "both",
    task: "edit",
    replies: [
      { toolCalls: [call("write_file", { file_path: "/a.md", content: "one two" })] },
      { toolCalls: [edit("one", "1"), edit("one", "I"), edit("two", "2")] },
      { content: "done" },
    ],
    expect: {
      text: "done",
      note: "each call has its own answer",
      sent: (all) =>
        expect(toolAnswers(all)).toEqual([
          "Successfully replaced 1 occurrence(s) in '/a.md'",
          "Error: String not found in file: 'one'",
          "Successfully replaced 1 occurrence(s) in '/a.md'",
        ]),
    },
  },
];

const NOMINAL = { fidelity: 3, certainty: 3 } as const;
const ANOTHER = { fidelity: 1, certainty: 3 } as const;

const named = (
  family: WireRow["family"],
  behaviour: string,
  model: string,
  label: WireRow["expect"]["label"],
  aliases?: string,
): WireRow => ({
  family,
  behaviour,
  section: "1.8",
  streamed: "both",
  replies: [{ ...GOOD, model }],
  ...(aliases === undefined ? {} : { settings: { BULKHEAD_MODEL_ALIASES: aliases } }),
  expect: { text: "a good answer", ...(label === undefined ? {} : { label }) },
});

const names: readonly WireRow[] = [
  named("Azure OpenAI", "a deployment reports its model, which is no alias", "gpt-4o-2024-08-06", ANOTHER),
  named("Azure OpenAI", "a deployment reports its model, an alias", "gpt-4o-2024-08-06", NOMINAL, "gpt-4o-2024-08-06"),
  named("Azure OpenAI", "a deployment reports another model than the alias", "gpt-4o-mini", ANOTHER, "gpt-4o"),
  named("llama.cpp", "the file's path, which is no alias", "/models/qwen3-8b-q4_k_m.gguf", ANOTHER),
  named("llama.cpp", "the file's path, an alias", "/models/qwen3-8b-q4_k_m.gguf", NOMINAL, "x, /models/qwen3-8b-*"),
  named("Gemini (OpenAI-compatible)", "the name behind `models/`", "models/large", NOMINAL),
  named("Gemini (OpenAI-compatible)", "a dated preview, which is no alias", "large-preview-05-20", ANOTHER),
  named("Gemini (OpenAI-compatible)", "a dated preview, an alias", "large-preview-05-20", NOMINAL, "large-preview-*"),
  named("OpenRouter", "the name with `:free`", "vendor/large:free", NOMINAL),
  named("OpenAI", "a dated snapshot", "large-2024-08-06", NOMINAL),
  named("OpenAI", "a smaller sibling", "large-mini", ANOTHER),
];

const RETRIED = { text: "a good answer", requests: 2, label: { fidelity: 3, certainty: 2 } } as const;
const ONE_MB = { BULKHEAD_MAX_BODY_MB: "1" };
const long = "x".repeat(2 ** 20);

const tooMuch: readonly WireRow[] = [
  {
    family: "any",
    behaviour: "a body of more than `BULKHEAD_MAX_BODY_MB`",
    section: "1.9",
    streamed: false,
    settings: ONE_MB,
    replies: [{ content: long }, GOOD],
    expect: RETRIED,
  },
  {
    family: "any",
    behaviour: "a small body that decompresses to more than `BULKHEAD_MAX_BODY_MB`",
    section: "1.9",
    streamed: false,
    settings: ONE_MB,
    replies: [
      {
        headers: { "content-encoding": "gzip" },
        raw: [gzipSync(JSON.stringify(completion({ content: long.repeat(8) })))],
      },
      GOOD,
    ],
    expect: RETRIED,
  },
  {
    family: "any",
    behaviour: "a stream of more than `BULKHEAD_MAX_BODY_MB`, without a word of an answer",
    section: "1.9",
    streamed: true,
    settings: ONE_MB,
    replies: [sse(chunk({ role: "assistant" }), ...[1, 2, 3].map(() => `: ${"x".repeat(400_000)}\n\n`)), GOOD],
    expect: RETRIED,
  },
  {
    family: "any",
    behaviour: "a stream of more than `BULKHEAD_MAX_BODY_MB`, part of which was handed out",
    section: "1.9",
    streamed: true,
    settings: ONE_MB,
    replies: [sse(...Array.from({ length: 6 }, () => chunk({ content: "x".repeat(300_000) })))],
    expect: {
      error: { code: "ANSWER_BROKEN", reason: "bad-response", says: "longer than 1 MB (BULKHEAD_MAX_BODY_MB)" },
    },
  },
  {
    family: "any",
    behaviour: "silence for `BULKHEAD_STREAM_IDLE_MS` in the middle of an answer",
    section: "1.9",
    streamed: true,
    settings: { BULKHEAD_STREAM_IDLE_MS: "5000" },
    replies: [{ ...sse(chunk({ role: "assistant", content: "one " }), chunk({ content: "two" })), stop: "hang" }],
    expect: {
      error: { code: "ANSWER_BROKEN", reason: "timeout", says: "silent for 5000 ms in the middle of its answer" },
    },
  },
  {
    family: "any",
    behaviour: "silence for `BULKHEAD_STREAM_IDLE_MS` before the first word",
    section: "1.9",
    streamed: true,
    settings: { BULKHEAD_STREAM_IDLE_MS: "5000" },
    replies: [{ ...sse(chunk({ role: "assistant", content: "" })), stop: "hang" }, GOOD],
    expect: { text: "a good answer", requests: 2, label: { fidelity: 3, certainty: 1 } },
  },
  {
    family: "any",
    behaviour: "arguments of more than `BULKHEAD_MAX_ARGUMENTS_KB`",
    section: "1.9",
    streamed: "both",
    settings: { BULKHEAD_MAX_ARGUMENTS_KB: "1" },
    replies: [{ toolCalls: [call("look", { id: "x".repeat(1024) })] }, GOOD],
    expect: { ...RETRIED, toolCalls: [] },
  },
  {
    family: "any",
    behaviour: "more calls than `BULKHEAD_MAX_TOOL_CALLS`",
    section: "1.9",
    streamed: "both",
    settings: { BULKHEAD_MAX_TOOL_CALLS: "2" },
    replies: [{ toolCalls: [1, 2, 3].map((id) => call("look", { id: String(id) })) }, GOOD],
    expect: { ...RETRIED, toolCalls: [] },
  },
  {
    family: "any",
    behaviour: "as much of everything as may be",
    section: "1.9",
    streamed: "both",
    settings: { BULKHEAD_MAX_ARGUMENTS_KB: "1", BULKHEAD_MAX_TOOL_CALLS: "1", ...ONE_MB },
    replies: [{ toolCalls: [call("look", { id: "x".repeat(1024 - 9) })] }],
    expect: { toolCalls: [{ name: "look", args: { id: "x".repeat(1024 - 9) } }], label: NOMINAL },
  },
];

const redirect =
  (status: number, to: (elsewhere: string) => string): WireReply =>
  ({ elsewhere }): Reply => ({
    status,
    headers: { location: to(elsewhere) },
    raw: "",
  });

const refused = (behaviour: string, reply: WireReply, says: string): WireRow => ({
  family: "any",
  behaviour,
  section: "1.9",
  streamed: "both",
  replies: [reply],
  fallback: [],
  expect: { error: { code: "INVALID_REQUEST", says } },
});

const path = (elsewhere: string) => `${elsewhere}/chat/completions`;

const redirects: readonly WireRow[] = [
  ...[301, 302, 303, 307, 308].map((status) =>
    refused(
      `a redirect (${status}) to another server`,
      redirect(status, path),
      "another server, and no prompt follows",
    ),
  ),
  refused(
    "a redirect to another scheme of the same host",
    ({ elsewhere }) => ({ status: 308, headers: { location: path(elsewhere).replace("http:", "https:") }, raw: "" }),
    "another server",
  ),
  refused(
    "a redirect that makes the request a GET",
    redirect(302, () => "/v2/chat/completions"),
    "that loses the body of the request",
  ),
  refused(
    "a redirect to no address",
    redirect(307, () => "http://["),
    "to no address",
  ),
  {
    family: "any",
    behaviour: "a redirect (307) to another path of the same server",
    section: "1.9",
    streamed: "both",
    replies: [redirect(307, () => "/v2/chat/completions"), GOOD],
    expect: { text: "a good answer", label: NOMINAL, note: "the same request goes there" },
  },
  {
    family: "any",
    behaviour: "redirects in a circle",
    section: "1.9",
    streamed: "both",
    replies: [1, 2, 3, 4].map(() => redirect(308, () => "/v1/chat/completions")),
    fallback: [],
    expect: { error: { code: "INVALID_REQUEST", says: "once more, after 3" } },
  },
];

export const incoming: readonly WireRow[] = [...stateWrites, ...names, ...tooMuch, ...redirects];
