// What stands behind each line of the page: its event, what belongs to it elsewhere in the record, and the texts that
// those name. Put on the shelf as JSON that the page's script reads.

import { type ApprovalRecord, digestsOf, type EffectRecord, type RecordedEvent } from "../../../checkpoints/index.js";
import type { Detail, PageIndex, PromptOnShelf, StepOnShelf } from "./client/detail-shape.js";
import type { Row, Section } from "./rows.js";
import type { Shelf } from "./shelf.js";

/** What the details are made from. */
export interface DetailSource {
  readonly events: readonly RecordedEvent[];
  readonly texts: ReadonlyMap<string, string>;
  readonly approvals: readonly ApprovalRecord[];
  readonly effects: readonly EffectRecord[];
}

/** Puts the details of every line on the shelf. Returns what the page's script needs to find them. */
export function shelveDetails(
  source: DetailSource,
  sections: readonly Section[],
  shelf: Shelf,
): Pick<PageIndex, "details" | "owners"> {
  const { events, texts, approvals, effects } = source;
  const numbers = events.map((recorded) => shelf.add(JSON.stringify(recorded)));
  const relatives = relativesOf(events);
  const prompts = new Map<string, PromptOnShelf>();
  const owners: number[] = [];
  let line = 0;
  const owned = (number: number): number => {
    while (owners.length <= number) owners.push(-1);
    if (owners[number] === -1) owners[number] = line;
    return number;
  };
  const onShelf = (text: string | undefined): number | null => (text === undefined ? null : owned(shelf.add(text)));
  const promptOf = ({ event }: RecordedEvent): PromptOnShelf | undefined => {
    if (event.kind !== "model.request") return undefined;
    const { frame, pages = [], rest = [], tools, whole } = event.prompt;
    const known = prompts.get(event.digest);
    if (known !== undefined) return known;
    const made: PromptOnShelf = {
      ...(frame === undefined ? {} : { frame: shelf.add(JSON.stringify(frame)) }),
      ...(tools === undefined ? {} : { tools: onShelf(texts.get(tools)) }),
      ...(whole === undefined ? {} : { whole: onShelf(texts.get(whole)) }),
      pages: pages.map((page) => {
        const listed = texts.get(page);
        return listed === undefined
          ? null
          : shelf.add(JSON.stringify(listed.split("\n").map((each) => onShelf(texts.get(each)))));
      }),
      rest: rest.map((each) => onShelf(texts.get(each))),
    };
    prompts.set(event.digest, made);
    return made;
  };
  const textsOf = (members: readonly (RecordedEvent | undefined)[]): Detail["texts"] => {
    const named = members.flatMap((each) =>
      each === undefined || each.event.kind === "model.request" ? [] : digestsOf(each.event),
    );
    return Object.fromEntries(named.map((each) => [each, onShelf(texts.get(each))]));
  };
  const details = sections.flatMap(({ rows, from, to }) => {
    const details = rows.map((row): Omit<Detail, "step"> => {
      line = row.index;
      const members = [row.event, ...relatives(row)];
      const ids = new Set(members.flatMap((each) => approvalsIn(events[each])));
      const keys = new Set(members.flatMap((each) => effectsIn(events[each])));
      return {
        events: members.flatMap((each) => owned(numbers[each] ?? 0)),
        texts: textsOf(members.map((each) => events[each])),
        prompts: members.flatMap((each) => {
          const recorded = events[each];
          return (recorded === undefined ? undefined : promptOf(recorded)) ?? [];
        }),
        records: [
          ...approvals.filter(({ id }) => ids.has(id)).map((approval) => ({ approval })),
          ...effects.filter(({ key }) => keys.has(key)).map((effect) => ({ effect })),
        ].map((record) => shelf.add(JSON.stringify(record))),
      };
    });
    line = rows[0]?.index ?? 0; // What no line of the step has told belongs to its first one.
    const all = { events: numbers.slice(from, to).map(owned), texts: textsOf(events.slice(from, to)) };
    const step = shelf.add(JSON.stringify(all satisfies StepOnShelf));
    return details.map((detail) => shelf.add(JSON.stringify({ ...detail, step } satisfies Detail)));
  });
  return { details, owners };
}

const approvalsIn = (recorded: RecordedEvent | undefined): readonly string[] => {
  if (recorded === undefined) return [];
  const { event } = recorded;
  if (event.kind === "gate.decision") return event.approval === undefined ? [] : [event.approval];
  return event.kind.startsWith("approval.") && "id" in event ? [event.id] : [];
};

const effectsIn = (recorded: RecordedEvent | undefined): readonly string[] =>
  recorded?.event.kind === "effect" ? [recorded.event.key] : [];

/** Finds what belongs to a line: the other events of its call to a model, a tool's output, what an approval led to. */
function relativesOf(events: readonly RecordedEvent[]): (row: Row) => readonly number[] {
  const groups = new Map<string, number[]>();
  const keysOf = events.map((recorded, index) => {
    const keys = relationsOf(recorded);
    for (const key of keys) groups.set(key, [...(groups.get(key) ?? []), index]);
    return keys;
  });
  return ({ event }) => {
    const related = new Set((keysOf[event] ?? []).flatMap((key) => groups.get(key) ?? []));
    related.delete(event);
    return [...related].toSorted((left, right) => left - right);
  };
}

/** Names what an event has in common with others. */
function relationsOf({ scope, event }: RecordedEvent): readonly string[] {
  switch (event.kind) {
    case "model.request":
    case "model.response":
    case "model.error":
    case "capacity":
      return event.call === undefined ? [] : [`call ${scope.run} ${event.call}`];
    case "tool.output":
    case "tool.response":
      return [`tool ${scope.run} ${scope.lane} ${scope.step} ${scope.send} ${event.tool}`];
    case "approval.requested":
    case "approval.decided":
    case "approval.refused":
      return [`approval ${event.id}`];
    case "gate.decision":
      return [`gate ${event.callId}`, ...(event.approval === undefined ? [] : [`approval ${event.approval}`])];
    case "effect":
      return [`effect ${event.key}`, ...(event.callId === undefined ? [] : [`gate ${event.callId}`])];
    default:
      return [];
  }
}
