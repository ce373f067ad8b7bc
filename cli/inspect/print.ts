// How what `inspect` found looks in a terminal. Everything that comes from a record is escaped here: an argument or an
// error can hold the control characters that move a cursor, or letters that hide others.

import type {
  ApprovalRecord,
  EffectRecord,
  HarnessEvent,
  RecordDifference,
  RecordedEvent,
} from "../../checkpoints/index.js";
import { visible } from "../../nodes/view.js";
import { readLabel } from "../../trust/index.js";
import { barsOf, count, cut, describeLabel, type Style } from "../text.js";
import type { Contents } from "./contents.js";
import { callOf, describe, type Tone } from "./describe.js";

import { LaneNames } from "./lanes.js";
import type { InspectedRun, Timeline, TimelineEntry } from "./timeline.js";
import type { Why } from "./why.js";

/** The longest line of a timeline, in characters before escaping. */
const WIDTH = 300;

/** One superstep with what its events refer to. */
export interface StepRecord {
  readonly thread: string;
  readonly step: number;
  readonly events: readonly RecordedEvent[];
  readonly approvals: readonly ApprovalRecord[];
  readonly effects: readonly EffectRecord[];
  readonly contents: readonly Contents[];
}

const one = (text: string, width = WIDTH): string => visible(cut(text, width));

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
const time = (at: number): string => new Date(at).toISOString().slice(11, 19);

const toned = (text: string, tone: Tone | undefined, style: Style): string =>
  tone === undefined ? text : style[tone](text);

/** The timeline, its runs one after the other. Times are UTC. */
export function linesOfTimeline({ runs, entries, trust }: Timeline, style: Style): string[] {
  const byName = new Map(runs.map((run) => [run.run, run]));
  const lines: string[] = [];
  let before: TimelineEntry | undefined;
  for (const entry of entries) {
    const run = byName.get(entry.run);
    if (entry.run !== before?.run && run !== undefined) lines.push(style.bold(headOf(run)));
    lines.push(lineOf(entry, entry.run === before?.run ? before : undefined, style));
    before = entry;
  }
  return [...lines, style.bold(`trust  ${barsOf(trust)}  ${describeLabel(trust)}`)];
}

const headOf = ({ run, from, to, status, events }: InspectedRun): string => {
  const end = status === "unknown" ? "its end is not recorded" : status;
  return `run ${one(run)}  ${day(from)} ${time(from)} to ${time(to)} UTC  ${end}  ${count(events, "event")}`;
};

function lineOf(entry: TimelineEntry, before: TimelineEntry | undefined, style: Style): string {
  const { at, step, lane, node = "", trust, text, tone } = entry;
  const isNew = before === undefined || before.step !== step || before.lane !== lane;
  const number = (isNew && step !== undefined ? String(step) : "").padStart(4);
  const bars = trust === undefined ? "    " : style.warn(barsOf(trust));
  const who = lane === undefined ? one(node).padEnd(14) : `${style.dim("┆")} ${one(`${lane} ${node}`)}`;
  return `${style.dim(time(at))} ${style.dim(number)}  ${bars}  ${who}  ${toned(one(text), tone, style)}`;
}

/** The explanation: first in words, then the events. */
export function linesOfWhy({ summary, chain }: Why, style: Style): string[] {
  const lines = summary.map((line) => one(line, 2 * WIDTH));
  if (chain.length === 0) return lines;
  return [
    ...lines,
    "",
    ...chain.map(({ role, step, lane, node = "", text }) => {
      const who = lane === undefined ? node : `${lane} ${node}`;
      return `${style.dim(String(step ?? "").padStart(4))}  ${role.padEnd(8)}  ${one(who).padEnd(14)}  ${one(text)}`;
    }),
  ];
}

/** One superstep in full. */
export function linesOfStep({ step, events, approvals, effects, contents }: StepRecord, style: Style): string[] {
  const names = new LaneNames();
  const lines = events.flatMap((recorded) => {
    const { scope, seq, at, event } = recorded;
    const { kind, ...fields } = withoutDigests(event);
    const own = contents.find((each) => each.run === scope.run && each.seq === seq);
    const lane = names.of(recorded);
    const who = lane === undefined ? (scope.node ?? "") : `┆ ${lane} ${scope.node ?? ""}`;
    const { text = "", tone } = describe(event) ?? {};
    return [
      `${style.dim(`${time(at)} #${seq}`)}  ${one(who)}  ${style.bold(one(kind))}  ${toned(one(text), tone, style)}`.trimEnd(),
      ...fieldLines(fields, "    "),
      ...(own === undefined ? [] : linesOfContents(own, style)),
    ];
  });
  return [
    style.bold(`step ${step}  ${count(events.length, "event")}`),
    ...lines,
    ...approvals.flatMap(({ id, status, view, decidedBy, authenticated, reason }) => [
      style.bold(`approval ${one(id)}  ${status}`),
      ...view.split("\n").map((line) => `    ${visible(line)}`),
      ...fieldLines({ decidedBy, authenticated, reason }, "    "),
    ]),
    ...effects.flatMap((effect) => [
      style.bold(`effect ${one(effect.key)}  ${effect.status.replace("_", " ")}`),
      `    ${one(callOf(effect.tool, effect.arguments))}`,
      ...fieldLines(
        {
          arguments: effect.arguments,
          receipt: effect.receipt,
          receiptLabel: effect.receiptLabel,
          error: effect.error,
          learnt: effect.learnt,
          resolution: effect.resolution,
          attempts: effect.attempts,
        },
        "    ",
      ),
    ]),
  ];
}

/** What digests stand for is shown below the fields. */
function withoutDigests(event: HarnessEvent): HarnessEvent {
  if (event.kind !== "model.request") return event;
  const { messages: _, tools: __, ...parameters } = event.prompt.frame ?? {};
  return { ...event, prompt: { frame: parameters } };
}

/** The contents of one event. A prompt's tools by their names: their schemas are in the JSON. */
function linesOfContents({ prompt, answer, raw, output }: Contents, style: Style): string[] {
  const block = (name: string, text: string): string[] => [
    `    ${style.bold(name)}`,
    ...text.split("\n").map((line) => `      ${visible(line)}`),
  ];
  if (answer !== undefined) {
    const calls = answer.toolCalls.map((call) => `${call.name}(${call.arguments})`);
    const tokens = answer.logprobs?.tokens ?? [];
    return [
      ...(answer.content === "" ? [] : block("answer", answer.content)),
      ...(calls.length === 0 ? [] : block("calls", calls.join("\n"))),
      ...(tokens.length === 0 ? [] : block("least likely tokens", leastLikely(tokens))),
    ];
  }
  if (raw !== undefined) return block("body", raw);
  if (output !== undefined) return block("text", output);
  if (typeof prompt !== "object" || prompt === null) return block("prompt", String(prompt));
  const { messages = [], tools = [] } = prompt as { messages?: PromptMessage[]; tools?: PromptTool[] };
  return [
    ...messages.flatMap(({ role = "?", content, tool_calls: made }) => [
      ...block(role, typeof content === "string" ? content : JSON.stringify(content ?? "")),
      ...(made === undefined ? [] : block(`${role} calls`, JSON.stringify(made))),
    ]),
    ...(tools.length === 0 ? [] : block("tools", tools.map(({ function: its }) => its?.name ?? "?").join(", "))),
  ];
}

interface PromptMessage {
  readonly role?: string;
  readonly content?: unknown;
  readonly tool_calls?: unknown;
}

interface PromptTool {
  readonly function?: { readonly name?: string };
}

/** How many tokens are named. */
const UNLIKELY = 5;

/** Where the model was least sure: `"49.00" 61 %`. */
const leastLikely = (tokens: readonly { readonly token: string; readonly logprob: number }[]): string =>
  tokens
    .toSorted((left, right) => left.logprob - right.logprob)
    .slice(0, UNLIKELY)
    .map(({ token, logprob }) => `${JSON.stringify(token)} ${Math.round(100 * Math.exp(logprob))} %`)
    .join(", ");

/** `name  value`, whole; an object's own fields below it. */
function fieldLines(fields: object, indent: string): string[] {
  return Object.entries(fields).flatMap(([name, value]: [string, unknown]): string[] => {
    const head = `${indent}${visible(name)}`;
    if (value === undefined) return [];
    const label = readLabel(value);
    if (label !== undefined) return [`${head}  ${barsOf(label)} ${describeLabel(label)}`];
    if (typeof value !== "object" || value === null) return [`${head}  ${visible(String(value))}`];
    const below = fieldLines(value, `${indent}  `);
    return below.length === 0 ? [`${head}  none`] : [head, ...below];
  });
}

/** The first difference, both sides and the fields in which they differ. */
export function linesOfDifference(
  difference: RecordDifference | undefined,
  [left, right]: readonly [string, string],
  style: Style,
): string[] {
  if (difference === undefined) return [`${one(left)} and ${one(right)} are the same but for ids, times and waits.`];
  const { step, lane, fields } = difference;
  const where = [step === undefined ? "outside of the steps" : `step ${step}`, ...(lane === undefined ? [] : [lane])];
  const width = Math.max(one(left).length, one(right).length);
  const side = (thread: string, recorded: RecordedEvent | undefined): string => {
    const text =
      recorded === undefined
        ? "no such event"
        : `#${recorded.seq} ${recorded.scope.node ?? ""} ${recorded.event.kind}  ${describe(recorded.event)?.text ?? ""}`;
    return `  ${one(thread).padEnd(width)}  ${one(text)}`;
  };
  const value = (of: unknown): string => (of === undefined ? "nothing" : one(JSON.stringify(of)));
  return [
    style.bold(`first difference: ${one(where.join(", "))}`),
    side(left, difference.left),
    side(right, difference.right),
    ...fields.flatMap((field) => [
      `  ${one(field.path)}`,
      `    ${one(left).padEnd(width)}  ${style.bad(value(field.left))}`,
      `    ${one(right).padEnd(width)}  ${style.good(value(field.right))}`,
    ]),
  ];
}

/** Characters a terminal obeys, or that hide others, and that `JSON.stringify` leaves as they are. */
const UNSEEN = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;

/** JSON of `value`: the same value, with nothing in it that a terminal would obey. */
export const printable = (value: unknown): string =>
  JSON.stringify(value, null, 2).replaceAll(UNSEEN, (character) =>
    [...Array(character.length).keys()]
      .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`)
      .join(""),
  );
