// What a model answered, read from the body: whole or as a stream, broken off, and what is no answer at all.

import { describe, expect, test } from "vitest";
import { answerOf } from "../../checkpoints/index.js";
import { complete, completionBody, completionChunks } from "../../models/offline/completion.js";
import { streamed } from "../inspect/html-recorder.js";

const completion = complete(
  { brain: { model: "m", messages: [], tools: [] }, maxTokens: 1_000, logprobs: true } as never,
  { content: "Two words", toolCalls: [{ name: "look", arguments: { id: "7", of: ["a"] } }] },
  "identity",
  0,
);
const stream = (events: Iterable<object>): string =>
  `${[...events].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;

describe("what the offline provider sends", () => {
  const expected = {
    content: "Two words",
    toolCalls: [{ id: completion.toolCalls[0]?.id, name: "look", arguments: '{"id":"7","of":["a"]}' }],
    finishReason: "tool_calls",
    usage: {
      inputTokens: completion.usage.prompt_tokens,
      outputTokens: completion.usage.completion_tokens,
      cachedTokens: 0,
    },
    logprobs: {
      tokens: [
        { token: "Two", logprob: 0 },
        { token: " words", logprob: 0 },
      ],
    },
  };

  test("whole", () => expect(answerOf(JSON.stringify(completionBody(completion)))).toEqual(expected));

  test("as a stream, also with other line ends", () => {
    const text = stream(completionChunks(completion, true));
    expect(answerOf(text)).toEqual(expected);
    expect(answerOf(text.replaceAll("\n", "\r\n"))).toEqual(expected);
  });

  test("a stream that broke off in the middle of a line gives what had come", () => {
    const text = stream(completionChunks(completion, true));
    const answer = answerOf(text.slice(0, text.indexOf("tool_calls") + 20));
    expect(answer).toMatchObject({ content: "Two words", toolCalls: [], finishReason: undefined });
    expect(answer?.usage).toBeUndefined();
  });
});

test("the likeliest tokens, the cached ones, and two calls whose pieces are mixed", () => {
  const answer = answerOf(streamed([[" 2", 0.25, " 1"]], { name: "erase", arguments: '{"id":2}' }));
  expect(answer?.logprobs?.tokens).toEqual([
    {
      token: " 2",
      logprob: Math.log(0.25),
      top: [
        { token: " 2", logprob: Math.log(0.25) },
        { token: " 1", logprob: Math.log(0.75) },
      ],
    },
  ]);
  expect(answer?.usage?.cachedTokens).toBe(1024);
  const piece = (index: number, text: string) => ({
    choices: [{ delta: { tool_calls: [{ index, function: { arguments: text } }] } }],
  });
  const mixed = answerOf(stream([piece(1, "b"), piece(0, "a"), piece(1, "B"), piece(0, "A")]));
  expect(mixed?.toolCalls.map((call) => call.arguments)).toEqual(["aA", "bB"]);
});

test("content in parts, a refusal, and the first of several choices", () => {
  const of = (...choices: object[]) => answerOf(JSON.stringify({ choices }));
  const parts = [{ type: "text", text: "a" }, { type: "image" }, { type: "text", text: "b" }];
  expect(of({ index: 0, message: { content: parts } })?.content).toBe("ab");
  expect(of({ index: 0, message: { content: null, refusal: "No." } })?.content).toBe("No.");
  expect(of({ index: 1, message: { content: "second" } }, { index: 0, message: { content: "first" } })?.content).toBe(
    "first",
  );
});

test.each([
  "",
  "null",
  "[]",
  "7",
  "<html>down</html>",
  '{"error":{"message":"x"}}',
  "data: [DONE]",
  "data: {",
  '{"choices":[]}',
  '{"choices":"no"}',
])("%s is no answer", (raw) => expect(answerOf(raw)).toBeUndefined());

test.each([
  '{"choices":[null]}',
  '{"choices":[{"message":7,"logprobs":{"content":[null,{}]}}],"usage":[]}',
  '{"choices":[{"delta":{"tool_calls":[null,{"function":null}]}}]}',
])("%s does not make it throw", (raw) => expect(() => answerOf(raw)).not.toThrow());
