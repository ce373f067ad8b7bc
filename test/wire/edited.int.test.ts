// What a server sent with a message goes back to it also when a person has edited a call of that message, and from a
// checkpoint that another process reads.

import { Command, MemorySaver } from "@langchain/langgraph";
import { expect, test } from "vitest";
import { openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import { readSettings, resolveModel } from "../../models/index.js";
import { OpenAIServer } from "../capacity/openai-server.js";
import { countingTools } from "../support/agent.js";
import { completion, json } from "./row.js";

test("reasoning and a thought signature survive an edit", async () => {
  const signed = { extra_content: { google: { thought_signature: "c2lnbmVk" } } };
  const call = {
    id: "functions.erase:0",
    type: "function",
    function: { name: "erase", arguments: '{"id":"a"}' },
    ...signed,
  };
  const asks = json(completion({ content: null, reasoning_content: "Hm.", tool_calls: [call] }, "tool_calls"));
  // The first answer is none, so that the second has a certainty of 2, which is too low to erase unasked.
  const replies = [json(completion({ content: "" })), asks, { content: "done" }];
  await using server = await OpenAIServer.start((n) => replies[n] ?? { status: 418 });
  const settings = readSettings({ OPENAI_BASE_URL: server.url, BULKHEAD_MODEL: "large" });
  const model = resolveModel(settings, { random: () => 0.001 });
  const { tools, done } = countingTools();
  const journal = openJournal("memory:");
  const saver = new MemorySaver();
  const agent = () =>
    agentGraph({ journal, model, prompt: "You are the agent.", tools }).compile({ checkpointer: saver });
  const config = { configurable: { thread_id: "t1", run_id: "r1" } };

  await agent().invoke({ messages: [{ role: "user", content: "erase a" }] } as never, config);
  for (const decision of ["edit", "approve"]) {
    const [open] = await journal.approvals({ thread: "t1", status: "pending" });
    const edited = decision === "edit" ? { arguments: { id: "b" } } : {};
    await agent().invoke(
      new Command({ resume: { decisions: [{ id: open?.id, decision, ...edited }] } }) as never,
      config,
    );
  }
  expect(done).toEqual(['erase {"id":"b"}']);
  const messages = server.seen.at(-1)?.body["messages"] as readonly Record<string, unknown>[];
  const sent = messages.at(-2);
  expect(sent).toEqual({
    ...{ role: "assistant", content: null, reasoning_content: "Hm." },
    tool_calls: [{ ...call, function: { name: "erase", arguments: '{"id":"b"}' } }],
  });
  await model.close();
});
