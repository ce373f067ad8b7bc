// A span that has not ended, and those within it. Ending one ends what is open within it first, so that no trace has a
// span that nobody ended. Times are milliseconds since the epoch, as the record has them.

import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";

/** The conventions' value for an error that has no class. */
export const OTHER = "_OTHER";

/** The longest error text that is sent, in characters. */
const MAX_ERROR = 500;

/** What to open a span with. */
export interface Opening {
  readonly name: string;
  readonly at: number;
  readonly attributes: Attributes;
  /** Default: internal. */
  readonly kind?: SpanKind;
}

/** An open span. */
export class OpenSpan {
  readonly children = new Set<OpenSpan>();
  /** When something last happened in it or within it. */
  last: number;
  ended = false;

  private constructor(
    private readonly tracer: Tracer,
    readonly span: Span,
    private readonly parent: OpenSpan | undefined,
    readonly from: number,
  ) {
    this.last = from;
    parent?.children.add(this);
  }

  /** Begins a trace, or goes on with that of `within`. */
  static root(tracer: Tracer, opening: Opening, within: Context): OpenSpan {
    return new OpenSpan(tracer, started(tracer, opening, within), undefined, opening.at);
  }

  /** Opens a span within this one. */
  open(opening: Opening): OpenSpan {
    const within = trace.setSpan(ROOT_CONTEXT, this.span);
    return new OpenSpan(this.tracer, started(this.tracer, opening, within), this, opening.at);
  }

  /** Something happened here. */
  touch(at: number): void {
    this.last = Math.max(this.last, at);
    this.parent?.touch(at);
  }

  event(name: string, attributes: Attributes, at: number): void {
    this.span.addEvent(name, attributes, new Date(at));
  }

  /** Says that what this span stands for failed. @param text Left out where it may be what somebody wrote. */
  fail(type: string, text?: string): void {
    this.span.setAttribute("error.type", type);
    const message = text === undefined || text.length <= MAX_ERROR ? text : `${text.slice(0, MAX_ERROR - 1)}…`;
    this.span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
  }

  /** Ends it. What is still open within it was left unfinished, and ended when last something happened there. */
  end(at: number): void {
    this.ended = true;
    this.endChildren();
    this.parent?.children.delete(this);
    this.span.end(new Date(Math.max(at, this.from)));
  }

  /** Ends what is open within it. */
  endChildren(): void {
    for (const child of [...this.children]) child.abandon();
  }

  /** Ends it when last something happened in it: nothing says how it ended. */
  abandon(): void {
    this.span.setAttribute("bulkhead.unfinished", true);
    this.end(this.last);
  }
}

const started = (tracer: Tracer, { name, at, attributes, kind = SpanKind.INTERNAL }: Opening, within: Context): Span =>
  tracer.startSpan(name, { startTime: new Date(at), attributes, kind }, within);
