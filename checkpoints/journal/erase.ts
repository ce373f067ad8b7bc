// Erases what was recorded of a thread, with all that was derived from it: together, because an effect that is erased
// protects no relative from doing it again. What stays is the chain of events, which says that, when and by whom.

import type { Seal } from "../../trust/index.js";
import { all, type Work } from "../database/database.js";
import { EffectError, JournalError } from "../errors.js";
import { listEffects } from "./effects.js";
import { type Appended, appendWork } from "./event-log.js";
import type { HarnessEvent } from "./events.js";
import { eraseFolded } from "./folding.js";
import { findThread } from "./threads.js";

/** Who erases, why, and in which run of the record it stands. */
export interface Erasure {
  readonly by: string;
  readonly reason: string;
  readonly run: string;
  /** Whether the database has to be told that nobody may write meanwhile (Postgres). */
  readonly claim: boolean;
}

/** What says that a thread was erased is not erased: the canonical JSON of its header tells it from all others. */
const ERASED = "thread.erased";

/**
 * Erases a whole family of threads, and returns the event of each.
 *
 * @throws JournalError when there is no such thread or it is a derived one, EffectError when an effect is still open.
 */
export function* eraseFamily(
  thread: string,
  { by, reason, run, claim }: Erasure,
  seal: Seal,
  now: number,
): Work<readonly Appended[]> {
  // Whoever appends reads the thread's key: it must not be the one that goes, or nobody could ever read the event.
  if (claim) yield* all("LOCK TABLE h_key IN ACCESS EXCLUSIVE MODE");
  const root = (yield* findThread(thread, seal))?.root;
  if (root !== thread) {
    const next = root === undefined ? "List them with: bulkhead threads" : `Erase that one, and with it all of them`;
    const what = root === undefined ? `there is no thread ${thread}` : `thread ${thread} was derived from ${root}`;
    throw new JournalError("JOURNAL_BROKEN", `thread ${thread}`, `${what}. ${next}.`);
  }
  for (const { key, tool, status } of yield* listEffects({ root }, seal)) {
    if (status !== "dispatched" && status !== "in_doubt") continue;
    throw new EffectError(
      "EFFECT_STATE",
      key,
      `effect ${key.slice(0, 12)} (${tool}) of thread ${thread} is ${status.replace("_", " ")}: erased, nobody could find out any more whether it happened. Settle it first: bulkhead effects`,
    );
  }
  const family = yield* all("SELECT thread FROM h_thread WHERE root = ? ORDER BY thread", root);
  const appended: Appended[] = [];
  for (const [index, row] of family.entries()) {
    const member = String(row["thread"]);
    const bodies = yield* all(
      "UPDATE h_event SET body = '' WHERE thread = ? AND body <> '' AND header NOT LIKE ? RETURNING seq",
      ...[member, `%"kind":"${ERASED}"%`],
    );
    const folded = yield* eraseFolded(member);
    for (const table of ["h_key", "h_text", "h_label", "h_approval", "h_effect"]) {
      yield* all(`DELETE FROM ${table} WHERE thread = ?`, member);
    }
    yield* all("DELETE FROM h_pin WHERE root = ?", member);
    yield* all("UPDATE h_thread SET task = NULL WHERE thread = ?", member);
    const event: HarnessEvent = { kind: ERASED, by, reason, events: bodies.length + folded };
    const scope = { thread: member, run: index === 0 ? run : `${run}-${index}` };
    appended.push(yield* appendWork({ scope, event, texts: [], open: true }, now, seal));
  }
  return appended;
}
