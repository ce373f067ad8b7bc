// What the end of a graph means for a run: its status, and what a person is told.

import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { CapacityWaitError } from "../../capacity/index.js";
import type { ApprovalRecord, RecordedEvent } from "../../checkpoints/index.js";
import { outcomeOfError, outcomeOfState } from "../../cli/run/outcome.js";

describe("outcomes", () => {
  const journal = { events: async () => [], approval: async () => undefined };
  const state = (value: unknown) => ({
    next: ["guard"],
    values: {},
    tasks: [{ id: "1", name: "guard", path: [] as never, interrupts: [{ value }] }],
  });

  test("parked by a guard, with its message", async () => {
    const parked = { type: "parked", resource: "m", retryAt: 0, message: "m: dead; try again in 300 s" };
    expect(await outcomeOfState(state(parked) as never, journal, "t")).toEqual({
      status: "parked",
      message: "m: dead; try again in 300 s",
      retryAt: 0,
    });
  });

  test("a question of somebody's own node is told, not swallowed", async () => {
    expect(await outcomeOfState(state("which one?") as never, journal, "t")).toEqual({
      status: "waiting",
      message: 'a node asks something that only Studio can answer: "which one?"',
    });
  });

  describe("an action that was not allowed makes the end blocked", () => {
    const done = (messages: readonly BaseMessage[] = []) =>
      ({ next: [], tasks: [], values: { messages: [...messages, new AIMessage("That is all.")] } }) as never;
    const event = (of: object) => ({ scope: { thread: "t", run: "r" }, seq: 1, at: 0, event: of }) as RecordedEvent;
    const start = event({ kind: "run.start", resumed: false });
    const asked = event({ kind: "gate.decision", verdict: "ask", approval: "a" });
    const statusOf = async (events: readonly RecordedEvent[], approval: string) =>
      (
        await outcomeOfState(
          done(),
          { events: async () => events, approval: async () => ({ status: approval }) as ApprovalRecord },
          "t",
        )
      ).status;

    test.for([
      ["rejected", "blocked"],
      ["expired", "blocked"],
      ["consumed", "finished"],
    ] as const)("by the record, even when the messages were summarised away: %s", async ([approval, status]) => {
      expect(await statusOf([start, asked], approval)).toBe(status);
    });

    test("what was blocked before the user's last message is past; a resume is no new message", async () => {
      const blocked = event({ kind: "gate.decision", verdict: "block" });
      expect(await statusOf([start, blocked, start], "consumed")).toBe("finished");
      expect(await statusOf([start, blocked, event({ kind: "run.start", resumed: true })], "consumed")).toBe("blocked");
    });

    test("by act's own refusal, which leaves only a message", async () => {
      const refused = (content: string) => new ToolMessage({ content, tool_call_id: "c", status: "error" });
      const end = (...messages: BaseMessage[]) => outcomeOfState(done(messages), journal, "t");
      expect(await end(new HumanMessage("do it"), refused("Blocked: pay was not run: the trust fell."))).toEqual({
        status: "blocked",
      });
      expect(await end(refused("Blocked: earlier"), new HumanMessage("do it"))).toEqual({ status: "finished" });
      expect(await end(new HumanMessage("do it"), refused("Error: no such order"))).toEqual({ status: "finished" });
    });
  });

  test("errors: no capacity parks, an abort by the user interrupts, anything else fails", () => {
    const wait = new CapacityWaitError("CAPACITY_TIMEOUT", "no capacity before noon", 0);
    expect(outcomeOfError(wait, { interrupted: false })).toEqual({
      status: "parked",
      message: "no capacity before noon",
      retryAt: 0,
    });
    expect(outcomeOfError(new Error("x"), { interrupted: true })).toEqual({ status: "interrupted" });
    const error = new Error("boom");
    expect(outcomeOfError(error, { interrupted: false })).toEqual({ status: "failed", error });
  });
});
