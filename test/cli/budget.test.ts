// Which budget a run gets, how it ends when that is spent, and that it goes on exactly where it was when it gets more.

import { MemorySaver } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { BudgetError, PriceError } from "../../capacity/index.js";
import { exitCodeOf } from "../../cli/exit.js";
import { chooseBudget, moreBudget, reportBudget } from "../../cli/run/budget.js";
import { Interruption } from "../../cli/run/interruption.js";
import { nextCommands } from "../../cli/run/next.js";
import { outcomeOfError } from "../../cli/run/outcome.js";
import { Reporter } from "../../cli/run/reporter.js";
import { Session, type SessionOptions } from "../../cli/run/session.js";
import { harnessOf } from "../../graphs/index.js";
import { readSettings } from "../../models/index.js";
import type { RunBudget } from "../../nodes/index.js";
import { calls, type ScriptStep, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";
import { testTerminal } from "./terminal.js";

const look = (id: string): ScriptStep => calls(["look", { id }]);
const FOUR: ScriptStep[] = [look("C-1"), look("C-2"), look("C-3"), "Here they are."];

function setup(steps: readonly ScriptStep[]) {
  const agent = testAgent(script(steps));
  const harness = harnessOf(agent.graph);
  if (harness === undefined) throw new Error("not a harness graph");
  const saver = new MemorySaver();
  const graph = agent.graph as unknown as SessionOptions["loaded"]["graph"];
  const loaded = { name: "agent", graph, harness, root: "/nowhere" };
  let count = 0;
  return {
    ...agent,
    async execute(mode: SessionOptions["mode"], budget: RunBudget | undefined) {
      const terminal = testTerminal();
      const interruption = new Interruption(() => 0, terminal.err);
      count += 1;
      const run = `run-${count}`;
      const given = {
        loaded,
        saver,
        terminal,
        interruption,
        approve: "ask",
        interactive: false,
        thread: "t1",
      } as const;
      const session = new Session({ ...given, run, mode, task: "do it", workspace: "/records", budget });
      const outcome = await session.execute(
        () => new Reporter({ journal: agent.journal, thread: "t1" }, terminal, false),
      );
      const { values } = await session.state();
      return { ...outcome, ...terminal.written, run, messages: values.messages as { type: string; text: string }[] };
    },
  };
}

const choose = (
  agent: ReturnType<typeof setup>,
  options: Partial<Omit<Parameters<typeof chooseBudget>[0], "journal" | "thread">> = {},
) =>
  chooseBudget({
    ...{ journal: agent.journal, thread: "t1", resumed: false, stated: undefined, settings: {} },
    model: { model: "offline-large", fallback: "offline-small" },
    ...options,
  });

describe("a run whose budget is spent", () => {
  test("ends as spent, with exit code 7, and what it did is kept", async () => {
    const { execute, journal } = setup(FOUR);
    const ended = await execute("start", { limits: { calls: 2 } });
    expect(ended.status).toBe("spent");
    expect(exitCodeOf("spent")).toBe(7);
    expect(ended.messages.filter(({ type }) => type === "tool")).toHaveLength(2);
    expect(await journal.thread("t1")).toMatchObject({ status: "spent" });
    expect(await eventsOf(journal, "t1", "run.start")).toMatchObject([{ budget: { calls: 2 } }]);
    expect(await eventsOf(journal, "t1", "run.end")).toEqual([{ kind: "run.end", status: "spent" }]);
  });

  test("is warned of on the way", async () => {
    const { err } = await setup([...FOUR, "x"]).execute("start", { limits: { calls: 5 } });
    expect(err).toContain("budget: 4 of 5 model calls used");
  });

  test("goes on where it was when it gets more: nothing is done twice, and nobody says anything", async () => {
    const { execute, journal } = setup(FOUR);
    await execute("start", { limits: { calls: 2 } });
    const ended = await execute("resume", { limits: { calls: 4 } });
    expect(ended.status).toBe("finished");
    expect(ended.messages.map(({ type }) => type)).toEqual([
      ...["human", "ai", "tool", "ai", "tool", "ai"],
      ...["ai", "tool", "ai"],
    ]);
    expect(ended.messages.at(-1)?.text).toBe("Here they are.");
    expect(await eventsOf(journal, "t1", "tool.response")).toMatchObject(
      ["C-1", "C-2", "C-3"].map((id) => ({ arguments: { id } })),
    );
    expect((await journal.thread("t1"))?.floor).toMatchObject({ integrity: 2, fidelity: 3, currency: 3, certainty: 3 });
  });

  test("is spent again at once when it gets no more, as often as one likes", async () => {
    const { execute, journal } = setup(FOUR);
    await execute("start", { limits: { calls: 2 } });
    for (let time = 0; time < 2; time += 1) {
      expect(await execute("resume", { limits: { calls: 2 } })).toMatchObject({ status: "spent" });
    }
    expect(await eventsOf(journal, "t1", "model.response")).toHaveLength(2);
    expect(await execute("resume", { limits: { calls: 9 } })).toMatchObject({ status: "finished" });
  });

  test("has the whole budget again for the next task", async () => {
    const { execute } = setup([look("C-1"), look("C-2"), look("C-3"), "More."]);
    await execute("start", { limits: { calls: 2 } });
    expect(await execute("more", { limits: { calls: 2 } })).toMatchObject({ status: "finished" });
  });

  test("also when a node of the user's own does not expect it", () => {
    const error = new BudgetError({ dimension: "calls", used: 2, held: 0, needed: 1, limit: 2 });
    expect(outcomeOfError(error, { interrupted: false })).toEqual({ status: "spent", message: error.message });
  });
});

describe("the budget of a run", () => {
  test("is that of the environment, with what `--budget` states in its place", async () => {
    const agent = setup(FOUR);
    expect(await choose(agent)).toBeUndefined();
    const settings = readSettings({ BULKHEAD_BUDGET: "calls=5,tokens=1000" });
    expect(await choose(agent, { settings })).toEqual({ limits: { calls: 5, tokens: 1_000 } });
    expect(await choose(agent, { settings, stated: { calls: 9 } })).toEqual({ limits: { calls: 9, tokens: 1_000 } });
  });

  test("stays when it is resumed, unless it is stated again", async () => {
    const agent = setup(FOUR);
    await agent.execute("start", { limits: { calls: 2, tokens: 1e6 } });
    const settings = readSettings({ BULKHEAD_BUDGET: "calls=5" });
    expect(await choose(agent, { settings, resumed: true })).toEqual({ limits: { calls: 2, tokens: 1e6 } });
    const stated = { calls: 3 };
    expect(await choose(agent, { settings, resumed: true, stated })).toEqual({ limits: { calls: 3, tokens: 1e6 } });
    expect(await choose(agent, { settings })).toEqual({ limits: { calls: 5 } });
  });

  test("in money needs a price for every model, before anything starts", async () => {
    const agent = setup(FOUR);
    expect((await choose(agent, { stated: { usd: 1 } }))?.prices?.models["offline-large"]).toBeDefined();
    const model = { model: "offline-large", fallback: "some-model" };
    await expect(choose(agent, { stated: { usd: 1 }, model })).rejects.toThrow(PriceError);
    await expect(choose(agent, { stated: { usd: 1 }, model })).rejects.toThrow(/the price of some-model/);
    expect(await choose(agent, { stated: { calls: 1 }, model })).toEqual({ limits: { calls: 1 } });
  });

  test("is reported with what the run used before it was resumed", async () => {
    const agent = setup(FOUR);
    await agent.execute("start", { limits: { calls: 2 } });
    const budget = { limits: { calls: 3 } };
    const { run } = await agent.execute("resume", budget);
    expect(await reportBudget(agent.journal, "t1", run, budget)).toEqual({ calls: { used: 3, limit: 3 } });
    expect(await reportBudget(agent.journal, "t1", run, undefined)).toBeUndefined();
  });

  test("the next command gives twice of what was short", () => {
    expect(moreBudget({ calls: { used: 50, limit: 50 }, tokens: { used: 10, limit: 1_000 } })).toBe("calls=100");
    expect(moreBudget({ time: { used: 61_000, limit: 60_000 }, usd: { used: 0.1, limit: 5 } })).toBe("time=2m");
    const flags = { journal: "", project: "" };
    expect(nextCommands("spent", { thread: "t1", approvals: [], more: "calls=100" }, "bulkhead", flags)).toEqual([
      "bulkhead run --thread t1 --resume --budget calls=100",
    ]);
  });
});
