// Where this project's threads live: checkpoints, approvals, effects and the record of every run, in one database.
// `BULKHEAD_DB` chooses it: sqlite:PATH (default), postgres://…, memory: (tests). `BULKHEAD_KEY_FILE` is where the key
// that signs approvals is kept: outside of the database.

import { openJournal } from "bulkhead/checkpoints";
import type { Settings } from "bulkhead/models";

/** The journal of this project. */
export const openThreads = (settings: Settings) =>
  openJournal(settings.database, { keyFile: settings.keyFile, secrets: settings.secrets });
