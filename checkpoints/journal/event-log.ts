// The record of events: append-only, numbered and hash-chained within each run. Subscribers hear of an event after it
// is committed, in the order of recording.

import { createHash } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../../trust/index.js";
import { all, type Database, first, type Row, type Work } from "../database/database.js";
import { harnessEvent } from "./event-schema.js";
import type { HarnessEvent, RecordedEvent, Scope } from "./events.js";
import { damaged, integer, json, readRow } from "./rows.js";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The chain of trust-replay.md, section 6. The header holds the body's digest, so a body can go and the chain stays. */
const chain = (prev: string, header: string): string => sha256(`h1${prev}${header}`);

const headerSchema = z.object({
  thread: z.string(),
  run: z.string(),
  node: z.string().exactOptional(),
  step: z.number().exactOptional(),
  lane: z.string().exactOptional(),
  seq: z.number(),
  at: z.number(),
  kind: z.string(),
  /** SHA-256 of the body's text. */
  body: z.string(),
});

const rowSchema = z.object({
  header: json(headerSchema),
  body: json(harnessEvent),
});

/** Appends one event and moves the head of its run. The update of the head is what orders concurrent writers. */
function* appendWork(scope: Scope, event: HarnessEvent, at: number): Work<RecordedEvent> {
  const { thread, run, node, step, lane } = scope;
  yield* all("INSERT INTO h_head (run, length, hash) VALUES (?, 0, '') ON CONFLICT (run) DO NOTHING", run);
  const head = yield* first("UPDATE h_head SET length = length + 1 WHERE run = ? RETURNING length, hash", run);
  const { length: seq, hash: prev } = readRow(
    z.object({ length: integer, hash: z.string() }),
    head ?? {},
    `run ${run}`,
  );
  const body = JSON.stringify(event);
  const header = canonicalJson({ thread, run, node, step, lane, seq, at, kind: event.kind, body: sha256(body) });
  const hash = chain(prev, header);
  yield* all(
    "INSERT INTO h_event (run, seq, thread, header, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ...[run, seq, thread, header, body, prev, hash],
  );
  yield* all("UPDATE h_head SET hash = ? WHERE run = ?", hash, run);
  return { scope, seq, at, event };
}

function readEvent(row: Row): RecordedEvent {
  const what = `event ${String(row["seq"])} of run ${String(row["run"])}`;
  const { header, body: event } = readRow(rowSchema, row, what);
  const { seq, at, kind, body, ...scope } = header;
  const untouched =
    chain(String(row["prev"]), String(row["header"])) === row["hash"] &&
    sha256(String(row["body"])) === body &&
    kind === event.kind;
  if (!untouched) throw damaged(what, "it is not what was written");
  return { scope, seq, at, event };
}

/** Appends in the order of the calls, one at a time, and tells the subscribers. */
export class EventLog {
  private readonly listeners = new Set<(event: RecordedEvent) => void>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: () => Promise<Database>,
    private readonly now: () => number,
  ) {}

  append(scope: Scope, event: HarnessEvent): Promise<RecordedEvent> {
    const write = async (): Promise<RecordedEvent> => {
      const database = await this.database();
      const recorded = await database.transaction(appendWork(scope, event, this.now()));
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

  /** Resolves when everything appended so far has been written or has failed. */
  async settled(): Promise<void> {
    await this.last;
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
