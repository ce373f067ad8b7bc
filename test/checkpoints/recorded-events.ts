// One event of every kind, with every optional field set somewhere: what a journal has to give back as it was.

import type { HarnessEvent } from "../../checkpoints/index.js";
import { label, TOP } from "../../trust/index.js";

/** The events of one run. */
export const EVENTS: readonly HarnessEvent[] = [
  { kind: "run.start", graph: "agent", task: "do it \u0000 \ud800", model: "m", offline: true, resumed: false },
  { kind: "node.start" },
  { kind: "node.end", ms: 3, error: "x" },
  { kind: "recall", sources: ["AGENTS.md"] },
  { kind: "plan", todos: [{ content: "a", status: "pending" }] },
  { kind: "admission", resource: "model", decision: "queue", waitMs: 5, reason: "pace" },
  { kind: "capacity", event: { kind: "queued", route: "m", waitMs: 1, reason: "pace" } },
  { kind: "capacity", event: { kind: "breaker", route: "m", state: "open", reason: "down" } },
  {
    kind: "model.response",
    toolCalls: ["search"],
    obtained: {
      provider: "offline",
      offline: true,
      route: "m",
      primary: "m",
      attempts: 1,
      rateLimited: 0,
      unclearAttempts: 0,
      queueMs: 2,
      cache: { ageMs: 4, fresh: true },
      usage: { inputTokens: 1, outputTokens: 2 },
    },
  },
  { kind: "model.error", error: "gone" },
  {
    kind: "tool.response",
    tool: "search",
    callId: "c",
    arguments: { query: "q" },
    ok: true,
    ms: 1,
    label: label({ integrity: 2 }),
  },
  { kind: "subagent.start", subagent: "auditor", task: "check" },
  { kind: "subagent.end", subagent: "auditor", ok: true, label: TOP, ms: 9 },
  { kind: "trust.fell", from: TOP, to: label({ fidelity: 1 }), causes: [{ axis: "fidelity", rank: 1, reason: "f" }] },
  {
    kind: "gate.decision",
    tool: "refund",
    callId: "c",
    arguments: { amount: 49 },
    verdict: "ask",
    considered: label({ fidelity: 1 }),
    deficits: [{ axis: "fidelity", rank: 1, floor: 2 }],
    policy: "p",
  },
  { kind: "approval.requested", id: "a", tool: "refund" },
  { kind: "approval.decided", id: "a", tool: "refund", decision: "approved", by: "me" },
  { kind: "effect", tool: "refund", key: "k", status: "in_doubt", error: "?" },
  { kind: "compact", evicted: ["m1"], summarised: 2 },
  { kind: "run.end", status: "finished" },
];
