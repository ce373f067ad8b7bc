// Where this project's threads live: checkpoints, approvals, effects and the record of every run, in one database.
// `BULKHEAD_DB` chooses it: sqlite:PATH (default), postgres://…, memory: (tests).

import { openJournal } from "bulkhead/checkpoints";
import type { Settings } from "bulkhead/models";

/** The journal of this project. */
export const openThreads = (settings: Settings) => openJournal(settings.database);
