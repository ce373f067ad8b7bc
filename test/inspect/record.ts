// Records made by hand: events of one thread, in order, with the scope where they happened.

import type { HarnessEvent, RecordedEvent, Scope } from "../../checkpoints/index.js";
import { type Axis, label, type Rank, TOP } from "../../trust/index.js";

export type Line = readonly [scope: Partial<Scope>, event: HarnessEvent];

/** Numbers the events and gives each the time of its number in seconds. */
export const recordOf = (...lines: readonly Line[]): RecordedEvent[] =>
  lines.map(([scope, event], index) => ({
    scope: { thread: "t", run: "r1", ...scope },
    seq: index + 1,
    at: (index + 1) * 1000,
    event,
  }));

export const started = {
  kind: "run.start",
  graph: "agent",
  model: "m",
  offline: true,
  resumed: false,
  task: "do it",
} as const;

export const ended = (status: "finished" | "waiting" | "blocked"): HarnessEvent => ({ kind: "run.end", status });

export const answered = (more: object = {}): HarnessEvent => ({
  kind: "model.response",
  toolCalls: ["look"],
  obtained: {
    provider: "offline",
    offline: true,
    route: "m",
    primary: "m",
    attempts: 1,
    rateLimited: 0,
    unclearAttempts: 0,
    queueMs: 1_600,
    usage: { inputTokens: 1, outputTokens: 2 },
    ...more,
  },
});

export const used = (tool: string, ranks: object = {}, args: Readonly<Record<string, unknown>> = {}): HarnessEvent => ({
  kind: "tool.response",
  tool,
  callId: `call-${tool}`,
  arguments: args,
  ok: true,
  ms: 700,
  label: label(ranks),
});

export const fell = (axis: Axis, from: Rank, to: Rank, reason: string): HarnessEvent => ({
  kind: "trust.fell",
  from: { ...TOP, [axis]: from },
  to: { ...TOP, [axis]: to },
  causes: [{ axis, rank: to, reason }],
});

export const judged = (
  verdict: "allow" | "ask" | "block",
  tool: string,
  deficits: readonly { readonly axis: Axis; readonly rank: Rank; readonly floor: Rank }[] = [],
) => ({
  kind: "gate.decision" as const,
  tool,
  toolDigest: "d",
  callId: `call-${tool}`,
  arguments: { id: "7" },
  verdict,
  considered: TOP,
  repeats: false,
  changed: false,
  deficits,
  reasons: deficits.map(({ axis, rank, floor }) => `${axis} ${rank} below ${floor}`),
  binding: "b",
  ...(verdict === "allow" ? {} : { approval: `approval-${tool}` }),
  policy: "p",
});
