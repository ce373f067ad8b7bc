// The record of events: append-only, numbered and hash-chained, run after run of a thread, with a sealed head per run.
// Subscribers hear of an event after it is committed, in the order of recording. When a run ends, and at the end, heads
// are also kept outside the database.

import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { all, type Database, first, type Row, type Work } from "../database/database.js";
import { lockedBody, openBody } from "./body.js";
import {
  bodyDigest,
  chained,
  fitsHead,
  type Head,
  headerColumn,
  headerText,
  isChained,
  isNamed,
  keyIdOf,
  sealHead,
} from "./chain.js";
import { harnessEvent } from "./event-schema.js";
import type { HarnessEvent, RecordedEvent, Scope } from "./events.js";
import { findFolds, fold, inOrder, unfold } from "./folding.js";
import type { KeptHeads } from "./kept-heads.js";
import { damaged, integer, json, readRow } from "./rows.js";
import { keepTexts } from "./texts.js";
import { findKeys, type KnownKeys, requireKey, type ThreadKey } from "./thread-key.js";
import { followRun } from "./threads.js";
import type { KeptText } from "./types.js";

const headerRow = z.object({ header: headerColumn });
const bodyRow = z.object({ body: json(harnessEvent) });

const headRow = z.object({
  thread: z.string(),
  length: integer,
  hash: z.string(),
  seal: z.string().nullable(),
});

/** An event that was appended, and the head of its run since; without a head when that could not be sealed. */
export interface Appended {
  readonly recorded: RecordedEvent;
  readonly head: SealedHead | undefined;
  /** The texts that were written with it, as {@link Known} names them. */
  readonly kept: readonly string[];
}

type SealedHead = Head & { readonly seal: string };

/** What a writer need not find out again. */
interface Known {
  /** The head of the run as this process left it: what is still that need not be verified. */
  readonly head?: SealedHead | undefined;
  /** Keys that were unwrapped. */
  readonly keys?: KnownKeys;
  /** Texts that were written, by key and digest. */
  readonly texts?: ReadonlySet<string>;
}

/** The newest event of a thread: what the first event of its next run follows. */
function* newest(thread: string): Work<string> {
  const row = yield* first("SELECT hash FROM h_event WHERE thread = ? ORDER BY position DESC LIMIT 1", thread);
  return String(row?.["hash"] ?? "");
}

/** What is appended. */
export interface Appending {
  readonly scope: Scope;
  readonly event: HarnessEvent;
  readonly texts: readonly KeptText[];
  /** Whether the body has to outlive the thread's key. It must hold nothing that a person wrote, then. */
  readonly open?: boolean;
}

/** Appends one event and moves the head of its run. The update of the head is what orders concurrent writers. */
export function* appendWork(
  { scope, event, texts, open = false }: Appending,
  at: number,
  by: Seal,
  known: Known = {},
): Work<Appended> {
  const { thread, run } = scope;
  const before = yield* moveHead(thread, run);
  const { length: seq } = before;
  const last = { ...before, run, length: seq - 1 };
  const isSound = seq === 1 || isSame(last, known.head) || fitsHead(last, before.seal, by);
  const prev = seq === 1 ? yield* newest(thread) : before.hash;
  const body = JSON.stringify(event);
  const key = open ? undefined : yield* requireKey(thread, by, known.keys);
  // By key: another process may have erased the thread, and with its key the texts that this one had written.
  const nameOf = ({ digest }: KeptText): string => `${key?.id} ${digest}`;
  const fresh = texts.filter((text) => known.texts?.has(nameOf(text)) !== true);
  if (key !== undefined) yield* keepTexts(thread, fresh, key);
  const header = headerText(scope, seq, at, event.kind, bodyDigest(body, key));
  const hash = chained(prev, header);
  yield* all(
    "INSERT INTO h_event (run, seq, thread, header, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ...[run, seq, thread, header, key === undefined ? body : lockedBody(body, key), prev, hash],
  );
  const head = { thread: before.thread, run, length: seq, hash };
  // A head that was changed, or is from before heads were sealed, gets no seal: a new one would hide it.
  const seal = isSound ? sealHead(head, by) : undefined;
  yield* all("UPDATE h_head SET hash = ?, seal = ? WHERE run = ?", hash, seal ?? before.seal, run);
  if (key !== undefined) yield* fold(run, seq, key);
  return {
    recorded: { scope, seq, at, event },
    head: seal === undefined ? undefined : { ...head, seal },
    kept: fresh.map(nameOf),
  };
}

/** With the row of the thread, as far as it follows from the event. */
function* appendAndFollow(appending: Appending, at: number, by: Seal, known: Known): Work<Appended> {
  const appended = yield* appendWork(appending, at, by, known);
  yield* followRun(appending.scope, appending.event, at);
  return appended;
}

/** Takes the next number of the run, which is new when it has no head. */
function* moveHead(thread: string, run: string): Work<z.output<typeof headRow>> {
  const update = "UPDATE h_head SET length = length + 1 WHERE run = ? RETURNING thread, length, hash, seal";
  let row = yield* first(update, run);
  if (row === undefined) {
    yield* all(
      "INSERT INTO h_head (run, thread, length, hash) VALUES (?, ?, 0, '') ON CONFLICT (run) DO NOTHING",
      ...[run, thread],
    );
    row = yield* first(update, run);
  }
  return readRow(headRow, row ?? {}, `run ${run}`);
}

const isSame = (stored: z.output<typeof headRow>, head: SealedHead | undefined): boolean =>
  head !== undefined &&
  stored.thread === head.thread &&
  stored.length === head.length &&
  stored.hash === head.hash &&
  stored.seal === head.seal;

const placeOf = ({ position }: Row): string => String(position);

/** `undefined` for an event whose body was erased. */
function readEvent(row: Row, keys: ReadonlyMap<string, ThreadKey>): RecordedEvent | undefined {
  const what = `event ${String(row["seq"])} of run ${String(row["run"])}`;
  const { seq, at, kind, body: named, ...scope } = readRow(headerRow, row, what).header;
  const body = openBody(String(row["body"]), named, keys);
  if (body === "" && isChained(row)) return undefined;
  if (!isChained(row) || !isNamed(body, named, keys)) {
    const id = keyIdOf(named);
    const hasKey = id === undefined || keys.has(id);
    throw damaged(
      what,
      hasKey
        ? "it is not what was written"
        : "the key that it was written with is gone, or is another journal's (BULKHEAD_KEY_FILE)",
    );
  }
  const { body: event } = readRow(bodyRow, { body }, what);
  if (kind !== event.kind) throw damaged(what, "it is not what was written");
  return { scope, seq, at, event };
}

/** How many texts are remembered as written, and how many keys. */
const KNOWN_TEXTS = 20_000;
const KNOWN_KEYS = 1_000;

/** Appends in the order of the calls, one at a time, and tells the subscribers. */
export class EventLog {
  private readonly listeners = new Set<(event: RecordedEvent) => void>();
  private last: Promise<unknown> = Promise.resolve();
  /** Texts that this process has written: key and digest. */
  private readonly known = new Set<string>();
  /** Heads that moved since they were last kept outside, by run. */
  private readonly moved = new Map<string, SealedHead>();
  private readonly keys: KnownKeys = new Map();

  constructor(
    private readonly database: () => Promise<Database>,
    private readonly now: () => number,
    private readonly seal: Seal,
    private readonly outside: KeptHeads,
  ) {}

  append(scope: Scope, event: HarnessEvent, texts: readonly KeptText[]): Promise<RecordedEvent> {
    return this.inTurn(async (database) => {
      const { recorded, head, kept } = await database.transaction(
        appendAndFollow({ scope, event, texts }, this.now(), this.seal, {
          head: this.moved.get(scope.run),
          keys: this.keys,
          texts: this.known,
        }),
      );
      if (this.known.size > KNOWN_TEXTS) this.known.clear();
      if (this.keys.size > KNOWN_KEYS) this.keys.clear();
      for (const name of kept) this.known.add(name);
      await this.stands(recorded, head);
      return recorded;
    });
  }

  /** Runs work that appends by itself, in turn with all other appends, and tells the subscribers what it appended. */
  erase(work: Work<readonly Appended[]>): Promise<readonly RecordedEvent[]> {
    return this.inTurn(async (database) => {
      const appended = await database.transaction(work, { durable: true });
      this.known.clear();
      this.keys.clear();
      for (const { recorded, head } of appended) await this.stands(recorded, head);
      await database.scrub();
      return appended.map(({ recorded }) => recorded);
    });
  }

  private inTurn<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    const done = this.last.then(async () => work(await this.database()));
    this.last = done.catch(() => undefined); // The caller gets the error; the next append starts anew.
    return done;
  }

  private async stands(recorded: RecordedEvent, head: SealedHead | undefined): Promise<void> {
    if (head !== undefined) this.moved.set(head.run, head);
    if (recorded.event.kind === "run.end" || recorded.event.kind === "thread.erased")
      await this.keep(recorded.scope.run);
    this.tell(recorded);
  }

  async events(query: { readonly thread: string; readonly run?: string }): Promise<readonly RecordedEvent[]> {
    const { thread, run } = query;
    const [condition, values] =
      run === undefined ? ["thread = ?", [thread]] : ["thread = ? AND run = ?", [thread, run]];
    const columns = "SELECT position, run, seq, header, body, prev, hash FROM h_event";
    const database = await this.database();
    // In this order: what is folded meanwhile is there twice, and not missing.
    const rows = await database.read(all(`${columns} WHERE ${condition}`, ...values));
    const folds = await database.read(findFolds(condition, ...values));
    const keys = await database.read(findKeys(thread, this.seal));
    const places = new Set(rows.map(placeOf));
    const folded = folds.flatMap((each) => unfold(each, keys)).filter((row) => !places.has(placeOf(row)));
    return inOrder([...rows, ...folded]).flatMap((row) => readEvent(row, keys) ?? []);
  }

  subscribe(listener: (event: RecordedEvent) => void): () => void {
    const own = (event: RecordedEvent) => listener(event); // The same function may subscribe twice.
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  /** Resolves when everything appended so far has been written or has failed, and its heads are kept outside. */
  async settled(): Promise<void> {
    await this.last;
    await this.keep(...this.moved.keys());
  }

  private async keep(...runs: readonly string[]): Promise<void> {
    const heads = runs.flatMap((run) => this.moved.get(run) ?? []);
    try {
      await this.outside.keep(heads, this.now());
      for (const head of heads) if (this.moved.get(head.run) === head) this.moved.delete(head.run);
    } catch (error) {
      process.emitWarning(error as Error); // The events stand. What is lost is a second witness, not the record.
    }
  }

  private tell(event: RecordedEvent): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(event);
      } catch (error) {
        // The event stands, and the writer must not pay for a broken display: Node prints the warning with its stack.
        process.emitWarning(error instanceof Error ? error : new Error(`a journal listener threw ${String(error)}`));
      }
    }
  }
}
