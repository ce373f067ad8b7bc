// A journal's events as OpenTelemetry spans, under the names of the GenAI conventions, so that any tracing backend shows
// runs. A projection: it reads events and nothing else, changes nothing, and costs nearly nothing without an SDK, whose
// tracer then makes no spans. What people and models wrote stays out unless it is asked for.

import { context, type Tracer } from "@opentelemetry/api";
import type { RecordedEvent } from "../journal/events.js";
import { systemTicker, type Ticker } from "../journal/leases.js";
import type { Journal } from "../journal/types.js";
import { RunSpans } from "./run-spans.js";

/** What spans are made of. */
export interface TraceOptions {
  /**
   * With what people and models wrote: tasks, arguments of tools, error texts of tools, reasons and names of approvals.
   * Default `false`. Prompts, answers and results of tools are in no span: they are in the record.
   */
  readonly content?: boolean;
  /** How often runs are looked for that came to rest. Default: a timer that does not keep the process alive. */
  readonly every?: Ticker;
}

/** How often runs are looked at that may have come to rest, in ms. */
const SWEEP_MS = 5_000;

/** After this time without an event, a run of which nothing is under way has come to rest, in ms. */
const REST_MS = 30_000;

/** After this time without an event, a run has come to rest whatever was under way, in ms. */
const LOST_MS = 3_600_000;

/**
 * Traces everything that is appended through `journal` from now on, until the function it returns is called: that ends
 * what is open, and does not flush the SDK. A run of the command line is one trace from its start to its end. Under a
 * server nothing in the record says that a run ended; its trace ends when nothing has happened for half a minute and
 * nothing is under way, and what happens later under the same run is a trace of its own.
 */
export function traceJournal(
  journal: Pick<Journal, "subscribe" | "clock">,
  tracer: Tracer,
  options: TraceOptions = {},
): () => void {
  const { content = false, every = systemTicker } = options;
  const traces = new Traces(tracer, content);
  const unsubscribe = journal.subscribe((event) => traces.hear(event));
  const rest = every(SWEEP_MS, () => traces.sweep(journal.clock.now()));
  return () => {
    rest();
    unsubscribe();
    traces.close();
  };
}

/** Traces events that were recorded before, as `journal.events()` returns them, with their own times. */
export function traceEvents(
  events: readonly RecordedEvent[],
  tracer: Tracer,
  { content = false }: Pick<TraceOptions, "content"> = {},
): void {
  const traces = new Traces(tracer, content);
  for (const event of events) traces.hear(event);
  traces.close();
}

/** The runs under way. */
class Traces {
  /** By thread and run: a program may give the same run id to runs of two threads. */
  private readonly runs = new Map<string, { readonly thread: string; readonly spans: RunSpans }>();

  constructor(
    private readonly tracer: Tracer,
    private readonly content: boolean,
  ) {}

  hear(recorded: RecordedEvent): void {
    const spans = this.spansOf(recorded);
    if (spans?.hear(recorded) === false) this.runs.delete(keyOf(recorded));
  }

  sweep(now: number): void {
    for (const [key, { spans }] of this.runs) {
      const quiet = now - spans.last;
      if (spans.bounded || !(quiet >= LOST_MS || (quiet >= REST_MS && spans.rests))) continue;
      spans.close();
      this.runs.delete(key);
    }
  }

  close(): void {
    for (const { spans } of this.runs.values()) spans.close();
    this.runs.clear();
  }

  /**
   * The run an event belongs to, begun by what begins a run. An answer to an approval names the run that asked, and is
   * told where the thread is under way; what happens outside of any run, to nothing that is under way, is in no trace.
   */
  private spansOf(recorded: RecordedEvent): RunSpans | undefined {
    const { scope, event } = recorded;
    const { thread } = scope;
    const key = keyOf(recorded);
    const known = this.runs.get(key);
    if (known !== undefined) return known.spans;
    if (event.kind === "run.start" || event.kind === "input" || scope.node !== undefined) {
      const spans = new RunSpans(this.tracer, this.content, recorded, context.active());
      this.runs.set(key, { thread, spans });
      return spans;
    }
    if (event.kind === "run.end") return undefined; // Of a run that was not traced from its beginning.
    return [...this.runs.values()].find((each) => each.thread === thread)?.spans;
  }
}

const keyOf = ({ scope: { thread, run } }: RecordedEvent): string => JSON.stringify([thread, run]);
