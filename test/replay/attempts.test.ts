// Which part of a record counts, what was done from outside, and how two records are compared: the pure parts of a replay.

import { describe, expect, test } from "vitest";
import type { HarnessEvent, RecordedEvent, Scope } from "../../checkpoints/index.js";
import { actionsIn, isOpen } from "../../graphs/replay/actions.js";
import { eventsThatCount } from "../../graphs/replay/attempts.js";
import { compare } from "../../graphs/replay/compare.js";
import { divergenceOf, firstOf } from "../../graphs/replay/divergence.js";
import { TOP } from "../../trust/index.js";

type Short = readonly [event: HarnessEvent, scope?: Partial<Scope>];

const record = (...events: readonly Short[]): RecordedEvent[] =>
  events.map(([event, scope], index) => ({
    event,
    scope: { thread: "t", run: "r", ...scope },
    seq: index + 1,
    at: index,
  }));
const counted = (...events: readonly Short[]) => eventsThatCount(record(...events));
const indices = (...events: readonly Short[]) => counted(...events).record.map(({ index }) => index);

const start: HarnessEvent = { kind: "node.start" };
const end: HarnessEvent = { kind: "node.end", ms: 1 };
const failed: HarnessEvent = { kind: "node.end", ms: 1, error: "no" };
const asks: HarnessEvent = { kind: "node.end", ms: 1, interrupted: true };
const lot = (value: number): HarnessEvent => ({ kind: "random", value });
const state = (digest: string): HarnessEvent => ({ kind: "checkpoint", id: digest, source: "loop", digest });
const input: HarnessEvent = { kind: "input", as: "input", value: "v" };
const resume: HarnessEvent = { kind: "input", as: "resume" };
const a = { node: "a", step: 1 };
const below = (step: number) => ({ node: "b", step, lane: "reader:c1" });
const delegated: HarnessEvent = { kind: "subagent.start", subagent: "reader", task: "x", callId: "c1" };

describe("of a record counts", () => {
  test("everything, when nothing was cut off", () => {
    expect(indices([input], [start, a], [lot(0), a], [end, a], [state("s"), { step: 1 }])).toEqual([0, 1, 2, 3, 4]);
  });

  test("not an input that the graph was killed over before it had it, and that was said again", () => {
    const taken = state("s");
    expect(indices([input], [input], [taken], [input], [taken])).toEqual([1, 2, 3, 4]);
    const another: HarnessEvent = { kind: "input", as: "input", value: "w" };
    expect(indices([input], [another], [taken])).toEqual([0, 1, 2]);
    expect(indices([input], [resume], [taken])).toEqual([0, 1, 2]);
  });

  test("not what a node did that was cut off, even if it was never done again", () => {
    expect(indices([start, a], [lot(0), a], [start, a], [lot(1), a], [end, a])).toEqual([2, 3, 4]);
    expect(indices([input], [start, a], [lot(0), a])).toEqual([0]);
  });

  test("not what a node did whose end was lost with its checkpoint", () => {
    expect(indices([start, a], [lot(0), a], [end, a], [start, a], [lot(1), a], [end, a])).toEqual([3, 4, 5]);
  });

  test("what a node did that failed, and was done again: unless Ctrl-C ended it", () => {
    const twice: Short[] = [
      [start, a],
      [failed, a],
      [start, a],
      [end, a],
    ];
    expect(indices(...twice)).toEqual([0, 1, 2, 3]);
    const ended: HarnessEvent = { kind: "node.end", ms: 1, error: "stopped", aborted: true };
    expect(indices([start, a], [ended, a], ...twice.slice(2))).toEqual([2, 3]);
  });

  test("what a node did that stopped to ask, as repeated", () => {
    const { record: all, repeated } = counted([start, a], [lot(0), a], [asks, a], [start, a], [lot(0), a], [end, a]);
    expect(all).toHaveLength(6);
    expect([...repeated]).toEqual([0, 1, 2]);
  });

  test("each task of a Send by itself", () => {
    const other = { ...a, send: 1 };
    expect(
      indices([start, { ...a, send: 0 }], [start, other], [end, { ...a, send: 0 }], [start, other], [end, other]),
    ).toEqual([0, 2, 3, 4]);
  });

  test("what a subagent did that went on from its checkpoint, and not what one did that began anew", () => {
    const cut: Short[] = [
      [start, a],
      [delegated, a],
      [start, below(1)],
      [end, below(1)],
      [start, below(2)],
    ];
    const again: Short[] = [
      [start, a],
      [delegated, a],
    ];
    expect(indices(...cut, ...again, [start, below(2)], [end, below(2)], [end, a])).toEqual([2, 3, 5, 6, 7, 8, 9]);
    expect(indices(...cut, ...again, [start, below(1)], [end, below(1)], [end, a])).toEqual([5, 6, 7, 8, 9]);
  });
});

describe("a run was cut off", () => {
  const begins = (run: string): Short => [
    { kind: "run.start", graph: "g", model: "m", offline: true, resumed: false },
    { run },
  ];
  const cuts = (...events: Short[]) => actionsIn(counted(...events)).map(({ cut }) => cut);

  test("when it did not end, or was interrupted", () => {
    expect(cuts(begins("r"), [input])).toEqual([true]);
    expect(cuts(begins("r"), [input], [{ kind: "run.end", status: "interrupted" }])).toEqual([true]);
    expect(cuts(begins("r"), [input], [{ kind: "run.end", status: "finished" }])).toEqual([false]);
  });

  test("when a node of it did not end, whoever ran it", () => {
    expect(cuts([input], [start, a], [resume], [start, a], [end, a])).toEqual([true, false]);
    expect(cuts([input], [start, a], [end, a])).toEqual([false]);
    expect(isOpen(counted([input], [start, a]))).toBe(true);
    expect(isOpen(counted([input], [start, a], [resume], [start, a], [end, a]))).toBe(false);
  });

  test("and a person's settling of an effect is an action, a node's is none", () => {
    const effect = { kind: "effect", tool: "pay", key: "k", status: "committed" } as const;
    expect(actionsIn(counted([effect], [effect, a], [{ ...effect, by: "ann" }])).map(({ index }) => index)).toEqual([
      2,
    ]);
  });
});

describe("two records", () => {
  const told = (left: Short[], right: Short[], open = false) =>
    compare({ recorded: counted(...left), replayed: counted(...right), open }).map(({ index, message }) => [
      index,
      message,
    ]);
  const one: Short[] = [
    [start, a],
    [lot(1), a],
    [lot(2), a],
    [end, a],
    [state("s"), { step: 1 }],
  ];

  test("are the same in any order within a superstep", () => {
    expect(
      told(one, [
        [start, a],
        [lot(2), a],
        [lot(1), a],
        [end, a],
        [state("s"), { step: 1 }],
      ]),
    ).toEqual([]);
  });

  test("are not the same when one has something twice", () => {
    expect(told(one, [...one.slice(0, 3), [lot(2), a], ...one.slice(3)])).toEqual([
      [3, expect.stringContaining("random happened, which is not")],
    ]);
    expect(told([...one.slice(0, 3), [lot(2), a], ...one.slice(3)], one)).toEqual([
      [3, expect.stringContaining("random did not happen")],
    ]);
  });

  test("are not the same across supersteps", () => {
    const later = { ...a, step: 2 };
    const lots = (first: number, second: number): Short[] => [
      ...([
        [start, a],
        [lot(first), a],
        [end, a],
      ] as Short[]),
      ...([
        [start, later],
        [lot(second), later],
        [end, later],
      ] as Short[]),
    ];
    expect(told(lots(1, 2), lots(2, 1)).map(([index]) => index)).toEqual([1, 4]);
  });

  test("differ by a state that was not reached", () => {
    expect(told(one, one.slice(0, 4))).toEqual([[4, expect.stringContaining("was not reached")]]);
    expect(told(one, [...one.slice(0, 4), [state("z"), { step: 1 }]])).toEqual([
      [4, expect.stringContaining("is another")],
    ]);
  });

  test("may differ behind the end of one that stops in the middle", () => {
    expect(told(one.slice(0, 4), [...one.slice(0, 4), [lot(3), a]], true)).toEqual([]);
    expect(told(one.slice(0, 4), [...one.slice(0, 4), [lot(3), a]], false)).toHaveLength(1);
  });

  test("do not differ by waits, and by ids of calls", () => {
    const response = (ms: number, callId: string): Short[] => [
      [start, a],
      [{ kind: "tool.response", tool: "look", callId, arguments: {}, ok: true, ms, label: TOP }, a],
      [{ kind: "capacity", event: { kind: "queued", route: "m", waitMs: ms, reason: "pace" } }, a],
      [end, a],
    ];
    expect(told(response(1, "x"), response(2, "y"))).toEqual([]);
  });
});

test("the divergence with the lowest position is the first, with the last checkpoint of its thread before it", () => {
  const { record: all } = counted(
    [state("one"), { step: 0 }],
    [state("other"), { step: 0, thread: "u" }],
    [start, a],
    [lot(1), a],
    [end, a],
  );
  const at = (index: number, thread = "t") =>
    divergenceOf({ kind: "event", scope: { thread, run: "r" }, index, message: `${index}` });
  expect(firstOf([at(4), at(2), at(3)], all)).toMatchObject({ index: 2, checkpoint: { id: "one", step: 0 } });
  expect(firstOf([at(0)], all)?.checkpoint).toBeUndefined();
  expect(firstOf([], all)).toBeUndefined();
  const { fields } = divergenceOf({
    kind: "request",
    scope: { thread: "t", run: "r" },
    index: 0,
    message: "m",
    left: { x: [1, 2] },
    right: { x: [1, 3] },
  });
  expect(fields).toEqual([{ path: "x.1", left: 2, right: 3 }]);
});
