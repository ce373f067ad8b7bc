// What a kill, an older version or a client left behind is not taken for an end; nothing that was stored is lost.

import { tmpdir } from "node:os";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../cli/program.js";
import { type AnyCompiledGraph, agentGraph, standingOf } from "../../graphs/index.js";
import { type Place, sqlitePlace } from "../checkpoints/support.js";
import { calls, script, scriptedModel } from "../contracts/index.js";
import { type Build, Lives, type Point } from "../effects/superstep.js";
import { countingTools } from "../support/agent.js";
import { testTerminal } from "./terminal.js";

const PAY = calls(["pay", { to: "a", amount: 1 }]);
const TWO = calls(["look", { id: "1" }], ["tag", { id: "2" }]);

let place: Place;
let lives: Lives;
const model = scriptedModel(
  script([TWO, PAY, "The first is done.", "The second is done.", "The third is done.", "The fourth is done."]),
);

const build: Build = (journal) => {
  const options = { journal, model, prompt: "You are the agent.", tools: countingTools().tools };
  return agentGraph(options).compile() as unknown as AnyCompiledGraph;
};

beforeEach(() => {
  place = sqlitePlace();
  lives = new Lives(place, build);
});
afterEach(async () => {
  await lives.close();
  await place.remove();
});

const config = { configurable: { thread_id: "t" } };

/** The graph as a client has it, beside the lives. */
async function client(): Promise<AnyCompiledGraph> {
  const own = build(lives.journal());
  own.checkpointer = await lives.saver();
  return own;
}

const humans = ({ messages }: { messages: readonly unknown[] }) =>
  messages.flatMap((message) => ((message as unknown[])[0] === "human" ? [(message as unknown[])[1]] : []));

/** The messages of a thread, with what is stored and not taken in. Those without an id of their own get another each time. */
const said = async (thread: string): Promise<string[]> => {
  const { values } = await (await client()).getState({ configurable: { thread_id: thread } });
  const messages = (values.messages ?? []) as { type: string; text: string; id?: string; tool_call_id?: string }[];
  return messages.map(({ type, text, id, tool_call_id: call }) => `${type} ${text} ${type === "ai" ? id : call}`);
};

/** A client clears what is to be run: what is stored is taken in first, and then what follows from that is dropped. */
const clear = async () => {
  for (const _ of [1, 2]) await (await client()).updateState(config, null as never, "__end__");
};

const statusOf = async () => (await lives.journal().thread("t"))?.status;

describe("a further message", () => {
  test.for([
    ["before it was taken in", { stored: 0 }],
    ["right after it was saved", { after: 0 }],
    ["when it was stored and not taken in", { stored: 1 }],
    ["when the answer to it was stored", { stored: 4 }],
  ] as const)("is answered, once, when the run was killed %s", async ([_, point]) => {
    await lives.next("t", "start", "the first");
    expect(await lives.killed("t", "the second", point as Point, "more")).toBe(true);
    expect(await statusOf()).toBe("running");
    const came = await lives.next("t", "resume");
    expect(came).toMatchObject({ status: "finished", recorded: "finished", answer: "The second is done." });
    expect(humans(came)).toEqual(["the first", "the second"]);
  });

  test("is answered, once, when the run that resumes it is killed before it was taken in as well", async () => {
    await lives.next("t", "start", "the first");
    await lives.killed("t", "the second", { stored: 0 }, "more");
    await lives.killed("t", "the second", { stored: 0 }, "resume");
    const came = await lives.next("t", "resume");
    expect(came.answer).toBe("The second is done.");
    expect(humans(came)).toEqual(["the first", "the second"]);
  });

  test.each(Array.from({ length: 15 }, (_, n) => n))(
    "loses nothing that the thread had stored: killed at superstep %i and told something else",
    async (n) => {
      expect(await lives.killed("t", "the first", { stored: n })).toBe(true);
      const stored = await said("t");
      await lives.next("t", "more", "the second");
      expect(await said("t")).toEqual(expect.arrayContaining(stored));
    },
  );

  test("keeps the result of one of two parallel calls", async () => {
    let found = 0;
    for (let after = 8; after < 16; after += 1) {
      const thread = `t${after}`;
      await lives.killed(thread, "the first", { after });
      const { next } = await (await client()).getState({ configurable: { thread_id: thread } });
      const stored = await said(thread);
      if (!next.includes("tools") || !stored.some((each) => each.startsWith("tool "))) continue;
      found += 1;
      await lives.next(thread, "more", "the second");
      expect(await said(thread)).toEqual(expect.arrayContaining(stored));
    }
    expect(found).toBeGreaterThan(0);
  });
});

describe("a thread with nothing to run and no answer", () => {
  test.for([
    ["cleared by a client while a call was open", null, "__end__"],
    ["left by its client with a message of the user's", { messages: [new HumanMessage("and now?")] }, "planner"],
    ["left by its client with an answer that says nothing", { messages: [new AIMessage("")] }, "planner"],
  ] as const)("is gone on with, and until then not finished: %s", async ([_, values, as]) => {
    if (values === null) {
      await lives.killed("t", "the first", { stored: 4 });
      await clear();
    } else {
      await lives.next("t", "start", "the first");
      await (await client()).updateState(config, values as never, as);
    }
    expect(standingOf(await (await client()).getState(config)).at).toBe("loose end");
    expect(await statusOf()).not.toBe("finished");
    const came = await lives.next("t", "resume");
    expect(came).toMatchObject({
      status: "finished",
      recorded: "finished",
      answer: expect.stringContaining("is done."),
    });
  });

  test("fails the run that comes to it, and says so in the record", async () => {
    const mute = scriptedModel(script(["", "Here."]));
    const own = new Lives(place, (journal) => {
      const options = { journal, model: mute, prompt: "You are the agent.", tools: countingTools().tools };
      return agentGraph(options).compile() as unknown as AnyCompiledGraph;
    });
    await expect(own.next("mute", "start", "say something")).rejects.toThrow(/without an answer|says nothing|empty/i);
    expect((await own.journal().thread("mute"))?.status).toBe("failed");
    await own.close();
    await mute.provider.close();
    await mute.close();
  });
});

test("an end is recorded together with the thread's status, and so is a beginning", async () => {
  const journal = lives.journal();
  const { TOP } = await import("../../trust/index.js");
  await journal.beginThread("t", "unknown", TOP);
  const start = { kind: "run.start", graph: "agent", model: "m", offline: true, resumed: false } as const;
  const scope = { thread: "t", run: "r" };
  await journal.append(scope, { kind: "run.end", status: "finished" });
  expect(await journal.thread("t")).toMatchObject({ status: "finished" });
  await journal.append(scope, { ...start, task: "do it" });
  expect(await journal.thread("t")).toMatchObject({ status: "running", graph: "agent", task: "do it" });
  await journal.append(scope, { kind: "run.end", status: "parked" });
  expect(await journal.thread("t")).toMatchObject({ status: "parked", task: "do it" });
  await journal.append(scope, { kind: "input", as: "input" });
  expect(await journal.thread("t")).toMatchObject({ status: "running" });
  await journal.append({ thread: "unknown", run: "r" }, { kind: "run.end", status: "finished" });
  expect(await journal.thread("unknown")).toBeUndefined();
});

test("show says what is stored and what is next, and not that a thread has finished which has not", async () => {
  const shown = async (): Promise<{ status: string; checkpoint: object }> => {
    const terminal = testTerminal();
    terminal.env["BULKHEAD_WORKSPACE"] = tmpdir();
    await runProgram(["show", "t", "--db", place.url, "--json"], terminal);
    return JSON.parse(terminal.written.out);
  };
  await lives.killed("t", "the first", { stored: 4 });
  await lives.journal().updateThread("t", { status: "finished" }); // As an older version would have it.
  expect(await shown()).toMatchObject({
    status: "interrupted",
    checkpoint: { next: ["planner"], stored: ["planner"] },
  });
  await clear();
  await lives.journal().updateThread("t", { status: "finished" });
  expect(await shown()).toMatchObject({
    status: "interrupted",
    checkpoint: { next: [], why: "look, tag were called and not answered" },
  });
  await lives.next("t", "resume");
  expect(await shown()).toMatchObject({ status: "finished", checkpoint: { next: [], stored: [] } });
});
