// What the offline provider refuses, because OpenAI does.

import { describe, expect, it } from "vitest";
import { ProtocolError, parseChatRequest } from "../../models/offline/request.js";

const user = { role: "user", content: "hi" };
const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
const calls = (...ids: string[]) => ({ role: "assistant", content: null, tool_calls: ids.map(call) });
const answer = (id: string) => ({ role: "tool", tool_call_id: id, content: "ok" });
const parse = (body: object) => parseChatRequest(JSON.stringify({ model: "offline-large", messages: [user], ...body }));

describe("parseChatRequest", () => {
  it("joins text parts and takes a developer for the system", () => {
    const parts = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    const { brain } = parse({
      messages: [
        { role: "developer", content: "rules" },
        { role: "user", content: parts },
      ],
    });
    expect(brain.messages).toEqual([
      { role: "system", content: "rules" },
      { role: "user", content: "ab" },
    ]);
  });

  it("passes parameters it does not know", () => {
    expect(parse({ temperature: 0, user: "u", parallel_tool_calls: true }).stream).toBe(false);
  });

  it("accepts every call answered, in any order", () => {
    expect(() => parse({ messages: [user, calls("a", "b"), answer("b"), answer("a"), user] })).not.toThrow();
  });

  it.each([
    ["an unanswered call", { messages: [user, calls("a", "b"), answer("a")] }, "not have response messages: b"],
    ["a call answered too late", { messages: [user, calls("a"), user, answer("a")] }, "response messages: a"],
    ["an answer without a call", { messages: [user, answer("a")] }, "must be a response to a preceding message"],
    ["a call answered twice", { messages: [user, calls("a"), answer("a"), answer("a")] }, "must be a response"],
    ["no messages", { messages: [] }, "Invalid 'messages'"],
    ["an unknown role", { messages: [{ role: "robot", content: "x" }] }, "Invalid 'messages.0.role'"],
    ["a picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "Invalid 'messages.0.content'"],
    ["a tool name with a space", { tools: [{ type: "function", function: { name: "a b" } }] }, "must match"],
    ["a choice of a missing tool", { tools: [], tool_choice: { type: "function", function: { name: "g" } } }, "'g'"],
    ["several answers", { n: 2 }, "one answer for each request"],
  ])("refuses %s", (_what, body, message) => {
    expect(() => parse(body)).toThrow(message);
    expect(() => parse(body)).toThrow(expect.objectContaining({ status: 400, type: "invalid_request_error" }));
  });

  it("refuses what is no JSON", () => {
    expect(() => parseChatRequest("{")).toThrow(ProtocolError);
    expect(() => parseChatRequest("{")).toThrow("could not parse the JSON body");
  });
});
