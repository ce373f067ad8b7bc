// Errors that come with status 200: as an event of the stream, in whatever form, or as the whole body. Each is the failure
// that it says it is. Before anything was handed out the call is made again; after it, it ends.

import { chunk, completion, failure, GOOD, json, sse, type WireReply, type WireRow } from "../row.js";

const FIRST = chunk({ role: "assistant", content: "" });
const WORD = chunk({ role: "assistant", content: "The answer " });
const CUT: WireReply = { toolCalls: [{ name: "erase", args: '{"id":"a"}' }], finishReason: "max_output" };
const OVERLOADED = { error: { message: "The engine is overloaded", type: "overloaded_error", code: null } };

const row = (
  family: WireRow["family"],
  behaviour: string,
  streamed: WireRow["streamed"],
  replies: readonly WireReply[],
  expect: WireRow["expect"],
): WireRow => ({ family, behaviour, section: "1.6", streamed, replies, expect });

const ANSWERED = { text: "a good answer", label: { fidelity: 3, certainty: 2 } } as const;
const paused = (ms: number | "guess") => ({ ...ANSWERED, pauses: [ms], label: { fidelity: 3, certainty: 3 } }) as const;

export const events: readonly WireRow[] = [
  row(
    "vLLM",
    '429 as the first event: `data: {"error": {…, "code": 429}}`',
    true,
    [sse(FIRST, { error: { message: "slow down, try again in 2.5s", type: "TooManyRequests", code: 429 } }), GOOD],
    paused(2500),
  ),
  row(
    "LiteLLM",
    "429 as an event, its code a text",
    true,
    [sse({ error: { message: "litellm.RateLimitError", type: "None", param: "None", code: "429" } }), GOOD],
    paused("guess"),
  ),
  row(
    "vLLM",
    "500 as an event in three answers running",
    true,
    Array.from({ length: 3 }, () =>
      sse(FIRST, { error: { message: "worker died", type: "InternalServerError", code: 500 } }),
    ),
    { breaker: "open", error: { code: "ROUTES_EXHAUSTED", reason: "server-error", says: "worker died" } },
  ),
  row(
    "vLLM",
    "an event of the older form: `{object: error, message, code}`",
    true,
    [sse(FIRST, { object: "error", message: "out of memory", type: "InternalServerError", code: 500 }), GOOD],
    ANSWERED,
  ),
  row(
    "llama.cpp",
    "an error in a field of its own: `error: {…}`",
    true,
    [sse(FIRST, 'error: {"code":503,"message":"Loading model","type":"unavailable_error"}\n\n'), GOOD],
    ANSWERED,
  ),
  row(
    "any",
    "`event: error` with plain text",
    true,
    [sse(FIRST, "event: error\ndata: upstream 502, try later\n\n"), GOOD],
    ANSWERED,
  ),
  row(
    "any",
    "`event: error` without an `error` in its JSON",
    true,
    [sse(FIRST, 'event: error\r\ndata: {"message":"rate limit exceeded",\r\ndata: "retry_after":4}\r\n\r\n'), GOOD],
    paused(4000),
  ),
  row(
    "any",
    "JSON in the middle of a stream, without `data:`",
    true,
    [sse(FIRST, JSON.stringify(OVERLOADED)), GOOD],
    ANSWERED,
  ),
  row(
    "any",
    "an error event that arrives a byte at a time",
    true,
    [
      sse(
        ...(`data: ${JSON.stringify({ error: { message: "größer", code: 429, retry_after_ms: 0 } })}\n\n`.match(
          /./gsu,
        ) ?? []),
      ),
      GOOD,
    ],
    paused("guess"),
  ),
  row(
    "any",
    "the words of an error in the text of an answer",
    true,
    [
      sse(
        chunk({ role: "assistant", content: '{"error":{"code":429}} event: error\n\n' }),
        chunk({}, "stop"),
        "data: [DONE]\n\n",
      ),
    ],
    { text: '{"error":{"code":429}} event: error\n\n' },
  ),
  row(
    "OpenRouter",
    "an error event after the first words",
    true,
    [
      sse(WORD, {
        ...chunk({ content: "" }, "error"),
        error: { code: 502, message: "Provider disconnected unexpectedly" },
      }),
    ],
    { error: { code: "ANSWER_BROKEN", reason: "server-error", says: "Provider disconnected unexpectedly" } },
  ),
  row(
    "any",
    "429 as an event after the first words",
    true,
    [sse(WORD, { error: { message: "too fast, retry in 9s", code: 429 } })],
    {
      error: { code: "ANSWER_BROKEN", reason: "rate-limit", says: "too fast" },
      paused: true,
      note: "the quota pauses for the next call",
    },
  ),
  row(
    "OpenRouter",
    "200 with `{error: {code: 429}}`",
    false,
    [
      json({ error: { message: "Provider returned error", code: 429, metadata: { headers: { "retry-after": "2" } } } }),
      GOOD,
    ],
    paused(2000),
  ),
  row(
    "OpenRouter",
    "200 whose choice is an error of the provider behind it",
    false,
    [
      json({
        ...completion({ content: "" }, "error"),
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: "" },
            finish_reason: "error",
            error: { code: 502, message: "Upstream idle timeout exceeded" },
          },
        ],
      }),
      GOOD,
    ],
    ANSWERED,
  ),
  row(
    "any",
    "200 with `{error: text}`, until nobody asks again",
    "both",
    Array.from({ length: 3 }, () => json({ error: "the graphics card fell off the bus" })),
    { breaker: "open", error: { code: "ROUTES_EXHAUSTED", says: "the graphics card fell off the bus" } },
  ),
  row(
    "any",
    "200 with the page of a proxy",
    "both",
    Array.from({ length: 3 }, () => ({
      headers: { "content-type": "text/html" },
      raw: "<!doctype html><title>Sign in</title><style>a { }</style><p>to the network",
    })),
    { breaker: "open", error: { code: "ROUTES_EXHAUSTED", says: "Sign in to the network" } },
  ),
  row(
    "any",
    "an error event in a stream whose content type is missing",
    true,
    [{ ...sse(FIRST, { error: { message: "again", code: 500 } }), headers: { "content-type": "" } }, GOOD],
    ANSWERED,
  ),
  row(
    "any",
    "200 with an empty `error` beside an answer",
    false,
    [json(completion({ content: "fine" }, "stop", { error: null }))],
    {
      text: "fine",
    },
  ),
  row(
    "any",
    "a stream was asked for, a JSON error with status 200 comes",
    true,
    [failure(200, OVERLOADED), GOOD],
    ANSWERED,
  ),
  row(
    "any",
    "`finish_reason: error` and no word why",
    "both",
    [
      ({ streamed }) =>
        streamed ? sse(FIRST, chunk({}, "error"), "data: [DONE]\n\n") : json(completion({ content: "" }, "error")),
      GOOD,
    ],
    { text: "a good answer", label: { certainty: 2 } },
  ),
  row(
    "DeepSeek",
    "`finish_reason: insufficient_system_resource` after words",
    true,
    [sse(WORD, chunk({}, "insufficient_system_resource"), "data: [DONE]\n\n")],
    { error: { code: "ANSWER_BROKEN", reason: "bad-response", says: "insufficient_system_resource" } },
  ),
  row(
    "Gemini (OpenAI-compatible)",
    "`finish_reason: function_call_filter: MALFORMED_FUNCTION_CALL`",
    false,
    [json(completion({ content: "" }, "function_call_filter: MALFORMED_FUNCTION_CALL")), GOOD],
    { text: "a good answer" },
  ),
  row("any", "a call of a tool under a finish reason that nobody knows", "both", [CUT, CUT], {
    error: { code: "ROUTES_EXHAUSTED", reason: "bad-response", says: "it was cut (max_output) in its call of erase" },
  }),
];
