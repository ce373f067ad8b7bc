// What models/ makes of a route: which parameters it sends, how messages go out, and the Responses API.

import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { obtainedOf, PROVIDER_FIELDS, trustOfAnswer } from "../../capacity/index.js";
import { readSettings, resolveModel } from "../../models/index.js";
import { wireMessages } from "../../models/wire-messages.js";
import { OpenAIServer, type Reply } from "../capacity/openai-server.js";

const resolved = (server: OpenAIServer, settings: Readonly<Record<string, string>>) =>
  resolveModel(readSettings({ OPENAI_BASE_URL: server.url, BULKHEAD_REQUESTS_PER_MINUTE: "60000", ...settings })).model;

describe("sampling parameters", () => {
  test.each([
    ["gpt-4.1", {}, 0],
    ["openai/gpt-4.1", {}, 0],
    ["gpt-5-mini", {}, undefined],
    ["openai/gpt-5-mini", {}, undefined],
    ["openrouter/openai/gpt-5", {}, undefined],
    ["azure:o4-mini", {}, undefined],
    ["gpt-5-chat-latest", {}, 0],
    ["qwen3-o3-distill", {}, 0],
    ["gpt-4.1", { BULKHEAD_TEMPERATURE: "none" }, undefined],
    ["gpt-4.1", { BULKHEAD_TEMPERATURE: "0.7" }, 0.7],
    ["gpt-5-mini", { BULKHEAD_TEMPERATURE: "1" }, 1],
  ] as const)("%s with %o: temperature %s", async (model, settings, temperature) => {
    await using server = await OpenAIServer.start();
    await resolved(server, { BULKHEAD_MODEL: model, BULKHEAD_LOGPROBS: "on", ...settings }).invoke("hello");
    expect(server.seen[0]?.body["temperature"]).toBe(temperature);
    const asksForNone = temperature === undefined && !("BULKHEAD_TEMPERATURE" in settings);
    expect(server.seen[0]?.body["logprobs"]).toBe(
      asksForNone ? undefined : model.includes("gpt-5-mini") ? undefined : true,
    );
  });

  test("the fallback has its own", async () => {
    await using server = await OpenAIServer.start((_n, { body }) => (body.model === "large" ? { status: 402 } : {}));
    const model = resolved(server, {
      ...{ BULKHEAD_MODEL: "large", BULKHEAD_FALLBACK_MODEL: "small" },
      ...{ BULKHEAD_TEMPERATURE: "0.3", BULKHEAD_FALLBACK_TEMPERATURE: "none" },
      ...{ BULKHEAD_LOGPROBS: "off", BULKHEAD_FALLBACK_LOGPROBS: "3" },
    });
    await model.invoke("hello");
    expect(server.seen.map(({ body }) => [body["temperature"], body["logprobs"], body["top_logprobs"]])).toEqual([
      [0.3, false, undefined],
      [undefined, true, 3],
    ]);
  });
});

describe("messages on the wire", () => {
  const route = { name: "large", provider: "test" };
  const PARTS = [
    { type: "text" as const, text: "one" },
    { type: "image_url" as const, image_url: { url: "https://example.com/a.png" } },
    { type: "text" as const, text: "two" },
  ];
  const answer = new ToolMessage({ content: PARTS, tool_call_id: "a00000000" });

  test("a tool's answer in parts goes as text, unless the route takes parts", () => {
    const [text] = wireMessages([answer], "large", { route, returnFields: true, toolContent: "text" });
    expect(text?.["content"]).toBe("one\n[image_url: not sent, this model is given text]\ntwo");
    const [parts] = wireMessages([answer], "large", { route, returnFields: true, toolContent: "parts" });
    expect(parts?.["content"]).toEqual(PARTS);
  });

  test("calls that LangChain could not read are not offered again", () => {
    const raw = [{ id: "c1", type: "function" as const, function: { name: "erase", arguments: "{" } }];
    const message = new AIMessage({ content: "", tool_calls: [], additional_kwargs: { tool_calls: raw } });
    const [sent] = wireMessages([message], "large", { route, returnFields: true, toolContent: "text" });
    expect(sent).toEqual({ role: "assistant", content: "" });
  });

  test("fields are only for the server whose answer says so", () => {
    const message = new AIMessage({
      content: "hi",
      response_metadata: { [PROVIDER_FIELDS]: { message: { reasoning: "forged" } } },
    });
    const [sent] = wireMessages([message], "large", { route, returnFields: true, toolContent: "text" });
    expect(sent).toEqual({ role: "assistant", content: "hi" });
  });
});

const RESPONSE = {
  id: "resp_1",
  object: "response",
  created_at: 1,
  model: "codex-large",
  status: "completed",
  error: null,
  incomplete_details: null,
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
};
const text = (words: string) => ({
  ...{ id: "msg_1", type: "message", role: "assistant", status: "completed" },
  content: [{ type: "output_text", text: words, annotations: [] }],
});
const CALL = {
  ...{ id: "fc_1", call_id: "call_abc", type: "function_call", name: "tag", status: "completed" },
  arguments: '{"id":"a"}',
};

/** A reply of the Responses API, whole or streamed. */
function response(output: readonly object[], more: object = {}): (streamed: boolean) => Reply {
  const whole = { ...RESPONSE, output, ...more };
  const events = [
    { type: "response.created", response: { ...whole, output: [], status: "in_progress" } },
    ...output.flatMap((item, index) => [
      { type: "response.output_item.added", output_index: index, item: { ...item, arguments: "" } },
      ...("content" in item
        ? [
            {
              type: "response.output_text.delta",
              output_index: index,
              content_index: 0,
              item_id: "msg_1",
              delta: "done",
            },
          ]
        : [
            {
              type: "response.function_call_arguments.delta",
              output_index: index,
              item_id: "fc_1",
              delta: '{"id":"a"}',
            },
          ]),
      { type: "response.output_item.done", output_index: index, item },
    ]),
    { type: whole.status === "incomplete" ? "response.incomplete" : "response.completed", response: whole },
  ];
  return (streamed) =>
    streamed
      ? {
          headers: { "content-type": "text/event-stream" },
          raw: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
        }
      : { raw: JSON.stringify(whole) };
}

describe.each([false, true])("the Responses API, streamed: %s", (streamed) => {
  const serve = (...replies: readonly ReturnType<typeof response>[]) =>
    OpenAIServer.start((n) => replies[n]?.(streamed) ?? { status: 418 });
  const ask = async (server: OpenAIServer, messages: Parameters<ReturnType<typeof resolved>["invoke"]>[0]) => {
    const model = resolved(server, { BULKHEAD_MODEL: "codex-large" }).bindTools([
      {
        type: "function",
        function: { name: "tag", description: "Tags.", parameters: { type: "object", properties: {} } },
      },
    ]);
    if (!streamed) return model.invoke(messages);
    let whole: Awaited<ReturnType<typeof model.invoke>> | undefined;
    for await (const part of await model.stream(messages)) whole = whole?.concat(part) ?? part;
    return whole as NonNullable<typeof whole>;
  };

  test("an answer that is completed is whole", async () => {
    await using server = await serve(response([text("done")]));
    const message = await ask(server, "hello");
    expect(message.text).toBe("done");
    expect(obtainedOf(message)).toMatchObject({ finishReason: "stop", responseId: "resp_1", attempts: 1 });
    expect(trustOfAnswer(message)).toMatchObject({ fidelity: 3, certainty: 3 });
  });

  test("one that is incomplete is marked", async () => {
    const cut = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
    await using server = await serve(response([text("done")], cut));
    const message = await ask(server, "hello");
    expect(obtainedOf(message)).toMatchObject({ finishReason: "length" });
    expect(trustOfAnswer(message)).toMatchObject({ fidelity: 2 });
  });

  test("a call that is cut is no call", async () => {
    const cut = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
    await using server = await serve(response([CALL], cut), response([text("done")]));
    const message = await ask(server, "hello");
    expect(message.tool_calls).toEqual([]);
    expect(obtainedOf(message)).toMatchObject({ attempts: 2 });
  });

  test("the ids of its items go back", async () => {
    await using server = await serve(response([CALL]), response([text("done")]));
    const made = await ask(server, "hello");
    const id = made.tool_calls?.[0]?.id ?? "";
    expect(id).toMatch(/^[a-z0-9]{9}$/);
    await ask(server, [new HumanMessage("hello"), made, new ToolMessage({ content: "tagged", tool_call_id: id })]);
    const input = server.seen[1]?.body["input"] as readonly Readonly<Record<string, unknown>>[];
    expect(input.find(({ type }) => type === "function_call")).toMatchObject({ id: "fc_1", call_id: "call_abc" });
    expect(input.find(({ type }) => type === "function_call_output")).toMatchObject({ call_id: "call_abc" });
  });
});
