// One recorded run with what a trace has to show: a fallback, another model than asked for, a question, an answer, an
// effect. What was written in it names Ada.

import { NOMINAL, RUN_START, recorded, request, response } from "./telemetry-support.js";

export const planner = { node: "planner", step: 3 } as const;
export const gate = { node: "gate", step: 4 } as const;

/** A run: a fallback, a question, an answer, an effect. */
export const story = recorded(
  [{}, RUN_START],
  [{}, { kind: "input", as: "input" }],
  [planner, { kind: "node.start", triggers: ["branch:to:planner"] }],
  [planner, { kind: "capacity", call: "c1", event: { kind: "queued", route: "large", waitMs: 20, reason: "pace" } }],
  [planner, request("large")],
  [
    planner,
    {
      kind: "capacity",
      call: "c1",
      event: { kind: "retry", route: "large", attempt: 2, delayMs: 100, reason: "overload" },
    },
  ],
  [
    planner,
    { kind: "capacity", call: "c1", event: { kind: "fallback", from: "large", to: "small", reason: "overload" } },
  ],
  [planner, request("small")],
  [planner, response("small", "tiny")],
  [
    planner,
    {
      kind: "trust.fell",
      from: NOMINAL,
      to: { ...NOMINAL, fidelity: 1 },
      causes: [{ axis: "fidelity", rank: 1, reason: "fallback: small", at: "planner#3" }],
    },
  ],
  [planner, { kind: "node.end", ms: 80 }],
  [gate, { kind: "node.start" }],
  [gate, { kind: "approval.requested", id: "a1", tool: "pay" }],
  [
    gate,
    {
      kind: "gate.decision",
      tool: "pay",
      toolDigest: "t",
      callId: "k1",
      arguments: { to: "Ada Lovelace" },
      verdict: "ask",
      considered: { ...NOMINAL, fidelity: 1 },
      repeats: false,
      changed: false,
      deficits: [{ axis: "fidelity", rank: 1, floor: 2 }],
      reasons: ["fidelity 1 below 2"],
      binding: "b",
      approval: "a1",
      policy: "p",
    },
  ],
  [gate, { kind: "node.end", ms: 20, interrupted: true }],
  [
    {},
    {
      kind: "approval.decided",
      id: "a1",
      tool: "pay",
      decision: "approved",
      by: "grace",
      authenticated: "cli",
      reason: "it is owed",
    },
  ],
  [{}, { kind: "input", as: "resume" }],
  [gate, { kind: "node.start" }],
  [gate, { kind: "node.end", ms: 10 }],
  [{ node: "act", step: 5 }, { kind: "node.start" }],
  [
    { node: "act", step: 5 },
    { kind: "effect", tool: "pay", key: "e1", callId: "k1", status: "committed" },
  ],
  [
    { node: "act", step: 5 },
    {
      kind: "tool.response",
      tool: "pay",
      callId: "k1",
      arguments: { to: "Ada Lovelace" },
      ok: false,
      ms: 15,
      label: { ...NOMINAL, certainty: 1 },
      error: "Ada Lovelace is unknown",
    },
  ],
  [
    { node: "act", step: 5 },
    { kind: "node.end", ms: 20 },
  ],
  [{}, { kind: "checkpoint", id: "cp-1", source: "loop", digest: "x" }],
  [{}, { kind: "run.end", status: "finished" }],
);
