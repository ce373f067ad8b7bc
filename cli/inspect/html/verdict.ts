// How a thread ended, and what it did to the world: what a person who opens the record in the morning asks first. Pure.

import type { ApprovalRecord, HarnessEvent, RecordedEvent, RunStatus } from "../../../checkpoints/index.js";
import { callOf, type Tone } from "../describe.js";

/** How it ended. */
export interface Verdict {
  readonly headline: string;
  readonly tone: Tone;
  /** The error or the reason, when there is one. */
  readonly detail?: string;
  /** What it was asked to do. */
  readonly task?: string;
}

/** One action that the gate judged: what became of it, and who let it pass. */
export interface Deed {
  readonly call: string;
  readonly outcome: string;
  /** `warn` also for what happened although the trust was too low, because a person let it. Unset: nothing to say. */
  readonly tone: Tone | undefined;
  /** Why it could or could not happen: the gate, a person. */
  readonly by: string;
  /** The event that settled it. */
  readonly run: string;
  readonly seq: number;
  readonly at: number;
}

type EventOf<Kind extends HarnessEvent["kind"]> = Extract<HarnessEvent, { kind: Kind }>;

const ENDINGS: Readonly<Record<RunStatus | "unknown", readonly [string, Tone]>> = {
  finished: ["Finished", "good"],
  waiting: ["Waits for a person", "warn"],
  blocked: ["Blocked by the gate", "bad"],
  failed: ["Failed", "bad"],
  parked: ["Parked until there is capacity", "warn"],
  spent: ["Stopped: its budget is spent", "warn"],
  interrupted: ["Interrupted", "warn"],
  running: ["No end is recorded", "warn"],
  unknown: ["No end is recorded", "warn"],
};

/** Says how the latest run ended. What happened after its end, an approval for instance, does not change that. */
export function verdictOf(events: readonly RecordedEvent[]): Verdict {
  const task = events.flatMap(({ event }) => (event.kind === "run.start" ? (event.task ?? []) : []))[0];
  const told = task === undefined ? {} : { task };
  const erased = events.findLast(({ event }) => event.kind === "thread.erased")?.event as
    | EventOf<"thread.erased">
    | undefined;
  if (erased !== undefined) {
    return { headline: "Erased", tone: "bad", detail: `by ${erased.by}: ${erased.reason}`, ...told };
  }
  const run = events.findLast(({ event }) => event.kind !== "approval.decided" && event.kind !== "approval.refused")
    ?.scope.run;
  const end = events.findLast(({ scope, event }) => scope.run === run && event.kind === "run.end")?.event as
    | EventOf<"run.end">
    | undefined;
  const [headline, tone] = ENDINGS[end?.status ?? "unknown"] ?? ENDINGS.unknown;
  const detail = end === undefined ? "It still runs, or it was killed." : end.error;
  return { headline, tone, ...(detail === undefined ? {} : { detail }), ...told };
}

/** Every action the gate judged, in the order in which it was settled. */
export function deedsOf(events: readonly RecordedEvent[], approvals: readonly ApprovalRecord[]): readonly Deed[] {
  const decided = new Map<string, EventOf<"approval.decided">>();
  for (const { event } of events) if (event.kind === "approval.decided") decided.set(event.id, event);
  const people = (id: string | undefined): { decision: string; by: string } | undefined => {
    const event = id === undefined ? undefined : decided.get(id);
    if (event !== undefined) return event;
    const kept = approvals.find((each) => each.id === id);
    if (kept?.decidedBy === undefined) return undefined;
    return { decision: kept.status === "consumed" ? "approved" : kept.status, by: kept.decidedBy };
  };
  const deeds = new Map<string, Deed>();
  const calls = new Map<string, EventOf<"gate.decision">>();
  const callOfKey = new Map<string, string>();
  const asked = new Map<string, string>();
  for (const { scope, seq, at, event } of events) {
    const here = { run: scope.run, seq, at };
    if (event.kind === "gate.decision") {
      calls.set(event.callId, event);
      if (event.approval !== undefined) asked.set(event.callId, event.approval);
      deeds.delete(event.callId); // The last word on a call stands where it was said.
      const answer = people(event.approval);
      const call = callOf(event.tool, event.arguments);
      const judged = { ask: "waits for a person", allow: "was allowed", block: "was blocked" }[event.verdict];
      const refused = event.verdict === "ask" && answer !== undefined && answer.decision !== "approved";
      deeds.set(event.callId, {
        call,
        outcome: refused ? `was ${answer.decision}` : event.verdict === "ask" && answer ? "was approved" : judged,
        tone: event.verdict === "block" || refused ? "bad" : event.verdict === "ask" ? "warn" : "dim",
        by: answer === undefined ? event.reasons.join("; ") : `${answer.decision} by ${answer.by}`,
        ...here,
      });
    }
    if (event.kind !== "effect") continue;
    const callId = event.callId ?? callOfKey.get(event.key) ?? lastOf(calls, event.tool) ?? event.key;
    callOfKey.set(event.key, callId);
    const decision = calls.get(callId);
    const approval = asked.get(callId);
    const answer = people(approval);
    const how = answer === undefined ? "the gate allowed it" : `${answer.decision} by ${answer.by}`;
    const [outcome, usual] = OUTCOMES[event.status];
    const tone = event.status === "committed" && answer !== undefined ? "warn" : usual;
    deeds.delete(callId);
    deeds.set(callId, {
      call: decision === undefined ? event.tool : callOf(event.tool, decision.arguments),
      outcome,
      tone,
      by: [decision === undefined ? "" : how, event.by === undefined ? "" : `settled by ${event.by}`, event.error ?? ""]
        .filter((each) => each !== "")
        .join("; "),
      ...here,
    });
  }
  return [...deeds.values()];
}

const OUTCOMES: Readonly<Record<EventOf<"effect">["status"], readonly [string, Tone | undefined]>> = {
  intended: ["was about to happen", "warn"],
  dispatched: ["was sent; its outcome is not recorded", "bad"],
  committed: ["happened", undefined],
  failed: ["failed", "bad"],
  in_doubt: ["is in doubt", "bad"],
};

/** The latest call of a tool: which one an effect is of, in records that do not say so. */
const lastOf = (calls: ReadonlyMap<string, EventOf<"gate.decision">>, tool: string): string | undefined =>
  [...calls].findLast(([, event]) => event.tool === tool)?.[0];
