// The template's agent: the same graph, prompt, tools, subagents, memory and policy, with journal, ledger and checkpoints
// in one SQLite file. Driven as `bulkhead run` drives it; a parked run is woken when it said it could go on.

import { randomUUID } from "node:crypto";
import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { CapacityWaitError } from "../../../../capacity/index.js";
import { type Journal, openCheckpointer, openJournal } from "../../../../checkpoints/index.js";
import { type AnyCompiledGraph, agentGraph, hasEnded, openInterrupts } from "../../../../graphs/index.js";
import { labelledMemory, openStore } from "../../../../memory/index.js";
import { readSettings, resolveModel } from "../../../../models/index.js";
import { type HarnessTool, isGated, type ParkedRequest } from "../../../../nodes/index.js";
import { balanced, TOP } from "../../../../trust/index.js";
import { databaseIn, type Harness, type HarnessSetting, type Run } from "./harness.js";

const OPERATOR = { by: "operator", authenticated: "cli" } as const;

/** How often a run asks again when it does not know when it could go on, in ms. */
const ASK_AGAIN_MS = 5_000;

/** Makes it. */
export async function openBulkhead(setting: HarnessSetting): Promise<Harness> {
  const { order, clock, project, onEffect } = setting;
  const url = databaseIn(order.folder);
  const { scale } = order;
  const journal = openJournal(url, {
    clock: { ...clock, now: () => Math.floor(clock.now()) }, // A journal writes whole milliseconds.
    keyFile: `${order.folder}/threads.key`,
    every: (ms, tick) => {
      const timer = setInterval(tick, ms / scale).unref();
      return () => clearInterval(timer);
    },
  });
  const { saver, close } = await openCheckpointer(url);
  const opened = await openStore(url);
  const model = resolveModel(settingsOf(order), { clock });
  const memory = labelledMemory({ store: async () => opened.store, namespace: ["agent"], seal: journal.seal });
  return {
    run: async (run) => {
      const tools = project.tools(run).map((tool) => watched(tool, onEffect));
      const graph = agentGraph({
        journal,
        model,
        prompt: project.prompt,
        tools,
        subagents: project.subagents(tools, { journal, model: model.model, policy: balanced }),
        memory,
        folder: project.memory,
      }).compile({ checkpointer: saver });
      const lease = await journal.lease(run.thread, randomUUID());
      try {
        return await drive(graph as unknown as AnyCompiledGraph, run, journal);
      } finally {
        await lease.release();
      }
    },
    close: async () => {
      await model.close();
      await opened.close();
      await close();
      await journal.close();
    },
  };
}

/** What the environment of a project in this place would say. */
const settingsOf = ({ baseUrl, primary, fallback }: HarnessSetting["order"]) =>
  readSettings({
    OPENAI_BASE_URL: baseUrl,
    BULKHEAD_MODEL: "offline-large",
    BULKHEAD_REQUESTS_PER_MINUTE: String(primary.requestsPerMinute),
    BULKHEAD_IN_FLIGHT: String(primary.inFlight),
    BULKHEAD_FALLBACK_MODEL: "offline-small",
    BULKHEAD_FALLBACK_REQUESTS_PER_MINUTE: String(fallback.requestsPerMinute),
    BULKHEAD_FALLBACK_IN_FLIGHT: String(fallback.inFlight),
  });

/** The same tool, telling of each effect as soon as its function has returned. */
const watched = (tool: HarnessTool, onEffect: () => void): HarnessTool =>
  Object.create(tool, {
    execute: {
      value: async (...given: Parameters<HarnessTool["execute"]>) => {
        const outcome = await tool.execute(...given);
        if (isGated(tool.effect)) onEffect();
        return outcome;
      },
    },
  });

async function drive(graph: AnyCompiledGraph, run: Run, journal: Journal): Promise<string> {
  const { task, thread, resume, operator } = run;
  const { clock } = journal;
  const configurable = { thread_id: thread, run_id: randomUUID() };
  const say = (text: string) => ({ messages: [new HumanMessage(text)] });
  const known = resume ? await graph.getState({ configurable }) : undefined;
  const begun = known?.config.configurable?.["checkpoint_id"] !== undefined;
  if (!begun) await journal.beginThread(thread, "agent", TOP);
  let input: object | null = begun ? null : say(task.text);
  // One that was killed right after its end has nothing to go on with, but perhaps something in doubt.
  let isOver = known !== undefined && begun && hasEnded(known);
  for (;;) {
    try {
      if (!isOver) await graph.invoke(input, { configurable, durability: "sync" });
      isOver = false;
    } catch (error) {
      if (!CapacityWaitError.isInstance(error)) throw error;
      await clock.sleep(Math.max(ASK_AGAIN_MS, error.retryAt - clock.now()));
      input = null;
      continue;
    }
    input = null;
    const state = await graph.getState({ configurable });
    const asked = openInterrupts(state) as readonly { type?: string }[];
    const parked = asked.find(({ type }) => type === "parked") as ParkedRequest | undefined;
    if (parked !== undefined) {
      await clock.sleep(Math.max(ASK_AGAIN_MS, parked.retryAt - clock.now()));
    } else if (asked.length > 0) {
      await decide(journal, thread, operator);
    } else if (hasEnded(state)) {
      const doubts = await settleDoubts(journal, thread, operator);
      if (doubts === undefined) {
        const answer = (state.values as { messages?: BaseMessage[] }).messages?.at(-1)?.text ?? "";
        if (answer.trim() === "") throw new Error("it ended without an answer");
        return answer;
      }
      input = say(doubts);
    }
  }
}

/** Answers what the gate asks. */
async function decide(journal: Journal, thread: string, operator: Run["operator"]): Promise<void> {
  for (const { id, tool, arguments: args } of await journal.approvals({ thread, status: "pending" })) {
    const approved = await operator.approves(tool, args);
    await journal.decideApproval(id, approved ? "approved" : "rejected", OPERATOR, "the operator looked");
  }
}

/** Says what became of effects in doubt. `undefined` without any. */
async function settleDoubts(journal: Journal, thread: string, operator: Run["operator"]): Promise<string | undefined> {
  const said: string[] = [];
  for (const { key, tool, status, arguments: args } of await journal.effects({ thread })) {
    if (status !== "in_doubt") continue;
    const found = (await operator.finds(tool, args)) ? "committed" : "failed";
    await journal.resolveEffect(key, found, OPERATOR.by, "looked into the workspace");
    said.push(`${tool} is ${found}: looked into the workspace.`);
  }
  return said.length === 0 ? undefined : said.join("\n");
}
