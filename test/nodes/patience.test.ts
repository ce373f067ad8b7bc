// Where a run can come to something irreversible, it matters more who answers than how soon: the guard waits for the
// primary, and only then takes a fallback.

import type { RunnableConfig } from "@langchain/core/runnables";
import { MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { decideAdmission } from "../../nodes/index.js";
import { reachesIrreversible } from "../../nodes/irreversible.js";
import { asSubagent, type SubagentGraph } from "../../subagents/index.js";
import { calls, script } from "../contracts/index.js";
import { countingTools, type TestAgentOptions, testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const MINUTE = 60_000;
const fallback = { route: "f", waitMs: 0, state: "open" as const };
const waiting = { now: 1_000, until: 1_000 + 15 * MINUTE };

describe("auto, with something irreversible in reach", () => {
  test.each([
    ["a free primary is admitted", 0, "open", "admit"],
    ["a broken one that is tried again soon is waited for awake", 30_000, "broken", "queue"],
    ["one that is paused for longer parks", 5 * MINUTE, "paused", "park"],
    ["a broken one too", 5 * MINUTE, "broken", "park"],
    ["to the last moment", 15 * MINUTE, "paused", "park"],
  ] as const)("%s", (_, waitMs, state, decision) => {
    const decided = decideAdmission([{ route: "p", waitMs, state }, fallback], "auto", MINUTE, waiting);
    expect(decided).toEqual({ decision, routes: "any-route", waitMs, primaryUntil: waiting.until });
  });

  test("a wait that would last longer is not begun: the fallback answers", () => {
    const forecast = [{ route: "p", waitMs: 15 * MINUTE + 1, state: "broken" as const }, fallback];
    const decided = decideAdmission(forecast, "auto", MINUTE, waiting);
    expect(decided).toEqual({ decision: "degrade", routes: "any-route", waitMs: 0 });
  });

  test("there is nothing to wait for where there is no fallback", () => {
    const forecast = [{ route: "p", waitMs: 5 * MINUTE, state: "broken" as const }];
    expect(decideAdmission(forecast, "auto", MINUTE, waiting)).not.toHaveProperty("primaryUntil");
  });
});

/** An agent whose primary was found dead a moment ago and is tried again after five minutes. */
function brokenAgent(options: TestAgentOptions = {}) {
  const agent = testAgent(script(["done"]), options);
  agent.model.model.routes[0].pool.breaker.open(Date.now() + 5 * MINUTE, "no answer");
  return agent;
}

const admissions = (agent: ReturnType<typeof testAgent>) => eventsOf(agent.journal, "t1", "admission");
const patienceMs = 15 * MINUTE;

describe("a run", () => {
  test("that puts trust first never takes the fallback, and its calls wait as its guards do", async () => {
    const agent = testAgent(script(["done"]), { admission: "trust-first" });
    expect((await agent.run("go")).answer).toBe("done");
    const { values } = await agent.graph.getState(agent.config());
    expect(values.admissions.guard).toMatchObject({ routes: "primary-only", primaryUntil: 8.64e15 });
  });

  test("that can pay waits for the primary, and burns nothing", async () => {
    const agent = brokenAgent({ patienceMs });
    expect((await agent.run("go")).asked?.value).toMatchObject({ type: "parked", resource: "offline-large" });
    expect(agent.model.provider.requests).toHaveLength(0);
    const [parked] = await admissions(agent);
    expect(parked).toMatchObject({ decision: "park", primaryUntil: expect.any(Number) });
  });

  test("that can do no harm takes the fallback at once", async () => {
    const tools = countingTools().tools.filter(({ name }) => name === "look");
    const agent = brokenAgent({ patienceMs, tools });
    expect((await agent.run("go")).answer).toBe("done");
    expect(await admissions(agent)).toMatchObject([{ decision: "degrade" }]);
  });

  test("takes it too once the primary has been in trouble for longer than the patience", async () => {
    const agent = brokenAgent({ patienceMs: MINUTE });
    expect((await agent.run("go")).answer).toBe("done");
    expect(await admissions(agent)).toMatchObject([{ decision: "degrade" }]);
  });

  test("with a deadline takes it in time", async () => {
    const agent = brokenAgent({ patienceMs });
    const configurable = { thread_id: "t1", run_id: "r1", deadline_at: Date.now() + MINUTE };
    expect((await agent.run("go", "t1", { configurable })).answer).toBe("done");
  });

  test("parks rather than wait for what comes after its deadline", async () => {
    const agent = testAgent(script(["done"]), { admission: "trust-first" });
    agent.model.model.routes[0].pool.pause(30_000);
    const configurable = { thread_id: "t1", run_id: "r1", deadline_at: Date.now() + 10_000 };
    expect((await agent.run("go", "t1", { configurable })).asked?.value).toMatchObject({ type: "parked" });
    expect(agent.model.provider.requests).toHaveLength(0);
  });

  test("tells its subagents", async () => {
    const told: boolean[] = [];
    const graph = new StateGraph(new StateSchema({ messages: MessagesValue }))
      .addNode("work", (_state, config) => {
        told.push(reachesIrreversible(config as RunnableConfig));
        return {};
      })
      .addEdge(START, "work")
      .compile();
    const subagents = () => [
      asSubagent({ name: "worker", description: "Works.", graph: graph as unknown as SubagentGraph }),
    ];
    const delegates = script([calls(["task", { description: "work", subagent_type: "worker" }]), "done"]);
    await testAgent(delegates, { subagents }).run("go");
    const tools = countingTools().tools.filter(({ name }) => name === "look");
    await testAgent(delegates, { subagents, tools }).run("go");
    expect(told).toEqual([true, false]);
  });
});
