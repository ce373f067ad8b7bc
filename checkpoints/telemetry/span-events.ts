// What happened at one moment, as events of the span in which it happened: verdicts, falls of trust, approvals, effects,
// waiting. What has a beginning and an end is a span of its own, in `run-spans.ts`.

import type { Attributes } from "@opentelemetry/api";
import type { CapacityEvent } from "../../capacity/types.js";
import { describeCause, describeDeficit } from "../../trust/index.js";
import type { HarnessEvent } from "../journal/events.js";
import { defined, type EventOf, labelAttributes, toolAttributes } from "./attributes.js";

/** An event of a span. */
export interface SpanEvent {
  readonly name: string;
  readonly attributes: Attributes;
}

/**
 * The event of a span that this is; `undefined` for what is a span, an attribute, or of no use in a trace. `content`: with
 * what was written, too.
 */
export function spanEventOf(event: HarnessEvent, content: boolean): SpanEvent | undefined {
  const named = (name: string, attributes: Parameters<typeof defined>[0]): SpanEvent => ({
    name: `bulkhead.${name}`,
    attributes: defined(attributes),
  });
  switch (event.kind) {
    case "input":
      return named("input", { "bulkhead.input.as": event.as });
    case "trust.fell":
      return named("trust.fell", {
        ...labelAttributes(event.to),
        "bulkhead.trust.causes": event.causes.map(describeCause),
      });
    case "gate.decision":
      return named("gate.decision", decisionAttributes(event, content));
    case "approval.requested":
      return named("approval.requested", { ...toolAttributes(event.tool), "bulkhead.approval.id": event.id });
    case "approval.decided":
      return named("approval.decided", {
        ...toolAttributes(event.tool),
        "bulkhead.approval.id": event.id,
        "bulkhead.approval.decision": event.decision,
        "bulkhead.approval.authenticated": event.authenticated,
        "bulkhead.approval.by": content ? event.by : undefined,
        "bulkhead.approval.reason": content ? event.reason : undefined,
      });
    case "approval.refused":
      return named("approval.refused", {
        ...toolAttributes(event.tool),
        "bulkhead.approval.id": event.id,
        "bulkhead.approval.authenticated": event.authenticated,
        "bulkhead.approval.by": content ? event.by : undefined,
        "bulkhead.approval.reason": content ? event.why : undefined,
      });
    case "effect":
      return named("effect", {
        ...toolAttributes(event.tool, event.callId),
        "bulkhead.effect.key": event.key,
        "bulkhead.effect.status": event.status,
        "bulkhead.effect.compensates": event.compensates,
      });
    case "tool.output":
      return named("tool.output", {
        ...toolAttributes(event.tool),
        "bulkhead.tool.use": event.use,
        "bulkhead.tool.ok": event.ok,
        "bulkhead.tool.unclear": event.unclear,
        "bulkhead.tool.ms": event.ms,
        "bulkhead.tool.bytes": event.bytes,
      });
    case "admission":
      return named("admission", {
        "bulkhead.admission.decision": event.decision,
        "bulkhead.admission.resource": event.resource,
        "bulkhead.admission.routes": event.routes,
        "bulkhead.admission.reason": event.reason,
        "bulkhead.queue_ms": event.waitMs,
      });
    case "capacity":
      return named(`capacity.${event.event.kind}`, capacityAttributes(event.event));
    case "model.error":
      return named("model.error", { "error.type": event.code ?? event.name, "bulkhead.error": event.error });
    case "label.missing":
      return named("label.missing", { "bulkhead.label.missing": [...event.values] });
    case "state.update":
      return named("state.update", { "bulkhead.state.fields": [...event.fields] });
    case "thread.derived":
      return named("thread.derived", {
        ...labelAttributes(event.floor),
        "bulkhead.thread.from": event.from,
        "bulkhead.thread.as": event.as,
        "bulkhead.step": event.step,
      });
    case "compact":
      return named("compact", {
        "bulkhead.compact.evicted": event.evicted.length,
        "bulkhead.compact.summarised": event.summarised,
      });
    default:
      return undefined;
  }
}

const decisionAttributes = (event: EventOf<"gate.decision">, content: boolean) => ({
  ...toolAttributes(event.tool, event.callId),
  ...labelAttributes(event.considered),
  "bulkhead.gate.verdict": event.verdict,
  "bulkhead.gate.deficits": event.deficits.map(describeDeficit),
  "bulkhead.gate.repeats": event.repeats,
  "bulkhead.gate.changed": event.changed,
  "bulkhead.gate.policy": event.policy,
  "bulkhead.approval.id": event.approval,
  "bulkhead.gate.reasons": content ? [...event.reasons] : undefined,
  "gen_ai.tool.call.arguments": content ? JSON.stringify(event.arguments) : undefined,
});

function capacityAttributes(event: CapacityEvent): Parameters<typeof defined>[0] {
  switch (event.kind) {
    case "queued":
      return { "bulkhead.route": event.route, "bulkhead.queue_ms": event.waitMs, "bulkhead.reason": event.reason };
    case "rate-limited":
      return {
        "bulkhead.route": event.route,
        "bulkhead.retry_after_ms": event.retryAfterMs,
        "bulkhead.retry_after_hinted": event.hinted,
      };
    case "retry":
      return {
        "bulkhead.route": event.route,
        "bulkhead.attempt": event.attempt,
        "bulkhead.delay_ms": event.delayMs,
        "bulkhead.reason": event.reason,
      };
    case "fallback":
      return {
        "bulkhead.route": event.to,
        "bulkhead.route.from": event.from,
        "bulkhead.fallback_reason": event.reason,
      };
    case "cache-hit":
      return {
        "bulkhead.route": event.route,
        "bulkhead.cache.age_ms": event.ageMs,
        "bulkhead.cache.fresh": event.fresh,
        ...(event.score === undefined ? {} : { "bulkhead.cache.score": event.score }),
      };
    case "cache":
      return { "bulkhead.cache.state": event.state, "bulkhead.reason": event.reason };
    case "fleet":
      return { "bulkhead.route": event.route, "bulkhead.fleet": event.state, "bulkhead.reason": event.reason };
    case "breaker":
      return { "bulkhead.route": event.route, "bulkhead.breaker": event.state, "bulkhead.reason": event.reason };
    case "budget":
      return {
        "bulkhead.budget.dimension": event.dimension,
        "bulkhead.budget.used": event.used,
        "bulkhead.budget.limit": event.limit,
      };
  }
}
