// Whether a thread is over: the judgement, and a thread that has loose ends.

import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { canGoOn, hasEnded, openInterrupts, type Stand, standingOf } from "../../graphs/index.js";

const human = new HumanMessage("do it");
const says = (text: string) => new AIMessage(text);
const asks = (...ids: (string | undefined)[]) =>
  new AIMessage({
    content: "",
    tool_calls: ids.map((id) => ({ ...(id === undefined ? {} : { id }), name: "pay", args: {} })),
  });
const result = (id: string) => new ToolMessage({ content: "done", tool_call_id: id });

const task = (name: string, rest: object = {}) => ({ id: name, name, path: [], interrupts: [], ...rest }) as never;

const stand = (messages: readonly BaseMessage[], rest: Partial<Stand> = {}): Stand => ({
  ...{ next: [], tasks: [], values: { messages }, config: { configurable: { checkpoint_id: "c" } } },
  ...rest,
});

describe("what LangGraph has nothing to run for", () => {
  test.for([
    ["an answer", [human, says("Done.")], "end"],
    ["an answer after all results", [human, asks("a", "b"), result("a"), result("b"), says("Done.")], "end"],
    ["an answer beside what was abandoned before it", [human, asks("a"), human, says("Something else.")], "end"],
    ["one call of two without a result", [human, asks("a", "b"), result("a")], "pay was called"],
    ["an id that another call had before", [human, asks("a"), result("a"), asks("a")], "pay was called"],
    ["one result for two calls of one id", [human, asks("a", "a"), result("a")], "pay was called"],
    ["a call without an id", [human, asks(undefined)], "pay was called"],
    [
      "a call whose arguments cannot be read",
      [human, new AIMessage({ content: "", invalid_tool_calls: [{ id: "a", name: "pay", args: "{" }] })],
      "pay was called",
    ],
    [
      "text beside a call that is open",
      [human, new AIMessage({ content: "Done.", tool_calls: [{ id: "a", name: "pay", args: {} }] })],
      "pay was called",
    ],
    ["a message of the user that nobody answered", [human, says("Done."), human], "the user's"],
    ["results that nobody was given", [human, asks("a"), result("a")], "given to nobody"],
    ["an answer that says nothing", [human, says(" ")], "says nothing"],
    ["no message", [], "no message"],
  ] as const)("%s", ([_, messages, expected]) => {
    const standing = standingOf(stand(messages as readonly BaseMessage[]));
    expect(standing.at).toBe(expected === "end" ? "end" : "loose end");
    if (standing.at === "loose end") expect(standing.why).toContain(expected);
    expect(hasEnded(stand(messages as readonly BaseMessage[]))).toBe(expected === "end");
  });

  test("no checkpoint at all", () => {
    expect(standingOf(stand([], { config: { configurable: { thread_id: "t" } } }))).toEqual({ at: "nothing" });
  });
});

describe("what LangGraph has something to run for is not over, whatever its messages say", () => {
  const over = [human, says("Done.")];

  test.for([
    ["a task to run", ["guard"], [task("guard")], []],
    ["one whose result is stored", [], [task("planner", { result: { messages: [] } })], ["planner"]],
    ["one that wrote nothing to the state", [], [task("compact")], ["compact"]],
    ["some of several", ["tools"], [task("tools", { result: {} }), task("tools")], ["tools"]],
    ["the input, stored and not taken in", [], [task("__start__", { result: {} })], ["__start__"]],
    ["a question", ["gate"], [task("gate", { interrupts: [{ value: "?" }] })], []],
  ] as const)("%s", ([_, next, tasks, stored]) => {
    const snapshot = stand(over, { next: [...next], tasks: [...tasks] as never });
    expect(standingOf(snapshot)).toMatchObject({ at: "work", stored });
    expect(hasEnded(snapshot)).toBe(false);
    expect(canGoOn(snapshot)).toBe(true);
  });

  test("a question is open until its node has gone on, and no longer", () => {
    const asked = { interrupts: [{ value: "?" }] };
    expect(openInterrupts({ next: ["gate"], tasks: [task("gate", asked)] })).toEqual(["?"]);
    expect(openInterrupts({ next: [], tasks: [task("gate", asked)] })).toEqual([]);
    const both = [task("delegate", { ...asked, result: {} }), task("delegate", asked)];
    expect(openInterrupts({ next: ["delegate"], tasks: both })).toEqual(["?"]);
  });
});
