// Recordings of runs that did not go straight through: killed and resumed by another process, aborted, drained, parked,
// written into, answered with an update, rewound. Each replays as what it came to.

import { HumanMessage } from "@langchain/core/messages";
import { Command, MemorySaver, RunControl } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { readRecording, replayThread, rewindThread, type ThreadRecording } from "../../graphs/index.js";
import { again, call, live, outcome, THREAD } from "./drive.js";
import { ask, type Plan, type World, type WorldOptions, world } from "./world.js";

const plan: Plan = {
  turns: [
    [ask("x", [["look", { id: "x" }]]), ["look", { id: "a" }], ["mail", { id: "b" }]],
    [["erase", { id: "1" }]],
    [],
  ],
};
const go = () => ({ messages: [new HumanMessage("go")] });

/** As the command line tells of its runs. */
const began = ({ journal }: World, run: string, resumed = false) =>
  journal.append({ thread: THREAD, run }, { kind: "run.start", graph: "agent", model: "m", offline: true, resumed });
const ended = ({ journal }: World, run: string, status: "finished" | "waiting" | "interrupted") =>
  journal.append({ thread: THREAD, run }, { kind: "run.end", status });

async function expectSame(agent: World, of: Plan = plan, thread = THREAD): Promise<void> {
  const { replayed, copy } = await again(agent, of, {}, thread);
  expect(replayed.divergence).toBeUndefined();
  expect(copy.provider.requests).toHaveLength(0);
  expect(copy.ran).toEqual([]);
  expect(await outcome(copy, thread)).toEqual(await outcome(agent, thread));
  await copy.close();
}

/** A run that stands still for ever in the `at`th tool that it runs, and the process that comes after it. */
async function killed(at: number, told: boolean): Promise<{ readonly agent: World; readonly first: World }> {
  const journal = openJournal("memory:");
  const saver = new MemorySaver();
  let count = 0;
  let stuck: () => void = () => undefined;
  const standing = new Promise<void>((resolve) => {
    stuck = resolve;
  });
  const inTools = () => {
    count += 1;
    if (count < at) return Promise.resolve();
    stuck();
    return new Promise<void>(() => undefined);
  };
  let dead = false;
  /** Nothing that a dead process does reaches a database any more. */
  const mortal = <Owner extends object>(owner: Owner): Owner =>
    new Proxy(owner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => (dead ? new Promise(() => undefined) : Reflect.apply(value, target, given));
      },
    });
  const first = await world(plan, { journal, saver: mortal(saver), seenAs: mortal, inTools });
  if (told) await began(first, "r0");
  const running = call(first, go(), { run: "r0", durability: "sync" });
  await Promise.race([standing, running]);
  await new Promise((resolve) => setTimeout(resolve, 50)); // Whoever runs beside it comes as far as it can.
  dead = true;
  const agent = await world(plan, { journal, saver });
  if (told) await began(agent, "r1", true);
  await call(agent, null, { run: "r1" });
  if (told) await ended(agent, "r1", "waiting");
  return { agent, first };
}

describe("a run that was killed, and resumed by another process", () => {
  test.each([
    [1, true],
    [2, true],
    [3, true],
    [1, false],
    [2, false],
  ])("in tool %i (told by the command line: %s)", async (at, told) => {
    const { agent, first } = await killed(at, told);
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next).toEqual(["gate"]);
    await expectSame(agent);
    await first.provider.close();
    await agent.close();
  });
});

test("a record that ends anywhere replays up to there", async () => {
  const agent = await world(plan);
  await began(agent, "r0");
  await live(agent, { plan, answers: [], calling: "invoke", tasks: ["go"] });
  const recording = await readRecording(agent.journal, THREAD);
  const ends = recording.events.map((_, index) => index + 1).filter((length) => length > 6 && length % 5 === 0);
  const problems: unknown[] = [];
  for (const length of ends) {
    const copy = await world(plan);
    const { graph, harness } = copy;
    const cut: ThreadRecording = { ...recording, events: recording.events.slice(0, length) };
    const replayed = await replayThread({ recording: cut, graph, harness, keep: (text) => agent.journal.keep(text) });
    if (!replayed.identical || !replayed.open)
      problems.push([length, recording.events[length]?.event.kind, replayed.divergence]);
    expect(copy.provider.requests).toHaveLength(0);
    expect(copy.ran).toEqual([]);
    await copy.close();
  }
  expect(ends.length).toBeGreaterThan(10);
  expect(problems).toEqual([]);
  await agent.close();
});

describe("a run that was stopped", () => {
  const stopped = async (
    how: (stop: () => void) => { readonly extra: Record<string, unknown>; readonly stop: () => void },
  ) => {
    let stop: () => void = () => undefined;
    let count = 0;
    const inTools = async () => {
      count += 1;
      if (count === 2) stop();
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const agent = await world(plan, { inTools });
    const { extra, stop: now } = how(() => undefined);
    stop = now;
    await began(agent, "r0");
    await call(agent, go(), { run: "r0", ...extra });
    await ended(agent, "r0", "interrupted");
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next).not.toEqual(["gate"]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await began(agent, "r1", true);
    await call(agent, null, { run: "r1" });
    await ended(agent, "r1", "waiting");
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next).toEqual(["gate"]);
    await expectSame(agent);
    await agent.close();
  };

  test("at once, by a signal", () =>
    stopped(() => {
      const controller = new AbortController();
      return {
        extra: { signal: controller.signal },
        stop: () => controller.abort(new Error("interrupted by the user")),
      };
    }));

  test("after its step, by Ctrl-C", () =>
    stopped(() => {
      const control = new RunControl();
      return { extra: { control }, stop: () => control.requestDrain("interrupted by the user") };
    }));
});

describe("a run that waited", () => {
  const waiting = async (of: Plan, options: WorldOptions = {}) => {
    const agent = await world(of, options);
    await call(agent, go(), { run: "r0" });
    return agent;
  };

  test("is parked, and goes on", async () => {
    const parked: Plan = { ...plan, admission: "trust-first" };
    const agent = await world(parked);
    agent.model.routes[0].pool.pause(250_000); // Two and a half seconds of the machine's.
    await call(agent, go(), { run: "r1" });
    const { tasks } = await agent.graph.getState({ configurable: { thread_id: THREAD } });
    expect(tasks[0]?.interrupts[0]?.value).toMatchObject({ type: "parked" });
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    await call(agent, new Command({ resume: { resume: true } }), { run: "r2" });
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next).toEqual(["gate"]);
    await expectSame(agent, parked);
    await agent.close();
  });

  test("and nobody answers", async () => {
    const agent = await waiting(plan);
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next).toEqual(["gate"]);
    await expectSame(agent);
    await agent.close();
  });

  test("and is answered with an update of its state", async () => {
    const agent = await waiting(plan);
    const [asked] = await agent.journal.approvals({ thread: THREAD, status: "pending" });
    const resume = { decisions: [{ id: asked?.id, decision: "approve" }] };
    await call(agent, new Command({ resume, update: { context: "written with the answer" } }), { run: "r1" });
    await expectSame(agent);
    await agent.close();
  });

  test("and is written into", async () => {
    const agent = await waiting(plan);
    const config = { configurable: { thread_id: THREAD } };
    await agent.graph.updateState(config, { context: "written by somebody" }, "compact");
    await agent.graph.updateState(config, { messages: [new HumanMessage("stop that")] }, "recall");
    await call(agent, null, { run: "r1" });
    await expectSame(agent);
    await agent.close();
  });
});

test("a rewound thread replays with the one that it comes from", async () => {
  const repaired: Plan = { turns: [[["erase", { id: "1" }]], []], faults: ["server-error:offline-large,times=1"] };
  const agent = await world(repaired);
  await call(agent, go(), { run: "r0" });
  const { graph, harness, saver } = agent;
  await rewindThread({ graph, harness, saver, thread: THREAD, to: "t2", run: "r1" });
  await call(agent, null, { thread: "t2", run: "r1" });
  expect(agent.ran).toEqual(["erase"]);
  await expectSame(agent, repaired, "t2");
  await agent.close();
});
