// One recorded event in one line of plain words, for a person who reads a record afterwards. Pure. A kind that is not
// known here is shown by its name, so that a newer record can be read. The text is not escaped: whoever prints it does.

import { budgetShare, type CapacityEvent } from "../../capacity/index.js";
import type { HarnessEvent } from "../../checkpoints/index.js";
import { AXES, describeCause, type Label, TOP } from "../../trust/index.js";
import { barsOf, count, cut, describeDeficits, duration } from "../text.js";

/** How good the news is. */
export type Tone = "good" | "warn" | "bad" | "dim";

/** What happened. `tone` is unset for what is neither good nor bad. */
export interface Description {
  readonly text: string;
  readonly tone?: Tone;
}

/** How much of a task, an argument list or a reason is shown, in characters. */
const WIDTH = 140;

/** Waits shorter than this are pacing, in ms. */
const PACING_MS = 250;

const TONES: Readonly<Record<string, Tone>> = {
  finished: "good",
  waiting: "warn",
  parked: "warn",
  spent: "warn",
  interrupted: "warn",
  allow: "good",
  ask: "warn",
  block: "bad",
  approved: "good",
  committed: "good",
  failed: "bad",
  in_doubt: "bad",
  rejected: "bad",
  blocked: "bad",
};

const VERDICTS = { allow: "allows", ask: "asks for", block: "blocks" } as const;

const toned = (text: string, tone: Tone | undefined): Description => (tone === undefined ? { text } : { text, tone });

const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${reason}`);

/** `refund(order_id: 7781, lines: [3])`: a call, with lists and objects as their size. */
export const callOf = (tool: string, args: Readonly<Record<string, unknown>>): string => {
  const short = Object.entries(args).map(([name, value]) => {
    if (Array.isArray(value)) return `${name}: [${value.length}]`;
    return `${name}: ${typeof value === "object" && value !== null ? "{…}" : (JSON.stringify(value) ?? "undefined")}`;
  });
  return cut(`${tool}(${short.join(", ")})`, WIDTH);
};

/** `integrity 3→0, fidelity 2→1` */
export const describeFall = (from: Label, to: Label): string =>
  AXES.filter((axis) => to[axis] < from[axis])
    .map((axis) => `${axis} ${from[axis]}→${to[axis]}`)
    .join(", ");

/**
 * Says what happened; `undefined` for what is not worth a line: the start of a node, an admission without a wait, what
 * a later line tells again (a request by its answer, a tool's output by what the planner was told).
 */
export function describe(event: HarnessEvent): Description | undefined {
  switch (event.kind) {
    case "run.start": {
      const how = `${event.resumed ? "resumes" : "starts"} ${event.graph} on ${event.model}`;
      return { text: `${how}${event.offline ? " (offline)" : ""}${because(event.task)}` };
    }
    case "thread.derived":
      return { text: `goes on from step ${event.step} of ${event.from} (${event.as})${rankOf(event.floor)}` };
    case "input": {
      const what = event.as === "input" ? "is given input" : event.value === undefined ? "goes on" : "is answered";
      return { text: `${what}${event.by === undefined ? "" : ` by ${event.by}`}` };
    }
    case "thread.erased":
      return {
        text: `the contents of ${count(event.events, "event")} were erased by ${event.by}: ${event.reason}`,
        tone: "bad",
      };
    case "run.end":
      return toned(`${event.status}${because(event.error)}`, TONES[event.status]);
    case "node.start":
    case "checkpoint":
    case "clock":
    case "random":
    case "model.request":
    case "tool.output":
      return undefined;
    case "node.end":
      return event.error === undefined ? undefined : { text: `failed${because(event.error)}`, tone: "bad" };
    case "recall": {
      const { sources, unusable = [] } = event;
      const missing = unusable.length === 0 ? [] : [`left out, because it cannot be used: ${unusable.join("; ")}`];
      const parts = [...(sources.length === 0 ? [] : [`recalls ${sources.join(", ")}`]), ...missing];
      return parts.length === 0 ? undefined : toned(parts.join("; "), missing.length === 0 ? undefined : "bad");
    }
    case "lost.calls": {
      const fates = event.calls.map(({ tool, outcome }) => `${tool} (${outcome})`);
      return { text: `calls without an answer: ${fates.join(", ")}`, tone: "warn" };
    }
    case "plan":
      return { text: `plan: ${event.todos.map(({ content, status }) => `${content} (${status})`).join(", ")}` };
    case "admission":
      return (event.decision === "admit" || event.decision === "queue") && event.waitMs < PACING_MS
        ? undefined
        : { text: `${ADMISSIONS[event.decision]}${wait(event.waitMs)}${because(event.reason)}`, tone: "warn" };
    case "capacity":
      return capacity(event.event);
    case "model.response":
      return answer(event);
    case "model.error":
      return { text: `the model call failed: ${event.error}`, tone: "bad" };
    case "tool.response": {
      const said = `${callOf(event.tool, event.arguments)} in ${duration(event.ms)}${rankOf(event.label)}`;
      return toned(`${said}${because(event.error)}`, event.ok ? undefined : "warn");
    }
    case "subagent.start":
      return { text: `${event.subagent} starts: ${event.task}` };
    case "subagent.end": {
      const how = event.ok ? "is done" : "gave up";
      return toned(
        `${event.subagent} ${how} in ${duration(event.ms)}${rankOf(event.label)}`,
        event.ok ? undefined : "warn",
      );
    }
    case "trust.fell":
      return {
        text: `trust fell: ${describeFall(event.from, event.to)} because of ${event.causes.map(describeCause).join("; ")}`,
        tone: "warn",
      };
    case "label.missing":
      return { text: `values that nothing here wrote: ${event.values.join(", ")}`, tone: "bad" };
    case "state.update":
      return {
        text: `the state was changed from outside: ${event.fields.join(", ")} by ${event.by ?? "nobody known"}`,
        tone: "warn",
      };
    case "gate.decision": {
      const why = [
        ...new Set([...event.reasons, ...(event.reasons.length === 0 ? [describeDeficits(event.deficits)] : [])]),
      ];
      const call = callOf(event.tool, event.arguments);
      return toned(`${VERDICTS[event.verdict]} ${call}${because(why.join("; ") || undefined)}`, TONES[event.verdict]);
    }
    case "approval.requested":
      return { text: `approval requested for ${event.tool}: ${event.id}`, tone: "warn" };
    case "approval.decided": {
      const who = `${event.decision} ${event.tool} by ${event.by} (authenticated: ${event.authenticated ?? "unknown"})`;
      return toned(`${who}${because(event.reason)}`, TONES[event.decision]);
    }
    case "approval.refused":
      return {
        text: `an answer for ${event.tool} by ${event.by} (authenticated: ${event.authenticated}) was refused: ${event.why}`,
        tone: "bad",
      };
    case "effect": {
      const who = event.by === undefined ? "" : `, by ${event.by}`;
      const back = event.compensates === undefined ? "" : ", taking back an earlier one";
      const status = event.status.replace("_", " ");
      return toned(
        `effect ${status}: ${event.tool}${back}${who}${because(event.error)}${because(event.note)}`,
        TONES[event.status],
      );
    }
    case "compact": {
      const { evicted, summarised } = event;
      if (evicted.length === 0 && summarised === 0) return undefined;
      return { text: `moved to files: ${evicted.join(", ") || "nothing"}; summarised ${count(summarised, "message")}` };
    }
    default:
      return { text: (event as { readonly kind: string }).kind, tone: "dim" };
  }
}

const ADMISSIONS = {
  admit: "admitted",
  queue: "queued",
  degrade: "goes on with the fallback",
  park: "parks",
  shed: "is shed",
} as const;

const wait = (ms: number): string => (ms < PACING_MS ? "" : ` after ${duration(ms)}`);

const rankOf = (label: Label): string => (describeFall(TOP, label) === "" ? "" : ` ${barsOf(label)}`);

function capacity(event: CapacityEvent): Description | undefined {
  switch (event.kind) {
    case "queued":
      return event.waitMs < PACING_MS
        ? undefined
        : { text: `waits ${duration(event.waitMs)} for ${event.route} (${event.reason})`, tone: "warn" };
    case "rate-limited":
      return {
        text: `${event.route} is rate limited: its calls pause ${duration(event.retryAfterMs)}${event.hinted ? "" : " (no Retry-After)"}`,
        tone: "warn",
      };
    case "retry":
      return {
        text: `attempt ${event.attempt} on ${event.route} in ${duration(event.delayMs)}: ${event.reason}`,
        tone: "warn",
      };
    case "fallback":
      return { text: `fallback: ${event.to} instead of ${event.from}: ${event.reason}`, tone: "warn" };
    case "cache-hit":
      return event.score === undefined
        ? { text: `from the cache of ${event.route}, ${duration(event.ageMs)} old`, tone: "dim" }
        : {
            text: `from the cache of ${event.route}, ${duration(event.ageMs)} old, for a similar question (${event.score.toFixed(3)}, ${event.matched?.slice(0, 12)})`,
            tone: "warn",
          };
    case "cache":
      return { text: `cache ${event.state}: ${event.reason}`, tone: event.state === "back" ? "dim" : "warn" };
    case "fleet":
      return event.state === "lost"
        ? { text: `the fleet's quota of ${event.route} is lost: ${event.reason}`, tone: "warn" }
        : { text: `the fleet's quota of ${event.route} is back`, tone: "dim" };
    case "breaker":
      return { text: `the breaker of ${event.route} is ${event.state}: ${event.reason}`, tone: "warn" };
    case "budget":
      return { text: `budget: ${budgetShare(event.dimension, event.used, event.limit)} used`, tone: "warn" };
  }
}

function answer({ obtained, toolCalls }: Extract<HarnessEvent, { kind: "model.response" }>): Description {
  const { route, primary, returnedModel, cache, attempts, rateLimited, queueMs, usage } = obtained;
  const notes = [
    `${usage.inputTokens}+${usage.outputTokens} tokens`,
    `queued ${duration(queueMs)}`,
    ...(attempts > 1 ? [count(attempts, "attempt")] : []),
    ...(rateLimited > 0 ? [`${rateLimited} rate limited`] : []),
    ...(cache === undefined ? [] : ["from the cache"]),
  ];
  const named = returnedModel === undefined || returnedModel === route ? route : `${route} (says ${returnedModel})`;
  const calls = toolCalls.length === 0 ? "" : ` → ${toolCalls.join(", ")}`;
  const text = `${named}${route === primary ? "" : " as fallback"}${calls} (${notes.join(", ")})`;
  return toned(text, route === primary ? undefined : "warn");
}
