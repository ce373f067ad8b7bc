// The first difference between two records. Lanes are compared with lanes and supersteps with supersteps; what happened
// within one superstep may have happened in any order, because parallel branches do. Ids, times and waits are not
// compared: they differ between any two runs. Pure.

import { type FieldDifference, fieldsOf, isLike, stableEvent, without } from "./comparable.js";
import type { RecordedEvent } from "./journal/events.js";
import { subagentOf } from "./lane.js";

/** The first difference. A side is unset when its record has no such event. */
export interface RecordDifference {
  /** The subagent in whose lane it is; unset in the run's own. */
  readonly lane?: string;
  readonly step?: number;
  readonly left?: RecordedEvent;
  readonly right?: RecordedEvent;
  /** Empty when only one side has the event. */
  readonly fields: readonly FieldDifference[];
}

/** Events that are digests of what others say in words. */
const SAID_ELSEWHERE = new Set(["checkpoint", "model.request", "tool.output"]);

/** How many fields are told. */
const MOST = 20;

interface Item {
  readonly recorded: RecordedEvent;
  /** Where it stands in the whole record. */
  readonly index: number;
  readonly value: unknown;
  readonly text: string;
}

/** The events of a lane that happened in one superstep, next to each other. */
interface Section {
  readonly step: number | undefined;
  readonly items: Item[];
}

interface Lane {
  readonly subagent: string | undefined;
  readonly sections: Section[];
}

/** Finds the first difference; `undefined` when there is none. */
export function firstDifference(
  left: readonly RecordedEvent[],
  right: readonly RecordedEvent[],
): RecordDifference | undefined {
  let first: { readonly index: number; readonly difference: RecordDifference } | undefined;
  for (const [mine, theirs] of pairsOf(lanesOf(left), lanesOf(right))) {
    const found = differenceOf(mine, theirs);
    if (found !== undefined && (first === undefined || found.index < first.index)) first = found;
  }
  return first?.difference;
}

function differenceOf(left: Lane | undefined, right: Lane | undefined) {
  const length = Math.max(left?.sections.length ?? 0, right?.sections.length ?? 0);
  for (let index = 0; index < length; index += 1) {
    const mine = left?.sections[index]?.items ?? [];
    const theirs = right?.sections[index]?.items ?? [];
    const ownly = without(mine, theirs);
    const others = without(theirs, mine);
    const one = ownly[0];
    const other = one === undefined ? others[0] : (others.find((each) => isLike(each, one)) ?? others[0]);
    if (one === undefined && other === undefined) continue;
    const at = one ?? other;
    const lane = left?.subagent ?? right?.subagent;
    const step = at?.recorded.scope.step;
    const difference: RecordDifference = {
      ...(lane === undefined ? {} : { lane }),
      ...(step === undefined ? {} : { step }),
      ...(one === undefined ? {} : { left: one.recorded }),
      ...(other === undefined ? {} : { right: other.recorded }),
      fields: one === undefined || other === undefined ? [] : fieldsOf(one.value, other.value, "").slice(0, MOST),
    };
    return { index: Math.min(one?.index ?? Infinity, other?.index ?? Infinity), difference };
  }
  return undefined;
}

function lanesOf(events: readonly RecordedEvent[]): Lane[] {
  const lanes = new Map<string | undefined, Lane>();
  for (const [index, recorded] of events.entries()) {
    const { scope, event } = recorded;
    if (event.kind === "capacity" && event.event.kind === "queued") continue; // Waiting is time.
    if (SAID_ELSEWHERE.has(event.kind)) continue;
    const subagent = scope.lane === undefined ? undefined : subagentOf(scope.lane);
    const lane = lanes.get(scope.lane) ?? { subagent, sections: [] };
    lanes.set(scope.lane, lane);
    let section = lane.sections.at(-1);
    if (section === undefined || section.step !== scope.step) {
      section = { step: scope.step, items: [] };
      lane.sections.push(section);
    }
    const value = { node: scope.node ?? null, ...stableEvent(event, { contents: false }) };
    section.items.push({ recorded, index, value, text: JSON.stringify(value) });
  }
  return [...lanes.values()];
}

/** Lanes of the same subagent that are alike belong together; the others in the order in which they appear. */
function pairsOf(left: readonly Lane[], right: readonly Lane[]): [Lane | undefined, Lane | undefined][] {
  const textOf = ({ subagent, sections }: Lane): string =>
    [subagent ?? "", ...sections.flatMap(({ items }) => items.map(({ text }) => text).toSorted())].join("\n");
  const alike = new Map<string, Lane[]>();
  for (const lane of right) alike.set(textOf(lane), [...(alike.get(textOf(lane)) ?? []), lane]);
  const same = new Map(left.map((lane) => [lane, alike.get(textOf(lane))?.shift()]));
  const taken = new Set([...same.values()]);
  const rest = right.filter((lane) => !taken.has(lane));
  const pairs = left.map((lane): [Lane, Lane | undefined] => {
    const known = same.get(lane);
    if (known !== undefined) return [lane, known];
    const index = rest.findIndex(({ subagent }) => subagent === lane.subagent);
    return [lane, index === -1 ? undefined : rest.splice(index, 1)[0]];
  });
  return [...pairs, ...rest.map((lane): [undefined, Lane] => [undefined, lane])];
}
