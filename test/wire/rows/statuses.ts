// Statuses and bodies of every shape: what is repeated, what is fatal, and that the server's own words survive.

import { failure, GOOD, openAIError, type WireReply, type WireRow } from "../row.js";

/** Repeated, and answered then. */
const passes = (family: WireRow["family"], behaviour: string, reply: WireReply): WireRow => ({
  family,
  behaviour,
  section: "1.6",
  streamed: "both",
  replies: [reply, GOOD],
  fallback: [],
  expect: { text: "a good answer", label: { fidelity: 3, certainty: 2 } },
});

/** Fails at once: neither repeated nor hidden by the fallback. */
const fatal = (
  family: WireRow["family"],
  behaviour: string,
  reply: WireReply,
  code: "AUTHENTICATION" | "INVALID_REQUEST",
  says: string,
): WireRow => ({
  family,
  behaviour,
  section: "1.6",
  streamed: "both",
  replies: [reply],
  fallback: [],
  expect: { error: { code, says } },
});

/** The words of a body that fails three times. */
const says = (family: WireRow["family"], behaviour: string, reply: WireReply, words: string): WireRow => ({
  family,
  behaviour,
  section: "1.6",
  streamed: false,
  replies: [reply, reply, reply],
  expect: { breaker: "open", error: { code: "ROUTES_EXHAUSTED", says: words } },
});

const LONG = "x".repeat(3_000_000);

export const statuses: readonly WireRow[] = [
  passes(
    "Anthropic (OpenAI-compatible)",
    "529",
    failure(529, { error: { type: "overloaded_error", message: "Overloaded" } }),
  ),
  passes("any", "500 with `overloaded_error`", failure(500, openAIError("Overloaded", null, "overloaded_error"))),
  passes(
    "Gemini (OpenAI-compatible)",
    "503 in an array, `The model is overloaded`",
    failure(503, [{ error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }]),
  ),
  passes(
    "llama.cpp",
    "503 `Loading model`",
    failure(503, { error: { code: 503, message: "Loading model", type: "unavailable_error" } }),
  ),
  passes("Groq", "498: at capacity", failure(498, openAIError("Flex tier capacity exceeded", "capacity_exceeded"))),
  passes("Cloudflare", "524 in HTML", failure(524, "<!DOCTYPE html><title>524: A timeout occurred</title>")),
  passes("any", "503 `no healthy upstream`", failure(503, "no healthy upstream")),
  passes("any", "408", failure(408, { error: { message: "Request timed out", code: 408 } })),
  passes("OpenAI", "409, a conflict", failure(409, openAIError("The request conflicted with another one"))),
  passes("any", "502 with an empty body", { status: 502, raw: [] }),
  fatal(
    "OpenAI",
    "401",
    failure(401, openAIError("Incorrect API key provided: sk-1.", "invalid_api_key")),
    "AUTHENTICATION",
    "Incorrect API key provided",
  ),
  fatal(
    "any",
    "401 in HTML",
    failure(401, "<html><body><h1>Sign in</h1> to the gateway</body></html>"),
    "AUTHENTICATION",
    "Sign in to the gateway",
  ),
  fatal(
    "Gemini (OpenAI-compatible)",
    "400 in an array, `API key not valid`",
    failure(400, [
      {
        error: {
          code: 400,
          message: "API key not valid. Please pass a valid API key.",
          status: "INVALID_ARGUMENT",
          details: [{ reason: "API_KEY_INVALID" }],
        },
      },
    ]),
    "AUTHENTICATION",
    "API key not valid",
  ),
  fatal(
    "any",
    "403",
    failure(403, { error: "this key may not use large" }),
    "AUTHENTICATION",
    "this key may not use large",
  ),
  fatal(
    "OpenRouter",
    "403: the input was flagged",
    failure(403, {
      error: {
        code: 403,
        message: "Your chosen model requires moderation and your input was flagged",
        metadata: { reasons: ["violence"] },
      },
    }),
    "INVALID_REQUEST",
    "your input was flagged",
  ),
  fatal(
    "Azure OpenAI",
    "400 `content_filter`",
    failure(400, {
      error: {
        code: "content_filter",
        message: "The response was filtered",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    }),
    "INVALID_REQUEST",
    "The response was filtered",
  ),
  fatal(
    "OpenAI",
    "404 `model_not_found`",
    failure(404, openAIError("The model `large` does not exist", "model_not_found")),
    "INVALID_REQUEST",
    "The model `large` does not exist",
  ),
  fatal(
    "Ollama",
    "404 `{error: {message: model not found, try pulling it}}`",
    failure(404, { error: { message: 'model "large" not found, try pulling it first', type: "not_found_error" } }),
    "INVALID_REQUEST",
    "try pulling it first",
  ),
  fatal(
    "any",
    "422 in FastAPI's `detail`",
    failure(422, { detail: [{ loc: ["body", "tools", 0], msg: "Field required", type: "missing" }] }),
    "INVALID_REQUEST",
    "Field required",
  ),
  fatal(
    "any",
    "400 `{errors: [{message}]}`",
    failure(400, { success: false, errors: [{ code: 7003, message: "No route for that URI" }] }),
    "INVALID_REQUEST",
    "No route for that URI",
  ),
  says("any", "500 in prose", failure(500, "Internal Server Error: CUDA out of memory"), "CUDA out of memory"),
  says("any", "500 `{detail: text}`", failure(500, { detail: "the scheduler died" }), "the scheduler died"),
  says(
    "any",
    "500 with a body of three megabytes",
    failure(500, { error: { message: `it begins ${LONG}` } }),
    "it begins xxx",
  ),
  ...[
    "1 validation error: 'input': 'the credit balance of customer 7 is too low'",
    "1 validation error: 'input': 'we get too many requests from ann'",
    "Invalid schema for function 'x': 'throttled' is not one of 'a', 'b'",
  ].map(
    (words, n): WireRow => ({
      ...{
        family: "vLLM",
        behaviour: `400 that quotes what a user wrote (${n + 1})`,
        section: "1.6",
        streamed: "both",
      },
      replies: [failure(400, { object: "error", message: words, type: "BadRequestError", code: 400 })],
      expect: { error: { code: "INVALID_REQUEST", says: words.slice(0, 18) } },
    }),
  ),
];
