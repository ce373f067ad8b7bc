import { getEventListeners } from "node:events";
import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { END, MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { obtainedOf, trustOfAnswer } from "../../capacity/index.js";
import { OpenAIServer, type Reply } from "./openai-server.js";
import { guarded, routeTo, until } from "./support.js";

const add = tool(async ({ a, b }) => String(a + b), {
  name: "add",
  description: "Adds two numbers",
  schema: z.object({ a: z.number(), b: z.number() }),
});

const CALL: Reply = { toolCalls: [{ name: "add", args: '{"a": 2, "b": 3}' }] };

describe("a drop-in chat model", () => {
  test("a signal that many calls share has no listener when they are over", async () => {
    await using server = await OpenAIServer.start();
    const { signal } = new AbortController();
    const model = guarded([routeTo(server, "large")]);
    for (let call = 0; call < 3; call += 1) {
      await model.invoke("hello", { signal });
      for await (const _ of await model.stream("hello", { signal }));
    }
    await until(() => getEventListeners(signal, "abort").length === 0);
  });

  test("invoke: one HTTP request, and the answer says how it was obtained", async () => {
    await using server = await OpenAIServer.start();
    const message = await guarded([routeTo(server, "large")]).invoke("hello");
    expect(message.content).toBe("answer 0");
    expect(message.usage_metadata).toMatchObject({ input_tokens: 7, output_tokens: 5, total_tokens: 12 });
    expect(obtainedOf(message)).toEqual({
      provider: "test",
      offline: false,
      route: "large",
      primary: "large",
      returnedModel: "large",
      attempts: 1,
      rateLimited: 0,
      unclearAttempts: 0,
      queueMs: expect.any(Number),
      requestId: "request-0",
      messageId: message.id,
      responseId: expect.stringMatching(/./),
      headers: { "x-request-id": "request-0", "x-ratelimit-remaining-requests": "42" },
      systemFingerprint: "fp_test",
      finishReason: "stop",
      usage: { inputTokens: 7, outputTokens: 5 },
    });
    expect(trustOfAnswer(message)).toMatchObject({ integrity: 3, fidelity: 3, currency: 3, certainty: 3, causes: [] });
    expect(server.count()).toBe(1);
  });

  test("stream: in order, usage once, and the last chunk says how it was obtained", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "one two three" }));
    const chunks = [];
    for await (const chunk of await guarded([routeTo(server, "large")]).stream("hello")) chunks.push(chunk);
    expect(chunks.map(({ content }) => content).filter((text) => text !== "")).toEqual(["one ", "two ", "three"]);
    const whole = chunks.reduce((left, right) => left.concat(right));
    expect(whole.usage_metadata).toMatchObject({ input_tokens: 7, output_tokens: 5 });
    const obtained = obtainedOf(chunks.at(-1) as (typeof chunks)[number]);
    expect(obtained).toMatchObject({ route: "large", attempts: 1, finishReason: "stop", returnedModel: "large" });
    expect(obtainedOf(whole)).toEqual(obtained);
  });

  test("streamed tool calls arrive whole, once the answer was judged", async () => {
    await using server = await OpenAIServer.start(() => CALL);
    const model = guarded([routeTo(server, "large")]).bindTools([add]);
    let whole: Awaited<ReturnType<typeof model.invoke>> | undefined;
    let parts = 0;
    for await (const chunk of await model.stream("2 + 3")) {
      parts += chunk.tool_call_chunks?.length ?? 0;
      whole = whole?.concat(chunk) ?? chunk;
    }
    expect(parts).toBe(1);
    expect(whole?.tool_calls).toMatchObject([{ name: "add", args: { a: 2, b: 3 } }]);
    expect(server.seen[0]?.body["tools"]).toMatchObject([{ type: "function", function: { name: "add" } }]);
  });

  test("streamEvents, version 3: text and a call at the same index, and what the server wants to see again", async () => {
    const delta = (fields: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: "x", model: "large", choices: [{ index: 0, delta: fields, finish_reason: finish }] })}\n\n`;
    const fragment = { index: 0, id: "functions.add:0", function: { name: "add", arguments: '{"a": 2, "b": 3}' } };
    await using server = await OpenAIServer.start(() => ({
      headers: { "content-type": "text/event-stream" },
      raw: [
        delta({ content: "I add.", role: "assistant", reasoning_content: "Hm." }),
        delta({ tool_calls: [fragment] }),
        delta({}, "tool_calls"),
      ],
    }));
    const model = guarded([routeTo(server, "large")]);
    const message = await model.streamEvents("2 + 3", { version: "v3" } as object).output;
    expect(message.text).toBe("I add.");
    expect(message.tool_calls).toMatchObject([
      { name: "add", args: { a: 2, b: 3 }, id: expect.stringMatching(/^[a-z0-9]{9}$/) },
    ]);
    expect(message.response_metadata["provider_fields"]).toEqual({
      message: { reasoning_content: "Hm." },
      calls: [{ id: "functions.add:0" }],
    });
    expect(obtainedOf(message)).toMatchObject({ messageId: message.id, finishReason: "tool_calls" });
  });

  test("createAgent: tools are bound and called, twice two requests and no more", async () => {
    await using server = await OpenAIServer.start((n) => (n % 2 === 0 ? CALL : { content: "5" }));
    const agent = createAgent({ model: guarded([routeTo(server, "large")]), tools: [add] });
    const { messages } = await agent.invoke({ messages: [new HumanMessage("2 + 3")] });
    expect(messages.map(({ type }) => type)).toEqual(["human", "ai", "tool", "ai"]);
    expect(messages[2]?.content).toBe("5");
    expect(obtainedOf(messages.at(-1) as (typeof messages)[number])?.route).toBe("large");
    expect(server.count()).toBe(2);
  });

  test("in a graph node with streamed messages the tokens come through and the answer is labelled", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "one two" }));
    const model = guarded([routeTo(server, "large")]);
    const State = new StateSchema({ messages: MessagesValue });
    const graph = new StateGraph(State)
      .addNode("model", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addEdge(START, "model")
      .addEdge("model", END)
      .compile();
    const tokens: unknown[] = [];
    let last: unknown;
    for await (const [mode, data] of await graph.stream(
      { messages: [new HumanMessage("hello")] },
      { streamMode: ["messages", "values"] },
    )) {
      if (mode === "messages") tokens.push(data[0].content);
      else last = data.messages.at(-1);
    }
    expect(tokens.filter((token) => token !== "")).toEqual(["one ", "two"]);
    expect(obtainedOf(last as Parameters<typeof obtainedOf>[0])).toMatchObject({ attempts: 1, route: "large" });
  });

  test("withStructuredOutput parses, and batch keeps its order", async () => {
    await using server = await OpenAIServer.start((_n, { body }) =>
      body["tools"] === undefined
        ? { content: `echo ${(body["messages"] as { content: string }[])[0]?.content}` }
        : { toolCalls: [{ name: "extract", args: '{"city": "Bristol"}' }] },
    );
    const model = guarded([routeTo(server, "large")]);
    const structured = model.withStructuredOutput(z.object({ city: z.string() }));
    const { city } = await structured.invoke("where?");
    expect(city).toBe("Bristol");
    expect(server.seen[0]?.body["tool_choice"]).toEqual({ type: "function", function: { name: "extract" } });
    const both = await model
      .withStructuredOutput(z.object({ city: z.string() }), { includeRaw: true })
      .invoke("where?");
    expect(both.parsed).toEqual({ city: "Bristol" });
    expect(obtainedOf(both.raw)).toMatchObject({ attempts: 1 });
    const answers = await model.batch(["a", "b", "c"]);
    expect(answers.map(({ content }) => content)).toEqual(["echo a", "echo b", "echo c"]);
  });

  test("callbacks: start, tokens and end fire once each", async () => {
    await using server = await OpenAIServer.start(() => ({ content: "one two" }));
    const seen: string[] = [];
    const callbacks = [
      {
        handleChatModelStart: () => void seen.push("start"),
        handleLLMNewToken: (token: string) => void (token === "" || seen.push(token)),
        handleLLMEnd: () => void seen.push("end"),
      },
    ];
    const model = guarded([routeTo(server, "large")]);
    for await (const _ of await model.stream("hello", { callbacks })) void _;
    expect(seen).toEqual(["start", "one ", "two", "end"]);
    seen.length = 0;
    await model.invoke("hello", { callbacks });
    expect(seen).toEqual(["start", "end"]);
  });
});
