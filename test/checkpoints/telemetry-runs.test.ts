// Spans of several runs and subagents at once, and of runs that have no recorded end, as on a server: when they end, and
// that they end when nobody listens any more.

import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { StackContextManager } from "@opentelemetry/sdk-trace";
import { describe, expect, test } from "vitest";
import type { RecordedEvent } from "../../checkpoints/index.js";
import { traceJournal } from "../../checkpoints/telemetry/trace.js";
import { planner, story } from "./telemetry-story.js";
import {
  from,
  type Happening,
  lasted,
  NOMINAL,
  RUN_START,
  recorded,
  request,
  response,
  spanCollector,
  traced,
} from "./telemetry-support.js";

describe("several at once", () => {
  const delegate = (send: number) => ({ node: "delegate", step: 5, send });
  const lane = (call: string) => ({ lane: `reader:${call}`, node: "planner", step: 2 });
  const subagentEnd = { kind: "subagent.end", subagent: "reader", ok: true, label: NOMINAL, ms: 40 } as const;

  test("subagents of one name keep their lanes apart, in whatever order they end", () => {
    const { tree, open } = traced(
      recorded(
        [delegate(0), { kind: "node.start" }],
        [delegate(1), { kind: "node.start" }],
        [delegate(0), { kind: "subagent.start", subagent: "reader", task: "one", callId: "b" }],
        [delegate(1), { kind: "subagent.start", subagent: "reader", task: "two", callId: "a" }],
        [lane("a"), { kind: "node.start" }],
        [lane("b"), { kind: "node.start" }],
        [lane("b"), request("large")],
        [lane("b"), response("large", "large")],
        [lane("b"), { kind: "node.end", ms: 30 }],
        [delegate(1), subagentEnd],
        [delegate(1), { kind: "node.end", ms: 90 }],
        [lane("a"), { kind: "node.end", ms: 70 }],
        [delegate(0), { ...subagentEnd, ok: false }],
        [delegate(0), { kind: "node.end", ms: 130 }],
      ),
    );
    expect(open).toBe(0);
    expect(tree()).toEqual([
      "invoke_agent",
      "  delegate",
      "    invoke_agent reader",
      "      planner",
      "        chat large",
      "  delegate",
      "    invoke_agent reader",
      "      planner",
    ]);
  });

  test("a delegation that was interrupted and starts again has its lane below it, not below the first", () => {
    const again: readonly Happening[] = [
      [delegate(0), { kind: "node.start" }],
      [delegate(0), { kind: "subagent.start", subagent: "reader", task: "one", callId: "a" }],
      [lane("a"), { kind: "node.start" }],
    ];
    const { tree } = traced(
      recorded(
        ...again,
        [delegate(0), { kind: "node.end", ms: 30, interrupted: true }],
        ...again,
        [lane("a"), request("large")],
        [lane("a"), response("large", "large")],
        [lane("a"), { kind: "node.end", ms: 30 }],
        [delegate(0), subagentEnd],
        [delegate(0), { kind: "node.end", ms: 90 }],
      ),
    );
    const first = ["  delegate", "    invoke_agent reader", "      planner"];
    expect(tree()).toEqual(["invoke_agent", ...first, ...first, "        chat large"]);
  });

  test("a request may come in place of another one; an answer that comes too late is kept by itself", () => {
    const { spans } = traced(
      recorded(
        [planner, { kind: "node.start" }],
        [planner, request("large")],
        [planner, request("large")],
        [planner, { kind: "node.end", ms: 30 }],
        [planner, response("large", "large")],
      ),
    );
    const chats = spans.filter(({ name }) => name === "chat large").map((span) => [from(span), lasted(span)]);
    expect(chats).toEqual([
      [1_010, 0],
      [1_020, 0],
      [1_040, 0],
    ]);
  });

  test("threads whose runs have one id are apart", () => {
    const other = { ...planner, thread: "t2" };
    const { tree } = traced(
      recorded(
        [planner, { kind: "node.start" }],
        [other, { kind: "node.start" }],
        [planner, { kind: "node.end", ms: 20 }],
        [other, { kind: "node.end", ms: 20 }],
      ),
    );
    expect(tree()).toEqual(["invoke_agent", "  planner", "invoke_agent", "  planner"]);
  });

  test("what an abandoned step left open ends when the graph is given something again", () => {
    const { spans, tree } = traced(
      recorded(
        [planner, { kind: "node.start" }],
        [planner, request("large")],
        [{}, { kind: "input", as: "resume" }],
        [planner, { kind: "node.start" }],
        [planner, response("large", "large")],
        [planner, { kind: "node.end", ms: 10 }],
      ),
    );
    expect(tree()).toEqual(["invoke_agent", "  planner", "    chat large", "  planner", "    chat large"]);
    expect(spans.map(({ name, attributes }) => [name, attributes["bulkhead.unfinished"]])).toEqual([
      ["chat large", true],
      ["planner", true],
      ["chat large", undefined],
      ["planner", undefined],
      ["invoke_agent", undefined],
    ]);
  });

  test("an answer that names the run that asked is told in the run that goes on", () => {
    const answer = { kind: "approval.decided", id: "a1", tool: "pay", decision: "rejected", by: "ada" } as const;
    const { spans } = traced(
      recorded(
        [{ run: "r0" }, answer],
        [{}, RUN_START],
        [{ run: "r0" }, answer],
        [{ run: "r0", thread: "t2" }, answer],
      ),
    );
    expect(spans).toHaveLength(1);
    expect(spans[0]?.events).toHaveLength(1);
  });
});

describe("a server, which says nothing of the end of a run", () => {
  function serve() {
    const collector = spanCollector();
    let now = 0;
    let listener: (event: RecordedEvent) => void = () => undefined;
    let tick: () => void = () => undefined;
    let ticking = true;
    const journal = {
      clock: { now: () => now },
      subscribe: (heard: typeof listener) => {
        listener = heard;
        return () => {
          listener = () => undefined;
        };
      },
    } as unknown as Parameters<typeof traceJournal>[0];
    const every = (_ms: number, work: () => void) => {
      tick = work;
      return () => {
        ticking = false;
      };
    };
    const stop = traceJournal(journal, collector.tracer, { every });
    return {
      collector,
      stop,
      get ticking() {
        return ticking;
      },
      hear: (...events: readonly RecordedEvent[]) => events.forEach((event) => void listener(event)),
      wait: (until: number) => {
        now = until;
        tick();
      },
    };
  }
  const done = recorded([planner, { kind: "node.start" }], [planner, { kind: "node.end", ms: 10 }]);

  test("the trace ends when nothing is under way and nothing happens", () => {
    const { hear, wait, collector } = serve();
    hear(...done);
    wait(31_000);
    expect(collector.tree()).toEqual([]);
    wait(31_010);
    expect(collector.tree()).toEqual(["invoke_agent", "  planner"]);
    expect(lasted(collector.named("invoke_agent"))).toBe(10);
    hear(...done); // The same run goes on: a trace of its own.
    wait(90_000);
    expect(collector.tree()).toEqual(["invoke_agent", "  planner", "invoke_agent", "  planner"]);
  });

  test("a call under way holds it, for an hour", () => {
    const { hear, wait, collector } = serve();
    hear(...recorded([planner, { kind: "node.start" }], [planner, request("large")]));
    wait(3_600_000);
    expect(collector.spans).toEqual([]);
    wait(3_602_000);
    expect(collector.open).toBe(0);
    expect(collector.named("chat large").attributes["bulkhead.unfinished"]).toBe(true);
  });

  test("a question does not hold it", () => {
    const { hear, wait, collector } = serve();
    hear(...story.filter(({ scope }) => scope.node === "gate").slice(0, 4));
    wait(60_000);
    expect(collector.open).toBe(0);
    expect(collector.tree()).toEqual(["invoke_agent", "  gate"]);
  });

  test("a run of the command line may wait for a person as long as it likes", () => {
    const { hear, wait, collector, stop } = serve();
    hear(...recorded([{}, RUN_START]));
    wait(9e9);
    expect(collector.spans).toEqual([]);
    stop();
    expect(collector.open).toBe(0);
  });

  test("stopping ends what is open, the timer, and the listening", () => {
    const server = serve();
    server.hear(...story.slice(0, 6));
    server.stop();
    server.hear(...story);
    expect(server.collector.open).toBe(0);
    expect(server.collector.tree()).toEqual(["invoke_agent agent", "  planner", "    chat large"]);
    expect(server.ticking).toBe(false);
  });

  test("a run is within the span of whoever called it", () => {
    const { hear, wait, collector } = serve();
    const caller = collector.tracer.startSpan("POST /pay");
    context.setGlobalContextManager(new StackContextManager().enable());
    try {
      context.with(trace.setSpan(ROOT_CONTEXT, caller), () => hear(...done));
    } finally {
      context.disable();
    }
    wait(60_000);
    caller.end();
    expect(collector.tree()).toEqual(["POST /pay", "  invoke_agent", "    planner"]);
  });
});
