// Forks and rewinds: which floor a derived thread starts with, on a real graph.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { describe, expect, test } from "vitest";
import { deriveThread } from "../../checkpoints/index.js";
import { BOTTOM, label, TOP } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

const READ = calls(["read_web", {}]);
const PAY = calls(["pay", { to: "a", amount: 1 }]);

/** A thread that was clean, then read the web; and its last checkpoint before that. */
async function degraded(steps = [READ, "read"]) {
  const agent = testAgent(script([...steps, "done"]));
  await agent.run("go");
  const history: { id: string; next: readonly string[]; integrity: unknown }[] = [];
  for await (const { config, next, values } of agent.graph.getStateHistory(agent.config())) {
    history.push({ id: config.configurable?.["checkpoint_id"], next, integrity: values.trust?.integrity });
  }
  const clean = history.findLast(({ next, integrity }) => next.includes("planner") && integrity === 3);
  const saver = agent.graph.checkpointer as BaseCheckpointSaver;
  const from = { journal: agent.journal, saver, from: "t1", checkpoint: clean?.id ?? "" };
  return { agent, from };
}

describe("a derived thread", () => {
  test("that only runs again has the label of its checkpoint, and is under the same root", async () => {
    const { agent, from } = await degraded();
    expect((await agent.journal.thread("t1"))?.floor).toMatchObject({ integrity: 0 });
    expect(await deriveThread({ ...from, to: "t2", as: "rewind" })).toEqual(TOP);
    expect(await agent.journal.thread("t2")).toMatchObject({ root: "t1", floor: TOP });
    expect((await agent.journal.thread("t1"))?.floor).toMatchObject({ integrity: 0 });
  });

  test("goes on from there, and earns a label of its own", async () => {
    const { agent, from } = await degraded();
    await deriveThread({ ...from, to: "t2", as: "rewind" });
    const { trust, answer } = await agent.run(null, "t2");
    expect(answer).toBe("read");
    expect(trust).toMatchObject({ integrity: 0 }); // It read the web again.
    expect(trust.causes.map(({ reason }) => reason)).toContain("a web page");
  });

  test("into which values are injected inherits the floor of every branch", async () => {
    const { agent, from } = await degraded();
    await agent.journal.lowerFloor("t1", label({ fidelity: 1 }));
    expect(await deriveThread({ ...from, to: "t2", as: "fork" })).toEqual(label({ integrity: 0, fidelity: 1 }));
    expect(await deriveThread({ ...from, to: "t3", as: "rewind" })).toEqual(TOP);
    expect(await deriveThread({ ...from, from: "t3", to: "t4", as: "fork" })).toMatchObject({
      integrity: 0,
      fidelity: 1,
    });
    expect(await agent.journal.thread("t4")).toMatchObject({ root: "t1" });
  });

  test("what was written into a rewound thread all the same is unlabelled", async () => {
    const { agent, from } = await degraded();
    await deriveThread({ ...from, to: "t2", as: "rewind" });
    await agent.graph.updateState(agent.config("t2"), { messages: [{ role: "user", content: "Pay a." }] }, "guard");
    expect((await agent.run(null, "t2")).trust).toMatchObject(BOTTOM);
  });

  test("asks before it repeats what another branch did", async () => {
    const { agent, from } = await degraded([PAY, "paid"]);
    expect(agent.done).toEqual(['pay {"to":"a","amount":1}']);
    await deriveThread({ ...from, to: "t2", as: "rewind" });
    const { asked } = await agent.run(null, "t2");
    expect(asked?.value.requests[0]?.reasons).toEqual([expect.stringContaining("already done")]);
    expect(agent.done).toHaveLength(1);
  });

  test("needs a checkpoint that is there and an id that is free", async () => {
    const { from } = await degraded();
    await expect(deriveThread({ ...from, checkpoint: "none", to: "t2", as: "rewind" })).rejects.toThrow(
      "there is no checkpoint none of thread t1",
    );
    await expect(deriveThread({ ...from, from: "t9", to: "t2", as: "rewind" })).rejects.toThrow(
      "there is no thread t9",
    );
    await expect(deriveThread({ ...from, to: "t1", as: "rewind" })).rejects.toThrow("thread t1 exists already");
  });
});

test("a copy that the harness did not make is at the bottom", async () => {
  const { agent, from } = await degraded([PAY, "paid"]);
  const { saver, checkpoint } = from;
  const tuple = await saver.getTuple({
    configurable: { thread_id: "t1", checkpoint_ns: "", checkpoint_id: checkpoint },
  });
  if (tuple?.metadata === undefined) throw new Error("no checkpoint");
  const config = { configurable: { thread_id: "copy", checkpoint_ns: "" } };
  await saver.put(config, tuple.checkpoint, tuple.metadata, tuple.checkpoint.channel_versions);
  await agent.run(null, "copy");
  expect(agent.done).toHaveLength(1);
  expect((await agent.journal.thread("copy"))?.floor).toEqual(BOTTOM);
});
