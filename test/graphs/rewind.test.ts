// A run that the gate stopped because a model call had to be retried, or a fallback had answered: repaired by running it
// again from before that.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { describe, expect, test } from "vitest";
import { verifyThread } from "../../checkpoints/index.js";
import { type Harness, harnessOf, rewindThread } from "../../graphs/index.js";
import { TOP } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const ERASE = calls(["erase", { id: "1" }]);
const PAY = calls(["pay", { to: "a", amount: 1 }]);

/** An agent whose first model call fails once and is retried: good enough to pay, and not to erase. */
async function stopped(steps = [ERASE, "erased"], faults = ["server-error:offline-large,times=1"]) {
  const agent = testAgent(script(steps), { faults });
  const first = await agent.run("go");
  const graph = agent.graph as never as Parameters<typeof rewindThread>[0]["graph"];
  const harness = harnessOf(agent.graph) as Harness;
  const saver = agent.graph.checkpointer as BaseCheckpointSaver;
  const rewind = (to = "t2", thread = "t1") => rewindThread({ graph, harness, saver, thread, to, run: "r2" });
  return { agent, first, rewind };
}

describe("rewind", () => {
  test("runs again from before the retry, at full trust, and nobody is asked", async () => {
    const { agent, first, rewind } = await stopped();
    expect(first.trust).toMatchObject({ certainty: 2 });
    expect(agent.done).toEqual([]);

    expect(await rewind()).toMatchObject({ thread: "t2", tool: "erase", floor: TOP });
    const { trust, answer, asked } = await agent.run(null, "t2");
    expect({ answer, asked }).toEqual({ answer: "erased", asked: undefined });
    expect(trust).toMatchObject({ fidelity: 3, certainty: 3, minTrust: 3 });
    expect(agent.done).toHaveLength(1);
  });

  test("leaves both branches in the record, and nothing open in the old one", async () => {
    const { agent, first, rewind } = await stopped();
    await rewind();
    expect(await agent.journal.thread("t2")).toMatchObject({ root: "t1" });
    expect(await agent.journal.thread("t1")).toMatchObject({ status: "blocked", floor: { certainty: 2 } });
    expect(await eventsOf(agent.journal, "t2", "thread.derived")).toMatchObject([
      { from: "t1", as: "rewind", floor: TOP },
    ]);
    expect(await eventsOf(agent.journal, "t1", "approval.decided")).toMatchObject([
      { decision: "cancelled", reason: "the run went on in thread t2" },
    ]);
    const id = first.asked?.value.requests[0]?.id ?? "";
    expect(await agent.journal.approval(id)).toMatchObject({ status: "cancelled" });
    for (const thread of ["t1", "t2"]) expect(await verifyThread(agent.journal, thread)).toMatchObject({ ok: true });
  });

  test("takes no fallback: while the primary is out it waits or parks", async () => {
    const { agent, rewind } = await stopped([PAY, "paid"], ["outage:offline-large"]);
    await rewind();
    const parked = await agent.run(null, "t2").catch((error: unknown) => error);
    expect(agent.done).toEqual([]);
    expect(await agent.journal.thread("t2")).toMatchObject({ floor: TOP });
    expect(parked).toBeDefined();
  });

  test("asks before it repeats what an earlier rewind did", async () => {
    const { agent, rewind } = await stopped();
    await rewind();
    await agent.run(null, "t2");
    await rewind("t3");
    const { asked } = await agent.run(null, "t3");
    expect(asked?.value.requests[0]?.reasons).toEqual([expect.stringContaining("already done")]);
    expect(agent.done).toHaveLength(1);
  });

  test("does not go back past an effect", async () => {
    const steps = [calls(["look", { id: "1" }]), PAY, ERASE, "done"];
    const { agent, rewind } = await stopped(steps, []);
    expect(agent.done).toHaveLength(1); // What it read was good enough to pay, and not to erase.
    await expect(rewind()).rejects.toThrow(/did pay \(\w{12}\) after the step to go back to.*effects compensate/);
    expect(await agent.journal.thread("t2")).toBeUndefined();
  });

  test("has nothing to do where nothing was stopped", async () => {
    const { rewind } = await stopped([PAY, "paid"], []);
    await expect(rewind()).rejects.toThrow("the gate stopped nothing in thread t1 for its trust");
  });
});
