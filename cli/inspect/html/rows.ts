// The lines of the page, by superstep: those of the terminal's timeline, in columns where subagents ran side by side,
// and one for every question to a model that nothing in the record answers. Pure.

import type { RecordedEvent } from "../../../checkpoints/index.js";
import { LaneNames } from "../lanes.js";
import { placeOf, type TimelineEntry, timelineOf } from "../timeline.js";

/** One line. */
export interface Row extends TimelineEntry {
  /** Its number on the page, from 0. */
  readonly index: number;
  /** Where its event stands in the record. */
  readonly event: number;
}

/** The lines of one superstep of the run's own lane, those of the subagents that ran within it included. */
export interface Section {
  readonly run: string;
  /** Unset for what happened outside of the steps. */
  readonly step: number | undefined;
  /** The columns: `undefined` is the run's own lane. One column only where no subagent ran. */
  readonly lanes: readonly (string | undefined)[];
  readonly rows: readonly Row[];
  /**
   * Where its events stand in the record: the first, and the one after the last. Those of steps without a line belong
   * to the section after them, at the end to the last one.
   */
  readonly from: number;
  readonly to: number;
}

/** Divides the lines of a record. */
export function sectionsOf(events: readonly RecordedEvent[]): readonly Section[] {
  const entries = new Map(timelineOf(events).entries.map((entry) => [`${entry.run} ${entry.seq}`, entry]));
  const names = new LaneNames();
  const unanswered = unansweredIn(events);
  const sections: Section[] = [];
  let open: { run: string; step: number | undefined; rows: Row[] } | undefined;
  let index = 0;
  let from = 0;
  const close = (to: number): void => {
    if (open === undefined || open.rows.length === 0) return;
    const lanes = [...new Set(open.rows.map(({ lane }) => lane))];
    sections.push({ ...open, from, to, lanes: lanes.length > 1 ? [...new Set([undefined, ...lanes])] : lanes });
    from = to;
  };
  for (const [event, recorded] of events.entries()) {
    const { scope, seq } = recorded;
    const lane = names.of(recorded);
    if (open === undefined || open.run !== scope.run || (lane === undefined && open.step !== scope.step)) {
      close(event);
      open = { run: scope.run, step: lane === undefined ? scope.step : undefined, rows: [] };
    }
    const entry =
      entries.get(`${scope.run} ${seq}`) ?? (unanswered.has(recorded) ? lineOfRequest(recorded, lane) : undefined);
    if (entry === undefined) continue;
    open.rows.push({ ...entry, index, event });
    index += 1;
  }
  close(events.length);
  const last = sections.pop();
  return last === undefined ? [] : [...sections, { ...last, to: events.length }];
}

/**
 * Lines of a section in rows of a table, the order of recording from top to bottom: a subagent's line goes beside that of
 * another one before it when its column is still free there. The run's own stand alone.
 */
export function gridOf({ lanes, rows }: Section): readonly (readonly (Row | undefined)[])[] {
  const grid: (Row | undefined)[][] = [];
  for (const row of rows) {
    const column = lanes.indexOf(row.lane);
    const last = grid.at(-1);
    const isBeside = last?.[0] === undefined && row.lane !== undefined;
    if (last !== undefined && isBeside && last[column] === undefined) last[column] = row;
    else grid.push(lanes.map((_, at) => (at === column ? row : undefined)));
  }
  return grid;
}

/** The requests of which neither an answer nor an error is recorded: it still ran then, or it was killed. */
function unansweredIn(events: readonly RecordedEvent[]): ReadonlySet<RecordedEvent> {
  const answered = new Set<string>();
  for (const { scope, event } of events) {
    if ((event.kind === "model.response" || event.kind === "model.error") && event.call !== undefined)
      answered.add(`${scope.run} ${event.call}`);
  }
  return new Set(
    events.filter(({ scope, event }) => event.kind === "model.request" && !answered.has(`${scope.run} ${event.call}`)),
  );
}

const lineOfRequest = (recorded: RecordedEvent, lane: string | undefined): TimelineEntry => ({
  ...placeOf(recorded, lane),
  text: `asks ${recorded.event.kind === "model.request" ? recorded.event.route : "a model"}; no answer is recorded`,
  tone: "bad",
});
