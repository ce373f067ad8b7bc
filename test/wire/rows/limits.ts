// Too fast, or nothing left: the two that are easily taken for each other, and how long to wait.

import { failure, GOOD, openAIError, type WireRow } from "../row.js";

const PER_MINUTE =
  "Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.";
const EXHAUSTED = openAIError("You exceeded your current quota, please check your plan and billing details.");

/** Google's own form, in an array. */
const google = (error: object) => [{ error }];

const again = { replies: [GOOD], section: "1.6", streamed: "both" } as const;
const refusedOnce = (reply: WireRow["replies"][number]) => ({ ...again, replies: [reply, GOOD] });

export const limits: readonly WireRow[] = [
  {
    family: "Groq",
    behaviour: "429 for tokens a minute that links to the billing page, `Please try again in 4.77s`",
    ...refusedOnce(
      failure(
        429,
        openAIError(
          `${PER_MINUTE} Please try again in 4.77s. Need more tokens? Upgrade at https://console.groq.com/settings/billing`,
          "rate_limit_exceeded",
          "tokens",
        ),
      ),
    ),
    fallback: [],
    expect: { pauses: [4770], text: "a good answer", label: { fidelity: 3, certainty: 3 } },
  },
  {
    family: "OpenAI",
    behaviour: "429 for requests a day, `Please try again in 1m26.4s`",
    ...refusedOnce(
      failure(
        429,
        openAIError("Rate limit reached on requests per day. Please try again in 1m26.4s.", null, "requests"),
      ),
    ),
    settings: { BULKHEAD_MAX_WAIT_MS: "100000" },
    expect: { pauses: [86_400], text: "a good answer" },
  },
  {
    family: "OpenAI",
    behaviour: "429 with `x-ratelimit-reset-requests: 6m0s` and no other hint: that is when the quota is full again",
    ...refusedOnce(
      failure(429, openAIError("Rate limit reached", "rate_limit_exceeded", "requests"), {
        "x-ratelimit-reset-requests": "6m0s",
      }),
    ),
    expect: { pauses: ["guess"], text: "a good answer" },
  },
  {
    family: "OpenAI",
    behaviour: "429 `insufficient_quota`, with the hint of a proxy",
    ...again,
    replies: [
      failure(
        429,
        { error: { ...EXHAUSTED.error, type: "insufficient_quota", code: "insufficient_quota" } },
        { "retry-after": "20" },
      ),
    ],
    expect: { error: { code: "QUOTA_EXHAUSTED", says: "You exceeded your current quota" } },
  },
  {
    family: "OpenAI",
    behaviour: "429 `billing_hard_limit_reached`, with a fallback",
    ...again,
    replies: [failure(429, openAIError("Billing hard limit has been reached", "billing_hard_limit_reached"))],
    fallback: [GOOD],
    expect: { route: "fallback", text: "a good answer", label: { fidelity: 1 } },
  },
  {
    family: "any",
    behaviour: "429 whose prose alone says that the account is empty",
    ...again,
    replies: [failure(429, EXHAUSTED)],
    expect: { error: { code: "QUOTA_EXHAUSTED", says: "check your plan and billing details" } },
  },
  {
    family: "Gemini (OpenAI-compatible)",
    behaviour: "429 in an array, the same prose, `RESOURCE_EXHAUSTED` and `retryDelay: 17s`",
    ...refusedOnce(
      failure(
        429,
        google({
          code: 429,
          message: EXHAUSTED.error.message,
          status: "RESOURCE_EXHAUSTED",
          details: [
            { "@type": "type.googleapis.com/google.rpc.Help", links: [{ url: "https://ai.google.dev/billing" }] },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "17s" },
          ],
        }),
      ),
    ),
    fallback: [],
    expect: { pauses: [17_000], text: "a good answer" },
  },
  {
    family: "Gemini (OpenAI-compatible)",
    behaviour: "429 whose message is the JSON of another error, `Please retry in 20.5s`",
    ...refusedOnce(
      failure(429, {
        error: {
          message: JSON.stringify({
            error: {
              code: 429,
              message: `${EXHAUSTED.error.message}\nPlease retry in 20.5s.`,
              status: "RESOURCE_EXHAUSTED",
            },
          }),
          code: 429,
          status: "Too Many Requests",
        },
      }),
    ),
    expect: { pauses: [20_500], text: "a good answer" },
  },
  {
    family: "Gemini (OpenAI-compatible)",
    behaviour: "400 with `status: RESOURCE_EXHAUSTED`",
    ...refusedOnce(
      failure(400, google({ code: 400, message: "Resource has been exhausted.", status: "RESOURCE_EXHAUSTED" })),
    ),
    expect: { pauses: ["guess"], text: "a good answer" },
  },
  {
    family: "Azure OpenAI",
    behaviour: "429 `Please retry after 20 seconds`, code `429` as text",
    ...refusedOnce(
      failure(429, {
        error: { code: "429", message: "Requests have exceeded call rate limit. Please retry after 20 seconds." },
      }),
    ),
    expect: { pauses: [20_000], text: "a good answer" },
  },
  {
    family: "GitHub Models",
    behaviour: "403 `rate limit exceeded` with `Retry-After: 3s`",
    ...refusedOnce(failure(403, { message: "You have exceeded a secondary rate limit" }, { "retry-after": "3s" })),
    expect: { pauses: [3000], text: "a good answer" },
  },
  {
    family: "GitHub Models",
    behaviour: "403 that says `API rate limit exceeded` and nothing else",
    ...refusedOnce(failure(403, { message: "API rate limit exceeded for user ID 1." })),
    expect: { pauses: ["guess"], text: "a good answer" },
  },
  {
    family: "OpenRouter",
    behaviour: "429 whose hint stands in `error.metadata.headers`",
    ...refusedOnce(
      failure(429, {
        error: {
          message: "Rate limit exceeded: free-models-per-min.",
          code: 429,
          metadata: { headers: { "X-RateLimit-Remaining": "0", "Retry-After": "12" } },
        },
      }),
    ),
    expect: { pauses: [12_000], text: "a good answer" },
  },
  {
    family: "OpenRouter",
    behaviour: "502 that wraps another provider's 429",
    ...refusedOnce(
      failure(502, {
        error: {
          message: "Provider returned error",
          code: 502,
          metadata: { raw: '{"error":{"message":"slow down, try again in 850ms","code":429}}', provider_name: "X" },
        },
      }),
    ),
    expect: { pauses: [850], text: "a good answer" },
  },
  {
    family: "OpenRouter",
    behaviour: "402: no credits",
    ...again,
    replies: [failure(402, { error: { message: "Insufficient credits. Add more to continue.", code: 402 } })],
    expect: { error: { code: "QUOTA_EXHAUSTED", says: "Insufficient credits" } },
  },
  {
    family: "Anthropic (OpenAI-compatible)",
    behaviour: "400: the credit balance is too low",
    ...again,
    replies: [
      failure(400, openAIError("Your credit balance is too low to access the API. Go to Plans & Billing to upgrade.")),
    ],
    expect: { error: { code: "QUOTA_EXHAUSTED", says: "Your credit balance is too low" } },
  },
  {
    family: "LiteLLM",
    behaviour: "429 `No deployments available`, `Try again in 5 seconds`",
    ...refusedOnce(
      failure(429, openAIError("No deployments available for selected model, Try again in 5 seconds.", "429", "None")),
    ),
    expect: { pauses: [5000], text: "a good answer" },
  },
  {
    family: "LiteLLM",
    behaviour: "400 `budget_exceeded` of the key",
    ...again,
    replies: [failure(400, openAIError("Budget has been exceeded! Max budget: 1.0", "400", "budget_exceeded"))],
    expect: { error: { code: "QUOTA_EXHAUSTED", says: "Budget has been exceeded" } },
  },
  {
    family: "Mistral",
    behaviour: "429 `{message, type: rate_limited, code: 1300}` at the top of the body",
    ...refusedOnce(
      failure(429, {
        object: "error",
        message: "Rate limit exceeded",
        type: "rate_limited",
        param: null,
        code: "1300",
      }),
    ),
    expect: { pauses: ["guess"], text: "a good answer" },
  },
  {
    family: "DeepSeek",
    behaviour: "402 `Insufficient Balance`",
    ...again,
    replies: [failure(402, openAIError("Insufficient Balance", "invalid_request_error", "unknown_error"))],
    expect: { error: { code: "QUOTA_EXHAUSTED", says: "Insufficient Balance" } },
  },
];
