// What goes to a provider is a valid history, whatever the state holds. The oracle is OpenAI's own rule as the offline
// provider keeps it, on the request's body.

import {
  AIMessage,
  type BaseMessage,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseChatRequest } from "../../models/offline/request.js";
import { wireMessages, withKnownParts } from "../../models/wire-messages.js";
import { history } from "../../nodes/history.js";
import { stopped } from "../../nodes/stopped.js";
import { soundMessages } from "../../trust/index.js";

const route = { route: { name: "m", provider: "p" }, returnFields: true, toolContent: "text" as const };

const bodyOf = (messages: readonly BaseMessage[]): string =>
  JSON.stringify({ model: "offline-large", messages: wireMessages(withKnownParts(messages), "m", route) });

/** Throws where a provider would say 400. */
function accept(messages: readonly BaseMessage[]): void {
  parseChatRequest(bodyOf([new SystemMessage("rules"), ...messages]));
  const calls = messages.flatMap((each) => (AIMessage.isInstance(each) ? (each.tool_calls ?? []) : []));
  expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
}

const odd = ["", "a", "b", "call_1", "two words", "x".repeat(60), "ü"];
const callId = fc.option(fc.constantFrom(...odd), { nil: undefined });
const call = fc.record({
  id: callId,
  name: fc.constantFrom("look", "task", "", "my tool", "n".repeat(70)),
  args: fc.constantFrom<Record<string, unknown>>({}, { id: "1" }, { deep: [{ a: null }] }),
});
const withoutUnset = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;

const parts = fc.constantFrom<object[]>(
  [],
  [{ type: "text", text: "in parts" }],
  [
    { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    { type: "text", text: "see" },
  ],
  [{ type: "image", source_type: "id", id: "f" }, { type: "tool_use", id: "a" }, { type: "made_up" }],
);
const name = fc.option(fc.constantFrom("ada", "Ada Lovelace", "<x>", ""), { nil: undefined });
const words = fc.constantFrom("", " ", "hello", "go on");

/** Anything that a client, an edit or an older version may have left in a state. */
const message: fc.Arbitrary<BaseMessage> = fc.oneof(
  fc.record({ content: fc.oneof(words, parts), name }).map((each) => new HumanMessage(withoutUnset(each) as never)),
  fc.record({ content: words }).map((each) => new SystemMessage(each)),
  fc
    .record({ content: fc.oneof(words, parts), calls: fc.array(call, { maxLength: 3 }) })
    .map(({ content, calls }) => new AIMessage({ content, tool_calls: calls.map(withoutUnset) } as never)),
  fc
    .record({ content: words, tool_call_id: fc.constantFrom(...odd), name })
    .map((each) => new ToolMessage(withoutUnset(each) as never)),
  fc.constantFrom("user", "assistant", "system", "moderator", "tool", "").map((role) => new ChatMessage("said", role)),
  fc
    .constantFrom<() => BaseMessage>(
      () => new FunctionMessage({ content: "old", name: "f" }),
      () => new RemoveMessage({ id: "m0" }),
      () => new AIMessage({ content: "", invalid_tool_calls: [{ id: "a", name: "look", args: "{oops" }] }),
      () => new AIMessage({ content: "", additional_kwargs: { function_call: { name: "f", arguments: "{}" } } }),
      () =>
        new HumanMessage({
          content: "forged",
          additional_kwargs: { tool_calls: [{ id: "a" }], audio: { id: "x" } } as never,
        }),
      () => stopped("the budget is spent", { messages: [] }),
    )
    .map((make) => make()),
);

/** A conversation as an agent has it: each plan answered at once. */
const turn = fc
  .record({ ids: fc.array(fc.nat(999), { maxLength: 3 }), swap: fc.boolean() })
  .map(({ ids, swap }): BaseMessage[] => {
    const calls = ids.map((id, at) => ({ id: `c${id}_${at}`, name: "look", args: { at } }));
    const answers = calls.map(({ id }) => new ToolMessage({ content: "found", tool_call_id: id, name: "look" }));
    return [
      new AIMessage({ content: calls.length === 0 ? "done" : "", tool_calls: calls }),
      ...(swap ? answers.toReversed() : answers),
    ];
  });
const conversation = fc.array(turn, { maxLength: 5 }).map((turns) =>
  turns.flatMap((each, at) => {
    const own = each.map((message) => withPlace(message, at));
    return at % 2 === 0 ? [new HumanMessage(`task ${at}`), ...own] : own;
  }),
);

/** Ids of calls are those of their turn. */
function withPlace(message: BaseMessage, at: number): BaseMessage {
  if (ToolMessage.isInstance(message))
    return new ToolMessage({ content: message.content, tool_call_id: `t${at}${message.tool_call_id}`, name: "look" });
  const calls = (message as AIMessage).tool_calls ?? [];
  return new AIMessage({
    content: message.content,
    tool_calls: calls.map((each) => ({ ...each, id: `t${at}${each.id}` })),
  });
}

/** What a client does to a state: takes a message out, says it again, moves it, puts another one in. */
const edit = fc.record({
  how: fc.constantFrom("remove", "repeat", "move", "insert"),
  from: fc.nat(40),
  to: fc.nat(40),
  other: message,
});

function edited(
  messages: readonly BaseMessage[],
  edits: readonly (typeof edit extends fc.Arbitrary<infer E> ? E : never)[],
): BaseMessage[] {
  const list = [...messages];
  for (const { how, from, to, other } of edits) {
    const at = list.length === 0 ? 0 : from % list.length;
    const there = to % (list.length + 1);
    const own = list[at];
    if (how === "insert") list.splice(there, 0, other);
    else if (own === undefined) continue;
    else if (how === "remove") list.splice(at, 1);
    else if (how === "repeat") list.splice(there, 0, own);
    else list.splice(there, 0, ...list.splice(at, 1));
  }
  return list;
}

const anyHistory = fc.oneof(
  fc.array(message, { maxLength: 14 }),
  fc.tuple(conversation, fc.array(edit, { maxLength: 6 })).map(([messages, edits]) => edited(messages, edits)),
);

const saidBy = (messages: readonly BaseMessage[]): readonly unknown[] =>
  messages.filter((each) => HumanMessage.isInstance(each)).map(({ content }) => (content.length === 0 ? "" : content));

test("every history is one that a provider takes, and nothing that a person said is missing", () => {
  fc.assert(
    fc.property(anyHistory, (messages) => {
      const sent = history(messages);
      accept(sent);
      expect(saidBy(sent)).toEqual(saidBy(soundMessages(messages)));
    }),
    { numRuns: 2_000 },
  );
});

test("a valid history stays what it is, and so does one that was mended", () => {
  fc.assert(
    fc.property(conversation, (messages) => {
      const sent = history(messages);
      expect(sent).toHaveLength(messages.length);
      for (const [at, each] of sent.entries()) expect(each).toBe(messages[at]);
    }),
  );
  fc.assert(
    fc.property(anyHistory, (messages) => {
      const sent = history(messages);
      expect(bodyOf(history(sent))).toEqual(bodyOf(sent));
    }),
  );
});

test("every answer that a call had is its answer still, unless an earlier one was given", () => {
  fc.assert(
    fc.property(
      conversation,
      fc.array(
        edit.filter(({ how }) => how === "move"),
        { maxLength: 4 },
      ),
      (messages, edits) => {
        const moved = edited(messages, edits);
        const sent = history(moved);
        for (const [at, each] of moved.entries()) {
          if (!ToolMessage.isInstance(each)) continue;
          const called = moved.findIndex(
            (other) => AIMessage.isInstance(other) && other.tool_calls?.some(({ id }) => id === each.tool_call_id),
          );
          expect(sent.includes(each)).toBe(called < at);
        }
      },
    ),
  );
});
