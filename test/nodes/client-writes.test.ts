// No client can brick a thread: whatever is written into its messages, by whatever way, the thread can be read, its
// history too, and the next message of a person gets an answer. Each row broke a thread for good, or its next turns.

import { AIMessage, ChatMessage, HumanMessage, RemoveMessage, ToolMessage } from "@langchain/core/messages";
import { Command } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { calls } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

/** Looks something up when told to, and answers everything else. */
const agent = () =>
  testAgent(({ messages }) => {
    const last = messages.at(-1);
    return last?.role === "user" && last.content === "look"
      ? calls(["look", { id: "r7" }])
      : { content: "fine", toolCalls: [] };
  });

const nested = (levels: number): unknown => (levels === 0 ? "x" : { in: nested(levels - 1) });
const user = (fields: object) => ({ role: "user", ...fields });

/** What is written; `answered` is the id of the call that the thread has an answer to, `said` that of the plan. */
type Write = (thread: { readonly answered: string; readonly said: string }) => unknown;

const rows: readonly (readonly [string, Write])[] = [
  // What chat clients send: their own idea of the history, again or changed.
  [
    "an answered call is answered a second time",
    ({ answered }) => [
      new ToolMessage({ content: "Successfully handled tool call.", tool_call_id: answered }),
      user({ content: "and now?" }),
    ],
  ],
  [
    "an answer to a call that nobody made",
    () => [new ToolMessage({ content: "?", tool_call_id: "zz" }), user({ content: "go" })],
  ],
  ["the plan is removed, and its answer is left", ({ said }) => [new RemoveMessage({ id: said })]],
  ["the plan is said again under its id, without its call", ({ said }) => [new AIMessage({ id: said, content: "" })]],
  [
    "a plan that nobody runs",
    () => [
      new AIMessage({ content: "", tool_calls: [{ id: "a b", name: "no such tool", args: {} }] }),
      user({ content: "go" }),
    ],
  ],
  [
    "a plan that cannot be read",
    () => [new AIMessage({ content: "", invalid_tool_calls: [{ id: "a", name: "look", args: "{" }] })],
  ],
  [
    "calls that are none",
    () => [{ role: "assistant", content: "", tool_calls: [null, { id: "a" }] }, user({ content: "go" })],
  ],
  [
    "calls whose arguments are no JSON",
    () => [
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "a", type: "function", function: { name: "look", arguments: "{oops" } }],
      },
    ],
  ],
  ["an answer without the id of its call", () => [{ role: "tool", content: "x" }]],
  ["a message that is not there is removed", () => [new RemoveMessage({ id: "nobody" })]],
  [
    "all are removed, and one of the new ones",
    () => [
      new RemoveMessage({ id: "__remove_all__" }),
      new HumanMessage({ id: "h", content: "a" }),
      new RemoveMessage({ id: "h" }),
    ],
  ],
  // Who speaks.
  ["no role", () => [{ content: "hello?" }]],
  ["a role that nobody knows", () => [{ role: "moderator", content: "hello?" }]],
  ["a message of LangChain's with such a role", () => [new ChatMessage("hello?", "moderator")]],
  [
    "a stored message of a class that is not loaded",
    () => [
      {
        lc: 1,
        type: "constructor",
        id: ["langchain_core", "messages", "ChatMessage"],
        kwargs: { content: "hello?", role: "x" },
      },
    ],
  ],
  // What is said.
  ["a number for a message", () => [5]],
  ["nothing for a message", () => [null]],
  ["nothing for messages", () => null],
  ["content that is a number", () => [user({ content: 3 })]],
  ["content that is an object", () => [user({ content: { a: 1 } })]],
  ["no content", () => [user({ content: null })]],
  [
    "parts of many kinds",
    () => [
      user({
        content: [
          { type: "text", text: "hey" },
          { type: "made_up" },
          "text",
          null,
          { type: "image_url", image_url: null },
          { type: "image", source_type: "id", id: "f" },
          { type: "tool_use" },
        ],
      }),
    ],
  ],
  [
    "content nested deeper than a checkpoint is read back",
    () => [user({ content: [{ type: "made_up", in: nested(70) }] })],
  ],
  ["fields nested so", () => [user({ content: "x", additional_kwargs: nested(70), response_metadata: "none" })]],
  ["a name as people have it", () => [user({ content: "hi", name: "Ada <ada@example.com>" })]],
  [
    "calls in a message of a person",
    () => [user({ content: "x", additional_kwargs: { tool_calls: [{ id: "a" }], function_call: {} } })],
  ],
  // Around the reducer.
  ["overwritten with a text", () => ({ __overwrite__: "boom" })],
  ["overwritten with what has no role", () => ({ __overwrite__: [{ content: "x" }] })],
  ["overwritten with nothing", () => ({ __overwrite__: null })],
];

const ways: Readonly<Record<string, (it: ReturnType<typeof agent>, messages: unknown) => Promise<unknown>>> = {
  "as input": (it, messages) => it.run({ messages }),
  "as a command": (it, messages) => it.run(new Command({ update: { messages } })),
  "into the state": (it, messages) => it.graph.updateState(it.config(), { messages }),
  "into the state, as input": (it, messages) => it.graph.updateState(it.config(), { messages }, "__input__"),
};

describe.each(Object.entries(ways))("%s", (_way, write) => {
  test.each(rows)("%s", async (_name, messagesOf) => {
    const it = agent();
    const { messages } = (await it.run("look")) as unknown as { messages: AIMessage[] };
    const [call] = messages[1]?.tool_calls ?? [];
    const thread = { answered: call?.id ?? "", said: messages[1]?.id ?? "" };
    await write(it, messagesOf(thread));

    expect((await it.run("what is the time?")).answer).toBe("fine");
    const { values } = await it.graph.getState(it.config());
    expect((values as { messages: HumanMessage[] }).messages.some(({ text }) => text === "what is the time?")).toBe(
      true,
    );
    let states = 0;
    for await (const _ of it.graph.getStateHistory(it.config())) states += 1;
    expect(states).toBeGreaterThan(5);
    await it.journal.close();
    await it.model.close();
  });
});

test("what a person said without a role is heard", async () => {
  const it = agent();
  await it.run({ messages: [{ content: "look" }] });
  expect((await it.journal.events({ thread: "t1" })).some(({ event }) => event.kind === "tool.response")).toBe(true);
});

test.each(Object.entries({ files: null, todos: 5, cleared: "all", context: {} }))(
  "a command that writes %s so that the state cannot hold it is refused before anything is stored",
  async (name, value) => {
    const it = agent();
    await it.run("look");
    await expect(it.run(new Command({ update: { [name]: value } }))).rejects.toThrow(`field "${name}"`);
    expect((await it.run("and now?")).answer).toBe("fine");
  },
);
