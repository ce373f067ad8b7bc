// What the tests read back from a journal.

import type { Journal } from "../../checkpoints/index.js";

/** The events of a thread, by kind. */
export const eventsOf = async (journal: Journal, thread: string, kind: string) =>
  (await journal.events({ thread })).map(({ event }) => event).filter((event) => event.kind === kind);
