// The result line: adds up what the run recorded and says what to type next.

import { expect, test } from "vitest";
import type { ApprovalRecord, EffectRecord, HarnessEvent, RecordedEvent, Scope } from "../../checkpoints/index.js";
import { nextCommands } from "../../cli/run/next.js";
import { resultOf, usageOf } from "../../cli/run/result.js";
import { summaryOf } from "../../cli/run/summary.js";
import { PLAIN } from "../../cli/text.js";
import { label, trustOf } from "../../trust/index.js";

const at = (event: HarnessEvent, scope: Partial<Scope> = {}): RecordedEvent => ({
  scope: { thread: "t", run: "r", ...scope },
  seq: 1,
  at: 0,
  event,
});

const response = (more: object): HarnessEvent => ({
  kind: "model.response",
  toolCalls: [],
  obtained: {
    provider: "offline",
    offline: true,
    route: "large",
    primary: "large",
    attempts: 1,
    rateLimited: 0,
    unclearAttempts: 0,
    queueMs: 10.4,
    usage: { inputTokens: 100, outputTokens: 10 },
    ...more,
  },
});

const events = [
  at({ kind: "node.start" }, { step: 1 }),
  at({ kind: "node.start" }, { step: 2 }),
  at({ kind: "node.start" }, { step: 2 }),
  at({ kind: "node.start" }, { step: 9, lane: "auditor:c" }),
  at(response({})),
  at(response({ route: "small", attempts: 4, rateLimited: 2, queueMs: 1_000 })),
  at(response({ attempts: 0, cache: { ageMs: 5, fresh: true } })),
  at({ kind: "model.error", error: "x" }),
];

test("usage adds up answers, and only answers", () => {
  expect(usageOf(events)).toEqual({
    calls: 3,
    tokensIn: 300,
    tokensOut: 30,
    queueMs: 1_021,
    attempts: 5,
    rateLimited: 2,
    fallbacks: 1,
    cacheHits: 1,
  });
});

const approval = {
  id: "approval-1",
  thread: "t",
  run: "r",
  tool: "erase",
  callId: "c",
  arguments: { id: "C-1" },
  considered: label({ integrity: 2 }),
  causes: [{ axis: "integrity", rank: 2, reason: "read through look" }],
  view: 'erase(id: "C-1")',
  reasons: ["integrity 2 below 3", "the tool is not as it was"],
  deficits: [{ axis: "integrity", rank: 2, floor: 3 }],
  expiresAt: 0,
  status: "pending",
} as unknown as ApprovalRecord;

const journal = {
  events: async (query: { thread: string; run?: string }) => (query.run === "r" ? events : []),
  effects: async () => [{ tool: "tag", status: "committed", key: "k", run: "earlier" } as unknown as EffectRecord],
  approvals: async () => [approval],
};

const end = {
  journal,
  thread: "t",
  run: "r",
  graph: "agent",
  model: { provider: "offline", model: "large", offline: true, sentence: "model: large" },
  status: "waiting",
  answer: undefined,
  message: "erase: the trust is too low",
  trust: trustOf(label({ integrity: 2 }), approval.causes),
  next: ["bulkhead approve approval-1"],
} as const;

test("the result has every field that scripts rely on", async () => {
  expect(await resultOf(end)).toMatchObject({
    type: "result",
    thread: "t",
    run: "r",
    status: "waiting",
    answer: null,
    trust: { integrity: 2, fidelity: 3, currency: 3, certainty: 3, minTrust: 2, causes: approval.causes },
    model: { provider: "offline", model: "large", offline: true },
    steps: 2,
    effects: [{ tool: "tag", status: "committed", key: "k" }],
    pending: [
      {
        id: "approval-1",
        thread: "t",
        tool: "erase",
        arguments: { id: "C-1" },
        trust: { integrity: 2 },
        deficits: [{ axis: "integrity", rank: 2, floor: 3 }],
        expires: "1970-01-01T00:00:00.000Z",
      },
    ],
  });
});

test("the summary shows the open question, the numbers and what to type", async () => {
  const text = summaryOf(await resultOf(end), [approval], { outStyle: PLAIN });
  expect(text).toContain('erase(id: "C-1")');
  expect(text).toContain("because  integrity 2: read through look");
  expect(text).toContain("because  the tool is not as it was");
  expect(text).not.toContain("because  integrity 2 below 3"); // Told beside the bars.
  expect(text).toContain(
    "waiting for approval · 2 steps · 3 model calls · 300+30 tokens · queued 1.0 s · trust 2 (▅▇▇▇ integrity 2) · t",
  );
  expect(text).toMatch(/Next:\n {2}bulkhead approve approval-1$/);
});

test("the summary of a failure has the reason once", async () => {
  const failed = await resultOf({ ...end, status: "failed", message: "the key is refused" });
  expect(summaryOf(failed, [], { outStyle: PLAIN }).match(/the key is refused/g)).toHaveLength(1);
});

test("next commands repeat the flags that matter", () => {
  const next = (status: Parameters<typeof nextCommands>[0]) =>
    nextCommands(status, { thread: "t", approvals: ["a", "b"] }, "npx bulkhead", {
      journal: " --db D",
      project: " --workspace W",
    });
  const resume = "npx bulkhead run --thread t --resume --db D --workspace W";
  expect(next("waiting")).toEqual(["npx bulkhead approve a --db D", "npx bulkhead approve b --db D", resume]);
  expect(next("parked")).toEqual([resume]);
  expect(next("failed")).toEqual([resume]);
  expect(next("interrupted")).toEqual([resume]);
  expect(next("finished")).toEqual(["npx bulkhead show t --db D"]);
  const stopped = { thread: "t", approvals: ["a"], canRewind: true };
  expect(nextCommands("waiting", stopped, "bulkhead", { journal: " --db D", project: "" }).at(-1)).toBe(
    "bulkhead rewind t --db D",
  );
  expect(next("blocked")).toEqual(["npx bulkhead inspect t --why --db D"]);
  const doubtful = { thread: "t", approvals: [], inDoubt: ["0123456789abcdef"] };
  expect(nextCommands("finished", doubtful, "npx bulkhead", { journal: "", project: "" })).toEqual([
    'npx bulkhead effects resolve 0123456789ab committed|failed --note "what you found"',
    "npx bulkhead show t",
  ]);
});
