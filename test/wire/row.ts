// One behaviour of a model server and what Bulkhead does with it, as data: what comes over the wire, and the verdict.
// The same rows are driven by `wire.int.test.ts` and printed into docs/providers.md.

import type { BreakerState } from "../../capacity/breaker.js";
import type { CapacityErrorCode, FailureKind } from "../../capacity/index.js";
import type { Trust } from "../../trust/index.js";
import type { Reply, SeenRequest } from "../capacity/openai-server.js";

/** Who is known to behave so. `any`: nobody in particular. */
export type Family =
  | "any"
  | "Anthropic (OpenAI-compatible)"
  | "Azure OpenAI"
  | "Bedrock (gateway)"
  | "Cloudflare"
  | "DeepSeek"
  | "Gemini (OpenAI-compatible)"
  | "GitHub Models"
  | "Groq"
  | "LiteLLM"
  | "LM Studio"
  | "Mistral"
  | "Ollama"
  | "OpenAI"
  | "OpenRouter"
  | "SGLang"
  | "Together"
  | "llama.cpp"
  | "vLLM";

/** What a reply may depend on. */
export interface WireRequest extends SeenRequest {
  readonly streamed: boolean;
  /** The address of another server, for redirects. */
  readonly elsewhere: string;
}

/** The bytes of one response, or how they follow from the request. */
export type WireReply = Reply | ((request: WireRequest) => Reply);

/** One row of the table. */
export interface WireRow {
  readonly family: Family;
  /** What the server does, in a few words. Unique within the family. */
  readonly behaviour: string;
  /** The part of the specification that it belongs to: `1.6`. */
  readonly section: string;
  readonly streamed: boolean | "both";
  /** What the primary answers, in order. A request more than that fails the row. */
  readonly replies: readonly WireReply[];
  /** What the fallback answers. With it, a fallback is configured. */
  readonly fallback?: readonly WireReply[];
  /** What the other server answers, for redirects. */
  readonly elsewhere?: readonly WireReply[];
  /** Environment variables beside the address and the names of the models. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Runs an agent with tools (see `test/support/agent.ts`) on this task, and not the model alone. */
  readonly task?: string;
  readonly expect: WireExpectation;
}

/** The verdict. What is left out is not looked at, where no default is named. */
export interface WireExpectation {
  /** Requests to the primary. Default: as many as there are replies. */
  readonly requests?: number;
  /** Requests to the fallback. Default: as many as it has replies. */
  readonly fallbackRequests?: number;
  /** The pauses of the primary's quota, in ms; `guess`: the provider gave no hint. Default: none. */
  readonly pauses?: readonly (number | "guess")[];
  /** Where the primary's breaker stands at the end. Default `closed`. */
  readonly breaker?: BreakerState["kind"];
  /** Who answered. Default `primary`. */
  readonly route?: "primary" | "fallback";
  readonly text?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
  /** The call, or the run, ends with this error. */
  readonly error?: {
    readonly code?: CapacityErrorCode;
    /** Of a broken answer, or of the primary's failure. */
    readonly reason?: FailureKind;
    /** A part of the message. */
    readonly says: string;
  };
  /** What the answer's label, or the run's, holds. */
  readonly label?: Partial<Trust>;
  /** Tools that ran, as `pay {"to":"a","amount":1}`. */
  readonly ran?: readonly string[];
  /** Whether the run ends with a question to a person. */
  readonly asks?: boolean;
  /** What else holds of the requests that the primary got, from the first on. */
  readonly sent?: (requests: readonly SeenRequest["body"][]) => void;
  /** What else the page should say. */
  readonly note?: string;
}

/** An error body with a status. `body` is sent as JSON, or as it is when it is text. */
export const failure = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { ...(typeof body === "string" ? { "content-type": "text/html" } : {}), ...headers },
  raw: typeof body === "string" ? body : JSON.stringify(body),
});

/** OpenAI's form of an error. */
export const openAIError = (message: string, code: unknown = null, type: unknown = "invalid_request_error") => ({
  error: { message, type, param: null, code },
});

/** A whole JSON body with status 200. */
export const json = (body: unknown): Reply => ({ status: 200, raw: JSON.stringify(body) });

/** A stream of these events: objects become `data:` lines, text is sent as it is. */
export const sse = (...events: readonly (object | string)[]): Reply => ({
  status: 200,
  headers: { "content-type": "text/event-stream" },
  raw: events.map((event) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n\n`)),
});

/** One chunk of a streamed answer. */
export const chunk = (delta: object, finishReason: string | null = null, extra: object = {}, choice: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 0,
  model: "large",
  choices: [{ index: 0, delta, finish_reason: finishReason, ...choice }],
  ...extra,
});

/** A whole answer. */
export const completion = (message: object, finishReason: string | null = "stop", extra: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 0,
  model: "large",
  choices: [{ index: 0, message: { role: "assistant", content: null, ...message }, finish_reason: finishReason }],
  usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
  ...extra,
});

/** An answer that is as it should be. */
export const GOOD: Reply = { content: "a good answer" };
