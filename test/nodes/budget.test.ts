// The budget of a run in a real graph: what was stopped ends with what it has, and a replay of it, which has no budget,
// ends in the same way.

import { describe, expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { readBudget } from "../../graphs/index.js";
import { BudgetKeeper, isStopped } from "../../nodes/index.js";
import { script } from "../contracts/index.js";
import { call, THREAD } from "../replay/drive.js";
import { ask, type Plan, type World, world } from "../replay/world.js";
import { testAgent } from "../support/agent.js";
import { eventsOf, expectSame, go, LOOKS, messagesOf, run } from "./budget-runs.js";

describe("a run that its budget stops", () => {
  test.for([undefined, "messages"] as const)("ends with an answer that says why (%s)", async (calling) => {
    const agent = await world(LOOKS);
    expect(await run(agent, { calls: 2 }, go(), "r1", calling)).toBeUndefined();
    const state = await agent.graph.getState({ configurable: { thread_id: THREAD } });
    expect(state.next).toEqual([]);
    const last = (state.values.messages as Parameters<typeof isStopped>[0][]).at(-1);
    expect(isStopped(last)).toBe(true);
    expect(last?.text).toMatch(/^Stopped before the end: .*2 of 2 model calls used/);
    expect(last?.text).toContain("Unfinished: go");
    expect(last?.text).toContain("Answered so far: look.");
    expect(agent.provider.requests).toHaveLength(2);
    expect(await eventsOf(agent, "model.error")).toMatchObject([{ name: "BudgetError", code: "BUDGET_SPENT" }]);
    await expectSame(agent, LOOKS);
    await agent.close();
  });

  test("names what of its plan is unfinished", async () => {
    const todos = [
      { content: "look at a", status: "completed" },
      { content: "look at b", status: "in_progress" },
    ];
    const plan: Plan = { turns: [[["write_todos", { todos }]], [["look", { id: "a" }]], []] };
    const agent = await world(plan);
    await run(agent, { calls: 2 });
    expect((await messagesOf(agent)).at(-1)?.text).toContain("Unfinished:\n- look at b");
    expect((await messagesOf(agent)).at(-1)?.text).not.toContain("look at a\n");
    await expectSame(agent, plan);
    await agent.close();
  });

  test("was warned at four fifths, in the record, once", async () => {
    const turns = [..."abcdefg"].map((id): Plan["turns"][number] => [["look", { id }]]);
    const agent = await world({ turns: [...turns, []] });
    await run(agent, { calls: 5 });
    const warned = (await eventsOf(agent, "capacity")).flatMap(({ event }) => (event.kind === "budget" ? [event] : []));
    expect(warned).toEqual([{ kind: "budget", dimension: "calls", used: 4, limit: 5 }]);
    await agent.close();
  });

  test("one that is enough changes nothing", async () => {
    const agent = await world(LOOKS);
    await run(agent, { calls: 4, tokens: 1e6 });
    const free = await world(LOOKS);
    await call(free, go());
    const told = async (of: World) => (await messagesOf(of)).map(({ text }) => text);
    expect(await told(agent)).toEqual(await told(free));
    await expectSame(agent, LOOKS);
    await agent.close();
    await free.close();
  });
});

describe("a run that was stopped", () => {
  test("goes on where it was with more, and never sees its own last words", async () => {
    const agent = await world(LOOKS);
    await run(agent, { calls: 2 });
    await agent.graph.updateState({ configurable: { thread_id: THREAD } }, {}, "guard");
    await run(agent, { calls: 4 }, null, "r2");
    expect(agent.provider.requests).toHaveLength(4);
    expect(agent.ran).toEqual(["look", "look", "look"]);
    expect((await messagesOf(agent)).at(-1)?.text).toContain("that is all");
    const texts = [...(await agent.journal.texts(THREAD)).values()];
    const sent = texts.filter((text) => text.startsWith('{"role"'));
    expect(sent.length).toBeGreaterThan(3);
    expect(sent.filter((text) => text.includes("Stopped before the end"))).toEqual([]);
    await expectSame(agent, LOOKS);
    await agent.close();
  });
});

describe("a graph that is built with a budget", () => {
  test("keeps it in every run, also where nobody can hang anything into it, and one hung in comes before it", async () => {
    const { graph, model } = testAgent(script(["One.", "Two.", "Three."]), { budget: { limits: { calls: 1 } } });
    const config = (thread: string) => ({ configurable: { thread_id: thread, run_id: thread } });
    const texts = async (given: object) =>
      ((await graph.invoke(go(), given)) as { messages: { text: string }[] }).messages.map(({ text }) => text);
    expect(await texts(config("a"))).toEqual(["go", "One."]);
    expect(await texts(config("a"))).toEqual(["go", "One.", "go", "Two."]);
    expect(model.provider.requests).toHaveLength(2);
    const journal = openJournal("memory:");
    const none = new BudgetKeeper(journal, { limits: { tokens: 1 } });
    expect(await texts({ ...config("b"), callbacks: [none] })).toEqual([
      "go",
      expect.stringContaining("of 1 tokens used"),
    ]);
    await journal.close();
    await model.close();
  });

  test("for one in money the prices come from its settings", () => {
    const models = { model: "offline-large", fallback: "offline-small" };
    expect(readBudget({}, models)).toBeUndefined();
    expect(readBudget({ budget: { calls: 1 } }, { model: "some-model" })).toEqual({ limits: { calls: 1 } });
    expect(readBudget({ budget: { usd: 1 } }, models)?.prices?.date).toMatch(/^\d{4}-/);
    expect(() => readBudget({ budget: { usd: 1 } }, { model: "some-model" })).toThrow(/the price of some-model/);
    expect(() => readBudget({ budget: { usd: 1 }, prices: "/no/such.yaml" }, models)).toThrow(
      /such\.yaml cannot be read/,
    );
  });
});

describe("subagents", () => {
  const reads = (name: string, turns: number) =>
    ask(name, ...Array.from({ length: turns }, (_, turn) => [["look", { id: `${name}${turn}` }] as const]));

  test("share the budget of the run, and one that is stopped brings back what it found", async () => {
    const plan: Plan = { turns: [[reads("x", 9)], []] };
    const agent = await world(plan);
    await run(agent, { calls: 4 });
    expect(agent.provider.requests).toHaveLength(4);
    const answer = (await messagesOf(agent)).find(({ name }) => name === "task");
    expect(answer).toMatchObject({
      status: "error",
      text: expect.stringMatching(/^Partial result \(reader did not finish\)/),
    });
    expect(answer?.text).toContain("4 of 4 model calls used");
    expect(answer?.text).toMatch(/What it had found:\nlook: .*x0/);
    expect(await eventsOf(agent, "subagent.end")).toMatchObject([{ ok: false }]);
    expect((await messagesOf(agent)).at(-1)?.text).toMatch(/^Stopped before the end/);
    await expectSame(agent, plan);
    await agent.close();
  });

  test("side by side never use more than there is, however many there are", { timeout: 120_000 }, async () => {
    const plan: Plan = { turns: [[..."uvwxyz"].map((name) => reads(name, 3)), []] };
    for (const calls of [1, 4, 9]) {
      const agent = await world(plan, { maxConcurrency: 8 });
      await run(agent, { calls });
      expect(agent.provider.requests.length).toBe(calls);
      await expectSame(agent, plan, { maxConcurrency: 8 });
      await agent.close();
    }
  });

  test("give back what they did not use", async () => {
    const plan: Plan = { turns: [[reads("x", 0)], [["look", { id: "a" }]], [["look", { id: "b" }]], []] };
    const agent = await world(plan);
    await run(agent, { calls: 5 });
    expect(agent.provider.requests).toHaveLength(5);
    expect((await messagesOf(agent)).at(-1)?.text).toContain("that is all");
    await expectSame(agent, plan);
    await agent.close();
  });

  test("for which nothing is left are not started, and the record says so", async () => {
    const plan: Plan = { turns: [[reads("x", 1), reads("y", 1)], []] };
    const agent = await world(plan);
    await run(agent, { calls: 1 });
    expect(await eventsOf(agent, "subagent.start")).toEqual([]);
    const admissions = (await eventsOf(agent, "admission")).filter(({ resource }) => resource === "budget");
    expect(admissions).toMatchObject([{ decision: "shed" }, { decision: "shed" }]);
    const answers = (await messagesOf(agent)).filter(({ name }) => name === "task");
    expect(answers.map(({ text }) => text)).toEqual(
      Array(2).fill(expect.stringMatching(/^Error: reader was not started: the budget of this run is spent/)),
    );
    await expectSame(agent, plan);
    await agent.close();
  });

  test("of a run without a budget are recorded as ever", async () => {
    const plan: Plan = { turns: [[reads("x", 1)], []] };
    const agent = await world(plan);
    await call(agent, go());
    expect((await eventsOf(agent, "admission")).filter(({ resource }) => resource === "budget")).toEqual([]);
    await agent.close();
  });
});
