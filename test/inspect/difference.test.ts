// The first difference of two records: what parallel branches and the clock change is none.

import { describe, expect, test } from "vitest";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { firstDifference } from "../../checkpoints/index.js";
import { linesOfDifference } from "../../cli/inspect/print.js";
import { PLAIN } from "../../cli/text.js";
import { answered, fell, type Line, recordOf, used } from "./record.js";
import { eventfulRun } from "./scenario.js";

const planner = { step: 2, node: "planner" };
const tools = { step: 3, node: "tools" };
const difference = (left: readonly Line[], right: readonly Line[]) =>
  firstDifference(recordOf(...left), recordOf(...right));

describe("the same", () => {
  test("with other ids, times, waits and another run", () => {
    const queued: HarnessEvent = { kind: "capacity", event: { kind: "queued", route: "m", waitMs: 9, reason: "pace" } };
    const admission = { kind: "admission", resource: "m", waitMs: 0 } as const;
    expect(
      difference(
        [
          [planner, { ...admission, decision: "admit" }],
          [planner, answered()],
        ],
        [
          [
            { ...planner, run: "r9" },
            { ...admission, decision: "queue", waitMs: 90, reason: "pace" },
          ],
          [{ ...planner, run: "r9" }, queued],
          [{ ...planner, run: "r9" }, answered({ queueMs: 3, requestId: "q" })],
        ],
      ),
    ).toBeUndefined();
  });

  test("with parallel calls, and parallel subagents, in another order", () => {
    const a: Line = [{ ...planner, lane: "reader:a" }, used("look", {}, { id: "a" })];
    const b: Line = [{ ...planner, lane: "reader:b" }, used("look", {}, { id: "b" })];
    const calls: Line[] = [
      [tools, used("look")],
      [tools, used("list")],
    ];
    expect(difference([...calls, a, b], [...calls.toReversed(), b, a])).toBeUndefined();
  });
});

describe("not the same", () => {
  test("an argument, whatever it is called", () => {
    const found = difference([[tools, used("look", {}, { id: "a" })]], [[tools, used("look", {}, { id: "b" })]]);
    expect(found).toMatchObject({ step: 3, fields: [{ path: "arguments.id", left: "a", right: "b" }] });
    expect(linesOfDifference(found, ["one", "other"], PLAIN)).toEqual([
      "first difference: step 3",
      '  one    #1 tools tool.response look(id: "a") in 0.7 s',
      '  other  #1 tools tool.response look(id: "b") in 0.7 s',
      "  arguments.id",
      '    one    "a"',
      '    other  "b"',
    ]);
  });

  test("an event that only one side has", () => {
    const both: Line = [tools, used("look")];
    const found = difference([both, [tools, fell("integrity", 3, 1, "x")]], [both]);
    expect(found).toMatchObject({ step: 3, left: { seq: 2 }, fields: [] });
    expect(found?.right).toBeUndefined();
    expect(difference([both], [both, both])?.right).toMatchObject({ seq: 2 });
    expect(linesOfDifference(found, ["one", "other"], PLAIN)[2]).toBe("  other  no such event");
  });

  test("the order of two steps, and another kind of event", () => {
    const one: Line = [planner, answered()];
    const other: Line = [tools, used("look")];
    expect(difference([one, other], [other, one])).toMatchObject({
      left: { seq: 1 },
      right: { seq: 1 },
      fields: [{ path: "kind", left: "model.response", right: "tool.response" }],
    });
  });

  test("the first of several, also when it is in a subagent's lane", () => {
    const lane = { ...planner, lane: "reader:a" };
    const record = (inLane: string, after: string): Line[] => [
      [planner, answered()],
      [lane, used(inLane)],
      [tools, used(after)],
    ];
    expect(difference(record("look", "look"), record("list", "list"))).toMatchObject({
      lane: "reader",
      left: { seq: 2 },
    });
  });
});

test("two real runs: with another look-up they differ where it is made, else nowhere", async () => {
  const [first, again, other] = [await eventfulRun(), await eventfulRun(), await eventfulRun("r8")];
  expect(firstDifference(first, again)).toBeUndefined();
  expect(firstDifference(first, other)).toMatchObject({
    step: 15,
    fields: [{ path: "arguments.id", left: "r7", right: "r8" }],
  });
});
