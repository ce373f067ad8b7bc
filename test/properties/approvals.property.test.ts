// P11 of trust-replay.md: what a person approved is done as it was shown or not at all, before it expires, once. The
// sequences change arguments, tool, policy, label, preconditions, branch, thread and clock between decision and dispatch.

import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import { Command, MemorySaver, Send } from "@langchain/langgraph";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { type ApprovalRecord, openJournal } from "../../checkpoints/index.js";
import { defineTool, type HarnessTool } from "../../nodes/index.js";
import { canonicalJson, definePolicy, label, mark } from "../../trust/index.js";
import { checkpointOf, copyThread, runs, smallAgent, task } from "./agent.js";
import { anySequence, type Step } from "./approval-commands.js";
import { noVerdicts, rejudge } from "./decisions.js";

const numRuns = runs(150);

const MINUTE = 60_000;
const THREADS = ["one", "two"] as const;
/** Two releases of the policy. Everything asks a person: the planner's own label is below the floor. */
const POLICIES = ["first", "second"].map((name) =>
  definePolicy({ name, floor: 3, approvals: { ttlMinutes: 10, openLimit: 4, authentication: "server" } }),
);

// ---- the world -------------------------------------------------------------------------------------------------

/** What a person said yes to, as it was shown, or what was done. */
interface Action {
  readonly arguments: string;
  readonly tool: string;
  readonly policy: string;
  readonly thread: string;
  readonly version: number;
  /** The lowest integrity that the thread had read. */
  readonly integrity: number;
}

class World {
  now = Date.parse("2030-01-01T00:00:00Z");
  version = 0;
  slept = 0;
  readonly approved: { readonly action: Action; readonly id: string; readonly expires: number }[] = [];
  readonly done: { readonly action: Action; readonly at: number }[] = [];
  readonly saver = new MemorySaver();
  readonly journal = openJournal("memory:", {
    clock: {
      now: () => this.now,
      sleep: async (ms) => {
        this.now += ms;
        this.slept += ms;
        if (this.slept > 10 * MINUTE) throw new Error("waits for ever");
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
  });
  /** Lowest integrity by thread, as it is now and as it was when `act` began. */
  private readonly integrity = new Map<string, number>();
  private readonly atAct = new Map<string, number>();
  private readonly atRequest = new Map<string, number>();
  /** Releases of the program: tool 0 or 1, policy 0 or 1. */
  readonly agents = [0, 1, 2, 3].map((number) => this.release(number & 1, POLICIES[number >> 1] ?? POLICIES[0]));

  constructor() {
    this.journal.subscribe(({ scope, event }) => {
      if (event.kind === "approval.requested") this.atRequest.set(event.id, this.integrity.get(scope.thread) ?? 3);
    });
  }

  private release(implementation: number, policy: (typeof POLICIES)[number] | undefined) {
    const reading = (name: string, integrity: 0 | 1 | 2) =>
      defineTool({
        name,
        description: name,
        schema: z.object({}),
        effect: "none",
        source: { integrity },
        run: (_, { config }) => {
          const thread = String(config.configurable?.["thread_id"]);
          this.integrity.set(thread, Math.min(integrity, this.integrity.get(thread) ?? 3));
          return name;
        },
      }) as unknown as HarnessTool;
    const pay: HarnessTool = defineTool({
      name: "pay",
      description: `Pays, release ${implementation}.`,
      schema: z.object({ to: z.string(), amount: z.number() }),
      source: {},
      preview: () => ({ shows: `version=${this.version}`, preconditions: this.version }),
      run: (args, { config }) => {
        const thread = String(config.configurable?.["thread_id"]);
        const action = {
          ...{ arguments: canonicalJson(args), tool: pay.digest, policy: policy?.digest ?? "", thread },
          ...{ version: this.version, integrity: this.atAct.get(thread) ?? 3 },
        };
        this.done.push({ action, at: this.now });
        return "paid";
      },
    }) as unknown as HarnessTool;
    return smallAgent({
      ...{ journal: this.journal, saver: this.saver, tools: [pay, reading("look", 2), reading("web", 1)] },
      ...(policy === undefined ? {} : { policy }),
      mind: (word) => ({
        trust: mark(label({ fidelity: 2 }), "a small model"),
        calls: word.split("+").flatMap((one) => {
          const [name = "", to = "", amount = "0"] = one.split("-");
          if (name === "look") return [{ name, args: {} }];
          return name === "pay" ? [{ name, args: { to, amount: Number(amount) } }] : [];
        }),
      }),
      reads: (node, _, thread) => {
        if (node === "act") this.atAct.set(thread, this.integrity.get(thread) ?? 3);
      },
    }).graph;
  }

  agent(release: number) {
    return this.agents[release] as (typeof this.agents)[number];
  }

  /** The person says yes to what is shown. */
  agreesTo(to: ApprovalRecord): void {
    const { id, arguments: args, toolDigest: tool, policyDigest: policy, thread, view, expiresAt: expires } = to;
    const version = Number(/version=(\d+)/.exec(view)?.[1]);
    const action = {
      arguments: canonicalJson(args),
      tool,
      policy,
      thread,
      version,
      integrity: this.atRequest.get(id) ?? 3,
    };
    this.approved.push({ action, id, expires });
  }

  /** What was done beyond what was approved: each yes covers one action, before it expires. */
  get excess(): readonly string[] {
    const left = new Map(this.approved.map(({ id, ...yes }) => [id, yes])); // Two answers to one question are one yes.
    return this.done.flatMap(({ action, at }) => {
      const fitting = [...left].find(
        ([, yes]) => at < yes.expires && canonicalJson(yes.action) === canonicalJson(action),
      );
      if (fitting === undefined) return [canonicalJson(action)];
      left.delete(fitting[0]);
      return [];
    });
  }
}

/** What somebody writes into the state between decision and dispatch. */
async function written(change: string, here: World, thread: string): Promise<object> {
  const { values } = await here.agent(0).getState({ configurable: { thread_id: thread } });
  const messages: BaseMessage[] = values.messages ?? [];
  const plan = messages.findLast(
    (message): message is AIMessage => AIMessage.isInstance(message) && !!message.tool_calls?.length,
  );
  const calls = plan?.tool_calls ?? [];
  const same = { content: "", ...(plan?.id === undefined ? {} : { id: plan.id }) };
  const swapped = (next: object) => ({
    messages: [new AIMessage({ ...same, tool_calls: calls.map((call) => ({ ...call, ...next })) })],
  });
  const intended = await here.journal.effects();
  switch (change) {
    case "arguments":
      return swapped({ args: { to: "mallory", amount: 1_000_000 } });
    case "tool":
      return swapped({ name: "look", args: {} });
    case "again":
      return plan === undefined ? {} : { messages: [new AIMessage({ content: "", tool_calls: calls })] };
    case "cleared":
      return { cleared: calls.flatMap(({ id = "" }) => intended.slice(-1).map(({ key }) => ({ callId: id, key }))) };
    case "stale cleared":
      return {
        ...swapped({ args: { to: "b", amount: 9 } }),
        cleared: intended.map(({ key }, index) => ({ callId: calls[index]?.id ?? "", key })),
      };
    case "last words":
      return { messages: messages.slice(-1) };
    default:
      return {};
  }
}

async function decideAll(step: Extract<Step, { does: "decide" }>, here: World): Promise<void> {
  const { journal } = here;
  const pending = await journal.approvals({ thread: step.thread, status: "pending" });
  const edited = { to: "ann", amount: 5 };
  if (step.decision === "approve") for (const each of pending) here.agreesTo(each);
  if (step.by === "command line") {
    const ann = { by: "ann", authenticated: "cli" } as const;
    for (const { id } of pending) {
      if (step.decision === "edit") await journal.editApproval(id, edited, ann);
      else await journal.decideApproval(id, step.decision === "approve" ? "approved" : "rejected", ann);
    }
    return;
  }
  const decisions = pending.map(({ id }) => ({
    id,
    decision: step.decision,
    ...(step.decision === "edit" && { arguments: edited }),
  }));
  const update = await written(step.with, here, step.thread);
  const input = new Command({ resume: { decisions }, update } as never);
  await here.agent(step.release).invoke(input as never, running(step.thread, step.stop));
}

const running = (thread: string, stop = false, from: object = {}) => ({
  configurable: { thread_id: thread, ...from },
  recursionLimit: 40,
  ...(stop ? { interruptBefore: ["act" as const] } : {}),
});

async function perform(step: Step, here: World): Promise<void> {
  switch (step.does) {
    case "ask":
      await here.agent(step.release).invoke(task(step.words) as never, running(step.thread));
      return;
    case "decide":
      return decideAll(step, here);
    case "continue": {
      const config = running(step.thread, step.stop, await checkpointOf(here.saver, step.thread, step.at));
      const go = () => here.agent(step.release).invoke(null, config);
      const ended = await Promise.allSettled(step.twice ? [go(), go()] : [go()]);
      for (const each of ended) if (each.status === "rejected") throw each.reason;
      return;
    }
    case "update": {
      const from = await checkpointOf(here.saver, step.thread, step.at);
      const user = step.operator ? { langgraph_auth_user: { identity: "ann" } } : {};
      const config = { configurable: { thread_id: step.thread, ...from, ...user } };
      await here
        .agent(0)
        .updateState(config, (await written(step.change, here, step.thread)) as never, step.as as never);
      return;
    }
    case "go to": {
      const goto = step.node === "web" ? new Send("tools", { call: { id: "s", name: "web", args: {} } }) : step.node;
      const update = await written(step.change, here, step.thread);
      await here.agent(step.release).invoke(new Command({ goto, update } as never) as never, running(step.thread));
      return;
    }
    case "wait":
      here.now += step.minutes * MINUTE;
      return;
    case "world changes":
      here.version += 1;
      return;
    case "copy":
      return copyThread(here.saver, step.thread, step.to);
  }
}

// ---- the property ----------------------------------------------------------------------------------------------

const verdicts = noVerdicts();
const statistics = { approved: 0, done: 0, refused: 0, failed: new Map<string, number>() };

async function play(steps: readonly Step[]): Promise<void> {
  const here = new World();
  for (const step of steps) {
    try {
      await perform(step, here);
    } catch (error) {
      const what = `${step.does}: ${(error as Error).message.slice(0, 60).replace(/"id".*/s, "")}`;
      statistics.failed.set(what, (statistics.failed.get(what) ?? 0) + 1);
    }
    expect(here.excess, `done without a yes; there was ${JSON.stringify(here.approved)}`).toEqual([]);
  }
  statistics.approved += here.approved.length;
  statistics.done += here.done.length;
  for (const thread of THREADS) {
    for (const { event } of await here.journal.events({ thread })) {
      if (event.kind === "tool.response" && event.tool === "pay" && !event.ok) statistics.refused += 1;
    }
  }
  await rejudge(here.journal, THREADS, verdicts);
  await here.journal.close();
}

it("P11, P16: an approval lets exactly what was shown happen, once, in time", {
  timeout: 60_000 + numRuns * 1_000,
}, async () => {
  await fc.assert(fc.asyncProperty(anySequence, play), { numRuns });
  expect(verdicts.ask).toBeGreaterThan(numRuns);
  expect(statistics.done).toBeGreaterThan(numRuns / 30);
  expect(statistics.approved).toBeGreaterThan(statistics.done); // Most of what was approved was changed in between.
  expect(statistics.refused).toBeGreaterThan(numRuns / 40);
});
