// Why a thread ended as it did: for the latest question or block of the gate, or else for the final label, the shortest
// chain of events that explains it. For each axis that counted: what was read, the first fall to the rank it had, how
// that reached the run's own lane; then the decision, what people answered, and what was done. Pure.

import { type HarnessEvent, type RecordedEvent, trustIn } from "../../checkpoints/index.js";
import { AXES, type Axis, meet, minTrust, type Rank } from "../../trust/index.js";
import { callOf, describe } from "./describe.js";
import { LaneNames } from "./lanes.js";

type EventOf<Kind extends HarnessEvent["kind"]> = Extract<HarnessEvent, { kind: Kind }>;
type RecordOf<Kind extends HarnessEvent["kind"]> = RecordedEvent & { readonly event: EventOf<Kind> };

/** One event of the chain, and what it is there for. */
export interface Link {
  readonly role: "began" | "read" | "fall" | "carried" | "decision" | "approval" | "effect";
  readonly run: string;
  readonly seq: number;
  readonly step?: number;
  readonly node?: string;
  /** The subagent's lane, as `reader#1`. */
  readonly lane?: string;
  readonly text: string;
}

/** The explanation. */
export interface Why {
  /** What is explained: a verdict of the gate, or the final label when nothing was asked or blocked. */
  readonly about: "block" | "ask" | "label";
  /** In words, the cause first: one sentence for each axis that counted, then the decision. */
  readonly summary: readonly string[];
  /** In order of recording. */
  readonly chain: readonly Link[];
}

const is =
  <Kind extends HarnessEvent["kind"]>(kind: Kind) =>
  (recorded: RecordedEvent): recorded is RecordOf<Kind> =>
    recorded.event.kind === kind;

const isFall = is("trust.fell");
const isDecision = is("gate.decision");
const isDerived = is("thread.derived");

/** Explains a thread's events, in the order of recording. */
export function whyOf(events: readonly RecordedEvent[]): Why {
  const decision = events.filter(isDecision).findLast(({ event }) => event.verdict !== "allow");
  const end = decision === undefined ? events.length : events.indexOf(decision);
  const before = events.slice(0, end);
  const places = new Places(events);
  const chain = new Map<number, Link>();
  const add = (recorded: RecordedEvent, role: Link["role"]): void => {
    chain.set(events.indexOf(recorded), linkOf(recorded, role, places));
  };
  const summary = ranksOf(before, decision?.event).map(([axis, rank]) => {
    const fall = before.filter(isFall).find(({ event }) => event.to[axis] <= rank && event.from[axis] > rank);
    if (fall === undefined) {
      const derived = before.filter(isDerived).find(({ event }) => event.floor[axis] <= rank);
      if (derived !== undefined) add(derived, "began");
      const how =
        derived === undefined
          ? "the values that were used had that rank"
          : (describe(derived.event)?.text ?? "derived");
      return `${axis} was ${rank} without a fall in this record: ${how}`;
    }
    const source = sourceOf(fall, axis, before);
    if (source !== undefined) add(source, "read");
    add(fall, "fall");
    if (fall.scope.lane !== undefined) {
      const carried = before
        .slice(events.indexOf(fall))
        .filter(isFall)
        .find(({ scope, event }) => scope.lane === undefined && event.to[axis] <= rank);
      if (carried !== undefined) add(carried, "carried");
    }
    return `${axis} fell to ${fall.event.to[axis]} at ${places.of(fall, source)}: ${causeOf(fall.event, axis)}`;
  });
  if (decision === undefined) {
    if (summary.length === 0) summary.push("nothing fell: the trust is nominal, and nothing was asked or blocked");
    return { about: "label", summary, chain: sorted(chain) };
  }
  const about = decision.event.verdict === "block" ? "block" : "ask";
  const call = callOf(decision.event.tool, decision.event.arguments);
  const reasons = decision.event.reasons.join("; ");
  if (summary.length === 0) summary.push("nothing fell that counted here");
  summary.push(
    `so the gate ${about === "block" ? "blocked" : "asked for"} ${call} at ${places.of(decision)}${reasons === "" ? "" : `: ${reasons}`}`,
  );
  add(decision, "decision");
  for (const [recorded, role] of consequencesOf(events, end, decision.event)) add(recorded, role);
  return { about, summary, chain: sorted(chain) };
}

const sorted = (chain: ReadonlyMap<number, Link>): Link[] =>
  [...chain].toSorted(([left], [right]) => left - right).map(([, link]) => link);

/** The axes that counted, the lowest first: those the gate found too low, or those that are lowest at the end. */
function ranksOf(before: readonly RecordedEvent[], decision: EventOf<"gate.decision"> | undefined): [Axis, Rank][] {
  if (decision !== undefined) {
    const counted = decision.deficits.map(({ axis, rank }): [Axis, Rank] => [axis, rank]);
    return counted.toSorted(([, left], [, right]) => left - right);
  }
  const final = meet(...before.flatMap(({ event }) => trustIn(event) ?? []));
  const lowest = minTrust(final);
  return lowest === 3 ? [] : AXES.filter((axis) => final[axis] === lowest).map((axis) => [axis, lowest]);
}

/** What the node had read or been answered when it fell: of what explains it, the one the cause names, or the last. */
function sourceOf(
  fall: RecordOf<"trust.fell">,
  axis: Axis,
  before: readonly RecordedEvent[],
): RecordedEvent | undefined {
  const { scope, event } = fall;
  const inLane = before.slice(0, before.indexOf(fall)).filter((each) => each.scope.lane === scope.lane);
  const start = inLane.findLastIndex((each) => each.scope.step !== scope.step);
  const candidates = inLane
    .slice(start + 1)
    .filter((each) => each.scope.node === scope.node && lowers(each.event, axis, event.to[axis]));
  const cause = causeOf(event, axis);
  const named = candidates.find((each) => {
    const actor = actorOf(each.event);
    return actor !== undefined && cause.includes(actor);
  });
  return named ?? candidates.at(-1);
}

function lowers(event: HarnessEvent, axis: Axis, rank: Rank): boolean {
  switch (event.kind) {
    case "tool.response":
    case "subagent.end":
      return event.label[axis] <= rank;
    case "model.response":
      return axis !== "integrity";
    case "label.missing":
    case "state.update":
      return true;
    case "compact":
      return event.summarised > 0 && axis === "fidelity";
    default:
      return false;
  }
}

const causeOf = ({ causes }: EventOf<"trust.fell">, axis: Axis): string => {
  const own = causes.filter((cause) => cause.axis === axis);
  const lowest = Math.min(...own.map(({ rank }) => rank));
  const reasons = new Set(own.filter(({ rank }) => rank === lowest).map(({ reason }) => reason));
  return [...reasons].join("; ") || "the record names no cause";
};

/** What followed: answers to this question, decisions on this call anew, and effects of its tool until the next call. */
function* consequencesOf(
  events: readonly RecordedEvent[],
  decided: number,
  decision: EventOf<"gate.decision">,
): Generator<[RecordedEvent, Link["role"]]> {
  const keys = new Set<string>();
  for (const [index, recorded] of events.entries()) {
    const { event } = recorded;
    const isAnswer = event.kind === "approval.decided" || event.kind === "approval.refused";
    if (isAnswer && event.id === decision.approval) yield [recorded, "approval"];
    if (index <= decided) continue;
    if (event.kind === "gate.decision" && event.tool === decision.tool && event.callId !== decision.callId) return;
    if (event.kind === "gate.decision" && event.callId === decision.callId) yield [recorded, "decision"];
    if (event.kind !== "effect" || event.tool !== decision.tool || decision.verdict === "block") continue;
    const isOf = event.callId === undefined ? keys.size === 0 : event.callId === decision.callId;
    if (event.status === "dispatched" && isOf) keys.add(event.key);
    if (keys.has(event.key)) yield [recorded, "effect"];
  }
}

/** Where events stand, in words. */
class Places {
  private readonly names = new LaneNames();

  constructor(events: readonly RecordedEvent[]) {
    for (const each of events) this.names.of(each);
  }

  lane(recorded: RecordedEvent): string | undefined {
    return this.names.of(recorded);
  }

  /** `step 12 (tools: read_ticket_text)`; the lane before the node where there is one. */
  of(recorded: RecordedEvent, source?: RecordedEvent): string {
    const { node = "outside of the graph", step = "?" } = recorded.scope;
    const lane = this.lane(recorded);
    const by = source === undefined ? undefined : actorOf(source.event);
    return `step ${step} (${lane === undefined ? "" : `${lane} `}${node}${by === undefined ? "" : `: ${by}`})`;
  }
}

function actorOf(event: HarnessEvent): string | undefined {
  switch (event.kind) {
    case "tool.response":
      return event.tool;
    case "subagent.end":
      return event.subagent;
    case "model.response":
      return event.obtained.route;
    default:
      return undefined;
  }
}

function linkOf(recorded: RecordedEvent, role: Link["role"], places: Places): Link {
  const { scope, seq, event } = recorded;
  const lane = places.lane(recorded);
  return {
    role,
    run: scope.run,
    seq,
    ...(scope.step === undefined ? {} : { step: scope.step }),
    ...(scope.node === undefined ? {} : { node: scope.node }),
    ...(lane === undefined ? {} : { lane }),
    text: describe(event)?.text ?? event.kind,
  };
}
