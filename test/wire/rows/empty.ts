// Answers that ask for something and get nothing, or ask for nothing and say nothing.

import { chunk, completion, GOOD, json, sse, type WireReply, type WireRow } from "../row.js";

const DONE = { content: "done" };

/** A whole answer, or a stream of it. */
const answer =
  (message: object, finishReason: string | null): WireReply =>
  ({ streamed }) =>
    streamed
      ? sse(chunk({ role: "assistant", ...message }), chunk({}, finishReason), "data: [DONE]\n\n")
      : json(completion(message, finishReason));

const useless = (
  family: WireRow["family"],
  behaviour: string,
  reply: WireReply,
  says: string,
  more: Partial<WireRow> = {},
): readonly WireRow[] => [
  {
    ...{ family, behaviour: `${behaviour}, once`, section: "1.4", streamed: "both" },
    replies: [reply, GOOD],
    expect: { text: "a good answer", label: { certainty: 2 } },
    ...more,
  },
  {
    ...{ family, behaviour, section: "1.4", streamed: "both", replies: [reply, reply], task: "tag it" },
    expect: { error: { code: "ROUTES_EXHAUSTED", reason: "bad-response", says }, ran: [] },
  },
];

/** What a planner does about an answer that breaks when part of it was streamed. */
const brokenAfterText = (
  behaviour: string,
  reply: WireReply,
  reason: "truncated" | "bad-response",
  certainty: 1 | 2,
): readonly WireRow[] => {
  const row = { family: "any", section: "1.4", streamed: true, task: "tag it" } as const;
  return [
    {
      ...{ ...row, behaviour: `${behaviour}, once`, replies: [reply, DONE] },
      expect: { text: "done", label: { certainty }, note: "the planner asks once more" },
    },
    {
      ...{ ...row, behaviour, replies: [reply, reply] },
      expect: { error: { code: "ANSWER_BROKEN", reason, says: "part of it was streamed already" }, ran: [] },
    },
  ];
};

const NOTHING = "it says nothing and calls no tool";
const written = (text: string): WireReply => answer({ content: text }, "stop");

export const empty: readonly WireRow[] = [
  ...useless("vLLM", "finish reason tool_calls and no calls", answer({ content: "" }, "tool_calls"), "calls none"),
  ...useless(
    "any",
    "finish reason tool_calls, text and no calls",
    answer({ content: "I will." }, "tool_calls"),
    "calls none",
    {
      streamed: false,
    },
  ).filter(({ streamed }) => streamed === false),
  ...useless("OpenRouter", "neither text nor calls", answer({ content: "" }, "stop"), NOTHING),
  ...useless("any", "white space only", answer({ content: " \n\n" }, "stop"), NOTHING),
  ...useless(
    "DeepSeek",
    "reasoning and nothing else",
    answer({ content: "", reasoning_content: "Hm." }, "stop"),
    NOTHING,
  ),
  ...useless(
    "Gemini (OpenAI-compatible)",
    "all tokens spent on reasoning",
    answer({ content: null }, "length"),
    NOTHING,
  ),
  ...useless(
    "Azure OpenAI",
    "a content filter that leaves nothing",
    answer({ content: "" }, "content_filter"),
    NOTHING,
  ),
  ...useless("any", "an empty list of calls", answer({ content: "", tool_calls: [] }, "stop"), NOTHING),
  ...useless(
    "any",
    "a call without a name",
    answer({ tool_calls: [{ index: 0, id: "c1", function: { arguments: "{}" } }] }, "tool_calls"),
    "without a name",
  ),
  ...useless(
    "any",
    "arguments that are a list",
    answer({ tool_calls: [{ index: 0, id: "c1", function: { name: "tag", arguments: "[1]" } }] }, "tool_calls"),
    "are not a JSON object",
  ),
  {
    ...{ family: "vLLM", behaviour: "a tool call that its parser left in the text", section: "1.4", streamed: false },
    replies: [
      written('<tool_call>\n{"name": "erase", "arguments": {"id": "a"}}\n</tool_call>'),
      written('<tool_call>\n{"name": "erase", "arguments": {"id": "a"}}\n</tool_call>'),
    ],
    task: "erase a",
    expect: { error: { reason: "bad-response", says: "it calls erase in its text" }, ran: [] },
  },
  {
    ...{ family: "any", behaviour: "text that only speaks of tool calls", section: "1.4", streamed: "both" },
    replies: [written("A model writes <tool_call> before a call.")],
    task: "how do models call tools?",
    expect: { text: "A model writes <tool_call> before a call." },
  },
  ...[undefined, "", "{}", "null", null, {}].map(
    (args, index): WireRow => ({
      family: "any",
      behaviour: `no arguments, written as ${["nothing", "empty text", "{}", "null", "a null", "an object"][index]}`,
      section: "1.4",
      streamed: "both",
      task: "read it",
      replies: [
        answer(
          { tool_calls: [{ index: 0, id: "c1", function: { name: "undeclared", arguments: args } }] },
          "tool_calls",
        ),
        DONE,
      ],
      expect: { text: "done", ran: [] },
    }),
  ),
  {
    ...{ family: "any", behaviour: "a first delta without a role", section: "1.4", streamed: true, task: "tag it" },
    replies: [
      sse(
        chunk({ tool_calls: [{ index: 0, id: "c1", function: { name: "tag", arguments: "" } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{"id":"a"}' } }] }),
        chunk({}, "tool_calls"),
      ),
      sse(chunk({ content: "do" }), chunk({ content: "ne" }), chunk({}, "stop")),
    ],
    expect: { text: "done", ran: ['tag {"id":"a"}'] },
  },
  {
    ...{ family: "any", behaviour: "a message without a role", section: "1.4", streamed: false },
    replies: [json({ ...completion({}), choices: [{ message: { content: "done" }, finish_reason: "stop" }] })],
    expect: { text: "done" },
  },
  {
    ...{ family: "any", behaviour: "a last event without a delta", section: "1.4", streamed: true },
    replies: [sse(chunk({ content: "done" }), { ...chunk({}), choices: [{ index: 0, finish_reason: "stop" }] })],
    expect: { text: "done", label: { fidelity: 3 } },
  },
  {
    ...{ family: "OpenAI", behaviour: "a refusal in place of the text", section: "1.4", streamed: "both" },
    replies: [answer({ content: null, refusal: "I cannot." }, "stop")],
    expect: { text: "I cannot." },
  },
  {
    ...{
      family: "Mistral",
      behaviour: "the text in parts, with the thinking before it",
      section: "1.4",
      streamed: "both",
    },
    replies: [
      answer(
        {
          content: [
            { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
            { type: "text", text: "done" },
          ],
        },
        "stop",
      ),
    ],
    expect: { text: "done" },
  },
  ...brokenAfterText("a stream that stops after its first words", sse(chunk({ content: "I will " })), "truncated", 1),
  ...brokenAfterText(
    "text, and then a call that cannot be read",
    sse(
      chunk({ content: "I will " }),
      chunk({ tool_calls: [{ index: 0, id: "c1", function: { name: "erase", arguments: '{"id":' } }] }),
      chunk({}, "tool_calls"),
    ),
    "bad-response",
    2,
  ),
  {
    ...{ family: "Together", behaviour: "finish reason eos", section: "1.4", streamed: "both" },
    replies: [answer({ content: "done" }, "eos")],
    expect: { text: "done", label: { fidelity: 3 } },
  },
];
