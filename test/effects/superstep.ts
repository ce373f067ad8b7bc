// A run that is killed at a statement of its checkpointer, and resumed as the command line does it. In process: a killed
// life stands still for ever at its statement, as a killed process does. No `finally` runs, no lease is given back.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { systemClock } from "../../capacity/index.js";
import { type Journal, openCheckpointer, openJournal } from "../../checkpoints/index.js";
import { Interruption } from "../../cli/run/interruption.js";
import { answerOf, messagesOf, type Outcome } from "../../cli/run/outcome.js";
import { Session, type SessionOptions } from "../../cli/run/session.js";
import { type AnyCompiledGraph, harnessOf } from "../../graphs/index.js";
import { parseLabel } from "../../trust/index.js";
import { testTerminal } from "../cli/terminal.js";
import { eventsOf } from "../support/events.js";

/** Longer than a lease holds without renewal, in ms: what a killed life held is free for the next one. */
const BETWEEN_LIVES_MS = 60_000;

/**
 * Where a life is killed: `stored`, when all results of a superstep are stored and its checkpoint is not; `after`, right
 * after a statement, whichever it is. Counted from 0.
 */
export type Point = { readonly stored: number } | { readonly after: number };

/** What an agent is made of, for each life anew, on that life's journal. */
export type Build = (journal: Journal) => AnyCompiledGraph;

/** How a thread ended. */
export interface Came {
  readonly status: Outcome["status"];
  readonly answer: string | undefined;
  /** The messages without what differs between any two runs. */
  readonly messages: readonly unknown[];
  /** What else is in the state, of that. */
  readonly state: unknown;
  readonly effects: readonly string[];
  /** How the journal says that it stands. */
  readonly recorded: string | undefined;
  readonly ends: readonly unknown[];
}

/** All lives of one database. Close it. */
export class Lives {
  private readonly endings: (() => Promise<void>)[] = [];
  private age = 0;

  constructor(
    private readonly place: { readonly url: string; readonly keyFile?: string },
    private readonly build: Build,
  ) {}

  /** Lives until it is killed at `point`; returns whether it was. */
  async killed(
    thread: string,
    task: string,
    point: Point,
    mode: "start" | "more" | "resume" = "start",
  ): Promise<boolean> {
    const { saver, stood } = standing(await this.saver(), point);
    const life = await this.session(saver, thread, mode, task);
    return Promise.race([stood.then(() => true), life.execute(quiet).then(() => false)]);
  }

  /** The next life: resumes, or goes on with a task, to the end. */
  async next(thread: string, mode: "start" | "more" | "resume", task?: string): Promise<Came> {
    const life = await this.session(await this.saver(), thread, mode, task);
    const { status, error } = await life.execute(quiet);
    if (error !== undefined) throw error;
    const { values } = await life.state();
    const journal = this.journal();
    const effects = await journal.effects({ thread });
    return {
      status,
      answer: answerOf(values),
      messages: messagesOf(values).map(({ type, text, ...rest }) => [type, text, withoutIds(rest)]),
      // Without the causes of the label: that a receipt was read is one, where an effect was done before the kill.
      state: { label: parseLabel(values.trust), todos: values.todos, files: values.files, context: values.context },
      effects: effects.map((each) => `${each.tool} ${each.status}`),
      recorded: (await journal.thread(thread))?.status,
      ends: await eventsOf(journal, thread, "run.end"),
    };
  }

  /** A journal as the next life sees it. */
  journal(): Journal {
    const { age } = this;
    const clock = { ...systemClock, now: () => systemClock.now() + age };
    const journal = openJournal(this.place.url, {
      clock,
      every: () => () => undefined,
      ...(this.place.keyFile === undefined ? {} : { keyFile: this.place.keyFile }),
    });
    this.endings.push(() => journal.close());
    return journal;
  }

  async saver(): Promise<BaseCheckpointSaver> {
    const { saver, close } = await openCheckpointer(this.place.url);
    this.endings.push(close);
    return saver;
  }

  async close(): Promise<void> {
    for (const end of this.endings.splice(0)) await end().catch(() => undefined); // A life that stands holds what it had.
  }

  private async session(saver: BaseCheckpointSaver, thread: string, mode: SessionOptions["mode"], task?: string) {
    this.age += BETWEEN_LIVES_MS;
    const graph = this.build(this.journal());
    const harness = harnessOf(graph);
    if (harness === undefined) throw new Error("not a harness graph");
    const terminal = testTerminal();
    return new Session({
      ...{ saver, terminal, thread, mode, task, approve: "yes", interactive: false, workspace: "/nowhere" },
      ...{ loaded: { name: "agent", graph, harness, root: "/nowhere" }, run: `${thread} ${this.age}` },
      interruption: new Interruption(() => 0, terminal.err),
    });
  }
}

const quiet = () => ({ settled: async () => undefined, close: async () => undefined });

const withoutIds = ({ tool_calls }: object & { tool_calls?: readonly { name: string; args: unknown }[] }) =>
  (tool_calls ?? []).map(({ name, args }) => [name, args]);

/** The saver of a life that stands still at a point. `stood` resolves there. */
function standing(inner: BaseCheckpointSaver, point: Point) {
  let stand: () => void = () => undefined;
  const stood = new Promise<void>((stands) => {
    stand = stands;
  });
  let stands = false;
  const stop = async (): Promise<never> => {
    stands = true;
    stand();
    return new Promise<never>(() => undefined);
  };
  let puts = 0;
  let statements = 0;
  let writing: Promise<unknown>[] = [];
  const counted = async <Result>(statement: Promise<Result>): Promise<Result> => {
    const result = await statement;
    if (stands || ("after" in point && statements++ === point.after)) return stop();
    return result;
  };
  const saver: BaseCheckpointSaver = Object.assign(Object.create(inner), {
    put: async (...given: Parameters<BaseCheckpointSaver["put"]>) => {
      if (stands) return stop();
      if ("stored" in point && puts++ === point.stored) {
        await Promise.all(writing);
        return stop();
      }
      writing = [];
      return counted(inner.put(...given));
    },
    putWrites: async (...given: Parameters<BaseCheckpointSaver["putWrites"]>) => {
      if (stands) return stop();
      const statement = inner.putWrites(...given);
      writing.push(statement);
      return counted(statement);
    },
  });
  return { saver, stood };
}
