// The record of events: append-only, numbered and hash-chained, run after run of a thread, with a sealed head per run.
// Subscribers hear of an event after it is committed, in the order of recording. When a run ends, and at the end, heads
// are also kept outside the database.

import { z } from "zod";
import type { Seal } from "../../trust/index.js";
import { all, type Database, first, type Row, type Work } from "../database/database.js";
import { chained, fitsHead, type Head, headerColumn, headerText, isChained, sealHead, sha256 } from "./chain.js";
import { harnessEvent } from "./event-schema.js";
import type { HarnessEvent, RecordedEvent, Scope } from "./events.js";
import type { KeptHeads } from "./kept-heads.js";
import { damaged, integer, json, readRow } from "./rows.js";

const rowSchema = z.object({ header: headerColumn, body: json(harnessEvent) });

const headRow = z.object({
  thread: z.string(),
  length: integer,
  hash: z.string(),
  seal: z.string().nullable(),
});

/** An event that was appended, and the head of its run since; without a head when that could not be sealed. */
interface Appended {
  readonly recorded: RecordedEvent;
  readonly head: Head | undefined;
}

/** The newest event of a thread: what the first event of its next run follows. */
function* newest(thread: string): Work<string> {
  const row = yield* first("SELECT hash FROM h_event WHERE thread = ? ORDER BY position DESC LIMIT 1", thread);
  return String(row?.["hash"] ?? "");
}

/** Appends one event and moves the head of its run. The update of the head is what orders concurrent writers. */
function* appendWork(scope: Scope, event: HarnessEvent, at: number, by: Seal): Work<Appended> {
  const { thread, run } = scope;
  yield* all(
    "INSERT INTO h_head (run, thread, length, hash) VALUES (?, ?, 0, '') ON CONFLICT (run) DO NOTHING",
    ...[run, thread],
  );
  const update = "UPDATE h_head SET length = length + 1 WHERE run = ? RETURNING thread, length, hash, seal";
  const before = readRow(headRow, (yield* first(update, run)) ?? {}, `run ${run}`);
  const { length: seq } = before;
  const isSound = seq === 1 || fitsHead({ ...before, run, length: seq - 1 }, before.seal, by);
  const prev = seq === 1 ? yield* newest(thread) : before.hash;
  const body = JSON.stringify(event);
  const header = headerText(scope, seq, at, event.kind, body);
  const hash = chained(prev, header);
  yield* all(
    "INSERT INTO h_event (run, seq, thread, header, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ...[run, seq, thread, header, body, prev, hash],
  );
  const head = { thread: before.thread, run, length: seq, hash };
  // A head that was changed, or is from before heads were sealed, gets no seal: a new one would hide it.
  const seal = isSound ? sealHead(head, by) : before.seal;
  yield* all("UPDATE h_head SET hash = ?, seal = ? WHERE run = ?", hash, seal, run);
  return { recorded: { scope, seq, at, event }, head: isSound ? head : undefined };
}

function readEvent(row: Row): RecordedEvent {
  const what = `event ${String(row["seq"])} of run ${String(row["run"])}`;
  const { header, body: event } = readRow(rowSchema, row, what);
  const { seq, at, kind, body, ...scope } = header;
  const untouched = isChained(row) && sha256(String(row["body"])) === body && kind === event.kind;
  if (!untouched) throw damaged(what, "it is not what was written");
  return { scope, seq, at, event };
}

/** Appends in the order of the calls, one at a time, and tells the subscribers. */
export class EventLog {
  private readonly listeners = new Set<(event: RecordedEvent) => void>();
  private last: Promise<unknown> = Promise.resolve();
  /** Heads that moved since they were last kept outside, by run. */
  private readonly moved = new Map<string, Head>();

  constructor(
    private readonly database: () => Promise<Database>,
    private readonly now: () => number,
    private readonly seal: Seal,
    private readonly outside: KeptHeads,
  ) {}

  append(scope: Scope, event: HarnessEvent): Promise<RecordedEvent> {
    const write = async (): Promise<RecordedEvent> => {
      const database = await this.database();
      const { recorded, head } = await database.transaction(appendWork(scope, event, this.now(), this.seal));
      if (head !== undefined) this.moved.set(head.run, head);
      if (event.kind === "run.end") await this.keep(scope.run);
      this.tell(recorded);
      return recorded;
    };
    const recorded = this.last.then(write);
    this.last = recorded.catch(() => undefined); // The caller of this append gets the error; the next append starts anew.
    return recorded;
  }

  async events(query: { readonly thread: string; readonly run?: string }): Promise<readonly RecordedEvent[]> {
    const columns = "SELECT run, seq, header, body, prev, hash FROM h_event";
    const work =
      query.run === undefined
        ? all(`${columns} WHERE thread = ? ORDER BY position`, query.thread)
        : all(`${columns} WHERE thread = ? AND run = ? ORDER BY seq`, query.thread, query.run);
    return (await (await this.database()).read(work)).map(readEvent);
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
