// One run with all that a record can hold: a 429 that is waited out, a fallback, two subagents side by side, a question, a person's answer, a
// resume, a web page that says what to do, and a deletion that is blocked.

import { defineSubagent } from "../../subagents/index.js";
import { calls, script } from "../contracts/index.js";
import { testAgent } from "../support/agent.js";

const delegate = (description: string): [string, Record<string, unknown>] => [
  "task",
  { description, subagent_type: "reader" },
];

/** Runs it on thread `t1` of a journal in memory and returns that journal's events. `looked` is what it looks up. */
export async function eventfulRun(looked = "r7") {
  const agent = testAgent(
    script(
      [
        calls(delegate("first"), delegate("second")),
        calls(["pay", { to: "ada", amount: 5 }]),
        calls(["read_web", {}], ["look", { id: looked }]),
        calls(["erase", { id: "all" }]),
        "done",
      ],
      {
        "You are the reader": [({ messages }) => calls(["look", { id: messages.at(-1)?.content ?? "" }]), "read"],
      },
    ),
    {
      faults: ["rate-limit:offline-large,times=1", "outage:offline-large"],
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
  await agent.run("go");
  await agent.decide("approved", "it is owed");
  for (const { id, tool } of await agent.journal.approvals({ thread: "t1" })) {
    const told = { kind: "approval.decided", decision: "approved", by: "ada", authenticated: "cli" } as const;
    await agent.journal.append({ thread: "t1", run: "r1" }, { ...told, id, tool, reason: "it is owed" });
  }
  await agent.run(null);
  return agent.journal.events({ thread: "t1" });
}
