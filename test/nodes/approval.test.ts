// What the gate and the person who decides say to each other: edits, who may answer, how many requests may be open,
// previews, and policies that are narrower than a floor.

import { Command } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { definePolicy } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { countingTools, testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const ASKING = script([calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "done"]);
const answer = (id: string | undefined, decisions: object[]) => new Command({ resume: { [id ?? ""]: { decisions } } });
const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text).join("\n");

describe("an edit", () => {
  test("is asked about anew; what was edited back is another question than the first one", async () => {
    const agent = testAgent(ASKING);
    const first = (await agent.run("go")).asked;
    const edit = (asked: typeof first, id: string) =>
      agent.run(answer(asked?.id, [{ id: asked?.value.requests[0]?.id, decision: "edit", arguments: { id } }]));
    const second = (await edit(first, "8")).asked;
    const third = (await edit(second, "7")).asked;
    expect([first, second, third].map((asked) => asked?.value.requests[0]?.arguments)).toEqual([
      { id: "7" },
      { id: "8" },
      { id: "7" },
    ]);
    expect(third?.value.requests[0]?.id).not.toBe(first?.value.requests[0]?.id);
    await agent.decide("approved");
    const { messages } = await agent.run(null);
    expect(agent.done).toEqual(['erase {"id":"7"}']);
    expect(texts(messages)).toContain("erase done");
    expect(await eventsOf(agent.journal, "t1", "approval.decided")).toMatchObject([
      { decision: "edited" },
      { decision: "edited" },
    ]);
  });

  test("stands in the history that the planner reads", async () => {
    const agent = testAgent(ASKING);
    const { asked } = await agent.run("go");
    const id = asked?.value.requests[0]?.id;
    await agent.run(answer(asked?.id, [{ id, decision: "edit", arguments: { id: "8" } }]));
    await agent.decide("approved");
    const { messages, trust } = await agent.run(null);
    expect(agent.done).toEqual(['erase {"id":"8"}']);
    const made = messages.flatMap(
      (message) => (message as { tool_calls?: { name: string; args: object }[] }).tool_calls ?? [],
    );
    expect(made.find(({ name }) => name === "erase")?.args).toEqual({ id: "8" });
    expect(trust).toMatchObject({ integrity: 2, fidelity: 3 });
  });

  test.for([
    ["another tool", { decision: "edit", arguments: { id: "8" }, name: "pay" }, "Unrecognized key"],
    ["arguments that do not fit", { decision: "edit", arguments: { id: 8 } }, "expected string"],
    ["no arguments", { decision: "edit" }, "edit needs all arguments"],
    ["an approval of something else", { decision: "approve", arguments: { id: "8" } }, "use edit"],
  ] as const)("with %s decides nothing, and the record says so", async ([, decision, why]) => {
    const agent = testAgent(ASKING);
    const { asked } = await agent.run("go");
    const again = await agent.run(answer(asked?.id, [{ id: asked?.value.requests[0]?.id, ...decision }]));
    expect(again.asked?.value.requests).toMatchObject([{ arguments: { id: "7" } }]);
    expect(await eventsOf(agent.journal, "t1", "approval.refused")).toMatchObject([
      { why: expect.stringContaining(why) },
    ]);
    expect(agent.done).toEqual([]);
  });
});

describe("who may answer", () => {
  const policy = (approvals: object) => definePolicy({ name: "narrow", floor: 2, approvals });
  const as = (identity: string) => ({
    configurable: { thread_id: "t1", run_id: "r1", langgraph_auth_user: { identity } },
  });

  test.for([
    ["a client of a server without authentication", { approvers: ["ann"] }],
    ["somebody who is not in the list", { approvers: ["bob"], authentication: "server" }],
  ] as const)("not %s", async ([, approvals]) => {
    const agent = testAgent(ASKING, { policy: policy(approvals) });
    const { asked } = await agent.run("go");
    const decisions = [{ id: asked?.value.requests[0]?.id, decision: "approve" }];
    const again = await agent.run(answer(asked?.id, decisions), "t1", as("ann"));
    expect(again.asked?.value.requests).toHaveLength(1);
    expect(await eventsOf(agent.journal, "t1", "approval.refused")).toMatchObject([
      { by: expect.stringContaining("ann"), why: expect.stringMatching(/the policy lets only (ann|bob) decide/) },
    ]);
    expect(agent.done).toEqual([]);
  });

  test("whoever is in the list and was authenticated", async () => {
    const agent = testAgent(ASKING, { policy: policy({ approvers: ["ann"], authentication: "server" }) });
    const { asked } = await agent.run("go");
    await agent.run(answer(asked?.id, [{ id: asked?.value.requests[0]?.id, decision: "approve" }]), "t1", as("ann"));
    expect(agent.done).toEqual(['erase {"id":"7"}']);
    const [approval] = await agent.journal.approvals();
    expect(approval).toMatchObject({ status: "consumed", decidedBy: "ann", authenticated: "server" });
  });

  test("an approval by somebody who may not is no approval, however it got into the journal", async () => {
    const agent = testAgent(ASKING, { policy: policy({ approvers: ["ann"] }) });
    await agent.run("go");
    await agent.decide("approved");
    expect(texts((await agent.run(null)).messages)).toContain("whom the policy does not allow to");
    expect(agent.done).toEqual([]);
  });
});

test("a run may have so many requests open and no more; the rest is blocked", async () => {
  const flood = Array.from({ length: 4 }, (_, index) => ["erase", { id: String(index) }] as [string, { id: string }]);
  const agent = testAgent(script([calls(["look", { id: "7" }]), calls(...flood), "done"]), {
    policy: definePolicy({ name: "narrow", floor: 2, approvals: { openLimit: 2 } }),
  });
  const { asked } = await agent.run("go");
  expect(asked?.value.requests.map((request) => request.arguments)).toEqual([{ id: "0" }, { id: "1" }]);
  await agent.decide("approved");
  const { messages } = await agent.run(null);
  expect(agent.done).toEqual(['erase {"id":"0"}', 'erase {"id":"1"}']);
  expect(texts(messages)).toContain("Blocked: erase was not run. a run may have 2 requests open at once");
});

describe("a preview", () => {
  function account() {
    const state = { balance: 49, done: [] as string[] };
    const close = defineTool({
      name: "close",
      description: "Closes the account.",
      schema: z.object({ id: z.string() }),
      floor: "strict",
      source: {},
      preview: ({ id }) => {
        if (id === "gone") throw new Error("no account gone");
        return { shows: `balance ${state.balance} → 0\u202e`, preconditions: { balance: state.balance } };
      },
      run: ({ id }) => {
        state.done.push(id);
        return "closed";
      },
    }) as unknown as HarnessTool;
    const agent = (id = "7") =>
      testAgent(script([calls(["look", { id: "7" }]), calls(["close", { id }]), "done"]), {
        tools: [...countingTools().tools, close],
      });
    return { state, agent };
  }

  test("is what the person sees, with nothing hidden in it, and is bound", async () => {
    const { state, agent: make } = account();
    const agent = make();
    const { asked } = await agent.run("go");
    expect(asked?.value.requests[0]?.view).toBe('close(id: "7")\n  preview  balance 49 → 0\\u202e');
    await agent.decide("approved");
    await agent.run(null);
    expect(state.done).toEqual(["7"]);
  });

  test("of something else since then is another question; the old one is withdrawn", async () => {
    const { state, agent: make } = account();
    const agent = make();
    const { asked } = await agent.run("go");
    state.balance = 1_000;
    const again = await agent.run(answer(asked?.id, [{ id: asked?.value.requests[0]?.id, decision: "approve" }]));
    expect(again.asked?.value.requests[0]?.view).toContain("balance 1000");
    expect(state.done).toEqual([]);
    expect(await agent.journal.approvals({ status: "pending" })).toHaveLength(1);
  });

  test("that fails stops the call", async () => {
    const { state, agent: make } = account();
    const { messages } = await make("gone").run("go");
    expect(texts(messages)).toContain("close was not run: its preview failed: no account gone");
    expect(state.done).toEqual([]);
  });
});

describe("a policy", () => {
  const paying = (steps: Parameters<typeof script>[0], tools: object) =>
    testAgent(script(steps), { policy: definePolicy({ name: "own", floor: 2, tools }) });
  const PAY = calls(["pay", { to: "a", amount: 1 }]);

  test("denies arguments, whatever the label", async () => {
    const rule = {
      deny: [{ type: "object", properties: { amount: { type: "number", exclusiveMinimum: 0 } }, required: ["amount"] }],
    };
    const agent = paying([PAY, "done"], { pay: rule });
    expect(texts((await agent.run("go")).messages)).toContain("the arguments fit the policy's deny[0]");
    expect(agent.done).toEqual([]);
  });

  test("holds for tools that need no gate too", async () => {
    const agent = paying([calls(["look", { id: "secret" }]), "done"], {
      look: { allow: [{ type: "object", properties: { id: { const: "7" } } }] },
    });
    expect(texts((await agent.run("go")).messages)).toContain(
      "Blocked: look was not run. the arguments fit nothing that the policy allows",
    );
  });

  test("blocks on a hard axis where it would ask otherwise", async () => {
    const steps = [calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "done"];
    const agent = paying(steps, { erase: { hard: ["integrity"] } });
    const { asked, messages } = await agent.run("go");
    expect(asked).toBeUndefined();
    expect(texts(messages)).toContain("integrity 2 below 3, which no approval can mend");
  });

  test("by lineage judges what the call was made from, not what else the thread went through", async () => {
    const both = [calls(["read_web", {}], ["pay", { to: "a", amount: 1 }]), "done"];
    const byLineage = paying(both, { pay: { scope: "lineage" } });
    await byLineage.run("go");
    expect(byLineage.done).toHaveLength(1); // The page was read after the decision to pay.
    const byTrajectory = paying(both, {});
    await byTrajectory.run("go");
    expect(byTrajectory.done).toEqual([]);
    const poisoned = paying([calls(["read_web", {}]), PAY, "done"], { pay: { scope: "lineage" } });
    const { messages } = await poisoned.run("go");
    expect(poisoned.done).toEqual([]); // The planner read the page before it decided to pay.
    expect(texts(messages)).toContain("Blocked: pay was not run. integrity 0 below 2");
  });
});
