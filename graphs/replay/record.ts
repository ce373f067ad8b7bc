// The record of a thread as a replay needs it: with those of the threads it was derived from, the texts that events name,
// and what people decided.

import type { ApprovalRecord, Journal, RecordedEvent } from "../../checkpoints/index.js";

/** What is replayed. */
export interface ThreadRecording {
  readonly thread: string;
  /** Of the threads that it comes from as well, the oldest first. */
  readonly events: readonly RecordedEvent[];
  readonly texts: ReadonlyMap<string, string>;
  readonly approvals: readonly ApprovalRecord[];
}

const REPLAY = Symbol.for("bulkhead.ReplayError");

/** A thread cannot be replayed. Nothing was run. The message says why, and what can be done instead. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
  readonly code = "REPLAY";
  readonly [REPLAY] = true;

  static isInstance(error: unknown): error is ReplayError {
    return typeof error === "object" && error !== null && REPLAY in error;
  }
}

/** Reads a record. @throws ReplayError for one that holds too little to be replayed. */
export async function readRecording(journal: Journal, thread: string): Promise<ThreadRecording> {
  const events: RecordedEvent[] = [];
  const approvals: ApprovalRecord[] = [];
  const texts = new Map<string, string>();
  for (let next: string | undefined = thread; next !== undefined; ) {
    const own: readonly RecordedEvent[] = await journal.events({ thread: next });
    requireWhole(own, next);
    events.unshift(...own);
    approvals.unshift(...(await journal.approvals({ thread: next })));
    for (const [digest, text] of await journal.texts(next)) texts.set(digest, text);
    next = own.flatMap(({ event }) => (event.kind === "thread.derived" ? [event.from] : []))[0];
  }
  return { thread, events, texts, approvals };
}

function requireWhole(events: readonly RecordedEvent[], thread: string): void {
  const erased = events.find(({ event }) => event.kind === "thread.erased");
  if (erased?.event.kind === "thread.erased") {
    throw new ReplayError(
      `thread ${thread} was erased on ${new Date(erased.at).toISOString()} by ${erased.event.by}: there is nothing left to replay.`,
    );
  }
  if (!events.some(({ event }) => event.kind === "input")) {
    throw new ReplayError(
      `thread ${thread} cannot be replayed: its record has no input. It was recorded by an earlier version, or never ran. Read it with: bulkhead inspect ${thread}`,
    );
  }
}
