// What people do with an agent while it is recorded: give it tasks, answer its questions, go on, write into its state,
// stop it. And what it left behind, as a test compares it: told apart from how the replay itself compares.

import { HumanMessage } from "@langchain/core/messages";
import { Command } from "@langchain/langgraph";
import type { HarnessEvent, Journal } from "../../checkpoints/index.js";
import { type Replayed, readRecording, replayThread } from "../../graphs/index.js";
import type { ApprovalInterrupt } from "../../nodes/index.js";
import { piecesOf, type Values } from "../../nodes/provenance.js";
import { type Plan, type World, type WorldOptions, world } from "./world.js";

/** What a person does when the agent waits or has failed. */
export type Answer =
  | { readonly how: "approve" | "reject" | "edit"; readonly by: "journal" | "command" }
  | { readonly how: "nonsense" | "resume" | "write" | "task" };

/** How a run is called. */
export type Calling = "invoke" | "messages" | "events";

/** What happens to an agent from outside. */
export interface Story {
  readonly plan: Plan;
  readonly answers: readonly Answer[];
  readonly calling: Calling;
  readonly tasks: readonly string[];
}

export const THREAD = "t1";

/** One run, however it is called. What it throws is its own affair. */
export async function call(
  { graph }: Pick<World, "graph">,
  input: unknown,
  {
    calling = "invoke",
    thread = THREAD,
    run = "r1",
    ...rest
  }: { calling?: Calling; thread?: string; run?: string } & Record<string, unknown> = {},
): Promise<unknown> {
  const config = { ...rest, configurable: { thread_id: thread, run_id: run } };
  try {
    if (calling === "invoke") await graph.invoke(input as never, config);
    else if (calling === "messages") {
      for await (const _ of await graph.stream(input as never, { ...config, streamMode: "messages" }));
    } else {
      for await (const _ of graph.streamEvents(input as never, { ...config, version: "v2" }));
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

const said = (text: string) => ({ messages: [new HumanMessage(text)] });

const asked = async ({ graph }: World): Promise<ApprovalInterrupt | undefined> => {
  const { tasks } = await graph.getState({ configurable: { thread_id: THREAD } });
  const value: unknown = tasks.flatMap(({ interrupts }) => interrupts)[0]?.value;
  return (value as ApprovalInterrupt | undefined)?.type === "approval" ? (value as ApprovalInterrupt) : undefined;
};

/** Lives the story: each task, and the answers in their order, until the agent is done or nobody answers any more. */
export async function live(agent: World, { answers, calling, tasks }: Story): Promise<void> {
  const left = [...answers];
  for (const [index, task] of tasks.entries()) {
    let run = `r${index}`;
    await call(agent, said(task), { calling, run });
    for (let turn = 1; ; turn += 1) {
      const { next } = await agent.graph.getState({ configurable: { thread_id: THREAD } });
      const answer = next.length === 0 ? undefined : left.shift();
      if (answer === undefined) break;
      run = `r${index}.${turn}`;
      await call(agent, await inputOf(agent, answer), { calling, run });
    }
  }
}

async function inputOf(agent: World, answer: Answer): Promise<unknown> {
  const { journal, graph } = agent;
  const pending = await journal.approvals({ thread: THREAD, status: "pending" });
  const open = await asked(agent);
  if (answer.how === "task") return said("something else");
  if (answer.how === "write") {
    await graph.updateState({ configurable: { thread_id: THREAD } }, { context: "written by somebody" }, "recall");
    return null;
  }
  if (answer.how === "nonsense" && open !== undefined)
    return new Command({ resume: { decisions: [{ id: "nobody", decision: "approve" }] } });
  if (answer.how === "resume" || open === undefined || !("by" in answer))
    return new Command({ resume: { resume: true } });
  if (answer.by === "journal") {
    const approver = { by: "ann", authenticated: "cli" } as const;
    for (const { id, arguments: args } of pending) {
      if (answer.how === "edit") await journal.editApproval(id, edited(args), approver);
      else await journal.decideApproval(id, answer.how === "approve" ? "approved" : "rejected", approver, "as agreed");
    }
    return null;
  }
  const decisions = open.requests.map(({ id, arguments: args }) => ({
    ...{ id, decision: answer.how, reason: "as agreed" },
    ...(answer.how === "edit" ? { arguments: edited(args) } : {}),
  }));
  return new Command({ resume: { decisions } });
}

const edited = (args: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  "amount" in args ? { ...args, amount: 1 } : { ...args, id: `${String(args["id"])}-edited` };

/** Replays a thread with a second agent, built alike unless `options` say otherwise. Close it. */
export async function again(
  agent: Pick<World, "journal">,
  plan: Plan,
  options: WorldOptions = {},
  thread = THREAD,
): Promise<{ readonly replayed: Replayed; readonly copy: World }> {
  const recording = await readRecording(agent.journal, thread);
  const copy = await world(plan, options);
  const { graph, harness } = copy;
  const keep = (text: string) => agent.journal.keep(text);
  return { replayed: await replayThread({ recording, graph, harness, keep }), copy };
}

/** What a thread came to, without what no two runs share: ids of messages, times of files. */
export async function outcome({ graph, journal }: World, thread = THREAD) {
  const { values, next } = await graph.getState({ configurable: { thread_id: thread } });
  const state = JSON.parse(
    JSON.stringify(values, (key, value) => (/^(id|created_at|modified_at)$/.test(key) ? undefined : value)),
  ) as Record<string, unknown>;
  const digests = piecesOf(values as Values).map(({ digest }) => digest);
  const known = await journal.labels(thread, digests);
  const record = await journal.thread(thread);
  return {
    state,
    next,
    labels: digests.map((digest) => known.get(digest)),
    floor: record?.floor,
    verdicts: await told(journal, thread),
    effects: (await journal.effects({ thread }))
      .map(({ tool, arguments: args, status, receiptLabel, attempts }) => ({
        tool,
        args,
        status,
        receiptLabel,
        attempts,
      }))
      .toSorted(byText),
    approvals: (await journal.approvals({ thread }))
      .map(({ tool, arguments: args, status, considered, reasons }) => ({ tool, args, status, considered, reasons }))
      .toSorted(byText),
  };
}

/** Every label and every verdict that was told, wherever and in whatever order: once each. */
async function told(journal: Journal, thread: string): Promise<readonly unknown[]> {
  const found = (await journal.events({ thread })).flatMap(({ event, scope: { lane, node, step } }) => {
    const what = labelsOf(event);
    return what === undefined ? [] : [JSON.stringify({ lane, node, step, ...what })];
  });
  return [...new Set(found)].toSorted();
}

function labelsOf(event: HarnessEvent): Record<string, unknown> | undefined {
  const { kind } = event;
  switch (kind) {
    case "tool.response":
      return { kind, tool: event.tool, args: event.arguments, ok: event.ok, label: event.label, error: event.error };
    case "subagent.end":
      return { kind, ok: event.ok, label: event.label };
    case "trust.fell":
      return { kind, from: event.from, to: event.to, causes: event.causes };
    case "gate.decision": {
      const { tool, arguments: args, verdict, considered, repeats, changed, deficits, reasons } = event;
      return { kind, tool, args, verdict, considered, repeats, changed, deficits, reasons };
    }
    default:
      return undefined;
  }
}

const byText = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);
