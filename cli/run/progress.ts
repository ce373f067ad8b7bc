// Turns the recorded events of a run into lines for a person who watches: what each step did, which model answered by
// which route, what was waited for, and every fall of the trust with its reason. Knows nothing but the events.

import { budgetShare, type CapacityEvent, type Obtained } from "../../capacity/index.js";
import type { ApprovalRecord, RecordedEvent } from "../../checkpoints/index.js";
import { AXES, type Cause, type Label, meet, TOP } from "../../trust/index.js";
import { barsOf, callInShort, count, cut, describeDeficits, duration, PLAIN, type Style } from "../text.js";

/** What an event refers to and does not hold itself. */
export interface EventDetails {
  /** The arguments of the effect that the event is about. */
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  /** The approval that the event is about, as it stands. */
  readonly approval?: ApprovalRecord | undefined;
}

/** Waits shorter than this are pacing, and not worth a line. In ms. */
const NOTEWORTHY_MS = 250;

/** How much of a task, an argument list or a reason is shown. */
const WIDTH = 140;

const MARKS: Readonly<Record<string, string>> = { completed: "✓", in_progress: "▸" };

/** Prints one run. Make a new one for each run: it remembers what was shown. */
export class Progress {
  private shown: Label = TOP;
  private step = -1;
  private readonly effects = new Set<string>();

  constructor(private readonly style: Style = PLAIN) {}

  /** The lines for one event; none for what is not worth one. */
  lines(recorded: RecordedEvent, details: EventDetails = {}): string[] {
    const { event, scope } = recorded;
    const { style } = this;
    const node = scope.lane?.split(":")[0] ?? scope.node ?? "";
    switch (event.kind) {
      case "recall":
        return [
          ...(event.sources.length === 0 ? [] : this.line(recorded, node, event.sources.join(", "))),
          ...(event.unusable ?? []).flatMap((why) =>
            this.line(recorded, node, `${style.bad("skill left out:")} ${cut(why, 2 * WIDTH)}`),
          ),
        ];
      case "plan":
        return event.todos.flatMap(({ content, status }, index) =>
          this.line(recorded, index === 0 ? "plan" : "", `${MARKS[status] ?? "·"} ${cut(content, WIDTH)}`),
        );
      case "admission":
        return event.decision === "admit" || (event.decision === "queue" && event.waitMs < NOTEWORTHY_MS)
          ? []
          : this.line(recorded, node, style.warn(admission(event.decision, event.waitMs)) + because(event.reason));
      case "capacity":
        return capacity(event.event).flatMap((text) => this.line(recorded, "capacity", style.warn(text)));
      case "model.response":
        return this.line(recorded, node, answer(event.obtained, event.toolCalls, style));
      case "model.error":
        return this.line(recorded, node, style.bad(`model call failed: ${cut(event.error, WIDTH)}`));
      case "tool.response": {
        // Where there is an effect, its own line says how it went.
        if (this.effects.delete(`${scope.step} ${event.tool}`)) return [];
        const call = callInShort(event.tool, event.arguments, WIDTH);
        const slow = event.ms < NOTEWORTHY_MS ? "" : style.dim(`  ${duration(event.ms)}`);
        return this.line(recorded, node, `${call}${event.ok ? "" : style.warn("  error")}${slow}`);
      }
      case "subagent.start":
        return this.line(recorded, "delegate", `${event.subagent}: ${cut(event.task, WIDTH)}`);
      case "subagent.end": {
        const how = event.ok ? "done" : style.warn("did not finish");
        return this.line(recorded, "delegate", `${event.subagent} ${how}  ${style.dim(duration(event.ms))}`);
      }
      case "trust.fell":
        return this.fall(recorded, event.from, event.to, event.causes);
      case "gate.decision": {
        const why = event.deficits.length === 0 ? "" : `  ${describeDeficits(event.deficits)}`;
        const call = callInShort(event.tool, event.arguments, WIDTH);
        return this.line(recorded, "gate", `${this.verdict(event.verdict, details.approval)} ${call}${style.dim(why)}`);
      }
      case "approval.decided": {
        const decided = event.decision === "approved" ? style.good("approved") : style.bad("rejected");
        return this.line(recorded, "approval", `${decided} ${event.tool} by ${event.by}${because(event.reason)}`);
      }
      case "effect": {
        if (event.status === "dispatched" || event.status === "intended") return [];
        const status = event.status === "committed" ? style.good("done") : style.bad(event.status.replace("_", " "));
        const call = callInShort(event.tool, details.arguments, WIDTH);
        this.effects.add(`${scope.step} ${event.tool}`);
        return this.line(recorded, "effect", `${status} ${call}${because(event.error)}`);
      }
      case "compact": {
        const { evicted, summarised } = event;
        if (evicted.length === 0 && summarised === 0) return [];
        const parts = [
          ...(evicted.length === 0 ? [] : [`moved to files: ${evicted.join(", ")}`]),
          ...(summarised === 0 ? [] : [`summarised ${count(summarised, "message")}`]),
        ];
        return this.line(recorded, node, parts.join("; "));
      }
      default:
        return [];
    }
  }

  /** `  5  planner    text`; the step's number only where it changes, a subagent's lines indented. */
  private line({ scope }: RecordedEvent, head: string, text: string): string[] {
    const inLane = scope.lane !== undefined;
    const isNew = !inLane && scope.step !== undefined && scope.step !== this.step;
    if (isNew) this.step = scope.step ?? this.step;
    const number = (isNew ? String(scope.step) : "").padStart(4);
    return [`${this.style.dim(number)}  ${inLane ? this.style.dim("┆ ") : ""}${head.padEnd(10)} ${text}`.trimEnd()];
  }

  /** Parallel branches report the same fall; it is told once. */
  private fall(recorded: RecordedEvent, from: Label, to: Label, causes: readonly Cause[]): string[] {
    const before = meet(this.shown, from);
    this.shown = meet(before, to);
    const fallen = AXES.filter((axis) => this.shown[axis] < before[axis]);
    return fallen.flatMap((axis, index) => {
      const what = `${index === 0 ? barsOf(this.shown) : "    "} ${axis} ${before[axis]}→${this.shown[axis]}`;
      const reasons = new Set(causes.filter((cause) => cause.axis === axis).map(({ reason }) => reason));
      return this.line(
        recorded,
        index === 0 ? "trust" : "",
        `${this.style.warn(what)}  ${cut([...reasons].join("; "), WIDTH)}`,
      );
    });
  }

  private verdict(verdict: string, approval: ApprovalRecord | undefined): string {
    const { style } = this;
    if (verdict === "allow") return style.good("allows");
    if (verdict === "block") return style.bad("blocks");
    switch (approval?.status) {
      case "approved":
      case "consumed":
        return style.good("asked, approved:");
      case "rejected":
        return style.bad("asked, rejected:");
      case "expired":
        return style.bad("asked, expired:");
      default:
        return style.warn("asks");
    }
  }
}

const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${cut(reason, WIDTH)}`);

function admission(decision: string, waitMs: number): string {
  switch (decision) {
    case "queue":
      return `waits ${duration(waitMs)} for capacity`;
    case "degrade":
      return "goes on with the fallback";
    case "park":
      return `parks: no capacity for ${duration(waitMs)}`;
    default:
      return "is shed";
  }
}

function capacity(event: CapacityEvent): string[] {
  switch (event.kind) {
    case "queued":
      return event.waitMs < NOTEWORTHY_MS
        ? []
        : [`waiting ${duration(event.waitMs)} for ${event.route} (${event.reason})`];
    case "rate-limited":
      return [
        `${event.route} is rate limited, all its calls pause ${duration(event.retryAfterMs)}${event.hinted ? "" : " (our guess: no Retry-After)"}`,
      ];
    case "retry":
      return [`attempt ${event.attempt} on ${event.route} in ${duration(event.delayMs)}: ${cut(event.reason, WIDTH)}`];
    case "fallback":
      return [`${event.to} answers instead of ${event.from}: ${cut(event.reason, WIDTH)}`];
    case "fleet":
      return event.state === "lost"
        ? [`${event.route}: the fleet's quota cannot be asked, keeping to a safe part: ${cut(event.reason, WIDTH)}`]
        : [`${event.route}: the fleet's quota is back`];
    case "breaker":
      return event.state === "open" ? [`${event.route} is set aside: ${cut(event.reason, WIDTH)}`] : [];
    case "budget":
      return [`budget: ${budgetShare(event.dimension, event.used, event.limit)} used`];
    case "cache-hit":
      return []; // The answer's own line says it.
    case "cache":
      return [`cache ${event.state}: ${cut(event.reason, WIDTH)}`];
  }
}

function answer(obtained: Obtained, toolCalls: readonly string[], style: Style): string {
  const { route, primary, fallbackReason, cache, attempts, rateLimited, queueMs, usage } = obtained;
  const notes = [
    `${usage.inputTokens}+${usage.outputTokens} tokens`,
    ...(cache === undefined ? [] : [`from the cache, ${duration(cache.ageMs)} old`]),
    ...(attempts > 1 ? [count(attempts, "attempt")] : []),
    ...(rateLimited > 0 ? [`${rateLimited} rate limited`] : []),
    ...(queueMs >= NOTEWORTHY_MS ? [`queued ${duration(queueMs)}`] : []),
  ];
  const who = route === primary ? route : style.warn(`${route} as fallback${because(fallbackReason)}`);
  const calls = toolCalls.length === 0 ? "" : ` → ${toolCalls.join(", ")}`;
  return `${who}${calls}  ${style.dim(notes.join(", "))}`;
}
