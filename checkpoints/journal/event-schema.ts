// The shape of every recorded event, for reading rows back. The compiler holds it against `HarnessEvent`: a kind that
// is missing here or has lost a field does not build. Fields it does not know are kept.

import { z } from "zod";
import { BUDGET_DIMENSIONS } from "../../capacity/budget-limits.js";
import type { CapacityEvent, Obtained } from "../../capacity/types.js";
import { parseCauses } from "../../trust/cause.js";
import { AXES, parseLabel } from "../../trust/label.js";
import type { HarnessEvent, RecordedPrompt } from "./events.js";
import { callArguments, causes, deficits, effectStatus, label, rank, runStatus } from "./rows.js";

const text = z.string();
const texts = z.array(text);
const number = z.number();
const flag = z.boolean();
const note = text.exactOptional();

const floor = z.union([rank, z.enum(["strict", "balanced"]), z.partialRecord(z.enum(AXES), rank)]).exactOptional();

const kind = <Kind extends string, Shape extends z.ZodRawShape>(name: Kind, shape: Shape) =>
  z.looseObject({ kind: z.literal(name), ...shape });

const capacityEvent: z.ZodType<CapacityEvent> = z.discriminatedUnion("kind", [
  kind("queued", { route: text, waitMs: number, reason: z.enum(["pace", "pause", "in-flight"]) }),
  kind("rate-limited", { route: text, retryAfterMs: number, hinted: flag }),
  kind("retry", { route: text, attempt: number, delayMs: number, reason: text }),
  kind("fallback", { from: text, to: text, reason: text }),
  kind("cache-hit", {
    route: text,
    ageMs: number,
    fresh: flag,
    score: number.exactOptional(),
    matched: note,
  }),
  kind("cache", { state: z.enum(["lost", "back", "refresh-failed", "comparison-failed"]), reason: text }),
  kind("fleet", { route: text, state: z.enum(["lost", "back"]), reason: text }),
  kind("breaker", { route: text, state: z.enum(["open", "half-open", "closed"]), reason: text }),
  kind("budget", { dimension: z.enum(BUDGET_DIMENSIONS), used: number, limit: number }),
]);

const obtained: z.ZodType<Obtained> = z.looseObject({
  provider: text,
  offline: flag,
  route: text,
  primary: text,
  returnedModel: note,
  alias: note,
  attempts: number,
  rateLimited: number,
  unclearAttempts: number,
  queueMs: number,
  fallbackReason: note,
  cache: z
    .object({
      ageMs: number,
      fresh: flag,
      forged: z.literal(true).exactOptional(),
      similar: z.object({ score: number, matched: text }).exactOptional(),
    })
    .exactOptional(),
  requestId: note,
  messageId: note,
  responseId: note,
  systemFingerprint: note,
  finishReason: note,
  usage: z.looseObject({
    inputTokens: number,
    outputTokens: number,
    cachedTokens: number.exactOptional(),
    reasoningTokens: number.exactOptional(),
  }),
});

const prompt: z.ZodType<RecordedPrompt> = z.object({
  frame: z.record(text, z.unknown()).exactOptional(),
  pages: texts.exactOptional(),
  rest: texts.exactOptional(),
  tools: note,
  whole: note,
});

/** What a provider told, or that it tells nothing: a gap must not read like "nothing to report". */
const told = z.union([z.record(text, text), z.literal("unavailable")]).exactOptional();

const budgetLimits = z.partialRecord(z.enum(BUDGET_DIMENSIONS), number).exactOptional();

const kinds = {
  "run.start": kind("run.start", {
    graph: text,
    task: note,
    model: text,
    offline: flag,
    resumed: flag,
    workspace: note,
    code: z.record(text, text).exactOptional(),
    budget: budgetLimits,
  }),
  input: kind("input", { as: z.enum(["input", "resume"]), value: note, by: note }),
  checkpoint: kind("checkpoint", { id: text, parent: note, source: text, digest: text }),
  "thread.erased": kind("thread.erased", { by: text, reason: text, events: number }),
  "thread.derived": kind("thread.derived", { from: text, step: number, as: z.enum(["rewind", "fork"]), floor: label }),
  "run.end": kind("run.end", { status: runStatus, error: note }),
  "node.start": kind("node.start", { triggers: texts.exactOptional(), attempt: number.exactOptional() }),
  "node.end": kind("node.end", {
    ms: number,
    error: note,
    interrupted: z.literal(true).exactOptional(),
    aborted: z.literal(true).exactOptional(),
  }),
  recall: kind("recall", {
    ...{ sources: texts, unusable: texts.exactOptional() },
    ...{ query: note, keys: texts.exactOptional(), output: note },
  }),
  "lost.calls": kind("lost.calls", {
    calls: z.array(
      z.object({
        callId: text,
        tool: text,
        outcome: z.enum(["cancelled", "begun", "unanswered", "done", "failed", "in doubt"]),
        key: note,
      }),
    ),
  }),
  clock: kind("clock", { at: number }),
  random: kind("random", { value: number }),
  plan: kind("plan", { todos: z.array(z.looseObject({ content: text, status: text })) }),
  admission: kind("admission", {
    resource: text,
    decision: z.enum(["admit", "queue", "degrade", "park", "shed"]),
    waitMs: number,
    reason: note,
    routes: z.enum(["primary-only", "any-route"]).exactOptional(),
    primaryUntil: number.exactOptional(),
  }),
  capacity: kind("capacity", { event: capacityEvent, call: note }),
  "model.request": kind("model.request", {
    call: text,
    provider: text,
    endpoint: text,
    route: text,
    digest: text,
    bytes: number,
    prompt,
  }),
  "model.response": kind("model.response", {
    call: note,
    obtained,
    toolCalls: texts,
    raw: note,
    message: note,
    engine: told,
    batch: told,
  }),
  "model.error": kind("model.error", { call: note, error: text, name: note, code: note, reason: note, raw: note }),
  "tool.output": kind("tool.output", {
    tool: text,
    use: z.enum(["run", "preview", "probe", "compensate"]),
    definition: text,
    arguments: text,
    key: note,
    label: z.unknown().transform(parseLabel).exactOptional(),
    causes: z.unknown().transform(parseCauses).exactOptional(),
    unclear: z.literal(true).exactOptional(),
    ms: number,
    ok: flag,
    output: note,
    bytes: number.exactOptional(),
    error: note,
  }),
  "tool.response": kind("tool.response", {
    tool: text,
    callId: text,
    arguments: callArguments,
    ok: flag,
    ms: number,
    label,
    error: note,
  }),
  "subagent.start": kind("subagent.start", { subagent: text, task: text, callId: note }),
  "subagent.end": kind("subagent.end", { subagent: text, ok: flag, label, ms: number }),
  "trust.fell": kind("trust.fell", { from: label, to: label, causes }),
  "label.missing": kind("label.missing", { values: texts }),
  "state.update": kind("state.update", { fields: texts, by: note, as: note, values: note }),
  "gate.decision": kind("gate.decision", {
    tool: text,
    toolDigest: text,
    callId: text,
    arguments: callArguments,
    verdict: z.enum(["allow", "ask", "block"]),
    considered: label,
    floor,
    repeats: flag,
    changed: flag,
    deficits,
    reasons: texts,
    binding: text,
    approval: note,
    policy: text,
  }),
  "approval.requested": kind("approval.requested", { id: text, tool: text }),
  "approval.decided": kind("approval.decided", {
    id: text,
    tool: text,
    decision: z.enum(["approved", "rejected", "edited", "cancelled"]),
    by: text,
    authenticated: z.enum(["cli", "server", "none"]).exactOptional(),
    reason: note,
  }),
  "approval.refused": kind("approval.refused", {
    id: text,
    tool: text,
    by: text,
    authenticated: z.enum(["cli", "server", "none"]),
    why: text,
  }),
  effect: kind("effect", {
    tool: text,
    key: text,
    callId: note,
    status: effectStatus,
    error: note,
    by: note,
    note,
    compensates: note,
  }),
  compact: kind("compact", { evicted: texts, summarised: number }),
} satisfies { readonly [Kind in HarnessEvent["kind"]]: z.ZodType<Extract<HarnessEvent, { kind: Kind }>> };

/** Any {@link HarnessEvent}. */
export const harnessEvent: z.ZodType<HarnessEvent> = z.discriminatedUnion("kind", [
  kinds["run.start"],
  ...Object.values(kinds).slice(1),
]);
