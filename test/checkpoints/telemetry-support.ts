// Spans kept in memory, and events to make them of.

import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { HarnessEvent, RecordedEvent, Scope } from "../../checkpoints/index.js";
import { traceEvents } from "../../checkpoints/telemetry/trace.js";
import type { Label } from "../../trust/index.js";

/** A tracer whose spans can be looked at. `open` counts those that have begun and not ended. */
export function spanCollector() {
  const exporter = new InMemorySpanExporter();
  let begun = 0;
  const counter = {
    onStart: () => {
      begun += 1;
    },
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter }), counter] });
  return {
    tracer: provider.getTracer("bulkhead"),
    get spans() {
      return exporter.getFinishedSpans();
    },
    get open() {
      return begun - exporter.getFinishedSpans().length;
    },
    named(name: string): ReadableSpan {
      const span = exporter.getFinishedSpans().find((each) => each.name === name);
      if (span === undefined) throw new Error(`no span ${name}`);
      return span;
    },
    /** Indented names, parents before children, each in order of its beginning. */
    tree(): string[] {
      return treeOf(exporter.getFinishedSpans(), undefined, "");
    },
  };
}

/** The spans of what was recorded. */
export function traced(events: readonly RecordedEvent[], content = false) {
  const collector = spanCollector();
  traceEvents(events, collector.tracer, { content });
  return collector;
}

const millis = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6;

/** When a span began, and how long it lasted, in ms. */
export const from = (span: ReadableSpan): number => millis(span.startTime);
export const lasted = (span: ReadableSpan): number => millis(span.duration);

function treeOf(spans: readonly ReadableSpan[], parent: string | undefined, indent: string): string[] {
  return spans
    .filter((span) => span.parentSpanContext?.spanId === parent)
    .sort((left, right) => from(left) - from(right))
    .flatMap((span) => [`${indent}${span.name}`, ...treeOf(spans, span.spanContext().spanId, `${indent}  `)]);
}

/** The event of this name in a span. */
export const eventIn = (span: ReadableSpan, name: string) => span.events.find((each) => each.name === name)?.attributes;

/** Where something happened, and what. */
export type Happening = readonly [Partial<Scope>, HarnessEvent];

/** Events 10 ms apart, from 1970 on. Thread `t1` and run `r1` unless the scope says otherwise. */
export const recorded = (...events: readonly Happening[]): RecordedEvent[] =>
  events.map(([scope, event], index) => ({
    scope: { thread: "t1", run: "r1", ...scope },
    seq: index + 1,
    at: 1_000 + 10 * index,
    event,
  }));

export const NOMINAL: Label = { integrity: 3, fidelity: 3, currency: 3, certainty: 3 };

export const RUN_START: HarnessEvent = {
  kind: "run.start",
  graph: "agent",
  task: "pay Ada",
  model: "large",
  offline: false,
  resumed: false,
};

export const request = (route: string): HarnessEvent => ({
  kind: "model.request",
  call: "c1",
  provider: "openai",
  endpoint: "api.openai.com:8443/v1/chat/completions",
  route,
  digest: "d",
  bytes: 120,
  prompt: {
    frame: { model: route, temperature: 0.2, max_completion_tokens: 50, seed: 7, stop: "END", stream: true, n: 2 },
    rest: ["m1"],
  },
});

export const response = (route: string, returnedModel: string): HarnessEvent => ({
  kind: "model.response",
  call: "c1",
  toolCalls: ["pay"],
  engine: { version: "3" },
  batch: "unavailable",
  obtained: {
    provider: "openai",
    offline: false,
    route,
    primary: "large",
    returnedModel,
    attempts: 3,
    rateLimited: 1,
    unclearAttempts: 1,
    queueMs: 25,
    requestId: "req-1",
    systemFingerprint: "fp-1",
    finishReason: "stop",
    usage: { inputTokens: 11, outputTokens: 5 },
  },
});
