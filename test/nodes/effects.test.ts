import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  defineTool,
  type HarnessTool,
  labelled,
  NotDoneError,
  PermitRequiredError,
  type ToolDefinition,
} from "../../nodes/index.js";
import { mintPermit } from "../../nodes/permit.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

/** A tool that is asked a second time after its process died; then it may be refused. */
function dyingTool(honoursKey: boolean, probe?: Probe, refusal?: Error) {
  const seen = new Map<string, number>();
  let requests = 0;
  const tool = defineTool({
    name: "send",
    description: "Sends.",
    schema: z.object({ to: z.string() }),
    honoursKey,
    source: {},
    ...(probe === undefined ? {} : { probe }),
    run: ({ to }, { idempotencyKey }) => {
      seen.set(idempotencyKey, (seen.get(idempotencyKey) ?? 0) + 1);
      requests += 1;
      if (requests > 1 && refusal !== undefined) throw refusal;
      return `sent to ${to}`;
    },
  }) as unknown as HarnessTool;
  return { tool, seen };
}

type Probe = NonNullable<ToolDefinition<z.ZodObject<{ to: z.ZodString }>>["probe"]>;

/** Makes the first settlement fail, as a kill between the effect and its record does. */
async function crashOnce(honoursKey: boolean, probe?: Probe, refusal?: Error) {
  const { tool, seen } = dyingTool(honoursKey, probe, refusal);
  const agent = testAgent(script([calls(["send", { to: "a" }]), ({ messages }) => messages.at(-1)?.content ?? ""]), {
    tools: [tool],
  });
  const settle = agent.journal.settleEffect.bind(agent.journal);
  let dead = true;
  agent.journal.settleEffect = async (...told) => {
    if (dead) {
      dead = false;
      throw new Error("killed before the outcome was recorded");
    }
    return settle(...told);
  };
  await expect(agent.run("send")).rejects.toThrow("killed");
  return { agent, seen };
}

describe("effects", () => {
  test("a tool that honours keys is sent again under the same key after a crash, at a lower certainty", async () => {
    const { agent, seen } = await crashOnce(true);
    const result = await agent.run(null);
    expect([...seen.values()]).toEqual([2]); // one key, two deliveries: the provider does it once
    expect(result.answer).toBe("sent to a");
    expect(result.trust.certainty).toBe(2);
  });

  test("a refusal says nothing of the request that was sent before: the provider is asked, or it is in doubt", async () => {
    const lost = await crashOnce(true, undefined, new NotDoneError("409 still at it"));
    expect((await lost.agent.run(null)).answer).toContain("In doubt");
    const [doubtful] = await lost.agent.journal.effects();
    expect(doubtful).toMatchObject({ status: "in_doubt", error: expect.stringMatching(/sent again.*409 still at it/) });
    const asked = await crashOnce(true, () => "committed", new NotDoneError("409 still at it"));
    expect((await asked.agent.run(null)).answer).toBe("It was done.");
    expect((await asked.agent.journal.effects())[0]).toMatchObject({ status: "committed", attempts: 2 });
  });

  test("any other effect whose outcome was lost is in doubt and is not sent again", async () => {
    const { agent, seen } = await crashOnce(false);
    const result = await agent.run(null);
    expect([...seen.values()]).toEqual([1]);
    expect(result.answer).toContain("In doubt");
    expect(result.trust.certainty).toBe(0);
    expect((await agent.journal.effects())[0]?.status).toBe("in_doubt");
  });

  describe("of a tool that can be asked", () => {
    test.for([
      ["committed", { status: "committed", answer: "It was done." }],
      [
        { status: "committed", receipt: "sent as 17" },
        { status: "committed", answer: "sent as 17" },
      ],
      ["failed", { status: "failed", answer: "Error: The provider says that it was not done." }],
      [
        { status: "failed", receipt: "no such account" },
        { status: "failed", answer: "Error: no such account" },
      ],
    ] as const)("%j settles it, at a lower certainty, without sending it again", async ([said, { status, answer }]) => {
      const probe = vi.fn<Probe>(() => said);
      const { agent, seen } = await crashOnce(false, probe);
      const result = await agent.run(null);
      expect(result.answer).toBe(answer);
      expect([...seen.values()]).toEqual([1]);
      expect(result.trust.certainty).toBe(2);
      expect(result.trust.causes).toMatchObject([{ axis: "certainty", reason: expect.stringContaining("asking") }]);
      const [effect] = await agent.journal.effects();
      expect(effect).toMatchObject({ status });
      expect(probe.mock.calls).toEqual([[effect?.key, { to: "a" }, { signal: expect.any(AbortSignal) }]]);
      expect((await eventsOf(agent.journal, "t1", "effect")).at(-1)).toMatchObject({ status });
    });

    test.for<[string, Probe, RegExp]>([
      ["unknown", () => "unknown", /^its outcome was lost in a crash$/],
      ["nonsense", () => "sure" as never, /asking the provider failed: .*status/s],
      ["nothing", () => undefined as never, /asking the provider failed/],
      ["an error", () => Promise.reject(new Error("no route")), /asking the provider failed: no route$/],
    ])("%s leaves it in doubt", async ([, probe, why]) => {
      const { agent, seen } = await crashOnce(false, probe);
      const result = await agent.run(null);
      expect(result.answer).toContain("In doubt");
      expect([...seen.values()]).toEqual([1]);
      expect(result.trust.certainty).toBe(0);
      expect(await agent.journal.effects()).toMatchObject([{ status: "in_doubt", error: expect.stringMatching(why) }]);
    });

    test("stays dispatched when the run is stopped in its middle, and is asked at the resume", async () => {
      const stop = new AbortController();
      let sent = 0;
      const tool = defineTool({
        name: "send",
        description: "Sends.",
        schema: z.object({}),
        source: {},
        probe: () => "committed",
        run: () => {
          sent += 1;
          stop.abort();
          throw new Error("stopped");
        },
      }) as unknown as HarnessTool;
      const agent = testAgent(script([calls(["send", {}]), ({ messages }) => messages.at(-1)?.content ?? ""]), {
        tools: [tool],
      });
      await expect(agent.run("send", "t1", { signal: stop.signal })).rejects.toThrow();
      expect(await agent.journal.effects()).toMatchObject([{ status: "dispatched" }]);
      expect((await agent.run(null)).answer).toBe("It was done.");
      expect(sent).toBe(1);
    });

    test("is not asked when it honours keys, nor when the outcome is known", async () => {
      const probe = vi.fn<Probe>(() => "failed");
      const { agent, seen } = await crashOnce(true, probe);
      expect((await agent.run(null)).answer).toBe("sent to a");
      expect([...seen.values()]).toEqual([2]);
      expect(probe).not.toHaveBeenCalled();
    });
  });

  test.for([true, false])("what was learnt late stays less certain when that is resumed (keys: %s)", async (keys) => {
    const { agent, seen } = await crashOnce(keys, () => "committed");
    const settle = agent.journal.settleEffect;
    agent.journal.settleEffect = async (key, outcome) => {
      agent.journal.settleEffect = settle;
      await settle(key, outcome);
      throw new Error("killed after the outcome was recorded");
    };
    await expect(agent.run(null)).rejects.toThrow("killed after");
    const { trust } = await agent.run(null);
    expect([...seen.values()]).toEqual([keys ? 2 : 1]);
    expect(trust.certainty).toBe(2);
    expect(trust.causes).toMatchObject([
      { axis: "certainty", reason: expect.stringMatching(/after a crash|in a crash/) },
    ]);
  });

  test.for(["committed", "failed"] as const)("what a person settled as %s is told instead of sent", async (status) => {
    const { agent, seen } = await crashOnce(false);
    await agent.run(null);
    const [effect] = await agent.journal.effects();
    await agent.journal.resolveEffect(effect?.key ?? "", status, "ann", "the bank says so");
    const history = [];
    for await (const state of agent.graph.getStateHistory(agent.config())) history.push(state);
    const before = history.find((state) => state.next.includes("act"));
    const again = (await agent.graph.invoke(null, before?.config)) as unknown as {
      messages: { text: string }[];
      trust: { certainty: number; causes: { reason: string }[] };
    };
    expect(again.messages.at(-1)?.text).toBe(`A person settled this effect as ${status}: the bank says so`);
    expect([...seen.values()]).toEqual([1]);
    expect(again.trust.certainty).toBe(2);
    expect(again.trust.causes).toMatchObject([{ reason: "outcome of send settled by a person" }]);
  });

  test("going back in time returns the receipt instead of repeating the effect", async () => {
    const agent = testAgent(
      script([calls(["pay", { to: "a", amount: 1 }]), ({ messages }) => messages.at(-1)?.content ?? ""]),
    );
    await agent.run("pay");
    const history = [];
    for await (const state of agent.graph.getStateHistory(agent.config())) history.push(state);
    const before = history.find((state) => state.next.includes("planner"));
    const again = await agent.graph.invoke(null, before?.config);
    expect((again as { messages: { text: string }[] }).messages.at(-1)?.text).toBe("pay done");
    expect(agent.done).toHaveLength(1);
  });

  test("a gated tool called raw throws, with a permit for other arguments too", async () => {
    const { tools, done } = testAgent(script([]));
    const pay = tools.find((tool) => tool.name === "pay") as HarnessTool;
    const context = { idempotencyKey: "k", signal: new AbortController().signal, config: {} };
    await expect(pay.invoke({ to: "a", amount: 1 })).rejects.toThrow(PermitRequiredError);
    const permit = mintPermit("k", pay, { to: "a", amount: 1 });
    await expect(pay.execute({ to: "b", amount: 1 }, { ...context, permit })).rejects.toThrow(PermitRequiredError);
    const forged = { key: "k", action: permit.action };
    await expect(pay.execute({ to: "a", amount: 1 }, { ...context, permit: forged })).rejects.toThrow(
      PermitRequiredError,
    );
    expect(done).toEqual([]);
    await expect(pay.execute({ to: "a", amount: 1 }, { ...context, permit })).resolves.toMatchObject({
      content: "pay done",
    });
  });

  test("when the journal cannot write, nothing is dispatched", async () => {
    const agent = testAgent(script([calls(["pay", { to: "a", amount: 1 }]), "done"]));
    agent.journal.dispatchEffect = async () => {
      throw new Error("disk full");
    };
    await expect(agent.run("pay")).rejects.toThrow("disk full");
    expect(agent.done).toEqual([]);
  });

  test("an idempotent effect is in the ledger too", async () => {
    const agent = testAgent(script([calls(["tag", { id: "1" }]), "done"]));
    await agent.run("tag");
    expect(await eventsOf(agent.journal, "t1", "effect")).toMatchObject([
      { status: "dispatched" },
      { status: "committed" },
    ]);
    expect(agent.done).toEqual(['tag {"id":"1"}']);
  });

  test("the same action under another call is asked about while the first is in doubt", async () => {
    const send = calls(["send", { to: "a" }]);
    const { tool, seen } = dyingTool(false);
    const careless = Object.assign(tool, { floor: { certainty: 0 } }); // a floor that certainty 0 meets
    const agent = testAgent(script([send, send, "done"]), { tools: [careless] });
    const settle = agent.journal.settleEffect.bind(agent.journal);
    let dead = true;
    agent.journal.settleEffect = async (key, outcome) => {
      if (!dead) return settle(key, outcome);
      dead = false;
      throw new Error("killed before the outcome was recorded");
    };
    await expect(agent.run("send")).rejects.toThrow("killed");
    const result = await agent.run(null);
    expect(result.asked?.value.requests[0]?.causes[0]).toContain("may have been");
    expect([...seen.values()]).toEqual([1]);
  });

  test("a receipt that is returned again brings its own label, not only its tool's", async () => {
    const tool = defineTool({
      name: "post",
      description: "Posts, and returns what a stranger answered.",
      schema: z.object({}),
      effect: "idempotent",
      source: {},
      run: () => labelled("a stranger's words", { integrity: 0 }, "an open forum"),
    }) as unknown as HarnessTool;
    const agent = testAgent(script([calls(["post", {}]), "done"]), { tools: [tool] });
    const append = agent.journal.append.bind(agent.journal);
    let dead = true;
    agent.journal.append = async (scope, event) => {
      if (dead && event.kind === "tool.response") {
        dead = false;
        throw new Error("killed after the outcome was recorded");
      }
      return append(scope, event);
    };
    await expect(agent.run("post")).rejects.toThrow("killed");
    expect((await agent.run(null)).trust.integrity).toBe(0);
  });
});
