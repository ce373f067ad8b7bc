// What a run comes to, as data: the last line of `--json`, and where the summary for a person takes its numbers from.

import type { ApprovalRecord, Journal, RecordedEvent, RunStatus } from "../../checkpoints/index.js";
import type { ModelDescription } from "../../models/index.js";
import { type ApprovalView, viewOf } from "../../nodes/approval-view.js";
import type { Cause, Label, Trust } from "../../trust/index.js";
import type { BudgetReport } from "./budget.js";

/** An approval as listings and results show it. */
export interface ApprovalListing extends ApprovalView {
  readonly thread: string;
}

/** What a run's model calls came to. */
export interface RunUsage {
  readonly calls: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Milliseconds spent waiting for capacity, over all calls. */
  readonly queueMs: number;
  /** HTTP requests made. */
  readonly attempts: number;
  /** Of those, how many were refused for rate. */
  readonly rateLimited: number;
  /** Answers that did not come from the pinned primary model. */
  readonly fallbacks: number;
  readonly cacheHits: number;
}

/** The last line of `run --json`. */
export interface RunResult {
  readonly type: "result";
  readonly thread: string;
  readonly run: string;
  readonly graph: string;
  readonly status: Exclude<RunStatus, "running">;
  /** The agent's last words; `null` when it has not come to an answer. */
  readonly answer: string | null;
  /** Why it failed, was parked or waits. */
  readonly message?: string;
  readonly trust: Label & { readonly minTrust: number; readonly causes: readonly Cause[] };
  readonly model: { readonly provider: string; readonly model: string; readonly offline: boolean };
  readonly usage: RunUsage;
  /** How far its budget is used, with what it used before it was resumed. Unset: it has none. */
  readonly budget?: BudgetReport;
  /** Supersteps of the agent's own graph in this run. */
  readonly steps: number;
  /** Everything in this thread's ledger. */
  readonly effects: readonly { readonly tool: string; readonly status: string; readonly key: string }[];
  readonly pending: readonly ApprovalListing[];
  /** The commands that go on from here. */
  readonly next: readonly string[];
}

/** Shows an approval. */
export const listingOf = (record: ApprovalRecord): ApprovalListing => {
  const { id, ...view } = viewOf(record);
  return { id, thread: record.thread, ...view };
};

/** Adds up the model calls among the events. */
export function usageOf(events: readonly RecordedEvent[]): RunUsage {
  const usage = {
    calls: 0,
    tokensIn: 0,
    tokensOut: 0,
    queueMs: 0,
    attempts: 0,
    rateLimited: 0,
    fallbacks: 0,
    cacheHits: 0,
  };
  for (const { event } of events) {
    if (event.kind !== "model.response") continue;
    const { obtained } = event;
    usage.calls += 1;
    usage.tokensIn += obtained.usage.inputTokens;
    usage.tokensOut += obtained.usage.outputTokens;
    usage.queueMs += obtained.queueMs;
    usage.attempts += obtained.attempts;
    usage.rateLimited += obtained.rateLimited;
    if (obtained.route !== obtained.primary) usage.fallbacks += 1;
    if (obtained.cache !== undefined) usage.cacheHits += 1;
  }
  return { ...usage, queueMs: Math.round(usage.queueMs) };
}

/** How many supersteps of the agent's own graph the events show. Subagents run inside one of them. */
export const stepsOf = (events: readonly RecordedEvent[]): number =>
  new Set(
    events
      .filter(({ event, scope }) => event.kind === "node.start" && scope.lane === undefined)
      .map(({ scope }) => scope.step),
  ).size;

/** What {@link resultOf} is told; the rest it reads from the journal. */
export interface RunEnd {
  readonly journal: Pick<Journal, "events" | "effects" | "approvals">;
  readonly thread: string;
  readonly run: string;
  readonly graph: string;
  readonly model: ModelDescription;
  readonly status: Exclude<RunStatus, "running">;
  readonly answer: string | undefined;
  readonly message: string | undefined;
  readonly trust: Trust;
  readonly next: readonly string[];
  readonly budget?: BudgetReport | undefined;
}

/** Puts the result together. */
export async function resultOf(end: RunEnd): Promise<RunResult> {
  const { journal, thread, run, graph, model, status, answer, message, next } = end;
  const events = await journal.events({ thread, run });
  const { integrity, fidelity, currency, certainty, minTrust, causes } = end.trust;
  return {
    type: "result",
    thread,
    run,
    graph,
    status,
    answer: answer ?? null,
    ...(message === undefined ? {} : { message }),
    trust: { integrity, fidelity, currency, certainty, minTrust, causes },
    model: { provider: model.provider, model: model.model, offline: model.offline },
    usage: usageOf(events),
    ...(end.budget === undefined ? {} : { budget: end.budget }),
    steps: stepsOf(events),
    effects: (await journal.effects({ thread })).map(({ tool, status: state, key }) => ({ tool, status: state, key })),
    pending: (await journal.approvals({ thread, status: "pending" })).map(listingOf),
    next,
  };
}
