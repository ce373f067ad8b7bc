// Records as a harness would make them: prompts taken apart, answers as they come over the wire, texts beside the events.

import { createHash } from "node:crypto";
import { answerOf, type HarnessEvent, type RecordedEvent, type Scope, takeApart } from "../../checkpoints/index.js";

/** Three o'clock in the morning. */
export const NIGHT = Date.UTC(2026, 10, 23, 3, 1, 58);

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A token as a provider reports it: the text, its probability, and what else was likely. */
export type Token = readonly [text: string, probability: number, other?: string];

/** Collects a record. */
export class Recorder {
  readonly events: RecordedEvent[] = [];
  readonly texts = new Map<string, string>();
  private at = NIGHT;
  private calls = 0;

  constructor(private readonly run = "run-1") {}

  add(scope: Partial<Scope>, event: HarnessEvent, ms = 120): this {
    this.at += ms;
    const seq = this.events.length + 1;
    this.events.push({ scope: { thread: "ticket-4711", run: this.run, ...scope }, seq, at: this.at, event });
    return this;
  }

  keep = (text: string) => {
    const digest = sha256(text);
    this.texts.set(digest, text);
    return { digest, text, bytes: Buffer.byteLength(text) };
  };

  /** A call to a model: what was sent, what came back. */
  model(
    scope: Partial<Scope>,
    messages: readonly object[],
    { route = "gpt-5", raw, toolCalls = [], more = {} }: ModelAnswer,
  ): this {
    this.calls += 1;
    const call = `call-${this.calls}`;
    const body = JSON.stringify({ model: route, messages, temperature: 0, logprobs: true, tools: TOOLS });
    const { prompt, texts } = takeApart(body, this.keep);
    for (const { digest, text } of texts) this.texts.set(digest, text);
    const request = { provider: "openai", endpoint: "api.openai.com/v1/chat/completions", route };
    const bytes = Buffer.byteLength(body);
    this.add(scope, { kind: "model.request", call, ...request, digest: sha256(body), bytes, prompt });
    return this.add(
      scope,
      {
        kind: "model.response",
        call,
        toolCalls,
        raw: this.keep(raw).digest,
        engine: { system_fingerprint: "fp_44709d6fcb" },
        batch: "unavailable",
        obtained: {
          provider: "openai",
          offline: false,
          route,
          primary: "gpt-5",
          attempts: 1,
          rateLimited: 0,
          unclearAttempts: 0,
          queueMs: 40,
          requestId: `req_${this.calls}`,
          usage: { inputTokens: 1_812, outputTokens: 64, ...cachedIn(raw) },
          ...more,
        },
      },
      900,
    );
  }
}

/** As the guarded model reads it. */
function cachedIn(raw: string): { readonly cachedTokens?: number } {
  const cachedTokens = answerOf(raw)?.usage?.cachedTokens;
  return cachedTokens === undefined ? {} : { cachedTokens };
}

interface ModelAnswer {
  readonly route?: string;
  readonly raw: string;
  readonly toolCalls?: readonly string[];
  readonly more?: object;
}

const TOOLS = ["read_ticket", "find_customer", "delete_customer"].map((name) => ({
  type: "function",
  function: { name, description: `${name.replace("_", " ")}.`, parameters: { type: "object", properties: {} } },
}));

/** An answer as a stream of chunks. */
export const streamed = (
  tokens: readonly Token[],
  call?: { readonly name: string; readonly arguments: string },
): string =>
  [
    ...tokens.map(([token, probability, other]) => ({
      choices: [
        {
          index: 0,
          delta: { content: token },
          logprobs: {
            content: [
              {
                token,
                logprob: Math.log(probability),
                top_logprobs: [token, ...(other === undefined ? [] : [other])].map((each, place) => ({
                  token: each,
                  logprob: Math.log(place === 0 ? probability : 1 - probability),
                })),
              },
            ],
          },
          finish_reason: null,
        },
      ],
    })),
    ...(call === undefined
      ? []
      : [
          {
            choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: "call_9", function: { name: call.name } }] } }],
          },
          { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: call.arguments } }] } }] },
        ]),
    { choices: [{ index: 0, delta: {}, finish_reason: call === undefined ? "stop" : "tool_calls" }] },
    {
      choices: [],
      usage: { prompt_tokens: 1812, completion_tokens: 64, prompt_tokens_details: { cached_tokens: 1024 } },
    },
  ]
    .map((chunk) => `data: ${JSON.stringify({ object: "chat.completion.chunk", ...chunk })}\n\n`)
    .join("");

/** An answer that is one call. */
export const whole = (name: string, args: object): string =>
  JSON.stringify({
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", function: { name, arguments: JSON.stringify(args) } }],
        },
        finish_reason: "tool_calls",
      },
    ],
    usage: { prompt_tokens: 1700, completion_tokens: 31 },
  });
