// The story of the wrong customer, as a record.

import type { ApprovalRecord } from "../../checkpoints/index.js";
import type { PageRecord } from "../../cli/inspect/html/page.js";
import { label, TOP } from "../../trust/index.js";
import { NIGHT, Recorder, streamed, whole } from "./html-recorder.js";

const APPROVAL: ApprovalRecord = {
  notBefore: NIGHT,
  id: "approval-77",
  thread: "ticket-4711",
  root: "ticket-4711",
  run: "run-1",
  requester: "gate#9",
  tool: "delete_customer",
  toolDigest: "t",
  callId: "call_9",
  arguments: { customer_id: 8812 },
  view: "delete_customer(customer_id: 8812)\n  preview  Ada Byrne <ada@example.com>, 41 orders, customer since 2019",
  preconditions: "d",
  binding: "b",
  considered: label({ integrity: 1, fidelity: 1 }),
  causes: [{ axis: "fidelity", rank: 1, reason: "fallback: gpt-5-mini at planner#6" }],
  deficits: [{ axis: "fidelity", rank: 1, floor: 2 }],
  reasons: ["integrity 1 below 2", "fidelity 1 below 2"],
  violations: 0,
  policyDigest: "p",
  expiresAt: NIGHT + 3_600_000,
  status: "consumed",
  createdAt: NIGHT + 20_000,
  decidedBy: "night-oncall",
  authenticated: "cli",
  reason: "looks right",
  decidedAt: NIGHT + 60_000,
  edited: undefined,
  usedBy: "k",
  hash: "h",
};

/** The wrong customer is deleted. `evil` stands wherever an attacker could write. */
export function story(evil = ""): PageRecord {
  const recorder = new Recorder();
  const task = `Ticket 4711: close the account of A. Byrne ${evil}`.trim();
  const system = {
    role: "system",
    content: "You are the records agent.\nNever delete a customer you have not verified.",
  };
  const user = { role: "user", content: task };
  const ticket = `From: a.byrne@example.net\nPlease delete my account. Customer number 8812, I think. ${evil}`.trim();
  const middle = label({ integrity: 1 });
  const low = label({ integrity: 1, fidelity: 1 });
  const say = (content: string) => ({ role: "assistant", content });
  recorder
    .add({}, { kind: "run.start", graph: "agent", task, model: "gpt-5", offline: false, resumed: false })
    .add(
      {},
      { kind: "input", as: "input", value: recorder.keep(JSON.stringify({ messages: [user] })).digest, by: "helpdesk" },
      2,
    )
    .add(
      { step: 1, node: "recall" },
      { kind: "recall", sources: ["AGENTS.md", "memory: 2 notes"], output: recorder.keep('{"notes":[]}').digest },
    )
    .add(
      { step: 2, node: "guard" },
      { kind: "admission", resource: "gpt-5", decision: "queue", waitMs: 2_400, reason: "pace" },
      2_400,
    )
    .model({ step: 3, node: "planner" }, [system, user], {
      raw: whole("read_ticket", { id: 4711 }),
      toolCalls: ["read_ticket"],
      more: { queueMs: 2_400 },
    })
    .add(
      { step: 4, node: "tools" },
      {
        kind: "tool.output",
        tool: "read_ticket",
        use: "run",
        definition: "d",
        arguments: "a",
        ok: true,
        output: recorder.keep(ticket).digest,
        bytes: ticket.length,
        ms: 80,
      },
    )
    .add(
      { step: 4, node: "tools" },
      {
        kind: "tool.response",
        tool: "read_ticket",
        callId: "c",
        arguments: { id: 4711 },
        ok: true,
        ms: 80,
        label: middle,
      },
    )
    .add(
      { step: 4, node: "tools" },
      {
        kind: "trust.fell",
        from: TOP,
        to: middle,
        causes: [{ axis: "integrity", rank: 1, reason: `the text of a ticket ${evil}`.trim() }],
      },
    )
    .add(
      { step: 5, node: "planner" },
      { kind: "capacity", event: { kind: "rate-limited", route: "gpt-5", retryAfterMs: 20_000, hinted: true } },
    )
    .add(
      { step: 5, node: "planner" },
      { kind: "capacity", event: { kind: "retry", route: "gpt-5", attempt: 2, delayMs: 20_000, reason: "rate limit" } },
      400,
    )
    .add(
      { step: 5, node: "planner" },
      { kind: "capacity", event: { kind: "rate-limited", route: "gpt-5", retryAfterMs: 60_000, hinted: true } },
      20_000,
    )
    .add(
      { step: 5, node: "planner" },
      { kind: "capacity", event: { kind: "fallback", from: "gpt-5", to: "gpt-5-mini", reason: "rate limit" } },
      10,
    )
    .model({ step: 5, node: "planner" }, [system, user, { role: "tool", tool_call_id: "c", content: ticket }], {
      route: "gpt-5-mini",
      raw: streamed(
        [
          ["I", 0.98],
          [" will", 0.97],
          [" check", 0.55, " look"],
          [" customer", 0.93],
          [" 881", 0.61, " 882"],
          ["2", 0.34, "1"],
          [".", 0.99],
        ],
        { name: "task", arguments: '{"subagent":"reader"}' },
      ),
      toolCalls: ["task", "task"],
      more: { attempts: 3, rateLimited: 2, queueMs: 20_400, fallbackReason: "rate limit" },
    })
    .add(
      { step: 5, node: "planner" },
      {
        kind: "trust.fell",
        from: middle,
        to: low,
        causes: [{ axis: "fidelity", rank: 1, reason: "fallback: gpt-5-mini at planner#5" }],
      },
      4,
    )
    .add({ step: 6, node: "delegate" }, { kind: "subagent.start", subagent: "reader", task: "Who is customer 8812?" })
    .add(
      { step: 6, node: "delegate" },
      { kind: "subagent.start", subagent: "auditor", task: "Did this person ask before?" },
      1,
    );
  for (const [lane, told] of [
    ["reader:a", "8812 is Ada Byrne."],
    ["auditor:b", "No earlier ticket."],
  ] as const) {
    recorder.model({ step: 1, node: "planner", lane }, [system, { role: "user", content: told }], {
      route: "gpt-5-mini",
      raw: whole("find_customer", { id: 8812 }),
      toolCalls: ["find_customer"],
      more: { fallbackReason: "rate limit" },
    });
  }
  for (const lane of ["reader:a", "auditor:b"]) {
    recorder.add(
      { step: 2, node: "tools", lane },
      {
        kind: "tool.response",
        tool: "find_customer",
        callId: "f",
        arguments: { id: 8812 },
        ok: true,
        ms: 40,
        label: label({ integrity: 2 }),
      },
      30,
    );
  }
  recorder
    .add({ step: 6, node: "delegate" }, { kind: "subagent.end", subagent: "reader", ok: true, label: low, ms: 4_100 })
    .add({ step: 6, node: "delegate" }, { kind: "subagent.end", subagent: "auditor", ok: true, label: low, ms: 4_300 })
    .model({ step: 8, node: "planner" }, [system, user, say("I will check customer 8812.")], {
      raw: streamed(
        [
          ["Deleting", 0.71, "Asking"],
          [" customer", 0.99],
          [" 8812", 0.52, " 8821"],
          [".", 0.98],
        ],
        { name: "delete_customer", arguments: '{"customer_id":8812}' },
      ),
      toolCalls: ["delete_customer"],
    })
    .add(
      { step: 9, node: "gate" },
      {
        kind: "gate.decision",
        tool: "delete_customer",
        toolDigest: "t",
        callId: "call_9",
        arguments: { customer_id: 8812 },
        verdict: "ask",
        considered: low,
        repeats: false,
        changed: false,
        deficits: [
          { axis: "integrity", rank: 1, floor: 2 },
          { axis: "fidelity", rank: 1, floor: 2 },
        ],
        reasons: ["integrity 1 below 2", "fidelity 1 below 2"],
        binding: "b",
        approval: "approval-77",
        policy: "p",
      },
    )
    .add({ step: 9, node: "gate" }, { kind: "approval.requested", id: "approval-77", tool: "delete_customer" }, 2)
    .add({}, { kind: "run.end", status: "waiting" }, 10)
    .add(
      {},
      {
        kind: "approval.decided",
        id: "approval-77",
        tool: "delete_customer",
        decision: "approved",
        by: "night-oncall",
        authenticated: "cli",
        reason: "looks right",
      },
      40_000,
    )
    .add({}, { kind: "run.start", graph: "agent", model: "gpt-5", offline: false, resumed: true }, 500)
    .add(
      { step: 9, node: "gate" },
      {
        kind: "gate.decision",
        tool: "delete_customer",
        toolDigest: "t",
        callId: "call_9",
        arguments: { customer_id: 8812 },
        verdict: "allow",
        considered: low,
        repeats: false,
        changed: false,
        deficits: [],
        reasons: ["approved by night-oncall"],
        binding: "b",
        approval: "approval-77",
        policy: "p",
      },
    )
    .add(
      { step: 10, node: "act" },
      { kind: "effect", tool: "delete_customer", key: "k", callId: "call_9", status: "dispatched" },
    )
    .add(
      { step: 10, node: "act" },
      { kind: "effect", tool: "delete_customer", key: "k", callId: "call_9", status: "committed" },
      340,
    )
    .model({ step: 12, node: "planner" }, [system, user, say("Deleting customer 8812.")], {
      raw: streamed([
        ["Done", 0.96],
        [":", 0.9],
        [" the", 0.99],
        [" account", 0.99],
        [" is", 0.99],
        [" closed", 0.88],
        [".", 0.99],
      ]),
    })
    .add({}, { kind: "run.end", status: "finished" }, 5);
  return {
    thread: "ticket-4711",
    events: recorder.events,
    texts: recorder.texts,
    approvals: [APPROVAL],
    effects: [],
    generatedAt: NIGHT + 21_600_000,
  };
}
