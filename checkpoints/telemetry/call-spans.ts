// The model calls of one run as spans: one for each request that left for a provider, from leaving to answer. A call that
// falls over to another route is two of them, and the first says why.

import { SpanKind } from "@opentelemetry/api";
import { type EventOf, requestAttributes, responseAttributes } from "./attributes.js";
import { type OpenSpan, OTHER } from "./open-span.js";

/** The requests of one run that have no answer yet, by the name of the call. */
export class CallSpans {
  private readonly open = new Map<string, OpenSpan>();

  /** The request of a call that is under way. */
  of(call: string | undefined): OpenSpan | undefined {
    const span = call === undefined ? undefined : this.open.get(call);
    return span?.ended === false ? span : undefined;
  }

  start(within: OpenSpan, at: number, event: EventOf<"model.request">): void {
    const attributes = requestAttributes(event);
    this.open.set(event.call, within.open({ name: `chat ${event.route}`, at, attributes, kind: SpanKind.CLIENT }));
  }

  /** A response without a request came from the cache, or is of a record that has no requests: its span has no length. */
  end(within: OpenSpan, at: number, event: EventOf<"model.response">): void {
    const name = `chat ${event.obtained.route}`;
    const span = this.take(event.call) ?? within.open({ name, at, attributes: {}, kind: SpanKind.CLIENT });
    span.span.setAttributes(responseAttributes(event));
    span.end(at);
  }

  /** Returns `false` when nothing of the call was under way. */
  fail(at: number, { call, code, name, error }: EventOf<"model.error">): boolean {
    const span = this.take(call);
    span?.fail(code ?? name ?? OTHER, error);
    span?.end(at);
    return span !== undefined;
  }

  /** Another route is asked from now on. */
  fallBack(call: string | undefined, at: number, reason: string): void {
    const span = this.take(call);
    span?.fail(reason);
    span?.end(at);
  }

  clear(): void {
    this.open.clear();
  }

  private take(call: string | undefined): OpenSpan | undefined {
    const span = this.of(call);
    if (call !== undefined) this.open.delete(call);
    return span;
  }
}
