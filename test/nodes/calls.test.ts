// Which calls are open, in histories that anybody may have written: ids that repeat, are empty or missing, answers that
// stand elsewhere.

import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { openCalls } from "../../nodes/calls.js";

const ai = (id: string, ...ids: readonly (string | undefined)[]) =>
  new AIMessage({
    id,
    content: "",
    tool_calls: ids.map((each, index) => ({
      name: `tool${index}`,
      args: {},
      ...(each === undefined ? {} : { id: each }),
    })),
  });
const answer = (id: string) => new ToolMessage({ content: "ok", tool_call_id: id });
const human = new HumanMessage("go on");

const rows: readonly [string, readonly BaseMessage[], readonly string[]][] = [
  ["nothing was said", [], []],
  ["no call", [ai("m1")], []],
  ["one call", [ai("m1", "a")], ["tool0"]],
  ["one call, answered", [ai("m1", "a"), answer("a")], []],
  ["two, one answered", [ai("m1", "a", "b"), answer("b")], ["tool0"]],
  ["an id that an earlier message had", [ai("m1", "a"), answer("a"), ai("m2", "a")], ["tool0"]],
  ["and its own answer", [ai("m1", "a"), answer("a"), ai("m2", "a"), answer("a")], []],
  ["an answer before the call", [answer("a"), ai("m1", "a")], ["tool0"]],
  ["one id for two calls", [ai("m1", "a", "a")], ["tool0", "tool1"]],
  ["one id for two calls, one answered", [ai("m1", "a", "a"), answer("a")], ["tool1"]],
  ["empty ids", [ai("m1", "", "")], ["tool0", "tool1"]],
  ["missing ids", [ai("m1", undefined, undefined)], ["tool0", "tool1"]],
  ["the user went on", [ai("m1", "a"), human], ["tool0"]],
  ["an answer behind the user's words", [ai("m1", "a"), human, answer("a")], []],
];

describe("open calls", () => {
  test.each(rows)("%s", (_name, messages, open) => {
    expect(openCalls(messages).map(({ name }) => name)).toEqual(open);
  });

  test("each has a name of its own, and an id by which it can be answered", () => {
    for (const message of [ai("m1", "a", "a", "", undefined), ai("m2", undefined, "", "b", "b")]) {
      const open = openCalls([message]);
      expect(new Set(open.map(({ intent }) => intent)).size).toBe(4);
      expect(open.every(({ id }) => id !== "")).toBe(true);
      expect(openCalls([message, ...open.map(({ id }) => answer(id))])).toEqual([]);
    }
  });
});
