// How many questions a run may put to people: nobody is worn down into saying yes.

import { all, type Work } from "../database/database.js";
import type { ApprovalRequest } from "./types.js";

/** All threads of a root. One that the journal does not know is its own. */
export const OF_ROOT = "a.thread IN (SELECT ? UNION SELECT thread FROM h_thread WHERE root = ?)";

/** How many requests a policy allows. */
export interface ApprovalLimits {
  /** Of one thread, open at once. */
  readonly openLimit: number;
  /** Of one run, in all. */
  readonly questionLimit: number;
}

/** What the run has asked so far, in all threads of its root, however often it was resumed and whoever asked in it. */
export function* countQuestions({ root, run, task }: ApprovalRequest): Work<number> {
  const rows = yield* all(`SELECT a.request FROM h_approval a WHERE ${OF_ROOT}`, root, root);
  return rows.filter((row) => {
    const asked = JSON.parse(String(row["request"])) as Partial<ApprovalRequest> | null;
    return asked?.run === run || (task !== undefined && asked?.task === task);
  }).length;
}
