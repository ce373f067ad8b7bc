import { HumanMessage } from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph";
import { expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { agentGraph, readRecording, replayThread } from "../../graphs/index.js";
import { readSettings, resolveModel } from "../../models/index.js";
import { OpenAIServer } from "../capacity/openai-server.js";
import { countingTools } from "../support/agent.js";
import { eventsOf } from "../support/events.js";

const agentAt = (url: string, env: Record<string, string>) => {
  const model = resolveModel(readSettings({ OPENAI_BASE_URL: url, BULKHEAD_MODEL: "prod-chat", ...env }));
  const journal = openJournal("memory:");
  const graph = agentGraph({ journal, model, prompt: "You are the agent.", tools: countingTools().tools });
  return { journal, graph: graph.compile({ checkpointer: new MemorySaver() }) };
};

test("what an alias made of an answer stands in the record, whatever is configured when it replays", async () => {
  await using server = await OpenAIServer.start(() => ({ model: "gpt-4o-2024-08-06" }));
  const named = agentAt(server.url, { BULKHEAD_MODEL_ALIASES: "gpt-4o-*" });
  const config = { configurable: { thread_id: "t1", run_id: "r1" } };
  const input = { messages: [new HumanMessage("go")] };
  const state = await named.graph.invoke(input, config);
  expect(state.trust).toMatchObject({ minTrust: 3, causes: [] });
  expect(await eventsOf(named.journal, "t1", "model.response")).toMatchObject([
    { obtained: { route: "prod-chat", returnedModel: "gpt-4o-2024-08-06", alias: "gpt-4o-*" } },
  ]);
  const recording = await readRecording(named.journal, "t1");
  for (const env of [{ BULKHEAD_MODEL_ALIASES: "gpt-4o-*" }, { BULKHEAD_MODEL_ALIASES: "gpt-4o-2024-08-06" }, {}]) {
    const again = agentAt(server.url, env as Record<string, string>);
    const replayed = await replayThread({
      recording,
      graph: again.graph as never,
      harness: { journal: again.journal } as never,
      keep: (text) => named.journal.keep(text),
    });
    expect(replayed.divergence).toBeUndefined();
    expect(replayed.identical).toBe(true);
  }
  const unnamed = agentAt(server.url, {});
  expect((await unnamed.graph.invoke(input, config)).trust.causes).toMatchObject([
    { reason: expect.stringContaining("if that is the same model, name it in BULKHEAD_MODEL_ALIASES") },
  ]);
});
