// Compares what a replay did with what was recorded: in each lane superstep by superstep, within one in any order, because
// parallel branches finish in any order. Prompts, answers and states count by their digests.

import { type HarnessEvent, isLike, stableEvent, without } from "../../checkpoints/index.js";
import type { Counted } from "./attempts.js";
import { type Divergence, divergenceOf } from "./divergence.js";
import { type Positioned, whereMissing } from "./place.js";

/** What a replay does not repeat: waiting is time, and refused attempts are in the answer that came in the end. */
const APART = new Set<HarnessEvent["kind"]>(["capacity", "model.request", "checkpoint"]);

interface Item extends Positioned {
  readonly value: unknown;
  readonly text: string;
}

/** What {@link compare} takes. */
export interface Comparison {
  readonly recorded: Counted;
  readonly replayed: Counted;
  /** Whether the record stops in the middle: what the replay did after that is no difference. */
  readonly open: boolean;
}

/** The first difference in each superstep, by lane. */
export function compare({ recorded, replayed, open }: Comparison): readonly Divergence[] {
  const left = groupsOf(recorded);
  const right = groupsOf(replayed);
  const found: Divergence[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const mine = left.get(key) ?? [];
    const theirs = right.get(key) ?? [];
    const one = without(mine, theirs)[0];
    const others = without(theirs, mine);
    const other = (one && others.find((each) => isLike(each, one))) ?? others[0];
    if (one === undefined && (other === undefined || open)) continue;
    found.push(one === undefined ? surplus(other as Item, recorded.record) : difference(one, other));
  }
  return [...found, ...statesOf(recorded, replayed)];
}

const difference = ({ recorded, index, value }: Item, other: Item | undefined): Divergence =>
  divergenceOf({
    kind: "event",
    scope: recorded.scope,
    index,
    event: recorded,
    message: other === undefined ? `${recorded.event.kind} did not happen` : `${recorded.event.kind} is another`,
    ...(other === undefined ? {} : { left: value, right: other.value }),
  });

/** Something that only the replay did. */
function surplus({ recorded: { scope, event } }: Item, record: readonly Positioned[]): Divergence {
  const at = whereMissing(record, scope);
  return divergenceOf({
    kind: "event",
    scope,
    index: at?.index ?? 0,
    ...(at === undefined ? {} : { event: at.recorded }),
    message: `${event.kind} happened, which is not in the record`,
  });
}

/** Every recorded state has to be reached. */
function statesOf(recorded: Counted, replayed: Counted): readonly Divergence[] {
  const reached = new Map<string, Set<string>>();
  for (const { recorded: each } of replayed.record) {
    if (each.event.kind !== "checkpoint") continue;
    const key = `${each.scope.thread}\n${each.scope.step}`;
    reached.set(key, (reached.get(key) ?? new Set()).add(each.event.digest));
  }
  return recorded.record.flatMap(({ recorded: each, index }) => {
    const { event, scope } = each;
    if (event.kind !== "checkpoint") return [];
    const digests = reached.get(`${scope.thread}\n${scope.step}`);
    if (digests?.has(event.digest)) return [];
    const [now] = digests ?? [];
    return divergenceOf({
      ...{ kind: "event", scope, index, event: each, recorded: event.digest },
      ...(now === undefined ? {} : { now }),
      message: now === undefined ? "the state after it was not reached" : "the state after it is another",
    });
  });
}

function groupsOf({ record, repeated }: Counted): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const { recorded, index } of record) {
    const { scope, event } = recorded;
    if (scope.node === undefined || APART.has(event.kind) || repeated.has(index)) continue;
    const key = [scope.thread, scope.lane ?? "", scope.step ?? ""].join("\n");
    const value = { node: scope.node, ...stableEvent(event, { contents: true }) };
    const items = groups.get(key) ?? [];
    items.push({ recorded, index, value, text: JSON.stringify(value) });
    groups.set(key, items);
  }
  return groups;
}
