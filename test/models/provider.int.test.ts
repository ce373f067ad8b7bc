// The wire protocol, as the real OpenAI client reads it.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { OpenAIEmbeddings } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock } from "../../capacity/index.js";
import type { BrainRequest } from "../../models/offline/index.js";
import { collect, echo, eventsOf, startProvider, stoppedClock } from "./support.js";

const tools = ["search_customers", "list_tickets"].map((name) => ({
  type: "function" as const,
  function: { name, description: `does ${name}`, parameters: { type: "object", properties: { query: {} } } },
}));

const both = [
  { name: "search_customers", args: { query: "Harbor Bakery", limit: 5 } },
  { name: "list_tickets", args: { query: "Harbor Bakery", limit: 5 } },
];

/** The client's usage, read as data: its static type is empty on a message of unknown structure. */
const tokensOf = (message: BaseMessage) => {
  const usage = z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    total_tokens: z.number(),
    input_token_details: z.object({ cache_read: z.number() }),
  });
  const { input_token_details: details, ...counts } = usage.parse(
    "usage_metadata" in message && message.usage_metadata,
  );
  return { ...counts, cached: details.cache_read };
};

describe("through ChatOpenAI", () => {
  it("answers, with usage, fingerprint and finish reason", async () => {
    const { chat } = await startProvider();
    const answer = await chat().invoke("How are you today?");
    expect(answer.content).toBe("You said: How are you today?");
    expect(answer.response_metadata).toMatchObject({
      finish_reason: "stop",
      model_name: "offline-large",
      system_fingerprint: "fp_offline_rules_1",
    });
    const { input_tokens: input, ...output } = tokensOf(answer);
    expect(input).toBeGreaterThan(4);
    expect(output).toEqual({ output_tokens: 8, total_tokens: input + 8, cached: 0 });
  });

  it("streams the same answer in several chunks, with usage and fingerprint at the end", async () => {
    const { chat } = await startProvider();
    const question = "A question that is long enough to be cut into pieces.";
    const chunks = await collect(await chat().stream(question));
    expect(chunks.filter(({ content }) => content !== "").length).toBeGreaterThan(3);
    const whole = chunks.reduce((sum, chunk) => sum.concat(chunk));
    expect(whole.content).toBe(`You said: ${question}`);
    expect(whole.response_metadata).toMatchObject({
      finish_reason: "stop",
      system_fingerprint: "fp_offline_rules_1",
      usage: { prompt_tokens_details: { cached_tokens: 0 } },
    });
    expect(tokensOf(whole)).toEqual(tokensOf(await chat().invoke(question)));
  });

  it("calls tools in parallel, streamed and not", async () => {
    const { chat, url } = await startProvider();
    const model = chat().bindTools(tools);
    const answer = await model.invoke("Harbor Bakery");
    expect(answer.tool_calls).toMatchObject(both);
    expect(answer.response_metadata["finish_reason"]).toBe("tool_calls");
    const chunks = await collect(await model.stream("Harbor Bakery"));
    const pieces = chunks.flatMap((chunk) => chunk.tool_call_chunks ?? []);
    expect(pieces.length).toBeGreaterThan(6);
    const whole = chunks.reduce((sum, chunk) => sum.concat(chunk));
    expect(whole.tool_calls).toMatchObject(both);
    expect(new Set(whole.tool_calls?.map(({ id }) => id)).size).toBe(2);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  });

  it("hands the brain the whole conversation, tools and schemas", async () => {
    const seen: BrainRequest[] = [];
    const brain = (request: BrainRequest) => {
      seen.push(request);
      return echo(request);
    };
    const { chat } = await startProvider({ brain });
    const model = chat({ model: "offline-small" }).bindTools(tools);
    const call = await model.invoke([["system", "Be kind."], new HumanMessage("go")]);
    const results = (call.tool_calls ?? []).map(({ id = "", name }) => new ToolMessage("done", id, name));
    await model.invoke([["system", "Be kind."], new HumanMessage("go"), call, ...results]);
    expect(seen[1]).toEqual({
      model: "offline-small",
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "go" },
        {
          role: "assistant",
          content: "",
          tool_calls: (call.tool_calls ?? []).map(({ id, name, args }) => ({
            id,
            name,
            arguments: JSON.stringify(args),
          })),
        },
        ...results.map(({ tool_call_id, name }) =>
          expect.objectContaining({ role: "tool", content: "done", tool_call_id, name }),
        ),
      ],
      tools: tools.map((tool) => tool.function),
    });
  });

  it("gives structured output", async () => {
    const { chat } = await startProvider();
    const schema = z.object({ said: z.string() });
    expect(await chat().withStructuredOutput(schema, { method: "jsonSchema" }).invoke("hi")).toEqual({ said: "hi" });
    expect(await chat().withStructuredOutput(schema, { method: "jsonMode" }).invoke("hi")).toEqual({ said: "hi" });
    const called = z.object({ query: z.string(), limit: z.number() });
    const extract = chat().withStructuredOutput(called, { method: "functionCalling", name: "extract" });
    expect(await extract.invoke("hi")).toEqual({ query: "hi", limit: 5 });
  });

  it("leaves the brain only the tools that `tool_choice` allows", async () => {
    const { chat } = await startProvider();
    const named = await chat().bindTools(tools, { tool_choice: "list_tickets" }).invoke("go");
    expect(named.tool_calls?.map(({ name }) => name)).toEqual(["list_tickets"]);
    const none = await chat().bindTools(tools, { tool_choice: "none" }).invoke("go");
    expect(none.content).toBe("You said: go");
  });

  it("gives log-probabilities when asked: certain, because a rule does not sample", async () => {
    const { chat } = await startProvider();
    const invoked = await chat({ logprobs: true }).invoke("hello");
    const streamed = (await collect(await chat({ logprobs: true }).stream("hello"))).reduce((sum, chunk) =>
      sum.concat(chunk),
    );
    type Logprobs = { content: { token: string; logprob: number }[] };
    for (const answer of [invoked, streamed]) {
      const { content } = answer.response_metadata["logprobs"] as Logprobs;
      expect(content.map(({ token }) => token).join("")).toBe("You said: hello");
      expect(content.every(({ logprob }) => logprob === 0)).toBe(true);
    }
    expect((await chat().invoke("hello")).response_metadata["logprobs"]).toBeFalsy();
  });

  it("stops at max_tokens, in text and in a tool call", async () => {
    const { chat, post } = await startProvider();
    const answer = await chat({ maxTokens: 3 }).invoke("one two three four five");
    expect(answer.content).toBe("You said:");
    expect(answer.response_metadata["finish_reason"]).toBe("length");
    const cut = await (await post({ tools, max_tokens: 4 })).json();
    expect(cut).toMatchObject({ choices: [{ finish_reason: "length", message: { tool_calls: [{}] } }] });
    const [choice] = (cut as { choices: { message: { tool_calls: { function: { arguments: string } }[] } }[] }).choices;
    expect(() => JSON.parse(choice?.message.tool_calls[0]?.function.arguments ?? "{}")).toThrow();
  });

  it("names an unknown model and what is served instead", async () => {
    const { chat } = await startProvider();
    await expect(chat({ model: "gpt-4.1" }).invoke("hi")).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining("offline-large, offline-small"),
    });
  });

  it("is left in peace by a caller who leaves in the middle", async () => {
    const { chat } = await startProvider();
    for await (const _chunk of await chat().stream("a b c d e f g h i j k l m n o p")) break;
    expect((await chat().invoke("still there?")).content).toBe("You said: still there?");
  });
});

describe("over plain HTTP", () => {
  it("sends request id, rate-limit headers and an unbroken event stream", async () => {
    const { post, provider } = await startProvider();
    const response = await post({ stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    expect(response.headers.get("x-request-id")).toBe(provider.requests[0]?.id);
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("1200");
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("99");
    expect(response.headers.get("x-ratelimit-limit-tokens")).toBe("600000");
    expect(response.headers.get("x-ratelimit-reset-tokens")).toMatch(/^\d+ms$/);
    const events = eventsOf(await response.text());
    expect(events.at(-1)).toBe("[DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    expect(chunks[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
    expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens_details: { cached_tokens: 0 } } });
  });

  it("sends no usage in a stream unless asked", async () => {
    const { post } = await startProvider();
    expect(await (await post({ stream: true })).text()).not.toContain("usage");
  });

  it("keeps a journal", async () => {
    const { post, provider } = await startProvider({ clock: stoppedClock(5_000) });
    await (await post({})).text();
    await (await post({ model: "nope" })).text();
    expect(provider.requests).toMatchObject([
      { at: 5_000, method: "POST", path: "/v1/chat/completions", status: 200 },
      { body: expect.stringContaining("nope"), status: 404 },
    ]);
  });

  it("lists its models", async () => {
    const { url } = await startProvider();
    const listing = await (await fetch(`${url}/models`)).json();
    expect(listing).toMatchObject({ object: "list", data: [{ id: "offline-large" }, { id: "offline-small" }] });
  });

  it("answers an unknown path as the API does", async () => {
    const { url } = await startProvider();
    const response = await fetch(`${url}/responses`, { method: "POST", body: "{}" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "unknown_url", type: "invalid_request_error" } });
  });

  it("reports a brain that fails as its own error", async () => {
    const brain = () => {
      throw new Error("no rule");
    };
    const { post } = await startProvider({ brain });
    const response = await post({});
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining("no rule") } });
  });
});

describe("embeddings", () => {
  it("embeds through the injected embedder, as floats and as bytes", async () => {
    const { url } = await startProvider({ embed: async (texts) => texts.map((text) => [text.length, 0.5]) });
    for (const encoding of [{ encodingFormat: "float" }, {}] as const) {
      const embeddings = new OpenAIEmbeddings({
        model: "minilm",
        apiKey: "none",
        maxRetries: 0,
        ...encoding,
        configuration: { baseURL: url },
      });
      expect(await embeddings.embedDocuments(["a", "bcd"])).toEqual([
        [1, 0.5],
        [3, 0.5],
      ]);
    }
  });

  it("says that it has none", async () => {
    const { url } = await startProvider();
    const response = await fetch(`${url}/embeddings`, { method: "POST", body: '{"model":"m","input":"x"}' });
    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("without an embedding") },
    });
  });
});

describe("quota", () => {
  const quota = { requestsPerMinute: 60, tokensPerMinute: 100_000, inFlight: 2 };

  it("refuses what is over, says when to come back, and is right about it", async () => {
    const clock = stoppedClock();
    const { post } = await startProvider({ clock, quotas: { "offline-large": quota } });
    for (let n = 0; n < 5; n += 1) expect((await post({})).status).toBe(200);
    const refused = await post({});
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("retry-after-ms")).toBe("1000");
    expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded", type: "requests" } });
    expect((await post({ model: "offline-small" })).status).toBe(200);
    clock.advance(1_000);
    expect((await post({})).status).toBe(200);
  });

  it("counts requests in flight, and gives the slot of a caller back who left", async () => {
    let fallAsleep = (): void => undefined;
    const asleep = new Promise<void>((resolve) => {
      fallAsleep = resolve;
    });
    const clock = { now: () => 0, sleep: (_ms: number, signal?: AbortSignal) => untilLeft(signal, fallAsleep) };
    const { post, provider } = await startProvider({
      clock,
      quotas: { "offline-large": { ...quota, inFlight: 1 } },
      faults: [{ kind: "slow", rate: 1, after: 0, times: 1 }],
    });
    const caller = new AbortController();
    const slow = post({}, caller.signal);
    await asleep;
    expect((await post({})).status).toBe(429);
    caller.abort();
    await expect(slow).rejects.toThrow();
    await until(async () => (await post({})).status === 200);
    expect(provider.requests[0]?.fault).toBe("slow");
  });
});

describe("determinism", () => {
  const conversation = async (seed: number) => {
    const { post } = await startProvider({ seed, clock: stoppedClock() });
    const answers = [await post({ tools }), await post({ tools }), await post({ stream: true, tools })];
    return Promise.all(answers.map(async (each) => [each.headers.get("x-request-id"), await each.text()]));
  };

  it("gives the same bytes under the same seed, and other ids under another", async () => {
    const first = await conversation(7);
    expect(await conversation(7)).toEqual(first);
    expect((await conversation(8))[0]?.[0]).not.toBe(first[0]?.[0]);
    expect(first[0]?.[1]).not.toBe(first[1]?.[1]);
  });
});

it("starts once, closes, and starts again", async () => {
  const { provider, url } = await startProvider();
  expect(await provider.listen()).toBe(url);
  await provider.close();
  await provider.close();
  await expect(fetch(`${url}/models`)).rejects.toThrow();
  expect((await fetch(`${await provider.listen()}/models`)).status).toBe(200);
});

it("keeps no process alive, also with a request in its hands", async () => {
  const script = `
    import { OfflineProvider, parseFault } from "./models/offline/index.ts";
    const provider = new OfflineProvider({ faults: [parseFault("timeout,after=1")] });
    const url = await provider.listen();
    const body = JSON.stringify({ model: "offline-large", messages: [{ role: "user", content: "hi" }] });
    const { status } = await fetch(url + "/chat/completions", { method: "POST", body });
    await fetch(url + "/chat/completions", { method: "POST", body, signal: AbortSignal.timeout(50) }).catch(() => {});
    process.stdout.write("status " + status);
  `;
  const argv = ["--import", "tsx", "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 20_000 });
  expect(stdout).toBe("status 200");
});

const untilLeft = (signal: AbortSignal | undefined, started: () => void): Promise<void> =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    started();
  });

/** Asks again until it is so; the server learns of a closed connection in its own time. */
const until = async (so: () => Promise<boolean>): Promise<void> => {
  while (!(await so())) await systemClock.sleep(5);
};
