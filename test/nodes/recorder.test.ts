// What stands in the record of a run that is easy to forget: prompts and answers byte for byte, inputs, what tools gave
// before it was cut, engine and batch, clock and chance, checkpoints.

import { HumanMessage } from "@langchain/core/messages";
import { Command, END, MemorySaver, START } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openJournal, promptOf, type RecordedEvent } from "../../checkpoints/index.js";
import { HarnessGraph } from "../../graphs/index.js";
import {
  createToolbox,
  defineTool,
  type HarnessTool,
  harnessNode,
  inputFrom,
  recall,
  stateDigest,
} from "../../nodes/index.js";
import { balanced } from "../../trust/index.js";
import { calls, script, scriptedModel } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

type Kind = RecordedEvent["event"]["kind"];
const of = <K extends Kind>(events: readonly RecordedEvent[], kind: K) =>
  events.flatMap(({ event }) => (event.kind === kind ? [event as Extract<RecordedEvent["event"], { kind: K }>] : []));

async function recordOf(agent: ReturnType<typeof testAgent>, thread = "t1") {
  const events = await agent.journal.events({ thread });
  return { events, texts: await agent.journal.texts(thread) };
}

describe("model calls", () => {
  test("the prompt as it was sent and the body as it came, byte for byte, joined by the call's name", async () => {
    const agent = testAgent(script([calls(["look", { id: "r7" }]), "done ✓"]));
    await agent.run("go");
    const { events, texts } = await recordOf(agent);
    const requests = of(events, "model.request");
    expect(requests.map(({ prompt }) => promptOf(prompt, texts))).toEqual(
      agent.model.provider.requests.map(({ body }) => body),
    );
    const responses = of(events, "model.response");
    expect(responses.map(({ call }) => call)).toEqual(requests.map(({ call }) => call));
    const bodies = responses.map(({ raw }) => JSON.parse(texts.get(raw ?? "") ?? "{}"));
    expect(bodies[1].choices[0].message.content).toBe("done ✓");
    expect(bodies[1].choices[0].logprobs.content.length).toBeGreaterThan(0);
    expect(bodies.map(({ id }) => id)).toEqual(responses.map(({ obtained }) => obtained.responseId));
    expect(requests[0]).toMatchObject({
      route: "offline-large",
      provider: "offline",
      prompt: { frame: { temperature: 0 } },
    });
  });

  test("of what is sent again and again, each message is kept once", async () => {
    const long = "x".repeat(5_000);
    const agent = testAgent(
      script([...Array.from({ length: 20 }, (_, index) => calls(["look", { id: `r${index}` }])), "done"]),
    );
    await agent.run(long);
    const { events, texts } = await recordOf(agent);
    expect([...texts.values()].filter((text) => text.includes(long))).toHaveLength(2); // The input, and the message.
    const last = of(events, "model.request").at(-1);
    expect(last?.prompt.pages?.length).toBe(2);
    expect(promptOf(last?.prompt ?? {}, texts)).toBe(agent.model.provider.requests.at(-1)?.body);
  });

  test("what the provider does not tell of its engine and of the batch is said to be unavailable", async () => {
    const agent = testAgent(script(["done"]));
    await agent.run("go");
    const [response] = of((await recordOf(agent)).events, "model.response");
    expect(response?.batch).toBe("unavailable");
    expect(response?.engine).toEqual({ fingerprint: expect.any(String) });
  });

  test("a retry of the same prompt is told once, a fallback's prompt is another one", async () => {
    const agent = testAgent(script(["done"]), { faults: ["outage:offline-large"] });
    await agent.run("go");
    const { events } = await recordOf(agent);
    expect(of(events, "model.request").map(({ route }) => route)).toEqual(["offline-large", "offline-small"]);
    const call = of(events, "model.request")[0]?.call;
    expect(of(events, "capacity").every((event) => event.call === call)).toBe(true);
    expect(of(events, "capacity").map(({ event }) => event.kind)).toContain("retry");
  });

  test("a call that fails for good: its class, its code and the body that came back", async () => {
    const agent = testAgent(script(["done"]), { faults: ["outage"] });
    await agent.run("go").catch(() => undefined);
    const { events, texts } = await recordOf(agent);
    const [failed] = of(events, "model.error");
    expect(failed).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), name: expect.stringMatching(/Error$/) });
    expect(texts.get(failed?.raw ?? "")).toContain("error");
  });

  test("a streamed answer: the lines as they came", async () => {
    const agent = testAgent(script(["one two three"]));
    const stream = await agent.graph.stream({ messages: [new HumanMessage("go")] } as never, {
      ...agent.config(),
      streamMode: "messages",
    });
    for await (const _ of stream);
    const { events, texts } = await recordOf(agent);
    const [response] = of(events, "model.response");
    expect(texts.get(response?.raw ?? "")).toMatch(/^data: \{[\s\S]*\ndata: \[DONE\]\s*$/);
    expect(of(events, "model.request")[0]?.prompt.frame).toMatchObject({ stream: true });
  });
});

describe("what comes in", () => {
  test("inputs, a bare resume, and a command, as they were given", async () => {
    const agent = testAgent(script([calls(["pay", { to: "ada", amount: 5 }]), "paid"]), {
      faults: ["outage:offline-large"],
    });
    const { asked } = await agent.run("go");
    await agent.run(null);
    const id = asked?.value.requests[0]?.id ?? "";
    await agent.run(new Command({ resume: { decisions: [{ id, decision: "reject", reason: "not owed" }] } }));
    const { events, texts } = await recordOf(agent);
    const given = of(events, "input");
    expect(given.map(({ as, value }) => [as, value !== undefined])).toEqual([
      ["input", true],
      ["resume", false],
      ["resume", true],
    ]);
    const first = (await inputFrom(texts.get(given[0]?.value ?? ""))) as { messages: HumanMessage[] };
    expect(first.messages.map((message) => [HumanMessage.isInstance(message), message.text])).toEqual([[true, "go"]]);
    const command = await inputFrom(texts.get(given[2]?.value ?? ""));
    expect(command).toBeInstanceOf(Command);
    expect(command).toMatchObject({ resume: { decisions: [{ id, decision: "reject", reason: "not owed" }] } });
  });

  test("what a tool gave, whole, although the state has only its beginning; a failure; and a preview", async () => {
    const long = `start ${"x".repeat(40_000)} end`;
    const reading = { description: "Reads.", schema: z.object({}), effect: "none", source: {} } as const;
    const tools = [
      defineTool({ ...reading, name: "read_long", run: () => long }),
      defineTool({
        ...reading,
        name: "break",
        run: () => {
          throw new Error("no such record");
        },
      }),
      defineTool({
        ...{ name: "send", description: "Sends.", schema: z.object({}), source: {} },
        preview: () => ({ shows: "one letter", preconditions: { stamps: 3 } }),
        run: () => "sent",
      }),
    ] as unknown as HarnessTool[];
    const agent = testAgent(script([calls(["read_long", {}], ["break", {}]), calls(["send", {}]), "done"]), { tools });
    await agent.run("go");
    const { events, texts } = await recordOf(agent);
    const outputs = of(events, "tool.output");
    const find = (tool: string, use = "run") => outputs.find((each) => each.tool === tool && each.use === use);
    expect(texts.get(find("read_long")?.output ?? "")).toBe(long);
    expect(find("read_long")?.bytes).toBe(long.length);
    expect(find("break")).toMatchObject({ ok: false, error: "no such record" });
    expect(JSON.parse(texts.get(find("send", "preview")?.output ?? "") ?? "")).toEqual({
      shows: "one letter",
      preconditions: { stamps: 3 },
    });
    expect(find("send")).toMatchObject({ ok: true, key: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(of(events, "effect").every(({ callId }) => callId !== undefined)).toBe(true);
    const message = (await agent.graph.getState(agent.config())).values.messages.find(
      ({ name }: { name?: string }) => name === "read_long",
    );
    expect(message.text.length).toBeLessThan(1_000);
  });

  test("clock and chance of a node, and every checkpoint with the digest of its state", async () => {
    const journal = openJournal("memory:");
    const model = scriptedModel(script(["never"]));
    const toolbox = createToolbox({ tools: [] });
    const seen: number[] = [];
    const looks = harnessNode("neutral", journal, async (_state, step) => {
      seen.push(await step.now(), await step.random());
      return {};
    });
    const close = async () => undefined;
    const saver = new MemorySaver();
    const graph = new HarnessGraph({ journal, model: model.description, toolbox, policy: balanced, close })
      .addNode("recall", recall({ journal }))
      .addNode("looks", looks)
      .addEdge(START, "recall")
      .addEdge("recall", "looks")
      .addEdge("looks", END)
      .compile({ checkpointer: saver });
    await graph.invoke({ messages: [new HumanMessage("go")] } as never, {
      configurable: { thread_id: "t1", run_id: "r1" },
      durability: "sync",
    });
    const events = await journal.events({ thread: "t1" });
    expect([of(events, "clock")[0]?.at, of(events, "random")[0]?.value]).toEqual(seen);
    const saved = events.flatMap(({ event, scope }) => (event.kind === "checkpoint" ? [{ ...event, ...scope }] : []));
    expect(saved.map(({ step }) => step)).toEqual([-1, 0, 1, 2]);
    for (const { id, digest } of saved) {
      const tuple = await saver.getTuple({ configurable: { thread_id: "t1", checkpoint_id: id } });
      expect(stateDigest(tuple?.checkpoint.channel_values ?? {})).toBe(digest);
    }
    expect(saved[3]?.parent).toBe(saved[2]?.id);
    await journal.close();
  });

  test("a write into the state from outside, with what was written", async () => {
    const agent = testAgent(script(["done"]));
    await agent.run("go");
    await agent.graph.updateState(agent.config(), { messages: [new HumanMessage("psst")] }, "compact");
    const { events, texts } = await recordOf(agent);
    expect(texts.get(of(events, "state.update")[0]?.values ?? "")).toContain("psst");
  });
});
