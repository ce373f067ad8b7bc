// The same count stays one: every path on which LangGraph runs a node again, for every kind of provider. The effect
// happens once, or the record says why it did not; what would have repeated is seen in the record. Prints the matrix.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AIMessage } from "@langchain/core/messages";
import { Command } from "@langchain/langgraph";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { table } from "../../cli/text.js";
import { type ApprovalInterrupt, defineTool, type HarnessTool } from "../../nodes/index.js";
import { definePolicy } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { type Life, Lives } from "../contracts/lives.js";
import { FileProvider, KINDS, type Kind } from "./matrix.js";
import { sender, sendTool } from "./send.js";

/** What a path gets. */
interface Scene {
  readonly lives: Lives;
  readonly provider: FileProvider;
}

interface Path {
  readonly name: string;
  /** The planner reads first, and the read lowers the trust: the first effect needs an approval. */
  readonly asks?: true;
  /** The planner makes the same call twice in one message. */
  readonly twice?: true;
  /** Ends with a person being asked whether to repeat. */
  readonly repeats?: true;
  /** Loses the outcome: a provider that can tell nothing leaves it in doubt. */
  readonly loses?: true;
  /** Somebody is refused at the dispatch: the gate could not know. */
  readonly refuses?: true;
  take(scene: Scene): Promise<void>;
}

const config = { configurable: { thread_id: "contract" } };

async function checkpoints({ graph }: Life, node: string): Promise<object[]> {
  const found: object[] = [];
  for await (const { next, config: at } of graph.getStateHistory(config)) if (next.includes(node)) found.push(at);
  return found;
}

/** The oldest checkpoint before `node`. */
const before = async (life: Life, node: string): Promise<object> => (await checkpoints(life, node)).at(-1) ?? {};

const answer = (asked: ApprovalInterrupt | undefined, decision: "approve" | "reject") =>
  new Command({ resume: { decisions: (asked?.requests ?? []).map(({ id }) => ({ id, decision })) } });
const approval = (asked: ApprovalInterrupt | undefined) => answer(asked, "approve");

/** Resolves for all when so many have come. */
function meeting(size: number): () => Promise<void> {
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  return () => {
    size -= 1;
    if (size <= 0) meet();
    return met;
  };
}

/** As the model would ask again: the same call under other ids. */
const sameCall = (id: string) =>
  new AIMessage({ id, content: "", tool_calls: [{ id: `call-${id}`, name: "send", args: { to: "a" } }] });

const PATHS: readonly Path[] = [
  {
    name: "retry policy: the node fails after the effect",
    take: async ({ lives }) => void (await lives.next({ fails: "after settle", attempts: 3 }).run("task")),
  },
  {
    name: "retry policy: the outcome cannot be recorded at first",
    loses: true,
    take: async ({ lives }) => void (await lives.next({ fails: "before settle", attempts: 3 }).run("task")),
  },
  {
    name: "the saver fails after the effect, then resume",
    take: async ({ lives }) => {
      const life = lives.next({ fails: "before act's writes" });
      await expect(life.run("task")).rejects.toThrow("cut off");
      await life.run(null);
    },
  },
  {
    name: "interrupt, approve, resume",
    asks: true,
    take: async ({ lives }) => {
      const life = lives.next();
      const { asked } = await life.run("task");
      await life.run(approval(asked));
    },
  },
  {
    name: "two resumes of one approval at once",
    asks: true,
    take: async ({ lives }) => {
      const life = lives.next();
      const { asked } = await life.run("task");
      await Promise.allSettled([life, lives.alongside()].map((each) => each.run(approval(asked))));
      await life.run(null).catch(() => undefined);
    },
  },
  {
    name: "two resumes by the same checkpoint id",
    asks: true,
    take: async ({ lives }) => {
      const life = lives.next();
      const { asked } = await life.run("task");
      const { config: at } = await life.graph.getState(config);
      await life.run(approval(asked), at);
      await life.run(approval(asked), at).catch(() => undefined);
    },
  },
  {
    name: "time travel to before the gate",
    take: async ({ lives }) => {
      const life = lives.next();
      await life.run("task");
      await life.run(null, await before(life, "gate"));
    },
  },
  {
    name: "time travel to before the approval, approved again",
    asks: true,
    take: async ({ lives }) => {
      const life = lives.next();
      const { asked } = await life.run("task");
      await life.run(approval(asked));
      await life.run(null, await before(life, "gate"));
    },
  },
  {
    name: "time travel to before the model call",
    repeats: true,
    take: async ({ lives }) => {
      const life = lives.next();
      await life.run("task");
      await life.run(null, await before(life, "planner"));
    },
  },
  {
    name: "fork of an old checkpoint",
    repeats: true,
    take: async ({ lives }) => {
      const life = lives.next();
      await life.run("task");
      await life.run(null, await life.graph.updateState(await before(life, "planner"), { messages: [] }));
    },
  },
  {
    name: "updateState with the same call, then continue",
    repeats: true,
    take: async ({ lives }) => {
      const life = lives.next();
      await life.run("task");
      const operator = { configurable: { ...config.configurable, langgraph_auth_user: { identity: "ann" } } };
      await life.graph.updateState(operator, { messages: [sameCall("again")] }, "planner");
      await life.run(null);
    },
  },
  {
    name: "time travel while the first run is still at the provider",
    repeats: true,
    take: async ({ lives }) => {
      await lives.next({ until: "after provider" }).run("task");
      const second = lives.alongside();
      await second.run(null, await before(second, "planner"));
    },
  },
  {
    name: "Promise.race of two runs of one thread, both past the gate",
    refuses: true,
    take: async ({ lives }) => {
      const both = meeting(2);
      const pauses = { at: "after intent", until: both } as const;
      const runs = [lives.next({ pauses }), lives.alongside({ pauses })].map((life) => life.run("task"));
      await Promise.race(runs);
      await Promise.allSettled(runs);
    },
  },
  {
    name: "the same call twice in one message",
    twice: true,
    repeats: true,
    take: async ({ lives }) => {
      const life = lives.next();
      const { asked } = await life.run("task");
      expect(lives.told).toEqual([]);
      await life.run(answer(asked, "reject"));
    },
  },
  {
    name: 'durability "exit", killed after the effect: nothing to resume, the task is given again',
    repeats: true,
    take: async ({ lives }) => {
      await lives.next({ until: "after provider" }).run("task", { durability: "exit" });
      await lives.next().run("task", { durability: "exit" });
    },
  },
  {
    name: 'durability "async", killed after the effect, then resume',
    loses: true,
    take: async ({ lives }) => {
      await lives.next({ until: "after provider" }).run("task", { durability: "async" });
      await lives.next().run(null, { durability: "async" });
    },
  },
  {
    name: "two workers resume what a third one left",
    loses: true,
    take: async ({ lives }) => {
      await lives.next({ until: "after provider" }).run("task");
      await Promise.all([lives.next(), lives.alongside()].map((life) => life.run(null)));
    },
  },
];

const look = defineTool({
  name: "look",
  description: "Looks.",
  schema: z.object({}),
  effect: "none",
  source: { integrity: 2 },
  run: () => "a record",
}) as unknown as HarnessTool;

const told = ({ messages }: { messages: readonly { content: string }[] }) => messages.at(-1)?.content ?? "";
const lookFirst = script([calls(["look", {}]), calls(["send", { to: "a" }]), told]);
const sendTwice = script([calls(["send", { to: "a" }], ["send", { to: "a" }]), told]);
const strict = definePolicy({ name: "strict", floor: 3, blocksAt: {}, tools: {} });

async function scene(kind: Kind, { asks, twice }: Path) {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-count-"));
  const provider = new FileProvider(folder, "send", kind);
  const lives = new Lives({
    tool: () => sendTool(provider),
    brain: asks ? lookFirst : twice ? sendTwice : sender,
    tools: [look],
    ...(asks ? { policy: strict } : {}),
  });
  const close = async () => {
    await lives.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { lives, provider, close };
}

const matrix = new Map(PATHS.map(({ name }) => [name, [name]]));
afterAll(() => {
  const rows = table([["PATH", ...KINDS], ...matrix.values()]).join("\n");
  process.stdout.write(`\n${rows}\n(effects, what the ledger says, and how often the gate asked)\n`);
});

describe.each(PATHS)("$name", (path) => {
  test.each(KINDS)("provider: %s", async (kind) => {
    const { lives, provider, close } = await scene(kind, path);
    try {
      await path.take({ lives, provider });
      const { journal } = lives.alongside();
      const ledger = (await journal.effects()).filter(({ status }) => status !== "intended");
      const events = (await journal.events({ thread: "contract" })).map(({ event }) => event);
      const asked = events.filter((event) => event.kind === "gate.decision" && event.verdict === "ask");
      const statuses = ledger.map(({ status }) => status.replace("_", " ")).join(", ");
      matrix
        .get(path.name)
        ?.push(`${provider.effects().length} ${statuses}${asked.length > 0 ? `, asked ${asked.length}` : ""}`);
      expect(provider.effects()).toHaveLength(1);
      if (path.loses) expect(statuses).toBe(kind === "neither" ? "in doubt" : "committed");
      const refused = events.filter((event) => event.kind === "tool.response" && event.error?.startsWith("Blocked: "));
      expect(refused.length > 0).toBe(path.refuses === true);
      expect(asked.some((event) => "repeats" in event && event.repeats)).toBe(path.repeats === true);
    } finally {
      await close();
    }
  });
});
