// Too long: for the model's context, or for the whole quota of a minute. Whatever the status and the wording, the larger
// route is asked, or the error says what is wrong. Nobody is paused for it.

import { failure, GOOD, openAIError, sse, type WireReply, type WireRow } from "../row.js";

/** With a fallback that is known to take more: it answers. */
const larger = (family: WireRow["family"], behaviour: string, reply: WireReply): WireRow => ({
  family,
  behaviour,
  section: "1.6",
  streamed: "both",
  replies: [reply],
  fallback: [GOOD],
  settings: { BULKHEAD_CONTEXT_TOKENS: "8192", BULKHEAD_FALLBACK_CONTEXT_TOKENS: "131072" },
  expect: { route: "fallback", text: "a good answer", label: { fidelity: 1, certainty: 2 } },
});

const refused = (says: string, fallbackRequests = 0): WireRow["expect"] => ({
  error: { code: "CONTEXT_LENGTH", says },
  fallbackRequests,
});

const LLAMA = "the request exceeds the available context size. try increasing the context size";

export const overflow: readonly WireRow[] = [
  larger(
    "OpenAI",
    "400 `context_length_exceeded`",
    failure(400, openAIError("Your input exceeds the context window of this model.", "context_length_exceeded")),
  ),
  larger(
    "llama.cpp",
    "500 `exceed_context_size_error`",
    failure(500, {
      error: { code: 500, message: LLAMA, type: "exceed_context_size_error", n_prompt_tokens: 1407, n_ctx: 256 },
    }),
  ),
  larger(
    "llama.cpp",
    "200 with `{error: {type: exceed_context_size_error}}`",
    failure(200, { error: { code: 400, message: LLAMA, type: "exceed_context_size_error" } }),
  ),
  larger(
    "vLLM",
    "400 `This model's maximum context length is …`, type `BadRequestError`",
    failure(400, {
      object: "error",
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: "BadRequestError",
      param: null,
      code: 400,
    }),
  ),
  larger(
    "vLLM",
    "400 `longer than the maximum model length`",
    failure(
      400,
      openAIError(
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        400,
        "BadRequestError",
      ),
    ),
  ),
  larger(
    "SGLang",
    "400 `longer than the model's context length`",
    failure(400, {
      object: "error",
      message: "The input (12345 tokens) is longer than the model's context length (8192 tokens).",
      type: "BadRequestError",
      code: 400,
    }),
  ),
  larger(
    "Gemini (OpenAI-compatible)",
    "400 in an array, `The input token count (…) exceeds the maximum`",
    failure(400, [
      {
        error: {
          code: 400,
          message: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
          status: "INVALID_ARGUMENT",
        },
      },
    ]),
  ),
  larger(
    "Anthropic (OpenAI-compatible)",
    "400 `prompt is too long: … tokens > … maximum`",
    failure(400, {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 213462 tokens > 200000 maximum" },
    }),
  ),
  larger(
    "Mistral",
    "400 `too large for model with … maximum context length`",
    failure(400, {
      object: "error",
      message: "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
      type: "invalid_request_prompt",
      code: "3051",
    }),
  ),
  larger(
    "Ollama",
    "400 `input length exceeds the context length`",
    failure(400, { error: "input length exceeds the context length" }),
  ),
  larger(
    "LM Studio",
    "500 `context length of only …`",
    failure(500, {
      error:
        "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
    }),
  ),
  larger(
    "Bedrock (gateway)",
    "422 in FastAPI's `detail`: `Input is too long for requested model`",
    failure(422, { detail: [{ loc: ["body"], msg: "Input is too long for requested model.", type: "value_error" }] }),
  ),
  larger(
    "LiteLLM",
    "400 `ContextWindowExceededError` in the message",
    failure(400, openAIError("litellm.ContextWindowExceededError: BadRequestError: too long", "400", null)),
  ),
  larger(
    "OpenRouter",
    "an event of the stream, or the body of a 200: `This endpoint's maximum context length is …`",
    ({ streamed }) => {
      const error = { code: 400, message: "This endpoint's maximum context length is 8192 tokens." };
      return streamed ? sse({ error }) : failure(200, { error });
    },
  ),
  larger(
    "GitHub Models",
    "413 `tokens_limit_reached`",
    failure(413, {
      error: {
        code: "tokens_limit_reached",
        message: "Request body too large for gpt-4o model. Max size: 8000 tokens.",
      },
    }),
  ),
  larger(
    "OpenAI",
    "429 `Request too large … Limit 30000, Requested 45000`: more than the quota of a whole minute",
    failure(
      429,
      openAIError(
        "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45000. The input or output tokens must be reduced.",
        "rate_limit_exceeded",
        "tokens",
      ),
    ),
  ),
  {
    family: "Groq",
    behaviour: "413 `Request too large … Limit 6000, Requested 14368`, without a fallback",
    section: "1.6",
    streamed: "both",
    replies: [
      failure(
        413,
        openAIError(
          "Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 14368, please reduce your message size and try again.",
          "rate_limit_exceeded",
          "tokens",
        ),
      ),
    ],
    expect: refused("Limit 6000, Requested 14368"),
  },
  {
    ...larger("any", "too long, and the fallback is known to take no more", failure(413, "<h1>too large</h1>")),
    fallback: [],
    settings: { BULKHEAD_CONTEXT_TOKENS: "8192", BULKHEAD_FALLBACK_CONTEXT_TOKENS: "8192" },
    expect: refused("too large"),
  },
  {
    ...larger("any", "too long, and nobody said what either takes", failure(400, openAIError("prompt is too long"))),
    settings: {},
  },
  {
    ...larger("any", "too long for both", failure(400, openAIError("prompt is too long"))),
    settings: {},
    fallback: [failure(400, openAIError("input is too long"))],
    expect: refused("input is too long", 1),
  },
  {
    family: "OpenAI",
    behaviour: "400 `max_tokens is too large`: a wrong request and not a long one",
    section: "1.6",
    streamed: "both",
    replies: [
      failure(
        400,
        openAIError(
          "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
          "invalid_value",
        ),
      ),
    ],
    fallback: [],
    expect: { error: { code: "INVALID_REQUEST", says: "max_tokens is too large" } },
  },
  {
    family: "OpenAI",
    behaviour: "400 `string too long` for the id of a call: no fallback hides it",
    section: "1.6",
    streamed: "both",
    replies: [
      failure(
        400,
        openAIError(
          "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40.",
          "string_above_max_length",
        ),
      ),
    ],
    fallback: [],
    expect: { error: { code: "INVALID_REQUEST", says: "string too long" } },
  },
];
