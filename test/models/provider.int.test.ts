// The wire protocol, as the real OpenAI client reads it.

import { type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { BrainRequest } from "../../models/offline/index.js";
import { collect, echo, startProvider, lookUpTools as tools } from "./support.js";

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
