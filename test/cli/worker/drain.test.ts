// How a worker stops, and what it says.

import { describe, expect, test } from "vitest";
import { Interruption } from "../../../cli/run/interruption.js";
import { untilStopped } from "../../../cli/worker/drain.js";
import { type WorkerEvent, WorkerLog } from "../../../cli/worker/log.js";
import { testTerminal } from "../terminal.js";

/** A worker with one run, whose step ends when `finish` is called or the run is stopped in the middle. */
function setup({ drainMs = 60_000, handBackMs = 60_000, deaf = false } = {}) {
  let time = 0;
  const told: WorkerEvent[] = [];
  const interruption = new Interruption(
    () => time,
    () => undefined,
  );
  let signal = () => {};
  let finish = () => {};
  const handedBack = new Promise<void>((resolve) => {
    finish = resolve;
    if (!deaf) interruption.signal.addEventListener("abort", () => resolve());
  });
  const listening = { on: true };
  const stopped = untilStopped({
    close: () => handedBack,
    atWork: () => 1,
    interruption,
    log: { tell: (event) => void told.push(event) },
    terminal: {
      onInterrupt: (handler) => {
        signal = handler;
        return () => {
          listening.on = false;
        };
      },
    },
    drainMs,
    handBackMs,
  });
  return {
    ...{ stopped, told, interruption, listening },
    finish: () => finish(),
    pass: (at: number) => {
      time = at;
    },
    signal: (at: number) => {
      time = at;
      signal();
    },
  };
}

describe("a worker that is asked to stop", () => {
  test("lets the step end, and is gone with 0", async () => {
    const { stopped, signal, finish, interruption, told, listening } = setup();
    signal(1_000);
    expect(interruption.control.drainRequested).toBe(true);
    expect(interruption.signal.aborted).toBe(false);
    finish();
    expect(await stopped).toBe(0);
    expect(told.map(({ type }) => type)).toEqual(["draining", "stopped"]);
    expect(interruption.signal.aborted).toBe(false);
    expect(listening.on).toBe(false);
  });

  test("twice, stops in the middle of the step", async () => {
    const { stopped, signal, interruption } = setup();
    signal(1_000);
    signal(1_200); // npm repeats a Ctrl-C.
    expect(interruption.signal.aborted).toBe(false);
    signal(2_000);
    expect(interruption.signal.aborted).toBe(true);
    expect(await stopped).toBe(0);
  });

  test("and whose step takes too long stops in the middle of it by itself", async () => {
    const { stopped, signal, pass, interruption } = setup({ drainMs: 1 });
    signal(0);
    pass(10_000);
    expect(await stopped).toBe(0);
    expect(interruption.signal.aborted).toBe(true);
  });

  test("and cannot hand back its runs says so, with 130", async () => {
    const { stopped, signal, told } = setup({ handBackMs: 1, deaf: true });
    signal(1_000);
    signal(2_000);
    expect(await stopped).toBe(130);
    expect(told.at(-1)).toEqual({ type: "stopped", message: "1 run not handed back: other workers take over" });
  });
});

describe("the log", () => {
  const until = Date.parse("2030-01-01T10:30:00Z");
  const events: WorkerEvent[] = [
    { type: "ready", worker: "host:7", concurrency: 8, queue: "bulkhead at redis://127.0.0.1:6379" },
    { type: "start", thread: "t1", run: "r1" },
    { type: "parked", thread: "t1", until, message: "offline-large: 429" },
    { type: "waiting", thread: "t1" },
    { type: "postponed", thread: "t1", until },
    { type: "end", thread: "t1", status: "finished", ms: 400 },
    { type: "failed", thread: "t1", message: "no such order" },
    { type: "returned", thread: "t1" },
    { type: "taken over", thread: "t1" },
  ];

  test("is one line for each event", () => {
    const terminal = testTerminal();
    const log = new WorkerLog(terminal, false, () => Date.parse("2030-01-01T10:00:00Z"));
    for (const event of events) log.tell(event);
    expect(terminal.written.out.trim().split("\n")).toEqual([
      "10:00:00  ready       host:7 takes up to 8 runs from bulkhead at redis://127.0.0.1:6379",
      "10:00:00  start       t1",
      "10:00:00  parked      t1  until 10:30:00: offline-large: 429",
      "10:00:00  waiting     t1  for a person: bulkhead approvals",
      "10:00:00  postponed   t1  until 10:30:00",
      "10:00:00  end         t1  finished after 0.4 s",
      "10:00:00  failed      t1  no such order",
      "10:00:00  returned    t1  to the queue",
      "10:00:00  taken over  t1  from a worker that died",
    ]);
  });

  test("with --json is the events, with the time", () => {
    const terminal = testTerminal();
    const log = new WorkerLog(terminal, true, () => until);
    for (const event of events) log.tell(event);
    const lines = terminal.written.out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      events.map((event) => ({ at: "2030-01-01T10:30:00.000Z", ...event })),
    );
  });

  test("does not repeat the same trouble ten times a second", () => {
    const terminal = testTerminal();
    const clock = { at: 0 };
    const log = new WorkerLog(terminal, false, () => clock.at);
    for (const at of [0, 1, 9_999, 10_000]) {
      clock.at = at;
      log.tell({ type: "trouble", message: "ECONNREFUSED" });
    }
    expect(terminal.written.out.trim().split("\n")).toHaveLength(2);
  });
});
