// The budget of a run in a real graph: planner, subagents side by side, tools that ask models themselves, resumes. What
// was stopped ends with what it has, and a replay of it, which has no budget, ends in the same way.

import { HumanMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { BUDGET, type BudgetLimits, type BudgetUse } from "../../capacity/index.js";
import { type HarnessEvent, openJournal } from "../../checkpoints/index.js";
import { readBudget } from "../../graphs/index.js";
import { BudgetKeeper, defineTool, isStopped, spendingOf } from "../../nodes/index.js";
import { TOP } from "../../trust/index.js";
import { script } from "../contracts/index.js";
import { again, call, outcome, THREAD } from "../replay/drive.js";
import { ask, type Plan, type World, type WorldOptions, world } from "../replay/world.js";
import { testAgent } from "../support/agent.js";

const go = () => ({ messages: [new HumanMessage("go")] });

/** One run, as a program makes it. */
const run = (agent: World, limits: BudgetLimits, input: unknown = go(), id = "r1", calling?: "messages") =>
  call(agent, input, {
    run: id,
    ...(calling === undefined ? {} : { calling }),
    callbacks: [new BudgetKeeper(agent.journal, { limits })],
  });

async function messagesOf({ graph }: World) {
  const { values } = await graph.getState({ configurable: { thread_id: THREAD } });
  return values.messages as { text: string; name?: string; status?: string }[];
}

const eventsOf = async <Kind extends HarnessEvent["kind"]>({ journal }: World, kind: Kind) =>
  (await journal.events({ thread: THREAD })).flatMap(({ event }) =>
    event.kind === kind ? [event as Extract<HarnessEvent, { kind: Kind }>] : [],
  );

/** The run ended, nothing was asked beyond the limit, and a replay comes to the same. */
async function expectSame(agent: World, plan: Plan, options: WorldOptions = {}): Promise<void> {
  const { replayed, copy } = await again(agent, plan, options);
  expect(replayed.divergence).toBeUndefined();
  expect(copy.provider.requests).toHaveLength(0);
  expect(await outcome(copy)).toEqual(await outcome(agent));
  await copy.close();
}

const LOOKS: Plan = { turns: [[["look", { id: "a" }]], [["look", { id: "b" }]], [["look", { id: "c" }]], []] };

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

describe("what counts", () => {
  test("a model that a tool asks by itself", async () => {
    const plan: Plan = { turns: [[["think", {}]], [["look", { id: "a" }]], []] };
    const made: { model?: Parameters<NonNullable<WorldOptions["thinks"]>>[0] } = {};
    const think = defineTool({
      name: "think",
      description: "Thinks.",
      schema: z.object({}),
      effect: "none",
      source: {},
      run: async (_args, { config }) => {
        for (let time = 0; time < 3; time += 1) await made.model?.invoke("hm", config);
        return "thought";
      },
    });
    const thinks: WorldOptions["thinks"] = (model) => {
      made.model = model;
      return async () => ({});
    };
    const agent = await world(plan, { tools: [think as never], thinks });
    await run(agent, { calls: 3 });
    expect(agent.provider.requests).toHaveLength(3);
    const told = (await messagesOf(agent)).find(({ name }) => name === "think");
    expect(told).toMatchObject({ status: "error", text: expect.stringContaining("3 of 3 model calls used") });
    await agent.close();
  });

  test("the record and the live budget agree, in every branch", async () => {
    const plan: Plan = {
      turns: [[ask("x", [["look", { id: "x" }]]), ask("y", [["look", { id: "y" }]]), ["look", { id: "a" }]], []],
      faults: ["server-error:offline-large,times=2"],
    };
    const agent = await world(plan);
    let live: BudgetUse | undefined;
    class Watched extends BudgetKeeper {
      override handleChainEnd(outputs: unknown, id: string): void {
        live = this[BUDGET].of(THREAD)?.used ?? live;
        super.handleChainEnd(outputs, id);
      }
    }
    const keeper = new Watched(agent.journal, { limits: { calls: 100, tokens: 1e6 } });
    await call(agent, go(), { callbacks: [keeper] });
    const { used } = await spendingOf({ journal: agent.journal, thread: THREAD, run: "r1" });
    const answers = await eventsOf(agent, "model.response");
    const tokens = answers.map(({ obtained: { usage } }) => usage.inputTokens + usage.outputTokens);
    expect(used.calls).toBe(answers.length);
    expect(used.tokens).toBe(tokens.reduce((sum, each) => sum + each, 0));
    expect(used.tokens).toBeGreaterThan(0);
    expect(live).toMatchObject({ calls: used.calls, tokens: used.tokens });
    expect(keeper[BUDGET].of(THREAD)).toBeUndefined();
    await agent.close();
  });

  test("what the run used before it was resumed, and no run before that", async () => {
    const plan: Plan = { turns: [[["look", { id: "a" }]], [["erase", { id: "1" }]], [["look", { id: "b" }]], [], []] };
    const agent = await world(plan);
    await run(agent, { calls: 3 });
    expect(agent.provider.requests).toHaveLength(2);
    for (const { id } of await agent.journal.approvals({ thread: THREAD, status: "pending" })) {
      await agent.journal.decideApproval(id, "approved", { by: "ann", authenticated: "cli" });
    }
    await run(agent, { calls: 3 }, null, "r2");
    expect(agent.provider.requests).toHaveLength(3);
    expect((await messagesOf(agent)).at(-1)?.text).toContain("3 of 3 model calls used");
    await expectSame(agent, plan);
    await run(agent, { calls: 3 }, go(), "r3");
    expect(agent.provider.requests).toHaveLength(4);
    expect((await messagesOf(agent)).at(-1)?.text).toContain("that is all");
    await agent.close();
  });

  test("a summary that is not affordable any more is left out, and the run ends as it should", async () => {
    const dump: Plan["turns"][number] = [["dump", { id: "a" }]];
    const plan: Plan = { turns: [dump, dump, dump, dump, dump, dump, []] };
    const free = await world(plan);
    await call(free, go());
    const asked = (await free.journal.events({ thread: THREAD })).filter(({ event }) => event.kind === "model.request");
    const before = asked.findIndex(({ scope }) => scope.node === "compact");
    expect(before).toBeGreaterThan(0);
    await free.close();
    const agent = await world(plan);
    expect(await run(agent, { calls: before })).toBeUndefined();
    expect((await messagesOf(agent)).at(-1)?.text).toMatch(/^Stopped before the end/);
    await expectSame(agent, plan);
    await agent.close();
  });

  test("calls that failed, answers without a count by estimate, none from the cache; and only the time it ran", async () => {
    let at = 0;
    const clock = { now: () => at, sleep: async () => undefined };
    const journal = openJournal("memory:", { clock });
    const scope = { thread: THREAD, run: "r1" };
    const inNode = { ...scope, node: "planner", step: 1 };
    const tell = async (time: number, where: typeof scope, event: HarnessEvent) => {
      at = time;
      await journal.append(where, event);
    };
    const request = {
      kind: "model.request",
      provider: "p",
      endpoint: "e",
      route: "m",
      digest: "d",
      prompt: {},
    } as const;
    const obtained = {
      ...{ provider: "p", offline: false, route: "m", primary: "m", attempts: 1, rateLimited: 0 },
      ...{ unclearAttempts: 0, queueMs: 0, usage: { inputTokens: 0, outputTokens: 0 } },
    };
    const answered = { kind: "model.response", toolCalls: [] } as const;
    await tell(1_000, scope, { kind: "input", as: "input" });
    await tell(1_200, inNode, { ...request, call: "1", bytes: 400 });
    await tell(1_300, inNode, { kind: "model.error", call: "1", error: "no" });
    await tell(9_000, scope, { kind: "run.end", status: "failed" });
    await tell(50_000, scope, { kind: "input", as: "resume" });
    await tell(50_010, inNode, { ...request, call: "2", bytes: 400 });
    await tell(50_020, inNode, { ...answered, call: "2", obtained });
    const cache = { ageMs: 1, fresh: true };
    await tell(50_030, inNode, { ...answered, call: "3", obtained: { ...obtained, attempts: 0, cache } });
    const { used } = await spendingOf({ journal, thread: THREAD });
    expect(used).toEqual({ calls: 2, tokens: 100 + 256, usd: 0, time: 300 + 30 });
    await journal.close();
  });

  test("what a rewound thread did before", async () => {
    const plan: Plan = { turns: [[["web", { id: "a" }]], [["erase", { id: "1" }]], []] };
    const agent = await world(plan);
    await run(agent, { calls: 2 });
    const { journal } = agent;
    await journal.beginThread("t2", "agent", TOP, THREAD);
    const scope = { thread: "t2", run: "r2" };
    for (const [as, calls] of [
      ["fork", 0],
      ["rewind", 2],
    ] as const) {
      await journal.append({ ...scope, thread: as }, { kind: "thread.derived", from: THREAD, step: 1, as, floor: TOP });
      expect((await spendingOf({ journal, thread: as })).used.calls).toBe(calls);
    }
    await agent.close();
  });

  test("the time in which the graph runs", async () => {
    const agent = await world(LOOKS, { delay: () => new Promise((resolve) => setTimeout(resolve, 30)) });
    await run(agent, { time: 100 });
    expect((await messagesOf(agent)).at(-1)?.text).toMatch(/of 0.1 s used/);
    expect((await agent.graph.getState({ configurable: { thread_id: THREAD } })).next).toEqual([]);
    await expectSame(agent, LOOKS);
    await agent.close();
  });
});
