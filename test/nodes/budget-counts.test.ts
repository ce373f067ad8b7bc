// What counts against the budget of a run: calls of subagents and tools, resumes, and nothing twice.

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { BUDGET, type BudgetUse } from "../../capacity/index.js";
import { type HarnessEvent, openJournal } from "../../checkpoints/index.js";
import { BudgetKeeper, defineTool, spendingOf } from "../../nodes/index.js";
import { TOP } from "../../trust/index.js";
import { call, THREAD } from "../replay/drive.js";
import { ask, type Plan, type WorldOptions, world } from "../replay/world.js";
import { eventsOf, expectSame, go, LOOKS, messagesOf, run } from "./budget-runs.js";

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
