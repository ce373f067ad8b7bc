// What a server sends with an answer and wants to see again: it goes back to that server, unchanged, and to no other.

import { expect } from "vitest";
import type { Reply, SeenRequest } from "../../capacity/openai-server.js";
import { chunk, completion, failure, json, openAIError, sse, type WireReply, type WireRow } from "../row.js";

type Json = Readonly<Record<string, unknown>>;

const DONE: Reply = { content: "done" };
const RAN = 'tag {"id":"a"}';

/** An answer that calls `tag`. */
const calling =
  (message: object, call: object = {}): WireReply =>
  ({ streamed }) => {
    const made = {
      index: 0,
      id: "call_1",
      type: "function",
      function: { name: "tag", arguments: '{"id":"a"}' },
      ...call,
    };
    const whole = { content: null, ...message, tool_calls: [made] };
    return streamed
      ? sse(chunk({ role: "assistant", ...message }), chunk({ tool_calls: [made] }), chunk({}, "tool_calls"))
      : json(completion(whole, "tool_calls"));
  };

/** The assistant's message in the second request, and the tool's answer behind it. */
const returned = (requests: readonly SeenRequest["body"][], at = 1): { readonly sent: Json; readonly answer: Json } => {
  const messages = requests[at]?.["messages"] as readonly Json[];
  return { sent: messages.at(-2) ?? {}, answer: messages.at(-1) ?? {} };
};

const returns = (
  family: WireRow["family"],
  behaviour: string,
  reply: WireReply,
  sent: WireRow["expect"]["sent"],
  more: Partial<WireRow> = {},
): WireRow => ({
  ...{ family, behaviour, section: "1.7", streamed: "both", task: "tag it", replies: [reply, DONE] },
  expect: { text: "done", ran: [RAN], ...(sent === undefined ? {} : { sent }) },
  ...more,
});

const callIn = ({ sent }: ReturnType<typeof returned>): Json => (sent["tool_calls"] as readonly Json[])[0] ?? {};

const SIGNED = { extra_content: { google: { thought_signature: "c2lnbmVk" } } };
const DETAILS = [
  { type: "reasoning.text", text: "Hm, ", index: 0, format: "x-1" },
  { type: "reasoning.text", text: "tag.", index: 0, format: "x-1", signature: "s" },
  { type: "reasoning.encrypted", data: "AAAA", index: 1 },
];
const WHOLE_DETAILS = [
  { type: "reasoning.text", text: "Hm, tag.", index: 0, format: "x-1", signature: "s" },
  { type: "reasoning.encrypted", data: "AAAA", index: 1 },
];
const PARTS = [
  { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
  { type: "text", text: "I tag it." },
];

export const back: readonly WireRow[] = [
  returns(
    "DeepSeek",
    "reasoning_content with a call",
    calling({ reasoning_content: "I should tag it." }),
    (requests) => {
      expect(returned(requests).sent).toMatchObject({ reasoning_content: "I should tag it." });
    },
  ),
  returns("vLLM", "reasoning with a call", calling({ reasoning: "I should tag it." }), (requests) => {
    expect(returned(requests).sent).toMatchObject({ reasoning: "I should tag it." });
  }),
  returns("Gemini (OpenAI-compatible)", "a thought signature on a call", calling({}, SIGNED), (requests) => {
    expect(callIn(returned(requests))).toMatchObject(SIGNED);
  }),
  returns("Gemini (OpenAI-compatible)", "a thought signature on the message", calling(SIGNED), (requests) => {
    expect(returned(requests).sent).toMatchObject(SIGNED);
  }),
  returns(
    "OpenRouter",
    "reasoning_details, in fragments",
    calling({ reasoning_details: DETAILS.slice(0, 1) }, {}),
    undefined,
    {
      streamed: true,
      replies: [
        ({ streamed }) =>
          streamed
            ? sse(
                ...DETAILS.map((entry) => chunk({ role: "assistant", reasoning_details: [entry] })),
                chunk({ tool_calls: [{ index: 0, id: "c1", function: { name: "tag", arguments: '{"id":"a"}' } }] }),
                chunk({}, "tool_calls"),
              )
            : DONE,
        DONE,
      ],
      expect: {
        text: "done",
        ran: [RAN],
        sent: (requests) => expect(returned(requests).sent["reasoning_details"]).toEqual(WHOLE_DETAILS),
      },
    },
  ),
  returns("OpenRouter", "reasoning_details, whole", calling({ reasoning_details: WHOLE_DETAILS }), (requests) => {
    expect(returned(requests).sent["reasoning_details"]).toEqual(WHOLE_DETAILS);
  }),
  ...["functions.tag:0", "call_9f__thought__CtcBAVSoXO4="].map((id) =>
    returns("LiteLLM", `an id that carries something: ${id.slice(0, 15)}`, calling({}, { id }), (requests) => {
      const { sent, answer } = returned(requests);
      expect(callIn({ sent, answer })).toMatchObject({ id });
      expect(answer).toMatchObject({ role: "tool", tool_call_id: id });
    }),
  ),
  returns("any", "a plain id: the harness's own goes back in its place", calling({}, { id: "call_1" }), (requests) => {
    const { sent, answer } = returned(requests);
    expect(answer["tool_call_id"]).toMatch(/^[a-z0-9]{9}$/);
    expect(callIn({ sent, answer })["id"]).toBe(answer["tool_call_id"]);
  }),
  returns("any", "a call with content null: it goes back as null", calling({ content: null }), (requests) => {
    expect(returned(requests).sent["content"]).toBeNull();
  }),
  returns("any", "a call with empty content: it goes back as empty text", calling({ content: "" }), (requests) => {
    expect(returned(requests).sent["content"]).toBe("");
  }),
  returns("Mistral", "content in parts: it goes back in parts", calling({ content: PARTS }), (requests) => {
    expect(returned(requests).sent["content"]).toEqual(PARTS);
  }),
  returns(
    "Groq",
    "refuses fields that it sent: BULKHEAD_RETURN_FIELDS=off",
    calling({ reasoning: "Hm." }, SIGNED),
    (requests) => {
      expect(Object.keys(returned(requests).sent).sort()).toEqual(["content", "role", "tool_calls"]);
      expect(Object.keys(callIn(returned(requests))).sort()).toEqual(["function", "id", "type"]);
    },
    { settings: { BULKHEAD_RETURN_FIELDS: "off" } },
  ),
  ...(
    [
      [
        "OpenAI",
        "temperature",
        "Unsupported value: 'temperature' does not support 0 with this model.",
        "BULKHEAD_TEMPERATURE=none",
      ],
      ["Mistral", "logprobs", "Extra inputs are not permitted: logprobs", "BULKHEAD_LOGPROBS=off"],
      ["Groq", "a field that it sent", "property 'reasoning_content' is unsupported", "BULKHEAD_RETURN_FIELDS=off"],
    ] as const
  ).map(
    ([family, what, words, setting]): WireRow => ({
      ...{ family, behaviour: `400 for ${what}: the message names the setting`, section: "1.7", streamed: "both" },
      replies: [failure(400, openAIError(words, "unsupported_value"))],
      expect: { error: { code: "INVALID_REQUEST", says: setting } },
    }),
  ),
  {
    ...{
      family: "DeepSeek",
      behaviour: "reasoning, and the fallback answers the next turn",
      section: "1.7",
      streamed: "both",
    },
    task: "tag it",
    replies: [calling({ reasoning_content: "Hm." }, { ...SIGNED, id: "functions.tag:0" }), { status: 402 }],
    fallback: [DONE],
    settings: { BULKHEAD_ADMISSION: "availability-first" },
    expect: {
      text: "done",
      ran: [RAN],
      sent: (_requests, fallback) => {
        expect(Object.keys(returned(fallback, 0).sent).sort()).toEqual(["content", "role", "tool_calls"]);
        expect(returned(fallback, 0).answer["tool_call_id"]).toMatch(/^[a-z0-9]{9}$/);
      },
      note: "nothing of it goes to another server",
    },
  },
];
