// One run on one thread, in memory: what it ends as, who answered the gate, and that it can go on.

import { MemorySaver } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { ThreadBusyError } from "../../checkpoints/index.js";
import type { ApproveMode } from "../../cli/run/approvals.js";
import { Interruption } from "../../cli/run/interruption.js";
import { Reporter } from "../../cli/run/reporter.js";
import { Session, type SessionOptions } from "../../cli/run/session.js";
import { harnessOf } from "../../graphs/index.js";
import { TOP } from "../../trust/index.js";
import { calls, type ScriptStep, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";
import { testTerminal } from "./terminal.js";

const PAY = { to: "Lumen", amount: 49 };
const ERASE = { id: "C-1" };
/** Reads at integrity 2 and then erases, whose floor is 3: the gate asks. */
const erasing: ScriptStep[] = [calls(["look", { id: "C-1" }]), calls(["erase", ERASE]), "It is over."];

function setup(steps: readonly ScriptStep[], options: Parameters<typeof testAgent>[1] = {}) {
  const agent = testAgent(script(steps), options);
  const harness = harnessOf(agent.graph);
  if (harness === undefined) throw new Error("not a harness graph");
  const saver = new MemorySaver();
  const loaded = {
    name: "agent",
    graph: agent.graph as unknown as SessionOptions["loaded"]["graph"],
    harness,
    root: "/nowhere",
  };
  return {
    ...agent,
    saver,
    async execute(
      given: Partial<Pick<SessionOptions, "mode" | "task" | "thread" | "interruption">> & {
        readonly approve?: ApproveMode;
        readonly answers?: readonly string[];
        readonly terminal?: ReturnType<typeof testTerminal>;
        readonly begun?: (thread: ReturnType<typeof agent.journal.thread>) => void;
      } = {},
    ) {
      const { approve = "ask", answers, mode = "start", thread = "t1", task = "do it" } = given;
      const terminal = given.terminal ?? testTerminal(answers === undefined ? {} : { interactive: true, answers });
      const interruption = given.interruption ?? new Interruption(() => 0, terminal.err);
      const run = `run-${mode}`;
      const { interactive } = terminal;
      const session = new Session({
        loaded,
        saver,
        terminal,
        interruption,
        approve,
        interactive,
        thread,
        run,
        mode,
        task,
        workspace: "/records",
      });
      const outcome = await session.execute(() =>
        Object.assign(new Reporter({ journal: agent.journal, thread }, terminal, false), {
          begun: () => void given.begun?.(agent.journal.thread(thread)),
        }),
      );
      return { ...outcome, ...terminal.written, questions: terminal.questions, session };
    },
  };
}

test("a run that needs nobody finishes, and the journal says so", async () => {
  const { execute, journal } = setup([calls(["look", { id: "C-1" }]), "Here it is."]);
  expect(await execute()).toMatchObject({ status: "finished" });
  expect(await journal.thread("t1")).toMatchObject({ status: "finished", task: "do it", graph: "agent" });
  expect(await eventsOf(journal, "t1", "run.start")).toMatchObject([{ task: "do it", offline: true, resumed: false }]);
  expect(await eventsOf(journal, "t1", "run.end")).toEqual([{ kind: "run.end", status: "finished" }]);
});

test("a run that says that it has begun can be resumed: the journal has its task", async () => {
  const { execute } = setup(["Here it is."]);
  let known: Promise<unknown> | undefined;
  await execute({
    begun: (thread) => {
      known = thread;
    },
  });
  expect(await known).toMatchObject({ task: "do it" });
});

test("progress shows calls with their arguments, looked up", async () => {
  const { execute } = setup([calls(["look", { id: "C-1" }], ["pay", PAY]), "Done."]);
  const { err } = await execute();
  expect(err).toContain('look(id: "C-1")');
  expect(err).toContain('allows pay(to: "Lumen", amount: 49)');
  expect(err).toContain('done pay(to: "Lumen", amount: 49)');
});

describe("the gate asks", () => {
  test("without a terminal the question stays open, and a resume asks again", async () => {
    const { execute, journal, done } = setup(erasing);
    expect(await execute()).toMatchObject({ status: "waiting", message: expect.stringContaining("erase") });
    expect(await execute({ mode: "resume" })).toMatchObject({ status: "waiting" });
    expect(await journal.approvals({ thread: "t1", status: "pending" })).toHaveLength(1);
    expect(await journal.thread("t1")).toMatchObject({ status: "waiting" });
    expect(done).toEqual([]);
  });

  test("--approve yes lets it pass and records who said so", async () => {
    const { execute, journal, done } = setup(erasing);
    expect(await execute({ approve: "yes" })).toMatchObject({ status: "finished" });
    expect(done).toEqual([`erase ${JSON.stringify(ERASE)}`]);
    expect(await eventsOf(journal, "t1", "approval.decided")).toMatchObject([
      { decision: "approved", authenticated: "cli", reason: "--approve yes", by: expect.stringMatching(/./) },
    ]);
  });

  test("--approve no ends blocked, nothing done", async () => {
    const { execute, done } = setup(erasing);
    expect(await execute({ approve: "no" })).toMatchObject({ status: "blocked" });
    expect(done).toEqual([]);
  });

  test.for([
    ["y", "finished", 1],
    ["n", "blocked", 0],
    ["", "waiting", 0],
    ["what?", "waiting", 0],
  ] as const)("a person who answers %j: %s", async ([answer, status, count]) => {
    const { execute, done } = setup(erasing);
    const ended = await execute({ answers: [answer] });
    expect(ended).toMatchObject({ status, questions: [expect.stringContaining("Do it?")] });
    expect(ended.err).toContain(`erase(id: "C-1")\n  trust    ▅▇▇▇  integrity 2 below 3`);
    expect(done).toHaveLength(count);
  });

  test("an answer from another terminal counts, whatever is typed here", async () => {
    const { execute, decide, done } = setup(erasing);
    const terminal = testTerminal({ interactive: true });
    const ask = async () => {
      await decide("rejected", "too late");
      return "y";
    };
    expect(await execute({ terminal: { ...terminal, ask } })).toMatchObject({ status: "blocked" });
    expect(terminal.written.err).toContain("was decided already by test");
    expect(done).toEqual([]);
  });

  test("an approval that nobody gave in time blocks", async () => {
    let later = 0;
    const { execute, done } = setup(erasing, { later: () => later });
    await execute();
    later = 25 * 3_600_000;
    expect(await execute({ mode: "resume" })).toMatchObject({ status: "blocked" });
    expect(done).toEqual([]);
  });

  test("a new message withdraws the question and is judged by itself", async () => {
    const { execute, journal } = setup([...erasing.slice(0, 2), "Something else."]);
    await execute();
    expect(await execute({ mode: "more", task: "never mind" })).toMatchObject({ status: "finished" });
    expect(await journal.approvals({ thread: "t1" })).toMatchObject([
      { status: "rejected", reason: expect.stringContaining("withdrawn") },
    ]);
  });
});

test("what the gate blocks ends blocked, and the next message starts with a clean slate", async () => {
  const { execute, done } = setup([calls(["read_web", {}]), calls(["pay", PAY]), "I could not.", "Hello."]);
  expect(await execute({ approve: "yes" })).toMatchObject({ status: "blocked" });
  expect(done).toEqual([]);
  expect(await execute({ mode: "more", task: "hello" })).toMatchObject({ status: "finished" });
});

describe("going on", () => {
  test("a thread killed before its first checkpoint starts again from its task", async () => {
    const { execute, journal } = setup(["Here it is."]);
    await journal.beginThread("t1", "agent", TOP);
    await journal.updateThread("t1", { task: "the lost task", status: "running" });
    const { status, session } = await execute({ mode: "resume" });
    expect(status).toBe("finished");
    const { messages } = (await session.state()).values as { messages: { text: string }[] };
    expect(messages[0]?.text).toBe("the lost task");
  });

  test.each([
    ["its first task", 0],
    ["a further message", 1],
  ])("a thread killed right after %s was saved takes it in, once", async (_, turns) => {
    const { execute, saver } = setup(["It is over.", "It is over."]);
    for (let turn = 0; turn < turns; turn += 1) await execute();
    const put = saver.put.bind(saver);
    let left = 1;
    saver.put = async (...checkpoint) => {
      left -= 1;
      if (left < 0) throw new Error("killed");
      return put(...checkpoint);
    };
    expect(await execute({ mode: turns === 0 ? "start" : "more", task: "the last" })).toMatchObject({
      status: "failed",
    });
    saver.put = put;
    const { status, session } = await execute({ mode: "resume" });
    expect(status).toBe("finished");
    const { messages } = (await session.state()).values as { messages: { text: string }[] };
    expect(messages.map(({ text }) => text).slice(-2)).toEqual(["the last", "It is over."]);
    expect(messages).toHaveLength(2 * turns + 2);
  });

  test("a thread without checkpoint and task says what to do", async () => {
    const { execute, journal } = setup([]);
    await journal.beginThread("t1", "agent", TOP);
    await expect(execute({ mode: "resume" })).rejects.toThrow(/no checkpoint in this database\. Start the task again/);
  });

  test("a finished thread has nothing to resume: nothing is recorded or called", async () => {
    const { execute, journal } = setup(["Here it is."]);
    await execute();
    const before = await journal.events({ thread: "t1" });
    expect(await execute({ mode: "resume" })).toMatchObject({ status: "finished", err: "" });
    expect(await journal.events({ thread: "t1" })).toEqual(before);
  });

  test("a run killed between its last checkpoint and its end gets its end from the next one", async () => {
    const { execute, journal } = setup(["Here it is."]);
    const append = journal.append.bind(journal);
    journal.append = (scope, event) =>
      event.kind === "run.end" ? Promise.reject(new Error("killed")) : append(scope, event);
    await expect(execute()).rejects.toThrow("killed");
    journal.append = append;
    expect(await journal.thread("t1")).toMatchObject({ status: "running" });
    expect(await execute({ mode: "queued" })).toMatchObject({ status: "finished" });
    expect(await journal.thread("t1")).toMatchObject({ status: "finished" });
    const ends = (await journal.events({ thread: "t1" })).filter(({ event }) => event.kind === "run.end");
    expect(ends).toMatchObject([{ scope: { run: "run-start" }, event: { status: "finished" } }]);
  });

  test("Ctrl-C stops after the step under way; a resume comes to the end", async () => {
    const interruption = new Interruption(
      () => 0,
      () => undefined,
    );
    const steps: ScriptStep[] = [
      () => {
        interruption.request();
        return calls(["pay", PAY]);
      },
      "Paid.",
    ];
    const { execute, done, journal } = setup(steps);
    expect(await execute({ interruption })).toMatchObject({ status: "interrupted" });
    expect(done).toEqual([]);
    expect(await journal.thread("t1")).toMatchObject({ status: "interrupted" });
    expect(await execute({ mode: "resume" })).toMatchObject({ status: "finished" });
    expect(done).toHaveLength(1);
  });
});

test("another run on the thread is refused; the thread is free again after a run", async () => {
  const { execute, journal } = setup(["Here it is."]);
  const lease = await journal.lease("t1", "somebody else");
  await expect(execute()).rejects.toSatisfy(ThreadBusyError.isInstance);
  await lease.release();
  await execute();
  await (await journal.lease("t1", "the next one")).release();
});
