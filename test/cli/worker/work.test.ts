// One job in a worker, in memory: started or resumed by what the journal says, parked by a guard, put back when the worker
// stops, and never done twice.

import { MemorySaver } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import type { Forecast } from "../../../capacity/index.js";
import { CommandError } from "../../../cli/exit.js";
import { Interruption } from "../../../cli/run/interruption.js";
import type { QueuedRun } from "../../../cli/worker/queued-run.js";
import { workOn } from "../../../cli/worker/work.js";
import { type AnyCompiledGraph, harnessOf } from "../../../graphs/index.js";
import { calls, type ScriptStep, script } from "../../contracts/index.js";
import { testAgent } from "../../support/agent.js";
import { eventsOf } from "../../support/events.js";
import { testTerminal } from "../terminal.js";

const PAY = { to: "Lumen", amount: 49 };
const queued: QueuedRun = { thread: "t1", graph: "agent", task: "pay it" };
const paying: ScriptStep[] = [calls(["look", { id: "C-1" }]), calls(["pay", PAY]), "Paid."];

function setup(steps: readonly ScriptStep[] = paying, forecast?: () => readonly Forecast[]) {
  const brain = script(steps);
  const agent = testAgent(brain);
  if (forecast !== undefined) agent.model.model.capacity.forecast = forecast;
  const harness = harnessOf(agent.graph);
  if (harness === undefined) throw new Error("not a harness graph");
  const graph = agent.graph as unknown as AnyCompiledGraph;
  const loaded = { name: "agent", graph, harness, root: "/nowhere" };
  const saver = new MemorySaver();
  const begun: QueuedRun[] = [];
  const clock = { at: 1_000 };
  let runs = 0;
  return {
    ...agent,
    begun,
    clock,
    work: (run: QueuedRun = queued, { workspace = "/records", stopping = false } = {}) => {
      const interruption = new Interruption(
        () => 0,
        () => undefined,
      );
      if (stopping) interruption.request();
      return workOn(run, {
        graphs: {
          saver,
          of: (name) => {
            if (name === "agent") return loaded;
            throw new CommandError(`this worker has no graph ${name}`);
          },
        },
        workspace,
        settings: {},
        interruption,
        terminal: testTerminal(),
        clock: { now: () => clock.at },
        ids: () => `run-${++runs}`,
        priority: "interactive",
        onBegin: async (_run, kept) => void begun.push(kept),
      });
    },
  };
}

test("a run is started once, however often its job is handed out", async () => {
  const { work, begun, done, journal } = setup();
  expect(await work()).toEqual({ to: "done", result: { status: "finished" } });
  expect(begun).toEqual([{ thread: "t1", graph: "agent", workspace: "/records" }]); // The journal has the task now.
  expect(await work()).toEqual({ to: "done", result: { status: "finished" } });
  expect(await work({ thread: "t1", graph: "agent", workspace: "/records" })).toMatchObject({ to: "done" });
  expect(done).toEqual([`pay ${JSON.stringify(PAY)}`]);
  expect(await eventsOf(journal, "t1", "run.start")).toHaveLength(1);
});

test("a run that a guard parks sleeps until there is room, and goes on where it was", async () => {
  let waitMs = 90_000;
  const state = () => (waitMs > 0 ? "paused" : "open");
  const { work, done, clock, journal } = setup(paying, () => [{ route: "only", waitMs, state: state() }]);
  const parked = await work();
  expect(parked).toMatchObject({ to: "sleep", sleep: { why: "parked", message: expect.stringContaining("90 s") } });
  const wakes = parked.to === "sleep" ? parked.sleep.until : 0;
  expect(wakes - journal.clock.now()).toBeGreaterThan(60_000);
  expect(await journal.thread("t1")).toMatchObject({ status: "parked" });
  waitMs = 61_000; // Longer than a guard waits awake.
  expect(await work()).toMatchObject({ to: "sleep", sleep: { why: "parked" } });
  clock.at += 90_000;
  waitMs = 0;
  expect(await work()).toMatchObject({ to: "done" });
  expect(done).toHaveLength(1);
  expect(await eventsOf(journal, "t1", "run.start")).toMatchObject([false, true, true].map((resumed) => ({ resumed })));
});

test("a run that asks is only looked at until everything is decided", async () => {
  const asking: ScriptStep[] = [calls(["look", { id: "C-1" }]), calls(["erase", { id: "C-1" }]), "It is over."];
  const { work, decide, done, journal } = setup(asking);
  const asked = await work();
  expect(asked).toEqual({ to: "sleep", sleep: { why: "waiting", until: 2_000, looks: 1 } });
  const asleep = { thread: "t1", graph: "agent", workspace: "/records" };
  const look = { ...asleep, ...(asked.to === "sleep" ? { sleep: asked.sleep } : {}) };
  expect(await work(look)).toEqual({ to: "sleep", sleep: { why: "waiting", until: 3_000, looks: 2 } });
  expect(await eventsOf(journal, "t1", "run.start")).toHaveLength(1);
  await decide("approved");
  expect(await work(look)).toEqual({ to: "done", result: { status: "finished" } });
  expect(done).toEqual([`erase ${JSON.stringify({ id: "C-1" })}`]);
});

test("a thread that another run has is left alone", async () => {
  const { work, journal, done } = setup();
  const lease = await journal.lease("t1", "somebody");
  expect(await work()).toMatchObject({
    to: "sleep",
    sleep: { why: "busy", message: expect.stringContaining("somebody has the thread") },
  });
  await lease.release();
  expect(done).toEqual([]);
  expect(await work()).toMatchObject({ to: "done" });
});

test("a run has the budget that it was submitted with, and is over when that is spent", async () => {
  const { work, done } = setup();
  expect(await work({ ...queued, budget: { calls: 1 } })).toEqual({ to: "done", result: { status: "spent" } });
  expect(done).toEqual([]);
  const again = { thread: "t1", graph: "agent", workspace: "/records", budget: { calls: 5 } };
  expect(await work(again)).toEqual({ to: "done", result: { status: "finished" } });
  expect(done).toHaveLength(1);
});

test("a worker that is stopping gives the job back untouched", async () => {
  const { work, journal } = setup();
  expect(await work(queued, { stopping: true })).toEqual({ to: "back" });
  expect(await journal.thread("t1")).toBeUndefined();
});

describe("what cannot be worked on fails and says why", () => {
  test("a graph that the project has not", async () => {
    const { work } = setup();
    expect(await work({ ...queued, graph: "other" })).toEqual({
      to: "failed",
      message: "this worker has no graph other",
    });
  });

  test("a thread that worked on other records", async () => {
    const { work, done } = setup();
    const message = "thread t1 worked in /elsewhere, and this worker works in /records.";
    expect(await work({ ...queued, workspace: "/elsewhere" })).toMatchObject({
      to: "failed",
      message: expect.stringContaining(message),
    });
    expect(done).toEqual([]);
  });

  test("a thread that this database does not know, without a task", async () => {
    const { work, journal } = setup();
    expect(await work({ thread: "t1", graph: "agent" })).toMatchObject({
      to: "failed",
      message: expect.stringContaining("not in this worker's database"),
    });
    expect(await journal.thread("t1")).toBeUndefined();
  });
});
