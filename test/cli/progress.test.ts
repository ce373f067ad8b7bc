// Progress is made from recorded events and nothing else: what a person sees of each of them.

import { describe, expect, test } from "vitest";
import type { HarnessEvent, RecordedEvent, Scope } from "../../checkpoints/index.js";
import { Progress } from "../../cli/run/progress.js";
import { label, TOP } from "../../trust/index.js";

const recorded = (event: HarnessEvent, scope: Partial<Scope> = {}): RecordedEvent => ({
  scope: { thread: "t", run: "r", node: "planner", step: 3, ...scope },
  seq: 1,
  at: 0,
  event,
});

const answer = (more: object = {}): HarnessEvent => ({
  kind: "model.response",
  toolCalls: ["read_ticket"],
  obtained: {
    provider: "offline",
    offline: true,
    route: "offline-large",
    primary: "offline-large",
    attempts: 1,
    rateLimited: 0,
    unclearAttempts: 0,
    queueMs: 12,
    usage: { inputTokens: 812, outputTokens: 40 },
    ...more,
  },
});

const fell = (from: object, to: object, axis: "integrity" | "fidelity", reason: string): HarnessEvent => ({
  kind: "trust.fell",
  from: label(from),
  to: label(to),
  causes: [{ axis, rank: 1, reason }],
});

const shown = (event: HarnessEvent, scope?: Partial<Scope>, details = {}) =>
  new Progress().lines(recorded(event, scope), details).join("\n");

describe("model answers", () => {
  test("an ordinary one is short", () => {
    expect(shown(answer())).toBe("   3  planner    offline-large → read_ticket  812+40 tokens");
  });

  test("a fallback says why, and what it took", () => {
    const event = answer({
      route: "offline-small",
      fallbackReason: "overload",
      attempts: 4,
      rateLimited: 2,
      queueMs: 1_600,
    });
    expect(shown(event)).toContain(
      "offline-small as fallback: overload → read_ticket  812+40 tokens, 4 attempts, 2 rate limited, queued 1.6 s",
    );
  });

  test("a cached one says its age", () => {
    expect(shown(answer({ attempts: 0, cache: { ageMs: 4_000, fresh: true } }))).toContain("from the cache, 4.0 s old");
  });
});

test("a skill that was left out is told, beside what was recalled", () => {
  const recall = { kind: "recall", sources: ["AGENTS.md"], unusable: ["/m/skills/refund/SKILL.md: no front matter."] };
  expect(shown(recall as HarnessEvent)).toMatch(
    /AGENTS\.md\n.*skill left out: \/m\/skills\/refund\/SKILL\.md: no front matter\.$/,
  );
  expect(shown({ ...recall, sources: [] } as HarnessEvent)).toMatch(/^\s+\d+ +\S+ +skill left out: /);
});

describe("quiet", () => {
  const nothing: HarnessEvent[] = [
    { kind: "node.start" },
    { kind: "node.end", ms: 3 },
    { kind: "admission", resource: "m", decision: "admit", waitMs: 0 },
    { kind: "capacity", event: { kind: "queued", route: "m", waitMs: 20, reason: "pace" } },
    { kind: "compact", evicted: [], summarised: 0 },
    { kind: "recall", sources: [] },
    { kind: "effect", tool: "x", key: "k", status: "dispatched" },
    { kind: "approval.requested", id: "a", tool: "x" },
  ];
  test.for(nothing)("nothing is said of %o", (event) => {
    expect(shown(event)).toBe("");
  });
});

describe("capacity", () => {
  test.for<[HarnessEvent, string]>([
    [
      { kind: "admission", resource: "m", decision: "queue", waitMs: 3_000, reason: "m: paused" },
      "waits 3.0 s for capacity: m: paused",
    ],
    [{ kind: "admission", resource: "m", decision: "degrade", waitMs: 0 }, "goes on with the fallback"],
    [{ kind: "admission", resource: "m", decision: "park", waitMs: 300_000 }, "parks: no capacity for 5 min"],
    [
      { kind: "capacity", event: { kind: "queued", route: "m", waitMs: 3_000, reason: "pause" } },
      "waiting 3.0 s for m (pause)",
    ],
    [
      { kind: "capacity", event: { kind: "rate-limited", route: "m", retryAfterMs: 1_000, hinted: false } },
      "m is rate limited, all its calls pause 1.0 s (our guess: no Retry-After)",
    ],
    [
      { kind: "capacity", event: { kind: "fallback", from: "m", to: "n", reason: "outage" } },
      "n answers instead of m: outage",
    ],
    [
      { kind: "capacity", event: { kind: "breaker", route: "m", state: "open", reason: "5 failures" } },
      "m is set aside: 5 failures",
    ],
  ])("%o", ([event, text]) => {
    expect(shown(event)).toContain(text);
  });
});

describe("trust", () => {
  test("a fall shows bars, axis, ranks and the reason", () => {
    expect(shown(fell({}, { integrity: 2 }, "integrity", "read through read_ticket"))).toBe(
      "   3  trust      ▅▇▇▇ integrity 3→2  read through read_ticket",
    );
  });

  test("parallel branches that report the same fall are told once, a deeper one again", () => {
    const progress = new Progress();
    const tell = (event: HarnessEvent) => progress.lines(recorded(event));
    expect(tell(fell({}, { integrity: 2 }, "integrity", "a"))).toHaveLength(1);
    expect(tell(fell({}, { integrity: 2 }, "integrity", "b"))).toEqual([]);
    expect(tell(fell({}, { integrity: 1 }, "integrity", "c"))[0]).toContain("integrity 2→1  c");
  });

  test("a resumed thread does not repeat what it had lost before", () => {
    expect(shown(fell({ integrity: 2 }, { integrity: 2, fidelity: 1 }, "fidelity", "fallback"))).toBe(
      "   3  trust      ▅▃▇▇ fidelity 3→1  fallback",
    );
  });
});

describe("gate and effects", () => {
  const decision = (verdict: "allow" | "ask" | "block"): HarnessEvent => ({
    kind: "gate.decision",
    tool: "refund_order",
    callId: "c",
    arguments: { order_id: 7781 },
    verdict,
    considered: label({ fidelity: 1 }),
    deficits: verdict === "allow" ? [] : [{ axis: "fidelity", rank: 1, floor: 2 }],
    repeats: false,
    changed: false,
    toolDigest: "t",
    reasons: [],
    binding: "b",
    policy: "p",
  });
  const gate = { node: "gate", step: 7 };

  test.for([
    ["allow", "allows refund_order(order_id: 7781)"],
    ["ask", "asks refund_order(order_id: 7781)  fidelity 1 below 2"],
    ["block", "blocks refund_order(order_id: 7781)  fidelity 1 below 2"],
  ] as const)("%s", ([verdict, text]) => {
    expect(shown(decision(verdict), gate)).toBe(`   7  gate       ${text}`);
  });

  test("an effect has one line: the tool's own is left out", () => {
    const progress = new Progress();
    const effect: HarnessEvent = { kind: "effect", tool: "add_note", key: "k", status: "committed" };
    const response = {
      kind: "tool.response" as const,
      tool: "add_note",
      callId: "c",
      arguments: {},
      ok: true,
      ms: 1,
      label: TOP,
    };
    expect(progress.lines(recorded(effect))[0]).toContain("done add_note");
    expect(progress.lines(recorded(response))).toEqual([]);
    expect(progress.lines(recorded({ ...response, tool: "read_ticket" }))[0]).toContain("read_ticket");
  });

  test("an effect in doubt says so", () => {
    expect(shown({ kind: "effect", tool: "x", key: "k", status: "in_doubt", error: "lost" })).toContain(
      "in doubt x: lost",
    );
  });
});

test("a subagent's lines are indented under its name, and steps are numbered once", () => {
  const progress = new Progress();
  const lines = [
    ...progress.lines(
      recorded({ kind: "subagent.start", subagent: "auditor", task: "Check\nit" }, { node: "delegate" }),
    ),
    ...progress.lines(recorded(answer(), { lane: "auditor:call-1", step: 1 })),
    ...progress.lines(recorded({ kind: "subagent.end", subagent: "auditor", ok: false, label: TOP, ms: 2_000 })),
  ];
  expect(lines).toEqual([
    "   3  delegate   auditor: Check it",
    "      ┆ auditor    offline-large → read_ticket  812+40 tokens",
    "      delegate   auditor did not finish  2.0 s",
  ]);
});
