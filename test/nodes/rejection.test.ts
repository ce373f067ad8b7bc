// A no is a no: the same is not asked about again in its thread and its forks, and a run may ask so much and no more.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { definePolicy } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { countingTools, testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const LOOK = calls(["look", { id: "7" }]);
const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text).join("\n");

function wiper() {
  const done: unknown[] = [];
  const tool = defineTool({
    ...{ name: "wipe", description: "Wipes.", source: {}, floor: "strict" as const },
    schema: z.object({ id: z.string().trim(), why: z.string().optional() }),
    identity: ["id"],
    run: (args) => done.push(args) && "wiped",
  }) as unknown as HarnessTool;
  return { done, tools: [...countingTools().tools, tool] };
}
type Args = Record<string, unknown>;
const wipe = (...list: readonly Args[]) => calls(...list.map((args): [string, Args] => ["wipe", args]));

describe("what was rejected", () => {
  test.each([
    ["the same", { id: "7" }],
    ["what the schema makes the same", { id: " 7 ", please: "now" }],
  ])("is not asked about again: %s", async (_, args) => {
    const { done, tools } = wiper();
    const agent = testAgent(script([LOOK, wipe({ id: "7" }), wipe(args), "done"]), { tools });
    await agent.run("wipe");
    await agent.decide("rejected", "not that one");
    const { asked, messages, answer } = await agent.run(null);
    expect(asked).toBeUndefined();
    expect(answer).toBe("done");
    expect(done).toEqual([]);
    expect(await agent.journal.approvals()).toHaveLength(1);
    expect(texts(messages)).toContain("Rejected: wipe was not run. test said no to the same before: not that one.");
    expect((await eventsOf(agent.journal, "t1", "gate.decision")).at(-1)).toMatchObject({
      verdict: "block",
      reasons: [expect.any(String), expect.stringContaining("said no to the same before")],
    });
  });

  test("is not asked about again for a later message of the user, nor in the same message", async () => {
    const { tools } = wiper();
    const steps = [LOOK, wipe({ id: "7" }), "sorry", wipe({ id: "7" }, { id: "7" }), "still no"];
    const agent = testAgent(script(steps), { tools });
    await agent.run("wipe");
    await agent.decide("rejected");
    await agent.run(null);
    expect((await agent.run("do it after all")).asked).toBeUndefined();
    expect(await agent.journal.approvals()).toHaveLength(1);
  });

  test("is not asked about again in a fork of the thread", async () => {
    const { tools } = wiper();
    const agent = testAgent(script([LOOK, wipe({ id: "7" }), "no", wipe({ id: "7" }), "still no"]), { tools });
    await agent.run("wipe");
    await agent.decide("rejected");
    await agent.run(null);
    const history = [];
    for await (const state of agent.graph.getStateHistory(agent.config())) history.push(state);
    const before = history.filter(({ next }) => next.includes("planner")).at(0);
    const again = await agent.graph.invoke(null, before?.config);
    expect(again).not.toHaveProperty("__interrupt__");
    expect(await agent.journal.approvals()).toHaveLength(1);
  });

  test("is asked about with other arguments, for whose reason a person may say yes", async () => {
    const { tools } = wiper();
    const agent = testAgent(script([LOOK, wipe({ id: "7" }), wipe({ id: "7", why: "the owner asks" }), "x"]), {
      tools,
    });
    await agent.run("wipe");
    await agent.decide("rejected");
    expect((await agent.run(null)).asked?.value.requests).toMatchObject([{ arguments: { why: "the owner asks" } }]);
  });

  test("is asked about under another label", async () => {
    const { tools } = wiper();
    const worse = defineTool({
      ...{ name: "worse", description: "Reads mail.", schema: z.object({}), effect: "none", source: { integrity: 1 } },
      run: () => "a mail",
    }) as unknown as HarnessTool;
    const steps = [LOOK, wipe({ id: "7" }), calls(["worse", {}]), wipe({ id: "7" }), "x"];
    const agent = testAgent(script(steps), { tools: [...tools, worse] });
    await agent.run("wipe");
    await agent.decide("rejected");
    const { asked } = await agent.run(null);
    expect(asked?.value.requests).toMatchObject([{ trust: { integrity: 1 } }]);
  });

  test.each(["withdrawn", "expired"])("is something else than what was %s: that is asked about", async (how) => {
    let passed = 0;
    const { tools } = wiper();
    const agent = testAgent(script([LOOK, wipe({ id: "7" }), wipe({ id: "7" }), "x"]), { tools, later: () => passed });
    await agent.run("wipe");
    const [open] = await agent.journal.approvals();
    if (how === "withdrawn") await agent.journal.cancelApproval(open?.id ?? "", "another reason");
    else passed = 25 * 3_600_000;
    expect((await agent.run(null)).asked?.value.requests).toHaveLength(1);
  });
});

describe("a run asks so many questions and no more", () => {
  const policy = definePolicy({ name: "narrow", floor: 2, approvals: { questionLimit: 2 } });
  const nagging = script([LOOK, ...["1", "2", "3", "4"].map((why) => wipe({ id: "7", why })), "done"]);

  test("however often it is resumed, and under whatever run id", async () => {
    const { done, tools } = wiper();
    const agent = testAgent(nagging, { tools, policy });
    await agent.run("wipe");
    for (const run of ["r2", "r3"]) {
      await agent.decide("rejected");
      await agent.run(null, "t1", { configurable: { thread_id: "t1", run_id: run } });
    }
    const { values } = await agent.graph.getState(agent.config());
    const said = texts((values as { messages: { text: string }[] }).messages);
    expect(await agent.journal.approvals()).toHaveLength(2);
    expect(said).toContain("Blocked: wipe was not run.");
    expect(said).toContain("a run may ask 2 questions, and this one has asked 2. Give it a new task");
    expect(done).toEqual([]);
  });

  test("a new task may ask again", async () => {
    const { tools } = wiper();
    const steps = [LOOK, wipe({ id: "1" }), wipe({ id: "2" }), wipe({ id: "3" }), "x", wipe({ id: "4" }), "x"];
    const agent = testAgent(script(steps), { tools, policy });
    await agent.run("wipe");
    for (let times = 0; times < 2; times += 1) {
      await agent.decide("rejected");
      await agent.run(null);
    }
    const other = { configurable: { thread_id: "t1", run_id: "r2" } };
    expect((await agent.run("another task", "t1", other)).asked?.value.requests).toHaveLength(1);
  });

  test("0 asks nobody", async () => {
    const { tools } = wiper();
    const none = definePolicy({ name: "none", floor: 2, approvals: { questionLimit: 0 } });
    const agent = testAgent(nagging, { tools, policy: none });
    expect((await agent.run("wipe")).asked).toBeUndefined();
    expect(await agent.journal.approvals()).toEqual([]);
  });
});
