// An agent that can die and live again: each life is what one process would be (a journal connection, a
// tool, a graph of its own) on the same database and checkpoints. A life that is cut off stands still for ever at its
// boundary, as a killed process does: no `finally` runs, no lease is given back.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HumanMessage } from "@langchain/core/messages";
import { type Command, MemorySaver } from "@langchain/langgraph";
import { systemClock } from "../../capacity/index.js";
import { type EffectRecord, type Journal, openJournal } from "../../checkpoints/index.js";
import { agentGraph } from "../../graphs/index.js";
import type { Brain } from "../../models/index.js";
import { type ApprovalInterrupt, type HarnessTool, isGated } from "../../nodes/index.js";
import { definePolicy, type Policy } from "../../trust/index.js";
import { type Boundary, type Reach, watchedTool, watchStatements } from "./boundaries.js";
import { scriptedModel } from "./script.js";

/** Longer than a lease holds without renewal, in ms: what a dead life held is free for the next one. */
const BETWEEN_LIVES_MS = 60_000;

/** How a run of a life ended. */
export interface Ended {
  /** Whether it was cut off at its boundary. */
  readonly stood: boolean;
  /** The agent's last message. */
  readonly answer: string;
  /** What a person is asked, when it waits for one. */
  readonly asked: ApprovalInterrupt | undefined;
}

type Graph = ReturnType<ReturnType<typeof agentGraph>["compile"]>;

/** One process's worth of an agent. */
export interface Life {
  readonly journal: Journal;
  readonly tool: HarnessTool;
  readonly graph: Graph;
  /** Runs the task, or goes on with it (`null`), from a checkpoint when `config` names one. Requests are not answered. */
  run(input: "task" | null | Command, config?: object): Promise<Ended>;
}

/** What can happen to a life at a boundary. */
export interface Fate {
  /** It stands still there. */
  readonly until?: Boundary;
  /** It throws there, once. */
  readonly fails?: Boundary;
  /** Error to throw at `fails`. Default: one that says that the life was cut off. */
  readonly error?: Error;
  /** It waits before it goes on there, each time. */
  readonly pauses?: { readonly at: Boundary; readonly until: () => Promise<void> };
  /** How often LangGraph runs a node that throws. Default 1. */
  readonly attempts?: number;
}

/** What lives in all lives. */
export interface LivesOptions {
  /** Makes the tool on trial, for every life anew. */
  readonly tool: () => HarnessTool;
  /** The planner. */
  readonly brain: Brain;
  /** Other tools of the planner. */
  readonly tools?: readonly HarnessTool[];
  /** Default: any label passes, since what is on trial is the tool. A repetition is asked about under every policy. */
  readonly policy?: Policy;
}

/** All lives of one thread. Close it: that removes the database. */
export class Lives {
  /** Every answer of the tool, with the idempotency key it was given. */
  readonly told: { readonly key: string; readonly content: string }[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "bulkhead-contract-"));
  private readonly store = new MemorySaver();
  private readonly model;
  private readonly journals: Journal[] = [];
  private age = 0;

  constructor(private readonly options: LivesOptions) {
    this.model = scriptedModel(options.brain);
  }

  get config() {
    return { configurable: { thread_id: "contract", run_id: "contract" }, durability: "sync" as const };
  }

  /** The next life: after this, whatever earlier lives held has run out. */
  next(fate: Fate = {}): Life {
    this.age += BETWEEN_LIVES_MS;
    return this.alongside(fate);
  }

  /** A life at the same time as the last one. */
  alongside({ until, fails, error = new Error("cut off"), pauses, attempts = 1 }: Fate = {}): Life {
    const { age } = this;
    const { tools = [], policy } = this.options;
    const clock = { ...systemClock, now: () => systemClock.now() + age };
    const url = `sqlite:${join(this.folder, "contract.db")}`;
    const journal = openJournal(url, { clock, every: () => () => undefined });
    this.journals.push(journal);
    let stand: () => void = () => undefined;
    const stood = new Promise<Ended>((stands) => {
      stand = () => stands({ stood: true, answer: "", asked: undefined });
    });
    let stands = false;
    let failed = false;
    const reach: Reach = async (boundary) => {
      if (boundary === fails && !failed) {
        failed = true;
        throw error;
      }
      if (boundary === pauses?.at) await pauses.until();
      if (!stands && boundary !== until) return;
      stands = true;
      stand();
      await new Promise(() => undefined);
    };
    const saver: MemorySaver = Object.create(this.store);
    watchStatements(journal, saver, reach);
    const tool = this.options.tool();
    const told = (key: string, content: string) => void this.told.push({ key, content });
    const graph = agentGraph({
      journal,
      model: this.model,
      prompt: "You are the agent of a contract.",
      tools: [watchedTool(tool, reach, told), ...tools],
      policy: policy ?? lenient(tool),
    })
      .setNodeDefaults({ retryPolicy: { maxAttempts: attempts, initialInterval: 1, jitter: false, logWarning: false } })
      .compile({ checkpointer: saver }) as Graph;
    const run: Life["run"] = async (input, config = {}) => {
      const given = input === "task" ? { messages: [new HumanMessage("Do it.")] } : input;
      return Promise.race([stood, graph.invoke(given as never, { ...this.config, ...config }).then(ended)]);
    };
    return { journal, tool, graph, run };
  }

  /** What the ledger says about the tool, oldest first, without what takes effects back. */
  async ledger(): Promise<readonly EffectRecord[]> {
    const effects = (await this.journals.at(-1)?.effects()) ?? [];
    return effects.filter(({ compensates }) => compensates === undefined);
  }

  async close(): Promise<void> {
    for (const journal of this.journals) await journal.close();
    await this.model.provider.close();
    await this.model.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ended(result: unknown): Ended {
  const { messages, __interrupt__ } = result as {
    messages: { text: string }[];
    __interrupt__?: { value: ApprovalInterrupt }[];
  };
  return { stood: false, answer: messages.at(-1)?.text ?? "", asked: __interrupt__?.[0]?.value };
}

const lenient = ({ name, effect }: HarnessTool): Policy =>
  definePolicy({ name: "contract", floor: 0, tools: isGated(effect) ? { [name]: { floor: 0 } } : {} });
