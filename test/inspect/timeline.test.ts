// The timeline of a record: every run, a line for each thing that happened, and a trust that only falls.

import { describe, expect, test } from "vitest";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { eventsOfStep, stepsOf } from "../../cli/inspect/lanes.js";
import { linesOfStep, linesOfTimeline, printable } from "../../cli/inspect/print.js";
import { timelineOf } from "../../cli/inspect/timeline.js";
import { PLAIN } from "../../cli/text.js";
import { AXES, label, TOP } from "../../trust/index.js";
import { EVENTS } from "../checkpoints/recorded-events.js";
import { answered, ended, fell, type Line, recordOf, started, used } from "./record.js";
import { eventfulRun } from "./scenario.js";

const printed = (...lines: readonly Line[]): string[] => linesOfTimeline(timelineOf(recordOf(...lines)), PLAIN);

describe("by hand", () => {
  test("runs stand one after the other, with start, end and status", () => {
    const lines = printed(
      [{}, started],
      [{}, ended("waiting")],
      [{}, { kind: "approval.decided", id: "a", tool: "pay", decision: "approved", by: "ada" }],
      [{ run: "r2" }, { ...started, resumed: true }],
    );
    expect(lines).toEqual([
      "run r1  1970-01-01 00:00:01 to 00:00:02 UTC  waiting  3 events",
      expect.stringMatching(/^00:00:01 +starts agent on m \(offline\): do it$/),
      expect.stringMatching(/^00:00:02 +waiting$/),
      expect.stringMatching(/^00:00:03 +approved pay by ada/),
      "run r2  1970-01-01 00:00:04 to 00:00:04 UTC  its end is not recorded  1 event",
      expect.stringMatching(/^00:00:04 +resumes agent on m \(offline\): do it$/),
      "trust  ▇▇▇▇  nominal",
    ]);
  });

  test("a step is numbered once; route, queue, tool time and the fall with its cause are told", () => {
    const at = { step: 3, node: "tools" };
    const [, first, second, third, last] = printed(
      [{ step: 2, node: "planner" }, answered({ route: "s", fallbackReason: "overload" })],
      [at, used("look", { integrity: 1 }, { id: "7", all: [1, 2] })],
      [at, fell("integrity", 3, 1, "a web page")],
    );
    expect(first).toMatch(/^00:00:01 {4}2 {8}planner +s as fallback → look \(1\+2 tokens, queued 1\.6 s\)$/);
    expect(second).toMatch(/^00:00:02 {4}3 {8}tools +look\(id: "7", all: \[2\]\) in 0\.7 s ▃▇▇▇$/);
    expect(third).toMatch(/^00:00:03 {7}▃▇▇▇ {2}tools +integrity 3→1: a web page$/);
    expect(last).toBe("trust  ▃▇▇▇  integrity 1");
  });

  test("a skill that was left out stands in the record, in the colour of a failure", () => {
    const unusable = ["/m/skills/refund/SKILL.md: no front matter."];
    const { entries } = timelineOf(recordOf([{}, { kind: "recall", sources: [], unusable }]));
    expect(entries).toMatchObject([{ tone: "bad", text: `left out, because it cannot be used: ${unusable[0]}` }]);
  });

  test("a fall that several branches report is told once, and the trust never rises", () => {
    const { entries, trust } = timelineOf(
      recordOf(
        [{ lane: "reader:a" }, fell("integrity", 3, 1, "a web page")],
        [{}, fell("integrity", 3, 1, "a web page")],
        [{}, fell("fidelity", 3, 2, "a summary")],
      ),
    );
    expect(entries.map((entry) => [entry.lane, entry.trust])).toEqual([
      ["reader#1", label({ integrity: 1 })],
      [undefined, label({ integrity: 1, fidelity: 2 })],
    ]);
    expect(trust).toEqual(label({ integrity: 1, fidelity: 2 }));
  });

  test("of admissions only a wait that is more than pacing has a line, or another way than the asked for", () => {
    const admission = { kind: "admission", resource: "m", decision: "queue", reason: "pace" } as const;
    const [, waited, degraded, end] = printed(
      [{}, { ...admission, waitMs: 20 }],
      [{}, { ...admission, waitMs: 2_000 }],
      [{}, { ...admission, waitMs: 0, decision: "degrade" }],
    );
    expect(waited).toMatch(/^00:00:02 +queued after 2\.0 s: pace$/);
    expect(degraded).toMatch(/goes on with the fallback: pace$/);
    expect(end).toMatch(/^trust/);
  });

  test("who approved, and how that is known", () => {
    const decided = { kind: "approval.decided", id: "a", tool: "pay", decision: "approved", by: "ada" } as const;
    const [, known, unknown] = printed([{}, { ...decided, authenticated: "server", reason: "owed" }], [{}, decided]);
    expect(known).toContain("approved pay by ada (authenticated: server): owed");
    expect(unknown).toContain("approved pay by ada (authenticated: unknown)");
  });

  test("every kind of event can be read, and one that is not known is shown by its name", () => {
    const unknown = { kind: "model.dreamt", of: "sheep" } as unknown as HarnessEvent;
    const lines = printed(...[...EVENTS, unknown].map((event): Line => [{ step: 1, node: "n" }, event]));
    expect(lines.length).toBeGreaterThan(15);
    expect(lines.at(-2)).toMatch(/ n +model\.dreamt$/);
    const step = {
      thread: "t",
      step: 1,
      events: recordOf([{ step: 1 }, unknown]),
      approvals: [],
      effects: [],
      contents: [],
    };
    expect(linesOfStep(step, PLAIN).slice(1)).toEqual([expect.stringContaining("model.dreamt"), "    of  sheep"]);
  });

  test("nothing that a record holds reaches the terminal as a command to it", () => {
    const evil = "\u001b[2J\u009b2J\u202eok\r\n";
    const scope = { run: evil, node: evil, lane: `${evil}:1`, step: 1 };
    const lines: Line[] = [
      [scope, { ...started, task: evil }],
      [scope, used(evil, {}, { [evil]: evil })],
      [scope, fell("integrity", 3, 0, evil)],
      [scope, { kind: "model.error", error: evil }],
      [scope, { kind: evil } as unknown as HarnessEvent],
    ];
    const events = recordOf(...lines);
    const text = [
      ...linesOfTimeline(timelineOf(events), PLAIN),
      ...linesOfStep({ thread: "t", step: 1, events, approvals: [], effects: [], contents: [] }, PLAIN),
      ...printable(events).split("\n"),
    ].join("");
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(printable(events))).toEqual(events);
  });
});

describe("one step", () => {
  const lane = { step: 1, node: "planner", lane: "reader:a" };
  const events = recordOf(
    [{ step: 4, node: "planner" }, answered()],
    [
      { step: 5, node: "delegate" },
      { kind: "subagent.start", subagent: "reader", task: "x" },
    ],
    [lane, answered()],
    [
      { step: 5, node: "delegate" },
      { kind: "subagent.end", subagent: "reader", ok: true, label: TOP, ms: 1 },
    ],
    [{ step: 6, node: "compact" }, { kind: "node.start" }],
    [{ ...lane, step: 5 }, answered()],
    [{ step: 5, node: "delegate" }, { kind: "node.start" }],
  );

  test("has the subagents that ran within it, and not those of another", () => {
    expect(eventsOfStep(events, 5).map(({ seq }) => seq)).toEqual([2, 3, 4, 7]);
    expect(eventsOfStep(events, 4).map(({ seq }) => seq)).toEqual([1]);
    expect(eventsOfStep(events, 1)).toEqual([]);
    expect(stepsOf(events)).toEqual([4, 5, 6]);
  });
});

describe("a real run", () => {
  test("lanes are set apart, and the trust falls to where the run left it", async () => {
    const { entries, trust, runs } = timelineOf(await eventfulRun());
    expect(runs).toMatchObject([{ run: "r1", status: "unknown" }]);
    expect(new Set(entries.map(({ lane }) => lane))).toEqual(new Set([undefined, "reader#1", "reader#2"]));
    expect(trust).toEqual(label({ integrity: 0, fidelity: 1, certainty: 2 }));
    const falls = entries.flatMap((entry) => entry.trust ?? []);
    expect(falls).toHaveLength(3);
    for (const [index, each] of falls.entries()) {
      for (const axis of AXES) expect(each[axis]).toBeLessThanOrEqual((falls[index - 1] ?? TOP)[axis]);
    }
    const texts = entries.map(({ text }) => text).join("\n");
    for (const part of ["fallback: offline-small instead of offline-large", "asks for pay(", "approved pay by ada"]) {
      expect(texts).toContain(part);
    }
    expect(texts).toMatch(/effect committed: pay\n[\s\S]*blocks erase\(id: "all"\): integrity 0 below 3/);
  });
});
