// The record of a run of many steps.

import type { PageRecord } from "../../cli/inspect/html/page.js";
import { label, TOP } from "../../trust/index.js";
import { NIGHT, Recorder, streamed, type Token } from "./html-recorder.js";

/** A run of `steps` supersteps: a conversation that grows and is cut, tools, waits, subagents. */
export function longRun(steps: number): PageRecord {
  const recorder = new Recorder();
  const messages: object[] = [{ role: "system", content: "You are the records agent." }];
  recorder.add(
    {},
    {
      kind: "run.start",
      graph: "agent",
      task: "Reconcile all orders of October.",
      model: "gpt-5",
      offline: false,
      resumed: false,
    },
  );
  for (let step = 1; step <= steps; step += 4) {
    recorder.add({ step, node: "guard" }, { kind: "node.start" }, 2);
    recorder.add(
      { step, node: "guard" },
      {
        kind: "admission",
        resource: "gpt-5",
        decision: step % 12 === 1 ? "queue" : "admit",
        waitMs: step % 12 === 1 ? 1_500 : 0,
      },
    );
    if (step % 80 === 1)
      recorder.add(
        { step: step + 1, node: "planner" },
        { kind: "capacity", event: { kind: "rate-limited", route: "gpt-5", retryAfterMs: 2_000, hinted: true } },
      );
    const words = Array.from(
      { length: 60 },
      (_, place): Token => [` word${(step * 7 + place * 13) % 997}`, 0.4 + ((step + place) % 6) / 10],
    );
    recorder.model({ step: step + 1, node: "planner" }, messages, {
      raw: streamed(words, { name: "find_order", arguments: `{"id":${step}}` }),
      toolCalls: ["find_order"],
    });
    if (step % 200 === 1) {
      for (let turn = 1; turn < 6; turn += 1)
        for (const lane of ["reader:", "auditor:", "checker:"])
          recorder.add(
            { step: turn, node: "tools", lane: `${lane}${step}` },
            {
              kind: "tool.response",
              tool: "find_order",
              callId: "x",
              arguments: { id: step },
              ok: true,
              ms: 20,
              label: TOP,
            },
          );
    }
    const output = JSON.stringify({
      order: step,
      lines: Array.from({ length: 12 }, (_, line) => ({ line, sku: `S-${step}-${line}`, price: (step * line) % 971 })),
    });
    recorder.add(
      { step: step + 2, node: "tools" },
      {
        kind: "tool.output",
        tool: "find_order",
        use: "run",
        definition: "d",
        arguments: "a",
        ok: true,
        output: recorder.keep(output).digest,
        ms: 30,
      },
    );
    recorder.add(
      { step: step + 2, node: "tools" },
      {
        kind: "tool.response",
        tool: "find_order",
        callId: `c${step}`,
        arguments: { id: step },
        ok: step % 60 !== 1,
        ...(step % 60 === 1 ? { error: "no such order" } : {}),
        ms: 30,
        label: TOP,
      },
    );
    if (step === 801)
      recorder.add(
        { step: step + 2, node: "tools" },
        {
          kind: "trust.fell",
          from: TOP,
          to: label({ integrity: 2 }),
          causes: [{ axis: "integrity", rank: 2, reason: "a system of record" }],
        },
      );
    if (step === 1601)
      recorder.add(
        { step: step + 2, node: "tools" },
        {
          kind: "trust.fell",
          from: TOP,
          to: label({ integrity: 0 }),
          causes: [{ axis: "integrity", rank: 0, reason: "a web page" }],
        },
      );
    recorder.add(
      { step: step + 3, node: "compact" },
      { kind: "checkpoint", id: `cp-${step}`, source: "loop", digest: "d" },
    );
    messages.push(
      { role: "assistant", content: words.map(([word]) => word).join("") },
      { role: "tool", tool_call_id: `c${step}`, content: output },
    );
    if (messages.length > 300) messages.splice(1, 200);
  }
  recorder.add({}, { kind: "run.end", status: "finished" });
  return {
    thread: "reconcile-october",
    events: recorder.events,
    texts: recorder.texts,
    approvals: [],
    effects: [],
    generatedAt: NIGHT + 21_600_000,
  };
}
