// What somebody can do to a record of events, as changes of its rows, each with the place that verification must name.

import fc from "fast-check";
import { type Journal, openJournal } from "../../checkpoints/index.js";
import { chained, type StoredEvent, type StoredHead, sha256 } from "../../checkpoints/journal/chain.js";
import type { EventPlace } from "../../checkpoints/journal/verify.js";

/** The rows that are tampered with. */
export interface Rows {
  readonly events: readonly StoredEvent[];
  readonly heads: readonly StoredHead[];
}

/** Rows after somebody was at them. */
export interface Tampered extends Rows {
  readonly what: string;
  readonly at: EventPlace;
}

/** Records three runs of thread `t1`, beside one of another. The last one did not end. */
export async function record(journal: Journal): Promise<void> {
  for (const [run, length] of [
    ["r1", 6],
    ["r2", 4],
    ["other", 3],
    ["r3", 5],
  ] as const) {
    const scope = { thread: run === "other" ? "t2" : "t1", run };
    for (let ms = 1; ms < length; ms += 1) await journal.append(scope, { kind: "node.end", ms, error: `of ${run}` });
    if (run === "r3") await journal.append(scope, { kind: "node.end", ms: length });
    else await journal.append(scope, { kind: "run.end", status: "finished" });
  }
}

/** Opens, records, closes: so that the heads are outside too. */
export async function recorded(url: string, keyFile: string | undefined): Promise<void> {
  const journal = openJournal(url, { keyFile });
  await record(journal);
  await journal.close();
}

/** The text with another character at a place. */
export const flipped = (text: string, at: number): string => {
  const index = at % text.length;
  return `${text.slice(0, index)}${text[index] === "0" ? "1" : "0"}${text.slice(index + 1)}`;
};

const FIELDS = ["header", "body", "prev", "hash"] as const;

function flip({ events, heads }: Rows, index: number, choice: number): Tampered {
  const event = events[index] as StoredEvent;
  const field = FIELDS.filter((name) => event[name] !== "")[choice % (event.prev === "" ? 3 : 4)] ?? "hash";
  const changed = { ...event, [field]: flipped(event[field], choice) };
  return { what: `flip ${field}`, at: event, heads, events: events.with(index, changed) };
}

function drop({ events, heads }: Rows, index: number): Tampered {
  return { what: "drop", at: events[index] as StoredEvent, heads, events: events.toSpliced(index, 1) };
}

/** Two events of one run change places, or only what they say does. */
function swap({ events, heads }: Rows, index: number, choice: number): Tampered {
  const one = events[index] as StoredEvent;
  const others = events.filter(({ run, seq }) => run === one.run && seq !== one.seq);
  const two = others[choice % others.length] as StoredEvent;
  const at = one.seq < two.seq ? one : two;
  const place = events.indexOf(two);
  if (choice % 2 === 0) return { what: "swap", at, heads, events: events.with(index, two).with(place, one) };
  const labels = (from: StoredEvent, to: StoredEvent) => ({ ...from, run: to.run, seq: to.seq });
  return { what: "swap", at, heads, events: events.with(index, labels(two, one)).with(place, labels(one, two)) };
}

/** One more event after another one, well chained; the numbers of those after it move up, or stay. */
function insert({ events, heads }: Rows, index: number, choice: number): Tampered {
  const { run, seq, thread, hash } = events[index] as StoredEvent;
  const body = JSON.stringify({ kind: "node.end", ms: choice });
  const header = JSON.stringify({ at: choice, body: sha256(body), kind: "node.end", run, seq: seq + 1, thread });
  const event = { run, seq: seq + 1, thread, header, body, prev: hash, hash: chained(hash, header) };
  const moved = events.map((each) => (each.run === run && each.seq > seq ? { ...each, seq: each.seq + 1 } : each));
  const isLast = !events.some((each) => each.run === run && each.seq > seq);
  return {
    what: "insert",
    at: { run, seq: isLast ? seq + 1 : seq + 2 },
    heads,
    events: moved.toSpliced(index + 1, 0, event),
  };
}

/** Cuts a run's tail off, from the second event on, and tells its head so. */
function truncate({ events, heads }: Rows, index: number): Tampered {
  const { run, seq } = events[index] as StoredEvent;
  const length = Math.max(seq - 1, 1);
  const last = events.find((each) => each.run === run && each.seq === length) as StoredEvent;
  const kept = events.filter((each) => each.run !== run || each.seq <= length);
  const changed = heads.map((head) => (head.run === run ? { ...head, length, hash: last.hash } : head));
  return { what: "truncate", at: last, heads: changed, events: kept };
}

/** Writes a body anew, and every hash after it, and the head: what a bare chain cannot show. */
function rewrite({ events, heads }: Rows, index: number, choice: number): Tampered {
  const { run, seq } = events[index] as StoredEvent;
  let prev: string | undefined;
  const changed = events.map((event) => {
    if (event.run !== run || event.seq < seq) return event;
    const body = event.seq === seq ? JSON.stringify({ ...JSON.parse(event.body), ms: 1000 + choice }) : event.body;
    const header = JSON.stringify({ ...JSON.parse(event.header), body: sha256(body) });
    const before = prev ?? event.prev;
    prev = chained(before, header);
    return { ...event, body, header, prev: before, hash: prev };
  });
  const last = changed.filter((event) => event.run === run).at(-1) as StoredEvent;
  const moved = heads.map((head) => (head.run === run ? { ...head, hash: last.hash } : head));
  return { what: "rewrite", at: last, heads: moved, events: changed };
}

/** Puts another body into one event, with digest and hash to fit. */
function replaced({ events, heads }: Rows, index: number, body: string): Rows {
  const event = events[index] as StoredEvent;
  const header = JSON.stringify({ ...JSON.parse(event.header), body: sha256(body) });
  return { heads, events: events.with(index, { ...event, body, header, hash: chained(event.prev, header) }) };
}

/** Only what follows, or the head of the run, shows this. */
function replace(rows: Rows, index: number, choice: number): Tampered {
  const event = rows.events[index] as StoredEvent;
  const { run, seq } = event;
  const isLast = !rows.events.some((each) => each.run === run && each.seq > seq);
  const body = JSON.stringify({ ...JSON.parse(event.body), ms: 1000 + choice });
  return { what: "replace", at: { run, seq: isLast ? seq : seq + 1 }, ...replaced(rows, index, body) };
}

function retype(rows: Rows, index: number): Tampered {
  return { what: "retype", at: rows.events[index] as StoredEvent, ...replaced(rows, index, '{"kind":"node.start"}') };
}

/** Any tampering with these rows. */
export const tampering = (rows: Rows): fc.Arbitrary<Tampered> =>
  fc
    .tuple(
      fc.constantFrom(flip, drop, swap, insert, truncate, rewrite, replace, retype),
      fc.nat(rows.events.length - 1),
      fc.nat(500),
    )
    .map(([change, index, choice]) => change(rows, index, choice));
