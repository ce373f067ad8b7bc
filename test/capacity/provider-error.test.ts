// What providers say, in every shape, and what it means. The same through a real server: test/wire.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { durationMs } from "../../capacity/headers.js";
import { classifyError } from "../../capacity/index.js";
import { isErrorBody, LONGEST_WORDS, readProviderError } from "../../capacity/provider-error.js";
import { judged, ProviderError } from "../../capacity/provider-response.js";

const NOW = Date.parse("2026-01-01T00:00:00Z");

/** As a client throws it; what came with status 200, as the gate notes it. */
const thrown = (status: number | undefined, error: unknown, headers: Record<string, string> = {}): Error =>
  status === undefined
    ? new ProviderError(undefined, new Headers(headers), error)
    : Object.assign(new Error(`${status} (no words)`), { status, error, headers: new Headers(headers) });

describe("durations", () => {
  test.each([
    ["2.5s", 2500],
    ["850ms", 850],
    ["7m12.5s", 432_500],
    ["6m0s", 360_000],
    ["1h2m", 3_720_000],
    ["20 seconds", 20_000],
    ["1 minute 30 seconds.", 90_000],
    ["4.77s. Need more tokens?", 4770],
    ["17s", 17_000],
    ["3", undefined],
    ["3 messages", undefined],
    ["5x", undefined],
    ["soon", undefined],
    ["", undefined],
  ])("%s is %s ms", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});

describe("shapes", () => {
  test.each<[string, unknown, string, readonly string[]]>([
    ["OpenAI", { error: { message: "m", type: "t", code: "c" } }, "m", ["c", "t"]],
    ["text", { error: "m" }, "m", []],
    [
      "array",
      [{ error: { message: "m", code: 429, status: "RESOURCE_EXHAUSTED" } }],
      "m",
      ["429", "resource_exhausted"],
    ],
    ["detail", { detail: "m" }, "m", []],
    ["details", { detail: [{ msg: "m", type: "missing" }, { msg: "n" }] }, "m / n", ["missing"]],
    ["flat", { object: "error", message: "m", type: "T", code: 400 }, "m", ["400", "t"]],
    ["errors", { errors: [{ message: "m", code: 7003 }] }, "m", ["7003"]],
    ["problem document", { title: "m", status: 503 }, "m", ["503"]],
    ["JSON in a message", { error: { message: '{"error":{"message":"m","code":"c"}}' } }, "m", ["c"]],
    ["wrapped", { error: { message: "outer", code: 502, metadata: { raw: "inner" } } }, "outer / inner", ["502"]],
    ["page", "<html><head><title>502</title></head><body><h1>Bad  Gateway</h1></body></html>", "502 Bad Gateway", []],
    ["prose", "no healthy upstream", "no healthy upstream", []],
    ["broken JSON", '{"error": {"message": "m"', '{"error": {"message": "m"', []],
    ["nothing", "", "", []],
    ["null", null, "", []],
    ["a number", 7, "", []],
  ])("%s", (_name, body, message, codes) => {
    expect(readProviderError(body, NOW)).toMatchObject({ message, codes });
    const text = typeof body === "string" ? body : JSON.stringify(body);
    if (typeof body === "object" && body !== null) {
      expect(readProviderError(text, NOW)).toMatchObject({ message, codes });
    }
  });

  test.each<[unknown, number]>([
    [{ error: { details: [{ retryDelay: "17s" }] } }, 17_000],
    [{ error: { message: "Please try again in 850ms." } }, 850],
    [{ retry_after: 3 }, 3000],
    [{ error: { metadata: { headers: { "X-RateLimit-Reset": String(NOW + 4000) } } } }, 4000],
    [{ error: { metadata: { headers: { "Retry-After": "1m30s" } } } }, 90_000],
    [{ error: { details: [{ retryDelay: "3600s" }] } }, 600_000],
  ])("a hint in %j", (body, ms) => {
    expect(readProviderError(body, NOW).retryAfterMs).toBe(ms);
  });

  test.each([
    { error: { message: "Wait until 2027." } },
    { error: { message: "Retry at most 3 times" } },
    { error: { message: "try again later. Limit 30 seconds" } },
    { retry_after: -1 },
    { retryDelay: "soon" },
  ])("no hint in %j", (body) => {
    expect(readProviderError(body, NOW).retryAfterMs).toBeUndefined();
  });

  test.each<[unknown, boolean]>([
    [{ error: { message: "m" } }, true],
    [{ error: "m" }, true],
    [[{ error: { code: 429 } }], true],
    [{ object: "error", message: "m" }, true],
    [{ type: "error", code: "c" }, true],
    [{ detail: "m" }, true],
    [{ choices: [{ error: { code: 502 } }] }, true],
    [{ type: "response.failed", response: { error: { code: "server_error" } } }, true],
    [{ choices: [{ message: { content: "error" } }] }, false],
    [{ choices: [], error: null }, false],
    [{ choices: [], error: {} }, false],
    [{ error: "" }, false],
    [{ object: "response", error: null, output: [] }, false],
    [{ data: [{ embedding: [1] }] }, false],
    [[], false],
    ["error", false],
  ])("%j is an error: %s", (body, is) => {
    expect(isErrorBody(body)).toBe(is);
  });
});

describe("kinds", () => {
  const said = (message: string, code?: unknown, type?: unknown) => ({ error: { message, code, type } });

  test.each<[string, Error, string]>([
    // The code decides, whatever the prose and the hint say.
    ["quota by code", thrown(429, said("slow down", "insufficient_quota"), { "retry-after": "2" }), "quota-exhausted"],
    [
      "rate by code",
      thrown(429, said("see billing: you exceeded your current quota", "rate_limit_exceeded")),
      "rate-limit",
    ],
    ["rate by type", thrown(403, said("no", null, "rate_limit_error")), "rate-limit"],
    ["quota by type", thrown(400, said("no", null, "billing_error")), "quota-exhausted"],
    ["context by code", thrown(500, said("no", "exceed_context_size_error")), "context-length"],
    ["camel case", thrown(403, said("no", "RateLimitReached")), "rate-limit"],
    ["a general type says nothing", thrown(429, said("no", null, "invalid_request_error")), "rate-limit"],
    ["overloaded with 429 is too fast", thrown(429, said("no", null, "engine_overloaded_error")), "rate-limit"],
    ["overloaded with 500", thrown(500, said("no", null, "overloaded_error")), "overload"],
    // Then the hint.
    ["hint against prose", thrown(429, said("You exceeded your current quota"), { "retry-after": "2" }), "rate-limit"],
    ["hint in prose", thrown(429, said("You exceeded your current quota. Retry in 5s")), "rate-limit"],
    ["402 with a hint", thrown(402, said("in-flight budget"), { "retry-after": "2" }), "rate-limit"],
    ["403 with a hint", thrown(403, said("abuse detection"), { "retry-after": "60" }), "rate-limit"],
    ["401 with a hint", thrown(401, said("no"), { "retry-after": "60" }), "auth"],
    ["503 with a hint", thrown(503, said("no"), { "retry-after": "60" }), "overload"],
    // Then prose, where the status leaves it open.
    ["quota by prose", thrown(429, said("You exceeded your current quota, check billing")), "quota-exhausted"],
    [
      "a link to billing alone",
      thrown(429, said("Rate limit. See https://example.com/settings/billing")),
      "rate-limit",
    ],
    ["prose does not overrule 429", thrown(429, said("maximum context length")), "rate-limit"],
    ["prose does not overrule 401", thrown(401, said("rate limit exceeded")), "auth"],
    ["rate by prose with 403", thrown(403, said("API rate limit exceeded")), "rate-limit"],
    ["rate by prose with 500", thrown(500, said("litellm.RateLimitError: upstream")), "rate-limit"],
    ["a limiter that is broken", thrown(500, said("rate limiter crashed")), "server-error"],
    // A request that the quota of a minute cannot hold.
    ["more than the quota", thrown(429, said("Limit 30000, Requested 45000", "rate_limit_exceeded")), "context-length"],
    ["less than the quota", thrown(429, said("Limit 30000, Used 29000, Requested 2000")), "rate-limit"],
    ["a quota of nothing", thrown(429, said("limit: 0, requested: 5")), "rate-limit"],
    // Statuses.
    ...[402].map((status) => [`${status}`, thrown(status, ""), "quota-exhausted"] as [string, Error, string]),
    ...[498, 503, 529].map((status) => [`${status}`, thrown(status, ""), "overload"] as [string, Error, string]),
    ...[408, 409, 425, 499, 500, 502, 504, 520, 522, 524, 526, 599].map(
      (status) => [`${status}`, thrown(status, ""), "server-error"] as [string, Error, string],
    ),
    ...[400, 404, 405, 415, 422, 451].map(
      (status) => [`${status}`, thrown(status, ""), "invalid-request"] as [string, Error, string],
    ),
    // No status: events of a stream.
    ["event: its own status", thrown(undefined, { message: "m", code: 429 }), "rate-limit"],
    ["event: a status as text", thrown(undefined, { message: "m", code: "503" }), "overload"],
    ["event: server_error", thrown(undefined, { message: "m", type: "server_error" }), "server-error"],
    [
      "event: invalid_request_error",
      thrown(undefined, { message: "m", type: "invalid_request_error" }),
      "invalid-request",
    ],
    [
      "event: too long",
      thrown(undefined, { message: "prompt is too long", type: "invalid_request_error" }),
      "context-length",
    ],
    ["event: text", thrown(undefined, "something broke"), "server-error"],
  ])("%s", (_name, error, kind) => {
    expect(classifyError(error, NOW)).toMatchObject({ kind, clean: true });
    const wrapped = new Error("node", { cause: new Error("client", { cause: error }) });
    expect(classifyError(wrapped, NOW)).toEqual(classifyError(error, NOW));
  });

  const TOO_LONG = [
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
    "The prompt (total length 25938) is too long to fit into the model (context length 4096).",
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "The input (12345 tokens) is longer than the model's context length (8192 tokens).",
    "the request exceeds the available context size, try increasing it",
    "Requested tokens (2285) exceed context window of 2048",
    "prompt is too long: 213462 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 174167 + 64000 > 200000",
    "Your input exceeds the context window of this model. Please adjust your input.",
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "Input is too long for requested model.",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Please reduce the length of the messages or completion.",
    "Input length 6491 exceeds context length 1500",
    "input length exceeds the context length",
    "Range of input length should be [1, 30720]",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000",
    "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500",
    "too many tokens: total number of tokens in the prompt exceeds the limit",
    "invalid params, context window exceeds limit",
    "Invalid request: Your request exceeded model token limit: 262144",
    "prompt token count of 70000 exceeds the limit of 64000",
    "Request body too large for gpt-4o model. Max size: 8000 tokens.",
    "Invalid 'messages[1].content': string too long. Expected a string with maximum length 1048576",
  ];
  test.each(TOO_LONG)("too long: %s", (message) => {
    for (const status of [400, 413, 422, 500, undefined]) {
      expect(classifyError(thrown(status, { error: message }), NOW).kind).toBe("context-length");
    }
  });

  test.each([
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
    "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40.",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "tools: too many tools",
    "Unsupported parameter: 'context'",
    "the tool description is too long",
    "messages: at least one message is required",
  ])("a wrong request: %s", (message) => {
    expect(classifyError(thrown(400, { error: message }), NOW).kind).toBe("invalid-request");
  });
});

test("an error of somebody else's client without a status says nothing of a provider", () => {
  const error = Object.assign(new Error("m"), { error: { code: 429, message: "rate limit exceeded" } });
  expect(classifyError(error, NOW)).toMatchObject({ kind: "server-error", clean: false });
});

describe("whatever is thrown", () => {
  const deep = (): unknown => {
    let body: unknown = "end";
    for (let n = 0; n < 5000; n += 1) body = { error: body, errors: [body] };
    return body;
  };
  const circle: Record<string, unknown> = { message: "m", code: "c" };
  circle["error"] = circle;
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error("no");
      },
      ownKeys: () => {
        throw new Error("no");
      },
    },
  );
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const getter = Object.defineProperty(new Error("m"), "status", {
    get: () => {
      throw new Error("no");
    },
  });

  test.each<[string, unknown]>([
    ["nested", thrown(500, deep())],
    ["JSON nested", thrown(500, `${"[".repeat(100_000)}${"]".repeat(100_000)}`)],
    ["a circle", thrown(500, circle)],
    ["a proxy", hostile],
    ["a proxy in a body", thrown(429, hostile)],
    ["a revoked proxy", thrown(429, { error: revoked.proxy, details: [revoked.proxy] })],
    ["a getter", getter],
    ["no prototype", Object.create(null)],
    ["a symbol", Symbol("x")],
    ["a function", () => {}],
    ["digits", thrown(429, `try again in ${"9".repeat(500_000)}s`)],
    ["spaces", thrown(429, `try again${" ".repeat(500_000)}in 5s`)],
    ["tags", thrown(500, `<html>${"<".repeat(500_000)}`)],
    ["the prompt", thrown(400, `${"input token count ".repeat(50_000)}`)],
  ])("%s: sorted, bounded, at once", (_name, error) => {
    const failure = classifyError(error, NOW);
    expect(failure.message.length).toBeLessThanOrEqual(LONGEST_WORDS);
    expect(failure.retryAfterMs ?? 0).toBeLessThanOrEqual(600_000);
  });

  test("is sorted the same however it is wrapped, and never throws", () => {
    const json = fc.jsonValue({ depthSize: "medium" });
    const key = fc.constantFrom("error", "message", "code", "type", "status", "detail", "details", "metadata", "raw");
    const body = fc.oneof(json, fc.dictionary(key, fc.oneof(json, fc.dictionary(key, json))), fc.string());
    const status = fc.option(fc.integer({ min: -1, max: 700 }), { nil: undefined });
    fc.assert(
      fc.property(
        status,
        body,
        fc.dictionary(key, json),
        fc.integer({ min: 0, max: 10 }),
        (code, error, more, times) => {
          const bare = Object.assign(new Error("m"), more, { status: code, error });
          const sorted = classifyError(bare, NOW);
          let wrapped: unknown = bare;
          for (let n = 0; n < times; n += 1) wrapped = new Error("wrapped", { cause: wrapped });
          expect(classifyError(wrapped, NOW)).toMatchObject({ kind: sorted.kind, clean: sorted.clean });
          if (code !== undefined) expect(classifyError(wrapped, NOW)).toEqual(sorted);
          expect(sorted.message.length).toBeLessThanOrEqual(LONGEST_WORDS);
          expect(sorted.retryAfterMs ?? 1).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe("streams", () => {
  /** What the client gets of these parts, and what the gate is told. */
  async function through(parts: readonly Uint8Array[], type = "text/event-stream") {
    const body = new ReadableStream<Uint8Array>({
      start(out) {
        for (const part of parts) out.enqueue(part);
        out.close();
      },
    });
    const failed: ProviderError[] = [];
    let answered = 0;
    const response = await judged(new Response(body, { headers: { "content-type": type } }), {
      failed: (error) => void failed.push(error),
      answered: () => {
        answered += 1;
      },
    });
    return { text: await response.text(), failed, answered };
  }
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("goes through unchanged, wherever it is cut", async () => {
    const line = fc.constantFrom(
      'data: {"choices":[]}',
      ": ping",
      'data: {"a":"ü€𝄞 error"}',
      "id: 1",
      "event: x",
      "data: [DONE]",
    );
    const end = fc.constantFrom("\n", "\r\n", "\r");
    const stream = fc.array(fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), end), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(400), { maxLength: 8 }), async (events, cuts) => {
        const all = bytes(events.map(([lines, newline]) => `${lines.join(newline)}${newline}${newline}`).join(""));
        const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
        const parts = places.slice(1).map((place, n) => all.slice(places[n], place));
        const { text, failed, answered } = await through(parts);
        expect(text).toBe(new TextDecoder().decode(all));
        expect([failed.length, answered]).toEqual([0, 1]);
      }),
    );
  });

  test("an event is handed on as soon as it is whole", async () => {
    let send: (text: string) => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(out) {
        send = (text) => out.enqueue(bytes(text));
      },
    });
    const response = await judged(new Response(body, { headers: { "content-type": "text/event-stream" } }), {
      failed: () => {},
      answered: () => {},
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (const event of ["data: 1\n\n", "data: 2\r\n\r\n", "data: 3\r\r"]) {
      send(event);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(event);
    }
    await reader.cancel();
  });

  test("what came before the error is handed on, what comes after it is not", async () => {
    const good = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
    const { text, failed, answered } = await through([
      bytes(`${good}event: error\ndata: {"code":429}\n\n${good}`),
      bytes(good),
    ]);
    expect(text).toBe(`${good}data: {"error":{"message":""}}\n\n`);
    expect(failed.map(({ status, message }) => [status, message])).toEqual([[undefined, "429 (no words)"]]);
    expect(answered).toBe(0);
  });

  test("an event of many parts is looked at once", async () => {
    const part = bytes("x".repeat(10_000));
    const { text, answered } = await through([
      bytes("data: "),
      ...Array.from({ length: 2000 }, () => part),
      bytes("\n\n"),
    ]);
    expect([text.length, answered]).toEqual([20_000_008, 1]);
  });

  test("what is neither text nor JSON is not touched", async () => {
    const all = new Uint8Array([0xff, 0xfe, 0x0a, 0x0a, 0x80]);
    const response = new Response(all, { headers: { "content-type": "audio/mpeg" } });
    const same = await judged(response, { failed: () => {}, answered: () => {} });
    expect(new Uint8Array(await same.arrayBuffer())).toEqual(all);
  });
});
