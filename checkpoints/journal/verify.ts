// Tamper evidence: walks the chain of a thread, run after run, and says where it is broken. It trusts nothing of what is
// stored but what the key has sealed and what was kept outside. Source: trust-replay.md, section 3.4 and property P14.

import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import {
  chainedBefore,
  fitsHead,
  headerColumn,
  isChained,
  isNamed,
  keyIdOf,
  type StoredEvent,
  type StoredHead,
  sha256,
} from "./chain.js";
import { harnessEvent } from "./event-schema.js";
import type { TextDigest } from "./events.js";
import type { KeptHead } from "./kept-heads.js";
import { digestsOf, promptMessages } from "./prompt.js";
import type { StoredKey, StoredText } from "./recording.js";
import { json } from "./rows.js";
import { keyOf, type ThreadKey } from "./thread-key.js";
import type { Journal } from "./types.js";

/** One event, by its run and its number there. */
export interface EventPlace {
  readonly run: string;
  readonly seq: number;
}

/** What a verification found. */
export type Verification =
  | {
      readonly ok: true;
      readonly events: number;
      readonly runs: number;
      /** Heads whose seal fits. 0 when there was no key to check them with. */
      readonly heads: number;
      /** Heads kept outside the database that fit. */
      readonly kept: number;
      /** Events whose bodies were erased, by an event that says so. */
      readonly erased: number;
      /** Texts that events name, each counted once. All of them are there, and what was written. */
      readonly texts: number;
      /** Lines beside them that say nothing: torn, changed, or written with another key. */
      readonly unreadable: number;
      /**
       * From here on runs are linked and heads sealed; before it, only each run's own chain holds. `undefined`: nowhere,
       * all of it was recorded by an earlier version.
       */
      readonly completeFrom: EventPlace | undefined;
    }
  | {
      readonly ok: false;
      /** Where; `undefined` when it is no event that is damaged. */
      readonly at: EventPlace | undefined;
      readonly problem: string;
    };

/** What is walked. */
export interface Verifiable {
  /** In the order of recording. */
  readonly events: readonly StoredEvent[];
  readonly heads: readonly StoredHead[];
  readonly kept?: readonly KeptHead[];
  readonly unreadable?: number;
  readonly keys?: readonly StoredKey[];
  readonly texts?: readonly StoredText[];
}

/** What the walk needs beside the events. */
interface Around {
  readonly keys: ReadonlyMap<string, ThreadKey>;
  /** Where the last erasure of the thread stands among its events; -1 without one. */
  readonly erasedBefore: number;
  readonly places: ReadonlyMap<StoredEvent, number>;
  readonly texts: ReadonlyMap<TextDigest, string>;
  /** Digests of texts that were found to be what they should be. */
  readonly sound: Set<TextDigest>;
}

const bodyKind = json(z.looseObject({ kind: z.string() }));
const body = json(harnessEvent);

/** Carries the first problem out of the walk. */
class Broken extends Error {
  readonly at: EventPlace;
  constructor({ run, seq }: EventPlace, what: string) {
    super(`run ${run}, event ${seq}: ${what}`);
    this.at = { run, seq };
  }
}

const check = (holds: boolean, at: EventPlace, what: string): void => {
  if (!holds) throw new Broken(at, what);
};

/** Recomputes the recording of a thread and checks its seals. */
export async function verifyThread(journal: Journal, thread: string): Promise<Verification> {
  return verifyRecording(await journal.recording(thread), journal.seal);
}

/** Recomputes a recording. Without a seal, those of the heads are not checked. Total: damage is a result, not an error. */
export function verifyRecording(recording: Verifiable, seal: Seal | undefined): Verification {
  try {
    return walk(recording, seal);
  } catch (error) {
    if (error instanceof Broken) return { ok: false, at: error.at, problem: error.message };
    throw error;
  }
}

function walk(recording: Verifiable, seal: Seal | undefined): Verification {
  const { events, heads, kept = [], unreadable = 0, keys = [], texts = [] } = recording;
  const around: Around = {
    keys: new Map(keys.map(({ id, secret }) => [id, keyOf(id, secret)])),
    erasedBefore: events.findLastIndex((event) => isErasure(event)),
    places: new Map(events.map((event, index) => [event, index])),
    texts: new Map(texts.map(({ digest, text }) => [digest, text])),
    sound: new Set(),
  };
  const runs = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const own = runs.get(event.run);
    if (own === undefined) runs.set(event.run, [event]);
    else own.push(event);
  }
  const headOf = new Map(heads.map((head) => [head.run, head]));
  const earlier = new Set<string>(); // The hashes of everything recorded before a run.
  let seen = 0;
  let completeFrom: EventPlace | undefined;
  for (const [run, own] of runs) {
    verifyRun(own, around);
    const isLegacy = own.some((each) => each.hash === chainedBefore(each.prev, each.header));
    verifyHead(headOf.get(run), own, isLegacy, seal);
    check(!isLegacy || completeFrom === undefined, { run, seq: 1 }, "its run is not linked to the one before it");
    if (!isLegacy) completeFrom ??= { run, seq: 1 };
    // Runs of one thread may be interleaved: what counts as earlier is what stands before the first event.
    for (; events[seen] !== own[0]; seen += 1) earlier.add(events[seen]?.hash ?? "");
    if (!isLegacy) verifyLink(own, earlier);
  }
  for (const { run, length } of heads) {
    check(runs.has(run), { run, seq: 1 }, `it is missing, with all ${length} events of its run`);
  }
  for (const head of kept) verifyKept(head, runs.get(head.run));
  return {
    ...{ ok: true, events: events.length, runs: runs.size, heads: seal === undefined ? 0 : sealed(heads) },
    ...{ kept: kept.length, unreadable, completeFrom, texts: around.sound.size },
    erased: events.filter(({ body }) => body === "").length,
  };
}

/** Not by the header: that of a body in the clear could name any kind. */
const isErasure = ({ body, header }: StoredEvent): boolean =>
  bodyKind.safeParse(body).data?.kind === "thread.erased" &&
  headerColumn.safeParse(header).data?.kind === "thread.erased";

const sealed = (heads: readonly StoredHead[]): number => heads.filter((head) => head.seal !== null).length;

function verifyRun(events: readonly StoredEvent[], around: Around): void {
  const numbers = new Set(events.map(({ seq }) => seq));
  let before: StoredEvent | undefined;
  for (const event of events) {
    const { run, seq } = event;
    const due = (before?.seq ?? 0) + 1;
    check(seq <= due || numbers.has(due), { run, seq: due }, "it is missing");
    check(seq <= due, { run, seq: due }, `it does not stand in its place: event ${seq} comes before it`);
    check(seq === due, { run, seq }, "it is there twice, or not in its place");
    verifyEvent(event, around);
    check(before === undefined || event.prev === before.hash, event, `it does not follow event ${seq - 1}`);
    before = event;
  }
}

/** The event in itself: row, header and body agree, and so do the texts that it names. */
function verifyEvent(event: StoredEvent, around: Around): void {
  const { keys, erasedBefore, places } = around;
  check(isChained(event), event, "its hash is not that of its header in this place");
  const { data: header } = headerColumn.safeParse(event.header);
  if (header === undefined) throw new Broken(event, "its header cannot be read");
  const isOwn = header.run === event.run && header.seq === event.seq && header.thread === event.thread;
  check(isOwn, event, `its header is that of event ${header.seq} of run ${header.run} of thread ${header.thread}`);
  if (event.body === "") {
    check((places.get(event) ?? 0) < erasedBefore, event, "its body is missing, and no event says who erased it");
    return;
  }
  const id = keyIdOf(header.body);
  check(
    id === undefined || keys.has(id),
    event,
    "the key that its body was written with is gone, or another journal's",
  );
  check(isNamed(event.body, header.body, keys), event, "its body is not what its digest names");
  check(bodyKind.safeParse(event.body).data?.kind === header.kind, event, `its body is not of kind ${header.kind}`);
  verifyTexts(event, header.kind, around);
}

/** Kinds of events that name texts. */
const NAMING: ReadonlySet<string> = new Set([
  "input",
  "state.update",
  "recall",
  "model.request",
  "model.response",
  "model.error",
  "tool.output",
]);

function verifyTexts(event: StoredEvent, kind: string, { texts, sound }: Around): void {
  const named = NAMING.has(kind) ? body.safeParse(event.body).data : undefined;
  if (named === undefined) return;
  const verify = (digest: TextDigest): void => {
    if (sound.has(digest)) return;
    const text = texts.get(digest);
    check(text !== undefined, event, `text ${digest}, which it names, is missing`);
    check(sha256(text ?? "") === digest, event, `text ${digest}, which it names, is not what was written`);
    sound.add(digest);
  };
  digestsOf(named).forEach(verify);
  if (named.kind === "model.request") promptMessages(named.prompt, texts)?.forEach(verify);
}

function verifyHead(
  head: StoredHead | undefined,
  events: readonly StoredEvent[],
  isLegacy: boolean,
  seal: Seal | undefined,
): void {
  const last = events.at(-1);
  if (last === undefined) return;
  if (head === undefined) throw new Broken(last, "its run has no head");
  const { run, length, hash } = head;
  check(length <= last.seq, { run, seq: last.seq + 1 }, `it is missing: the head of the run counts ${length} events`);
  check(length === last.seq, { run, seq: length + 1 }, `the head of the run counts ${length} events only`);
  check(hash === last.hash, last, "it is not the one that the head of its run names");
  if (isLegacy && head.seal === null) return;
  check(head.seal !== null, last, "the head of its run has no seal");
  if (seal === undefined) return;
  check(
    fitsHead(head, head.seal, seal),
    last,
    "the seal of its run's head does not fit: something else than this harness, with this key, wrote it",
  );
}

function verifyLink([event]: readonly StoredEvent[], earlier: ReadonlySet<string>): void {
  if (event === undefined) return;
  const holds = event.prev === "" ? earlier.size === 0 : earlier.has(event.prev);
  check(
    holds,
    event,
    event.prev === ""
      ? "runs before it were put there later"
      : "what was recorded before its run is missing, or does not stand before it",
  );
}

/** What was kept outside must be in there, as it was. */
function verifyKept(head: KeptHead, events: readonly StoredEvent[] | undefined): void {
  const { run, length, hash } = head;
  const told = `${length} events of its run were there at ${new Date(head.at).toISOString()}, by the heads kept outside the database`;
  if (events === undefined) throw new Broken({ run, seq: 1 }, `it is missing: ${told}`);
  const event = events[length - 1];
  if (event === undefined) throw new Broken({ run, seq: events.length + 1 }, `it is missing: ${told}`);
  check(event.hash === hash, event, "it is another one than the heads kept outside the database name");
}
