// One run of a graph on one thread: takes the thread, finds out what has to be put in, drives the graph until it
// stops for good, and writes down how it ended. The thread is given back whatever happens.

import { randomUUID } from "node:crypto";
import { HumanMessage } from "@langchain/core/messages";
import type { BaseCheckpointSaver, StateSnapshot } from "@langchain/langgraph";
import type { Priority } from "../../capacity/index.js";
import type { Journal, Lease, RecordedEvent, Scope } from "../../checkpoints/index.js";
import { type Standing, standingOf } from "../../graphs/index.js";
import { BudgetKeeper, isStopped, type RunBudget } from "../../nodes/index.js";
import { BOTTOM, readLabel, TOP, type Trust, trustOf } from "../../trust/index.js";
import { CommandError } from "../exit.js";
import type { LoadedGraph } from "../project.js";
import type { Terminal } from "../terminal.js";
import { type ApproveMode, answerPending, decideApproval, decider } from "./approvals.js";
import { codeOf } from "./code.js";
import type { Interruption } from "./interruption.js";
import { messagesOf, type Outcome, outcomeOfError, outcomeOfState } from "./outcome.js";
import type { Reporter } from "./reporter.js";

/** What a run is started with. */
export interface SessionOptions {
  readonly loaded: LoadedGraph;
  readonly saver: BaseCheckpointSaver;
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  readonly approve: ApproveMode;
  readonly interactive: boolean;
  readonly thread: string;
  readonly run: string;
  /**
   * `start` a fresh thread, say something `more` in a known one, or `resume` where it stands. `queued`: starts it when no
   * run of it has begun yet, else resumes; which of the two is decided once the thread is taken.
   */
  readonly mode: "start" | "more" | "resume" | "queued";
  /** What the user wants. Unset when resuming. */
  readonly task?: string | undefined;
  /** The folder the tools work on, as the record keeps it. */
  readonly workspace: string;
  /** What it may use. Unset: as much as it likes. */
  readonly budget?: RunBudget | undefined;
  /** How urgent its model calls are. Default `interactive`. */
  readonly priority?: Priority;
}

interface Prepared {
  readonly input: { readonly messages: HumanMessage[] } | null;
  readonly task: string | undefined;
  /** Nothing is left to do. */
  readonly done: boolean;
}

const say = (task: string): Prepared => ({ input: { messages: [new HumanMessage(task)] }, task, done: false });

const goOn = (input: Prepared["input"]): Prepared => ({ input, task: undefined, done: false });

/** Who hears of a run. */
export interface RunListener extends Pick<Reporter, "settled" | "close"> {
  /** The journal has the run and its task: whatever happens from here on, the thread can be resumed. */
  begun?(): void;
}

/** One run. */
export class Session {
  private readonly scope: Scope;

  constructor(private readonly options: SessionOptions) {
    this.scope = { thread: options.thread, run: options.run };
    // As the LangGraph server does with the graphs it serves.
    options.loaded.graph.checkpointer = options.saver;
  }

  /**
   * Runs to the end, or to where a person or capacity is needed. Never throws for what the graph does. `report` is
   * called before the run begins; not when nothing is left to do.
   *
   * @throws ThreadBusyError when another run has the thread, JournalError when the database cannot be used.
   */
  async execute(report: () => RunListener): Promise<Outcome> {
    const { loaded, run, thread } = this.options;
    const { journal } = loaded.harness;
    const lease = await journal.lease(thread, run);
    try {
      const { input, task, done } = await this.prepare(journal);
      if (done) {
        const outcome = await outcomeOfState(await this.state(), journal, thread);
        if ((await journal.thread(thread))?.status === "running") await this.endKilled(journal, outcome);
        return outcome;
      }
      const told = task === undefined ? {} : { task };
      const listening = report();
      try {
        const { model, offline } = loaded.harness.model;
        const resumed = this.options.mode === "resume" || input === null;
        const { workspace } = this.options;
        const code = codeOf(loaded);
        const budget = this.options.budget === undefined ? {} : { budget: this.options.budget.limits };
        const start = { graph: loaded.name, ...told, model, offline, resumed, workspace, code, ...budget };
        await journal.append(this.scope, { kind: "run.start", ...start });
        listening.begun?.();
        const outcome = await this.drive(input, lease, listening);
        await this.end(journal, outcome);
        return outcome;
      } finally {
        await listening.close();
      }
    } finally {
      await lease.release();
    }
  }

  /** The thread's state as it was last saved. */
  state(): Promise<StateSnapshot> {
    return this.options.loaded.graph.getState(this.config);
  }

  private get config() {
    return { configurable: { thread_id: this.options.thread } };
  }

  /** The thread's trust: of its last checkpoint, or the journal's floor when there is none. */
  async trust(): Promise<Trust> {
    const trust: unknown = (await this.state()).values?.trust;
    if (readLabel(trust) !== undefined) return trust as Trust;
    const record = await this.options.loaded.harness.journal.thread(this.options.thread);
    return trustOf(record?.floor ?? BOTTOM);
  }

  private async prepare(journal: Journal): Promise<Prepared> {
    const { mode, task, thread, loaded } = this.options;
    if (mode === "start" || (mode === "queued" && (await journal.thread(thread))?.task === undefined)) {
      await journal.beginThread(thread, loaded.name, TOP);
      return say(task ?? "");
    }
    const state = await this.state();
    const standing = standingOf(state);
    if (mode === "more") return this.sayMore(task ?? "", standing, journal);
    const untaken = untakenTask(await journal.events({ thread }), state.config.configurable?.["checkpoint_id"]);
    if (standing.at === "nothing") {
      // It was killed before its first checkpoint: its task is all there is, and nothing was done yet.
      const known = untaken ?? (await journal.thread(thread))?.task;
      if (known !== undefined) return say(known);
      throw new CommandError(`thread ${thread} has no checkpoint in this database. Start the task again.`);
    }
    if (untaken !== undefined) return this.sayMore(untaken, standing, journal);
    if (standing.at === "work") return goOn(null);
    // From its beginning, with nothing new said: the model is asked again, and told which of its calls have no answer.
    if (standing.at === "loose end") return goOn({ messages: [] });
    const stopped = isStopped(messagesOf(state.values).at(-1));
    return { ...goOn(null), done: !(stopped && (await this.reopen())) };
  }

  /**
   * Abandons what was under way. LangGraph would drop what is stored of it as well, answers of the model among it: that is
   * taken in first.
   */
  private async sayMore(text: string, standing: Standing, journal: Journal): Promise<Prepared> {
    await this.withdrawPending(journal);
    const [stored] = standing.at === "work" ? standing.stored : [];
    if (stored !== undefined) await this.options.loaded.graph.updateState(this.config, {}, stored);
    return say(text);
  }

  /** A run that its budget stopped goes on where it was: before the step that had the last word. */
  private async reopen(): Promise<boolean> {
    const { graph } = this.options.loaded;
    const { config } = this;
    let stopped: string | undefined;
    for await (const { next } of graph.getStateHistory(config)) {
      const [step, ...beside] = next;
      if (step === undefined || step === stopped) continue; // Its end; and it may have been stopped before.
      if (beside.length > 0) return false;
      if (stopped !== undefined) {
        await graph.updateState(config, {}, step); // As the step before it: what follows that is next.
        return true;
      }
      stopped = step;
    }
    return false;
  }

  /** A new message abandons what the gate was asking; an answer to it would have no effect any more. */
  private async withdrawPending(journal: Journal): Promise<void> {
    for (const { id } of await journal.approvals({ thread: this.options.thread, status: "pending" })) {
      await decideApproval(journal, id, "rejected", decider(), "withdrawn: the user went on with a new message");
    }
  }

  private async drive(first: Prepared["input"], lease: Lease, reporter: Pick<Reporter, "settled">): Promise<Outcome> {
    const { loaded, terminal, interruption, approve, interactive, thread } = this.options;
    const { journal } = loaded.harness;
    for (let input = first, turn = 0; ; input = null, turn += 1) {
      const outcome = await this.invoke(input, lease, turn);
      await reporter.settled();
      if (outcome.status !== "waiting") return outcome;
      const signal = interruption.firstSignal;
      const decided = await answerPending({ journal, thread, mode: approve, terminal, interactive, signal });
      if (interruption.requested) return { status: "interrupted" };
      if (!decided) return outcome;
    }
  }

  private async invoke(input: Prepared["input"], lease: Lease, turn: number): Promise<Outcome> {
    const { loaded, interruption, thread, run, budget, priority } = this.options;
    const keeper = budget === undefined ? [] : [new BudgetKeeper(loaded.harness.journal, budget)];
    try {
      await loaded.graph.invoke(input, {
        callbacks: keeper,
        configurable: { thread_id: thread, run_id: run, ...(priority === "batch" ? { priority } : {}) },
        runId: turn === 0 ? run : randomUUID(), // A trace has one root per invocation.
        durability: "sync",
        control: interruption.control,
        signal: AbortSignal.any([interruption.signal, lease.lost]),
      });
    } catch (error) {
      if (lease.lost.aborted) return { status: "failed", error: lease.lost.reason };
      return outcomeOfError(error, { interrupted: interruption.signal.aborted });
    }
    return outcomeOfState(await this.state(), loaded.harness.journal, thread);
  }

  /** Killed after its last checkpoint, a run has come to its end and could not say so. */
  private async endKilled(journal: Journal, outcome: Outcome): Promise<void> {
    const events = await journal.events({ thread: this.options.thread });
    const last = events.findLast(({ event }) => event.kind === "run.start");
    await this.end(journal, outcome, last?.scope);
  }

  private async end(journal: Journal, { status, error }: Outcome, { run } = this.scope): Promise<void> {
    const told = error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) };
    try {
      await journal.append({ ...this.scope, run }, { kind: "run.end", status, ...told });
    } catch (journalError) {
      if (error === undefined) throw journalError; // What stopped the run is what the user has to hear of.
    }
  }
}

/**
 * The task that was given last, when the run that took it was killed before the graph had it: no checkpoint since has
 * taken anything in. One that the journal does not know is that run's; it was killed before it could tell.
 */
function untakenTask(events: readonly RecordedEvent[], checkpoint: unknown): string | undefined {
  const given = events.findLastIndex(({ event }) => event.kind === "run.start" && event.task !== undefined);
  const start = events[given]?.event;
  if (start?.kind !== "run.start") return undefined;
  const told = (from: number, fits: (event: Extract<RecordedEvent["event"], { kind: "checkpoint" }>) => boolean) =>
    events.slice(from).some(({ event }) => event.kind === "checkpoint" && fits(event));
  const isTaken =
    told(given, ({ source }) => source === "input") ||
    (checkpoint !== undefined && !told(0, ({ id }) => id === checkpoint));
  return isTaken ? undefined : start.task;
}
