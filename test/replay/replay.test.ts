import { expect, test } from "vitest";
import { readRecording, replayThread } from "../../graphs/index.js";
import { defineSubagent } from "../../subagents/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

const eventful = () =>
  testAgent(
    script(
      [
        calls(
          ["task", { description: "first", subagent_type: "reader" }],
          ["task", { description: "second", subagent_type: "reader" }],
        ),
        calls(["pay", { to: "ada", amount: 5 }]),
        calls(["read_web", {}], ["look", { id: "r7" }]),
        calls(["erase", { id: "all" }]),
        "done",
      ],
      { "You are the reader": [({ messages }) => calls(["look", { id: messages.at(-1)?.content ?? "" }]), "read"] },
    ),
    {
      faults: ["outage:offline-large"],
      subagents: (host) => [
        defineSubagent(
          {
            name: "reader",
            description: "Reads.",
            prompt: "You are the reader.",
            tools: host.tools.filter(({ effect }) => effect === "none"),
          },
          host,
        ),
      ],
    },
  );

test("an eventful run replays", async () => {
  const agent = eventful();
  await agent.run("go");
  await agent.decide("approved", "it is owed");
  await agent.run(null);
  const recording = await readRecording(agent.journal, "t1");
  const again = eventful();
  const replayed = await replayThread({
    recording,
    graph: again.graph as never,
    harness: { journal: again.journal } as never,
    keep: (text) => agent.journal.keep(text),
  });
  expect(replayed.divergence).toBeUndefined();

  expect(replayed).toMatchObject({ identical: true });
  expect(again.done).toEqual([]);
  expect(again.model.provider.requests).toHaveLength(0);
});

test("a declared secret in the task: the record has a tag, and replays", async () => {
  const secrets = { values: ["Portland-XYZZY-9"] };
  const asking = () => testAgent(script([calls(["look", { id: "r7" }], ["fails", {}]), "done"]), { secrets });
  const agent = asking();
  await agent.run("How many tickets are open? Portland-XYZZY-9");
  const recording = await readRecording(agent.journal, "t1");
  expect(JSON.stringify([recording.events, [...recording.texts]])).not.toContain("XYZZY");
  const again = asking();
  const { graph, journal } = again;
  const replayed = await replayThread({
    recording,
    graph: graph as never,
    harness: { journal } as never,
    keep: (text) => agent.journal.keep(text),
  });
  expect(replayed.divergence).toBeUndefined();
  expect(replayed.identical).toBe(true);
});
