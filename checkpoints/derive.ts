// Derives a thread from a checkpoint of another one. Trust is never raised: a branch into which nothing is injected
// starts with the label its checkpoint had, because no degraded value flows into it; one with injected values starts
// with the lowest label of the whole family.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { type Label, meet, parseLabel } from "../trust/index.js";
import { JournalError } from "./errors.js";
import type { Journal } from "./journal/types.js";

/** What {@link deriveThread} takes. */
export interface Derivation {
  readonly journal: Journal;
  readonly saver: BaseCheckpointSaver;
  /** The thread to derive from. It stays as it is. */
  readonly from: string;
  /** The id of one of its checkpoints. */
  readonly checkpoint: string;
  /** The new thread's id. */
  readonly to: string;
  /**
   * `rewind`: the graph runs again from there and nobody writes into it. `fork`: somebody does; the new thread inherits
   * the floor.
   */
  readonly as: "rewind" | "fork";
}

/**
 * Copies the checkpoint to the new thread and registers that with its first floor, under the root of the old one: what
 * was done there is a repetition here, and what nobody wrote there is unlabelled here. Returns the floor.
 *
 * @throws JournalError `JOURNAL_BROKEN` when there is no such thread or checkpoint, or `to` exists already.
 */
export async function deriveThread({ journal, saver, from, checkpoint, to, as }: Derivation): Promise<Label> {
  const origin = await journal.thread(from);
  const tuple = await saver.getTuple({
    configurable: { thread_id: from, checkpoint_ns: "", checkpoint_id: checkpoint },
  });
  if (origin === undefined || tuple === undefined) {
    const what = origin === undefined ? `thread ${from}` : `checkpoint ${checkpoint} of thread ${from}`;
    throw new JournalError("JOURNAL_BROKEN", what, `there is no ${what} to go back to. Choose one that is recorded.`);
  }
  const label = parseLabel(tuple.checkpoint.channel_values["trust"]);
  const family = (await journal.threads()).filter(({ root }) => root === origin.root);
  const floor = as === "rewind" ? label : meet(label, ...family.map((thread) => thread.floor));
  if (!(await journal.beginThread(to, origin.graph, floor, from))) {
    throw new JournalError(
      "JOURNAL_BROKEN",
      `thread ${to}`,
      `thread ${to} exists already. Give the new one another id.`,
    );
  }
  const { checkpoint: copied, metadata = { source: "fork", step: 0, parents: {} } } = tuple;
  const config = { configurable: { thread_id: to, checkpoint_ns: "" } };
  await saver.put(config, copied, metadata, copied.channel_versions);
  return floor;
}
