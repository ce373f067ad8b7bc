// Spans from a record: what is within what, what it is called, that all of it ends, and that nothing anybody wrote is in
// it unless that is asked for.

import { trace } from "@opentelemetry/api";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { beforeAll, describe, expect, test } from "vitest";
import type { RecordedEvent } from "../../checkpoints/index.js";
import { traceEvents, traceJournal } from "../../checkpoints/telemetry/trace.js";
import type { Label } from "../../trust/index.js";
import { calls, script } from "../contracts/index.js";
import { eventfulRun } from "../inspect/scenario.js";
import { testAgent } from "../support/agent.js";
import { planner, story } from "./telemetry-story.js";
import {
  eventIn,
  from,
  lasted,
  NOMINAL,
  RUN_START,
  recorded,
  request,
  response,
  spanCollector,
  traced,
} from "./telemetry-support.js";

let eventful: readonly RecordedEvent[];
beforeAll(async () => {
  eventful = await eventfulRun();
});

describe("an eventful run", () => {
  test("is one tree: nodes in the run, calls in their nodes, lanes in their subagents", () => {
    const { spans, tree, open, named } = traced(eventful);
    expect(open).toBe(0);
    expect(spans.filter(({ parentSpanContext }) => parentSpanContext === undefined)).toHaveLength(1);
    const parentOf = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    const parents = (name: string) =>
      new Set(
        spans
          .filter((span) => span.name === name)
          .map((span) => parentOf.get(span.parentSpanContext?.spanId ?? "")?.name),
      );
    expect(parents("chat offline-small")).toEqual(new Set(["planner"]));
    expect(parents("execute_tool look")).toEqual(new Set(["tools"]));
    expect(parents("execute_tool pay")).toEqual(new Set(["act"]));
    expect(parents("invoke_agent reader")).toEqual(new Set(["delegate"]));
    expect(parents("planner")).toEqual(new Set(["invoke_agent", "invoke_agent reader"]));
    expect(tree().filter((line) => line.trim() === "invoke_agent reader")).toHaveLength(2);
    const lanes = spans.filter(({ name }) => name === "guard").map(({ attributes }) => attributes["bulkhead.lane"]);
    expect(new Set(lanes).size).toBe(3);
    expect(eventIn(named("gate"), "bulkhead.gate.decision")).toMatchObject({ "bulkhead.gate.verdict": "ask" });
    const verdicts = spans.flatMap(({ events }) =>
      events.flatMap(({ attributes }) => attributes?.["bulkhead.gate.verdict"] ?? []),
    );
    expect(verdicts).toContain("block");
    const root = spans.find(({ parentSpanContext }) => parentSpanContext === undefined);
    expect(root?.attributes).toMatchObject({ "gen_ai.conversation.id": "t1", "bulkhead.trust.integrity": 0 });
  });

  test("is the same whether it is watched or read afterwards", async () => {
    const agent = testAgent(script([calls(["look", { id: "C-1" }]), "Here it is."]));
    const live = spanCollector();
    const stop = traceJournal(agent.journal, live.tracer);
    await agent.run("go");
    stop();
    expect(live.open).toBe(0);
    const stored = traced(await agent.journal.events({ thread: "t1" }));
    expect(live.tree()).toEqual(stored.tree());
    expect(live.spans.map(from)).toEqual(stored.spans.map(from));
    const before = live.spans.length;
    await agent.run("again", "t2");
    expect(live.spans).toHaveLength(before);
  });

  test("killed anywhere, it has no span without an end, and none that ends before it began", () => {
    for (let length = 1; length <= eventful.length; length += 1) {
      const { spans, open } = traced(eventful.slice(0, length));
      expect(open).toBe(0);
      const last = eventful[length - 1]?.at ?? 0;
      for (const span of spans) {
        expect(lasted(span)).toBeGreaterThanOrEqual(0);
        expect(from(span) + lasted(span)).toBeLessThanOrEqual(last);
      }
    }
    // It ends, and all around it, when last something happened in it.
    const { named } = traced(story.slice(0, 6));
    const shape = (name: string) => [lasted(named(name)), named(name).attributes["bulkhead.unfinished"]];
    expect(shape("chat large")).toEqual([10, true]);
    expect(shape("planner")).toEqual([30, true]);
    expect(shape("invoke_agent agent")).toEqual([50, undefined]);
  });
});

describe("the spans of a story", () => {
  test("its tree and times", () => {
    const { tree, named, spans } = traced(story);
    expect(tree()).toEqual([
      "invoke_agent agent",
      "  planner",
      "    chat large",
      "    chat small",
      "  gate",
      "  gate",
      "  act",
      "    execute_tool pay",
    ]);
    expect([from(named("chat small")), lasted(named("chat small"))]).toEqual([1_070, 10]);
    expect([from(named("execute_tool pay")), lasted(named("execute_tool pay"))]).toEqual([1_195, 15]);
    expect(lasted(named("invoke_agent agent"))).toBe(240);
    // Nothing is under way while a person is waited for.
    const gates = spans.filter(({ name }) => name === "gate");
    expect(gates.map((each) => [from(each), lasted(each), each.attributes["bulkhead.interrupted"]])).toEqual([
      [1_110, 30, true],
      [1_170, 10, undefined],
    ]);
  });

  test("a model call says what was asked, what answered, and how it was obtained", () => {
    const { named } = traced(story);
    expect(named("chat small").kind).toBe(2);
    expect(named("chat small").attributes).toEqual({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "small",
      "gen_ai.request.temperature": 0.2,
      "gen_ai.request.max_tokens": 50,
      "gen_ai.request.seed": 7,
      "gen_ai.request.choice.count": 2,
      "gen_ai.request.stream": true,
      "gen_ai.request.stop_sequences": ["END"],
      "gen_ai.response.model": "tiny",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 11,
      "gen_ai.usage.output_tokens": 5,
      "server.address": "api.openai.com",
      "server.port": 8443,
      "bulkhead.call": "c1",
      "bulkhead.request.digest": "d",
      "bulkhead.request.bytes": 120,
      "bulkhead.offline": false,
      "bulkhead.route": "small",
      "bulkhead.primary": "large",
      "bulkhead.model.substituted": true,
      "bulkhead.attempts": 3,
      "bulkhead.attempts.rate_limited": 1,
      "bulkhead.attempts.unclear": 1,
      "bulkhead.queue_ms": 25,
      "bulkhead.response.request_id": "req-1",
      "bulkhead.response.system_fingerprint": "fp-1",
      "bulkhead.response.tool_calls": ["pay"],
      "bulkhead.engine.version": "3",
      "bulkhead.batch": "unavailable",
    });
    expect(named("chat small").status.code).toBe(0);
  });

  test("a request that another route answered failed, and says why", () => {
    const large = traced(story).named("chat large");
    expect(large.status.code).toBe(2);
    expect(large.attributes["error.type"]).toBe("overload");
    expect(large.events.map(({ name }) => name)).toEqual(["bulkhead.capacity.retry", "bulkhead.capacity.fallback"]);
  });

  test("a dated snapshot of the model is no substitution", () => {
    const snapshot = recorded([planner, request("gpt-4o")], [planner, response("gpt-4o", "gpt-4o-2024-08-06")]);
    expect(traced(snapshot).named("chat gpt-4o").attributes).not.toHaveProperty("bulkhead.model.substituted");
  });

  test("falls, verdicts, approvals and effects are events where they happened", () => {
    const { named, spans } = traced(story);
    expect(eventIn(named("planner"), "bulkhead.trust.fell")).toMatchObject({
      "bulkhead.trust.fidelity": 1,
      "bulkhead.trust.min": 1,
      "bulkhead.trust.causes": ["fidelity 1: fallback: small (planner#3)"],
    });
    expect(eventIn(named("planner"), "bulkhead.capacity.queued")).toMatchObject({ "bulkhead.queue_ms": 20 });
    const [first, second] = spans.filter(({ name }) => name === "gate");
    expect(first && eventIn(first, "bulkhead.gate.decision")).toMatchObject({
      "bulkhead.gate.verdict": "ask",
      "bulkhead.gate.deficits": ["fidelity 1 below 2"],
      "bulkhead.approval.id": "a1",
    });
    expect(second?.events).toEqual([]);
    expect(eventIn(named("act"), "bulkhead.effect")).toMatchObject({ "bulkhead.effect.status": "committed" });
    const root = named("invoke_agent agent");
    expect(eventIn(root, "bulkhead.approval.decided")).toMatchObject({ "bulkhead.approval.decision": "approved" });
    expect(root.attributes).toMatchObject({
      "gen_ai.agent.name": "agent",
      "gen_ai.conversation.id": "t1",
      "bulkhead.status": "finished",
      "bulkhead.trust.fidelity": 1,
      "bulkhead.checkpoint": "cp-1",
    });
  });

  test("nothing that anybody wrote is sent, unless it is asked for", () => {
    const textOf = (content: boolean) =>
      JSON.stringify(
        traced(story, content).spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
      );
    const written = ["pay Ada", "Ada Lovelace", "grace", "it is owed", "is unknown"];
    for (const text of written) {
      expect(textOf(false)).not.toContain(text);
      expect(textOf(true)).toContain(text);
    }
    const call = traced(story, true).named("execute_tool pay");
    expect(call.attributes["gen_ai.tool.call.arguments"]).toBe('{"to":"Ada Lovelace"}');
  });

  test("names that are not ours are the conventions'", () => {
    const known = new Set<unknown>(Object.values(conventions));
    const spans = [...traced(story, true).spans, ...traced(eventful, true).spans];
    const keys = spans.flatMap(({ attributes, events }) => [
      ...Object.keys(attributes),
      ...events.flatMap((event) => Object.keys(event.attributes ?? {})),
    ]);
    const foreign = [...new Set(keys)].filter((key) => !key.startsWith("bulkhead."));
    expect(foreign.length).toBeGreaterThan(20);
    for (const key of foreign) expect(known, key).toContain(key);
    for (const name of new Set(spans.flatMap(({ attributes }) => attributes["gen_ai.operation.name"] ?? [])))
      expect(known).toContain(name);
  });
});

test("the run's trust is the lowest that it came to, on every axis, wherever it fell", () => {
  const fall = (to: Partial<Label>) =>
    ({ kind: "trust.fell", from: NOMINAL, to: { ...NOMINAL, ...to }, causes: [] }) as const;
  const { named } = traced(
    recorded([planner, { kind: "node.start" }], [planner, fall({ fidelity: 1 })], [planner, fall({ integrity: 2 })]),
  );
  expect(named("invoke_agent").attributes).toMatchObject({
    "bulkhead.trust.integrity": 2,
    "bulkhead.trust.fidelity": 1,
    "bulkhead.trust.min": 1,
  });
  expect(traced(recorded([{}, RUN_START])).named("invoke_agent agent").attributes).not.toHaveProperty(
    "bulkhead.trust.min",
  );
});

test("what failed is told, cut to a bearable length", () => {
  const { named } = traced(
    recorded(
      [{}, RUN_START],
      [planner, { kind: "node.start" }],
      [planner, request("large")],
      [planner, { kind: "model.error", call: "c1", error: "x".repeat(900), name: "TimeoutError", code: "ETIME" }],
      [planner, { kind: "model.error", call: "c2", error: "no capacity before noon", code: "CAPACITY_TIMEOUT" }],
      [planner, { kind: "node.end", ms: 20, error: "it broke" }],
      [{}, { kind: "run.end", status: "failed", error: "it broke" }],
    ),
  );
  expect(named("chat large").attributes["error.type"]).toBe("ETIME");
  expect(named("chat large").status.message).toHaveLength(500);
  expect(eventIn(named("planner"), "bulkhead.model.error")).toMatchObject({ "error.type": "CAPACITY_TIMEOUT" });
  expect(named("planner").status).toEqual({ code: 2, message: "it broke" });
  expect(named("invoke_agent agent").status).toEqual({ code: 2, message: "it broke" });
});

test("without an SDK it does nothing, and nothing breaks", () => {
  expect(() => traceEvents(story, trace.getTracer("bulkhead"))).not.toThrow();
});
