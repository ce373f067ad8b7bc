// Labels out of band: what a value may be believed, kept by the digest of its content. Whoever replaces a value in a
// checkpoint or in a message has no label for the new one; whoever writes a label into it is not asked.

import { BOTTOM, type Label, meet, sameLabel } from "../../trust/label.js";
import type { Seal } from "../../trust/seal.js";
import { all, first, type Row, type Work } from "../database/database.js";
import { labelColumn } from "./rows.js";
import { findThread } from "./threads.js";

const PURPOSE = "label";

/** How many digests one statement asks for: below the limits on parameters of both databases. */
const PAGE = 500;

/**
 * The known labels of these digests in a thread: its own, else those of the thread it was derived from. One whose seal
 * does not fit is the bottom.
 */
export function* findLabels(thread: string, digests: readonly string[], seal: Seal): Work<ReadonlyMap<string, Label>> {
  const root = (yield* findThread(thread, seal))?.root ?? thread;
  const inherited = root === thread ? [] : yield* labelsIn(root, digests, seal);
  return new Map([...inherited, ...(yield* labelsIn(thread, digests, seal))]);
}

function* labelsIn(
  thread: string,
  digests: readonly string[],
  seal: Seal,
): Work<readonly (readonly [string, Label])[]> {
  const rows: Row[] = [];
  for (let from = 0; from < digests.length; from += PAGE) {
    const page = digests.slice(from, from + PAGE);
    const marks = page.map(() => "?").join(", ");
    rows.push(...(yield* all(`SELECT * FROM h_label WHERE thread = ? AND digest IN (${marks})`, thread, ...page)));
  }
  return rows.map((row) => [String(row["digest"]), readLabel(thread, row, seal)]);
}

/**
 * A value that this thread knows already keeps the lower of both labels. The insert takes the row, so that concurrent
 * falls add up; the rows are taken in order, so that two transactions cannot wait for each other.
 */
export function* recordLabels(
  thread: string,
  values: readonly { readonly digest: string; readonly label: Label }[],
  seal: Seal,
): Work<void> {
  for (const { digest, label: given } of values.toSorted((left, right) => (left.digest < right.digest ? -1 : 1))) {
    const signed = (label: Label) => [JSON.stringify(label), seal.sign(PURPOSE, { thread, digest, label })] as const;
    const row = yield* first(
      `INSERT INTO h_label (thread, digest, label, seal) VALUES (?, ?, ?, ?)
       ON CONFLICT (thread, digest) DO UPDATE SET label = h_label.label RETURNING *`,
      ...[thread, digest, ...signed(given)],
    );
    const known = row === undefined ? BOTTOM : readLabel(thread, row, seal);
    const label = meet(given, known);
    if (sameLabel(label, known)) continue;
    const set = "UPDATE h_label SET label = ?, seal = ? WHERE thread = ? AND digest = ?";
    yield* all(set, ...signed(label), thread, digest);
  }
}

function readLabel(thread: string, row: Row, seal: Seal): Label {
  const label = labelColumn.parse(row["label"]);
  return seal.verify(PURPOSE, { thread, digest: row["digest"], label }, row["seal"]) ? label : BOTTOM;
}
