// From BullMQ's lists to the states of the house, and from how a run ended to where its job goes.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JournalError, ThreadBusyError } from "../../../checkpoints/index.js";
import { UsageError } from "../../../cli/exit.js";
import { failureOf, jobIdOf, priorityOf, readQueuedRun, threadOf } from "../../../cli/worker/queued-run.js";
import { countStates, describeStanding, type JobFacts, standingOf } from "../../../cli/worker/standing.js";
import { LONGEST_LOOK_MS, stepAfter, stepAfterError, waitFor } from "../../../cli/worker/step.js";
import { StoreError } from "../../../memory/index.js";

const run = { thread: "t1", graph: "agent" };
const facts = (change: Partial<JobFacts> = {}): JobFacts => ({ data: run, timestamp: 1_000, ...change });
const sleep = (why: string) => ({ ...run, sleep: { why, until: 9_000, looks: 1, message: "so" } });

describe("a job's standing", () => {
  test.each([
    ["waiting", facts(), { state: "queued" }],
    ["prioritized", facts({ priority: 10 }), { state: "queued", priority: "batch" }],
    ["unknown", facts(), { state: "queued" }],
    [
      "active",
      facts({ processedOn: 2_000, processedBy: "host:7" }),
      { state: "running", since: 2_000, worker: "host:7" },
    ],
    ["delayed", facts({ data: sleep("parked") }), { state: "parked", until: 9_000, message: "so" }],
    ["delayed", facts({ data: sleep("waiting") }), { state: "waiting", until: 9_000 }],
    ["delayed", facts({ data: sleep("busy") }), { state: "queued", until: 9_000 }],
    ["delayed", facts({ data: sleep("database") }), { state: "queued", until: 9_000 }],
    ["delayed", facts(), { state: "queued" }],
    [
      "completed",
      facts({ returnvalue: { status: "blocked" }, finishedOn: 3_000 }),
      { status: "blocked", since: 3_000 },
    ],
    [
      "completed",
      facts({ returnvalue: { status: "waiting", message: "Studio" } }),
      { state: "done", message: "Studio" },
    ],
    // What does not say how it ended is not said to have finished.
    [
      "completed",
      facts({ returnvalue: "nonsense" }),
      { state: "done", message: "how it ended cannot be read here; the journal knows" },
    ],
    [
      "failed",
      facts({ failedReason: "no such order", finishedOn: 3_000 }),
      { state: "failed", message: "no such order" },
    ],
    // A run that woke up and is being worked on keeps its old sleep in the data: where it is counts.
    ["active", facts({ data: sleep("parked") }), { state: "running" }],
  ])("in the list %s", (where, job, expected) => {
    expect(standingOf(job, where)).toMatchObject({ thread: "t1", graph: "agent", submitted: 1_000, ...expected });
  });

  test("nothing is said of how a job ended that does not say it", () => {
    const standing = standingOf(facts({ returnvalue: "nonsense" }), "completed");
    expect(standing.status).toBeUndefined();
    expect(describeStanding(standing)).toBe("done: how it ended cannot be read here; the journal knows");
  });

  test("a job that is none of ours is named, with the way out", () => {
    expect(() => standingOf(facts({ data: { url: "http://…" } }), "active")).toThrow(/thread.*BULKHEAD_QUEUE/);
  });

  test("what BullMQ says of a run that kills its workers is said better", () => {
    expect(failureOf("job stalled more than allowable limit")).toMatch(/^11 workers died/);
    expect(failureOf("no such order")).toBe("no such order");
  });

  test("states are counted, those that nothing is in as well", () => {
    const counts = countStates([{ state: "parked" }, { state: "parked" }, { state: "done" }]);
    expect(counts).toEqual({ queued: 0, running: 0, parked: 2, waiting: 0, done: 1, failed: 0 });
  });
});

describe("a thread's job id", () => {
  test("is one that BullMQ takes, and leads back to the thread", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 1, unit: "grapheme" }), fc.integer().map(String)), (thread) => {
        const id = jobIdOf(thread);
        expect(id).not.toMatch(/:/);
        expect(`${Number.parseInt(id, 10)}`).not.toBe(id);
        expect(threadOf(id)).toBe(thread);
      }),
    );
  });

  test("of the usual thread is the thread", () => {
    expect(jobIdOf("thread-0b724aca")).toBe("thread-0b724aca");
  });
});

test("what a newer version put in beside what is known does not hurt, and priorities are two", () => {
  expect(readQueuedRun({ ...run, added: "later" })).toEqual(run);
  expect([priorityOf(undefined), priorityOf(0), priorityOf(10)]).toEqual(["interactive", "interactive", "batch"]);
});

describe("where a job goes", () => {
  const around = { now: 10_000, looks: 0, pending: 0 };

  test.each([
    ["finished", { to: "done", result: { status: "finished" } }],
    ["blocked", { to: "done", result: { status: "blocked" } }],
    ["interrupted", { to: "back" }],
  ] as const)("after %s", (status, step) => {
    expect(stepAfter({ status }, around)).toEqual(step);
  });

  test("a parked run sleeps until it is worth waking up, and never not at all", () => {
    const parked = stepAfter({ status: "parked", retryAt: 70_000, message: "429" }, around);
    expect(parked).toEqual({ to: "sleep", sleep: { why: "parked", until: 70_000, looks: 0, message: "429" } });
    expect(stepAfter({ status: "parked", retryAt: 9_000 }, around)).toMatchObject({ sleep: { until: 11_000 } });
    expect(stepAfter({ status: "parked" }, around)).toMatchObject({ sleep: { until: 11_000 } });
  });

  test("a run that asks a person is looked at less and less often, but often enough", () => {
    expect(stepAfter({ status: "waiting" }, { ...around, pending: 2 })).toMatchObject({ sleep: { why: "waiting" } });
    const pauses = [0, 1, 2, 3, 4, 5, 60].map((looks) => {
      const step = waitFor({ now: 10_000, looks });
      return step.to === "sleep" ? step.sleep.until - 10_000 : Number.NaN;
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, LONGEST_LOOK_MS, LONGEST_LOOK_MS, LONGEST_LOOK_MS]);
  });

  test("what only Studio can answer is not looked at for ever", () => {
    const step = stepAfter({ status: "waiting", message: "a node asks" }, around);
    expect(step).toEqual({ to: "done", result: { status: "waiting", message: "a node asks" } });
  });

  test("a failure is final", () => {
    const step = stepAfter({ status: "failed", error: new UsageError("no such order") }, around);
    expect(step).toEqual({ to: "failed", message: "no such order" });
    expect(stepAfterError("thrown text", 0)).toEqual({ to: "failed", message: "thrown text" });
    expect(stepAfterError(new JournalError("JOURNAL_BROKEN", "x", "the chain is broken"), 0)).toMatchObject({
      to: "failed",
    });
  });

  test("a database that is away is no failure of the run", () => {
    for (const error of [
      new JournalError("JOURNAL_UNAVAILABLE", "db", "gone"),
      new JournalError("JOURNAL_LOCKED", "db", "locked"),
      new StoreError("UNAVAILABLE", "gone"),
    ]) {
      expect(stepAfter({ status: "failed", error }, around)).toMatchObject({
        sleep: { why: "database", until: 20_000 },
      });
    }
    expect(stepAfterError(new StoreError("VECTORS_UNSUPPORTED", "no"), 0)).toMatchObject({ to: "failed" });
  });

  test.each([
    [11_000, 11_000],
    [40_000, 15_000],
    [5_000, 10_250],
  ])("a thread that another run has until %i is left alone until %i", (until, expected) => {
    const error = new ThreadBusyError("t1", { owner: "r1", pid: 7, host: "other", since: 0, until });
    expect(stepAfterError(error, 10_000)).toMatchObject({ to: "sleep", sleep: { why: "busy", until: expected } });
  });
});
