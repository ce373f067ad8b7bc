// The ids of messages and calls are the harness's own: the same in the stream, in the state and in a replay, and no two of
// a thread alike, whatever the server numbers them.

import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import type { AnyCompiledGraph } from "../../graphs/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";
import { again, THREAD } from "./drive.js";
import { ask, type Plan, world } from "./world.js";

const plan: Plan = {
  turns: [
    [ask("x", [["look", { id: "x" }]], [["look", { id: "y" }]]), ["look", { id: "a" }], ["look", { id: "a" }]],
    [["look", { id: "b" }]],
    [],
  ],
};
const go = { messages: [new HumanMessage("go")] };
const config = { configurable: { thread_id: THREAD, run_id: "r1" } };

async function stored(graph: AnyCompiledGraph): Promise<readonly BaseMessage[]> {
  const { values } = await graph.getState(config);
  return (values as { messages: BaseMessage[] }).messages;
}

/** The ids of the answers and of their calls. */
const idsOf = (messages: readonly BaseMessage[]) =>
  messages.filter(AIMessage.isInstance).map(({ id, tool_calls = [] }) => [id, ...tool_calls.map((call) => call.id)]);

describe("ids of messages and calls", () => {
  test("are the same in the stream, in the state and in a replay", async () => {
    const agent = await world(plan);
    const streamed = new Map<string, Set<string>>();
    const stream = await agent.graph.stream(go as never, { ...config, streamMode: "messages", subgraphs: true });
    for await (const [, [message, metadata]] of stream as unknown as AsyncIterable<
      [string[], [AIMessage, { bulkhead_lane?: string }]]
    >) {
      if (!AIMessage.isInstance(message) || metadata.bulkhead_lane !== undefined) continue;
      const known = streamed.get(message.id ?? "none") ?? new Set();
      for (const { id = "none" } of message.tool_calls ?? []) known.add(id);
      streamed.set(message.id ?? "none", known);
    }
    const messages = await stored(agent.graph);
    expect([...streamed].map(([id, known]) => [id, ...known])).toEqual(idsOf(messages));
    const { replayed, copy } = await again(agent, plan);
    expect(replayed.divergence).toBeUndefined();
    expect(idsOf(await stored(copy.graph))).toEqual(idsOf(messages));
    await copy.close();
    await agent.close();
  });

  test("follow from thread and turn: a second life of the thread gives them again, another thread others", async () => {
    const lives = await Promise.all(
      [THREAD, THREAD, "t2"].map(async (thread) => {
        const agent = testAgent(script([calls(["look", { id: "a" }], ["look", { id: "b" }]), "done"]));
        return idsOf((await agent.run("go", thread)).messages as unknown as BaseMessage[]);
      }),
    );
    expect(lives[1]).toEqual(lives[0]);
    expect(lives[2]?.flat().some((id) => lives[0]?.flat().includes(id))).toBe(false);
  });

  test("are never given twice: over turns, tasks and subagents, and to answers of one node", async () => {
    const agent = await world(plan, {
      thinks: (model) => async () => {
        const answers = [await model.invoke("one"), ...(await Promise.all([model.invoke("two"), model.invoke("two")]))];
        return { messages: answers };
      },
    });
    for (const _ of [1, 2]) await agent.graph.invoke(go as never, config);
    const messages = await stored(agent.graph);
    const ids = idsOf(messages).flat();
    const events = await agent.journal.events({ thread: THREAD });
    const answers = events.filter(({ event, scope }) => event.kind === "model.response" && scope.lane === undefined);
    expect(messages.filter(AIMessage.isInstance), "none replaced another").toHaveLength(answers.length);
    expect(new Set(ids).size).toBe(ids.length);
    const callIds = messages
      .filter(AIMessage.isInstance)
      .flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id));
    expect(callIds.every((id) => /^[a-z0-9]{9}$/.test(id ?? ""))).toBe(true);
    for (const { tool_call_id } of messages.filter(ToolMessage.isInstance)) expect(callIds).toContain(tool_call_id);
    await agent.close();
  });
});
