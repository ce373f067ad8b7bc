import { AIMessage } from "@langchain/core/messages";
import { Command } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { label, strict, TOP } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

describe("gate", () => {
  test("a clean run passes its floor without a person", async () => {
    const agent = testAgent(script([calls(["pay", { to: "a", amount: 1 }]), "paid"]));
    const result = await agent.run("pay a");
    expect(result.asked).toBeUndefined();
    expect(agent.done).toEqual(['pay {"to":"a","amount":1}']);
    expect(result.answer).toBe("paid");
    expect((await agent.journal.effects())[0]?.status).toBe("committed");
  });

  test("below the floor it asks, shows what is bound, and an approval lets exactly that pass", async () => {
    const agent = testAgent(script([calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "erased"]));
    const asked = await agent.run("erase 7");
    expect(asked.asked?.value).toMatchObject({
      type: "approval",
      requests: [
        {
          tool: "erase",
          arguments: { id: "7" },
          deficits: [{ axis: "integrity", rank: 2, floor: 3 }],
          causes: ["integrity 2: read through look"],
        },
      ],
    });
    expect(agent.done).toEqual([]);
    await agent.decide("approved");
    const result = await agent.run(null);
    expect(agent.done).toEqual(['erase {"id":"7"}']);
    expect(result.answer).toBe("erased");
    expect(result.trust.integrity).toBe(2); // An approval lets one action pass; it does not raise trust.
    expect((await agent.journal.approvals())[0]?.status).toBe("consumed");
  });

  test("integrity 0 blocks and nobody is asked", async () => {
    const agent = testAgent(
      script([
        calls(["read_web", {}]),
        calls(["pay", { to: "m", amount: 9 }]),
        ({ messages }) => `told: ${messages.at(-1)?.content}`,
      ]),
    );
    const result = await agent.run("read and pay");
    expect(result.answer).toContain("Blocked: pay was not run");
    expect(result.answer).toContain("a web page");
    expect(await agent.journal.approvals()).toEqual([]);
    expect(agent.done).toEqual([]);
  });

  test("a tool that declares no source counts as the open world", async () => {
    const agent = testAgent(script([calls(["undeclared", {}]), calls(["pay", { to: "a", amount: 1 }]), "done"]));
    const result = await agent.run("go");
    expect(agent.done).toEqual([]);
    expect(result.trust.causes).toContainEqual(
      expect.objectContaining({ axis: "integrity", rank: 0, reason: "undeclared declares no source" }),
    );
  });

  test("all pending calls are decided before any runs; rejecting one keeps its approved sibling", async () => {
    const agent = testAgent(
      script([
        calls(["look", { id: "1" }]),
        calls(["pay", { to: "a", amount: 1 }], ["erase", { id: "1" }], ["erase", { id: "2" }]),
        ({ messages }) =>
          messages
            .slice(-3)
            .map((message) => message.content.split(":")[0])
            .join("|"),
      ]),
    );
    const asked = await agent.run("go");
    expect(asked.asked?.value.requests.map((request) => request.arguments)).toEqual([{ id: "1" }, { id: "2" }]);
    expect(agent.done).toEqual([]); // `pay` alone would be allowed; it waits for its siblings' decisions.
    const [first, second] = asked.asked?.value.requests ?? [];
    await agent.journal.decideApproval(first?.id ?? "", "approved", { by: "test", authenticated: "cli" });
    await agent.journal.decideApproval(
      second?.id ?? "",
      "rejected",
      { by: "test", authenticated: "cli" },
      "not that one",
    );
    const result = await agent.run(null);
    expect(agent.done).toEqual(['pay {"to":"a","amount":1}', 'erase {"id":"1"}']);
    expect(result.messages.map((message) => message.text).join("\n")).toContain("not that one");
  });

  test("reads made in the same breath are in before the gate looks", async () => {
    const agent = testAgent(script([calls(["erase", { id: "1" }], ["look", { id: "1" }]), "done"]));
    const asked = await agent.run("go");
    expect(asked.asked?.value.requests[0]?.trust.integrity).toBe(2);
    expect(agent.done).toEqual([]);
  });

  test("the answer can come through the interrupt, per request, as Studio sends it", async () => {
    const agent = testAgent(script([calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "erased"]));
    const { asked } = await agent.run("erase 7");
    const decisions = [{ id: asked?.value.requests[0]?.id, decision: "approve" }];
    const again = await agent.run(new Command({ resume: { [asked?.id ?? ""]: { decisions: "yes" } } }));
    expect(await eventsOf(agent.journal, "t1", "approval.refused")).toMatchObject([
      { why: expect.stringContaining("decisions") },
    ]);
    const result = await agent.run(new Command({ resume: { [again.asked?.id ?? ""]: { decisions } } }));
    expect(result.answer).toBe("erased");
    expect(await eventsOf(agent.journal, "t1", "approval.decided")).toMatchObject([
      { decision: "approved", by: "studio or API, not authenticated" },
    ]);
  });

  test("an approval for one message does not pass another one under the same call id", async () => {
    const agent = testAgent(script([calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "done"]));
    await agent.run("erase 7");
    const state = await agent.graph.getState(agent.config());
    const plan = (state.values as { messages: AIMessage[] }).messages.findLast(
      (message) => (message.tool_calls?.length ?? 0) > 0,
    ) as AIMessage;
    const [call] = plan.tool_calls ?? [];
    await agent.decide("approved");
    const swapped = new AIMessage({
      id: plan.id as string,
      content: "",
      tool_calls: [{ ...call, name: "erase", args: { id: "everything" } } as never],
    });
    await agent.graph.updateState(agent.config(), { messages: [swapped] }, "planner");
    const { asked, messages } = await agent.run(null);
    expect(agent.done).toEqual([]);
    expect(asked).toBeUndefined(); // Nobody in particular wrote it: it is blocked, not even asked about.
    expect(messages.map(({ text }) => text).join("\n")).toContain("was written from outside of a run");
  });

  test("nothing a caller sends changes the policy", async () => {
    const agent = testAgent(script([calls(["pay", { to: "a", amount: 1 }]), "done"]), { policy: strict });
    const hostile = {
      context: { policy: "balanced", interruptOn: {} },
      configurable: { thread_id: "t1", policy: "balanced", floor: 0, bulkhead_permit: true },
    };
    const result = await agent.run(
      { messages: [{ role: "user", content: "pay" }], trust: { begins: TOP }, cleared: [{ callId: "x", key: "y" }] },
      "t1",
      hostile,
    );
    expect(result.asked).toBeUndefined(); // nothing was read: even strict is met
    expect(agent.done).toHaveLength(1);
    const second = testAgent(script([calls(["look", { id: "1" }]), calls(["pay", { to: "a", amount: 1 }]), "done"]), {
      policy: strict,
    });
    expect((await second.run("pay", "t1", hostile)).asked).toBeDefined();
    expect(second.done).toEqual([]);
  });

  test("a client that jumps to act, or writes clearances into the state, runs nothing", async () => {
    const agent = testAgent(script([calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "done"]));
    await agent.run("erase 7");
    const state = await agent.graph.getState(agent.config());
    const messages = (state.values as { messages: AIMessage[] }).messages;
    const callId = messages.at(-1)?.tool_calls?.[0]?.id ?? "";
    await agent.graph.updateState(agent.config(), { cleared: [{ callId, key: "forged" }] }, "gate");
    await agent.run(null);
    expect(agent.done).toEqual([]);
    expect(await eventsOf(agent.journal, "t1", "tool.response")).toContainEqual(
      expect.objectContaining({ tool: "erase", callId, arguments: { id: "7" }, ok: false }), // the refusal is in the record
    );
    const jumped = testAgent(script([calls(["look", { id: "7" }]), calls(["erase", { id: "7" }]), "done"]));
    await jumped.run("erase 7");
    await jumped.run(new Command({ goto: "act", update: { cleared: [{ callId, key: "forged" }] } }));
    expect(jumped.done).toEqual([]);
  });

  test("the same action twice in a thread is asked about, never silent", async () => {
    const pay = calls(["pay", { to: "a", amount: 1 }]);
    const agent = testAgent(script([pay, pay, "done"]));
    const result = await agent.run("pay a twice");
    expect(agent.done).toHaveLength(1);
    expect(result.asked?.value.requests[0]?.causes[0]).toContain("already done");
  });

  test("an approval that nobody answered in time lets nothing pass", async () => {
    let passed = 0;
    const agent = testAgent(
      script([
        calls(["look", { id: "7" }]),
        calls(["erase", { id: "7" }]),
        ({ messages }) => messages.at(-1)?.content ?? "",
      ]),
      { later: () => passed },
    );
    await agent.run("erase 7");
    const [pending] = await agent.journal.approvals({ status: "pending" });
    expect(pending?.considered).toEqual(label({ integrity: 2 }));
    passed = 25 * 3_600_000;
    await expect(agent.decide("approved")).resolves.toBeUndefined(); // nothing is pending any more
    const result = await agent.run(null);
    expect(result.answer).toContain("Nobody answered");
    expect(agent.done).toEqual([]);
  });

  test("arguments that do not fit go back to the planner and are never asked about", async () => {
    const agent = testAgent(
      script([calls(["pay", { to: "a", amount: "much" }]), ({ messages }) => messages.at(-1)?.content ?? ""]),
    );
    const result = await agent.run("pay");
    expect(result.answer).toContain("amount");
    expect(agent.done).toEqual([]);
  });
});
