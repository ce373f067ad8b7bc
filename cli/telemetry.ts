// Sends a command's run to an OpenTelemetry collector, when the environment names one as OpenTelemetry has it. A trace is
// never worth a run: whatever is wrong with the collector is one line at the end, after two seconds at most.

import { setTimeout as sleep } from "node:timers/promises";
import type { Tracer } from "@opentelemetry/api";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { redactUrl } from "../checkpoints/database/target.js";
import type { Journal } from "../checkpoints/index.js";
import { traceJournal } from "../checkpoints/telemetry/trace.js";
import type { Settings } from "../models/index.js";
import { explain } from "./exit.js";
import { version } from "./package.js";
import type { Terminal } from "./terminal.js";

/** Longest wait for the collector, of one request and at the end, in ms. */
const SEND_MS = 2_000;

/** The packages that send. Their next major version needs Node 22. */
const GET_SDK =
  "npm install @opentelemetry/sdk-trace@2 @opentelemetry/resources@2 @opentelemetry/exporter-trace-otlp-http@0.223";

/**
 * Begins to trace a journal when `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set. Returns the
 * function that ends it and sends what is left; it never throws, and takes at most about two seconds.
 */
export async function startTracing(
  journal: Journal,
  { traceContent: content = false }: Settings,
  terminal: Terminal,
): Promise<() => Promise<void>> {
  const endpoint = endpointOf(terminal.env);
  if (endpoint === undefined) return async () => undefined;
  const off = (why: string): (() => Promise<void>) => {
    terminal.err(`tracing is off: ${why}`);
    return async () => undefined;
  };
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
    return off("OTEL_EXPORTER_OTLP_ENDPOINT must be an http:// or https:// address such as http://localhost:4318");
  }
  let sender: Sender;
  try {
    sender = await openSender();
  } catch (error) {
    const { code } = error as { code?: unknown };
    return off(
      code === "ERR_MODULE_NOT_FOUND" ? `its packages are missing. Get them: ${GET_SDK}` : explain(error).message,
    );
  }
  const stop = traceJournal(journal, sender.tracer, { content });
  return async () => {
    stop();
    const problem = await sender.close();
    if (problem === undefined) return;
    terminal.err(`tracing: ${redactUrl(endpoint)} did not take the trace (${problem}). The record has the run.`);
  };
}

/** The collector's address. Unset: tracing is off. */
function endpointOf(env: Terminal["env"]): string | undefined {
  const stated = (name: string): string | undefined => env[name]?.trim() || undefined;
  if (stated("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || stated("OTEL_TRACES_EXPORTER") === "none")
    return undefined;
  return stated("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? stated("OTEL_EXPORTER_OTLP_ENDPOINT");
}

interface Sender {
  readonly tracer: Tracer;
  /** Sends what is left. Returns what went wrong, at any time. */
  close(): Promise<string | undefined>;
}

/** Loads the SDK. It reads the rest of its settings (headers, certificates, service name) from the environment itself. */
async function openSender(): Promise<Sender> {
  const { BatchSpanProcessor, TracerProvider } = await import("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = await import(
    "@opentelemetry/resources"
  );
  const problems: string[] = [];
  const exporter = telling(new OTLPTraceExporter({ timeoutMillis: SEND_MS }), (problem) => problems.push(problem));
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": "bulkhead" }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: SEND_MS })],
  });
  return {
    tracer: provider.getTracer("bulkhead", version()),
    async close() {
      const late = new AbortController();
      const sent = provider.shutdown().catch(() => undefined); // The exporter has told why.
      const over = sleep(SEND_MS, true, { signal: late.signal }).catch(() => undefined);
      const isLate = (await Promise.race([sent, over])) === true;
      late.abort();
      return problems[0] ?? (isLate ? `no answer within ${SEND_MS / 1_000} s` : undefined);
    },
  };
}

/** The same exporter, which tells what went wrong. */
const telling = (exporter: SpanExporter, tell: (problem: string) => void): SpanExporter => ({
  export(spans, done) {
    exporter.export(spans, (result) => {
      if (result.code !== 0) tell(reasonOf(result.error));
      done(result);
    });
  },
  shutdown: () => exporter.shutdown(),
  ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
});

/** A refused connection to a name with several addresses has a code and no message. */
const reasonOf = (error: (Error & { code?: unknown }) | undefined): string =>
  error?.message || (typeof error?.code === "string" ? error.code : "it gave no reason");
