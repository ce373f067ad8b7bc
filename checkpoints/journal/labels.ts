// Labels out of band: what a value may be believed, kept by the digest of its content. Whoever replaces a value in a
// checkpoint or in a message has no label for the new one; whoever writes a label into it is not asked.

import { BOTTOM, type Label, meet, type Seal, sameLabel } from "../../trust/index.js";
import { all, first, type Row, type Work } from "../database/database.js";
import { labelColumn } from "./rows.js";

const PURPOSE = "label";

/** How many digests one statement asks for: below the limits on parameters of both databases. */
const PAGE = 500;

function* findRows(root: string, digests: readonly string[]): Work<readonly Row[]> {
  const rows: Row[] = [];
  for (let from = 0; from < digests.length; from += PAGE) {
    const page = digests.slice(from, from + PAGE);
    const marks = page.map(() => "?").join(", ");
    rows.push(...(yield* all(`SELECT * FROM h_label WHERE root = ? AND digest IN (${marks})`, root, ...page)));
  }
  return rows;
}

/** The known labels of these digests. One whose seal does not fit is the bottom. */
export function* findLabels(root: string, digests: readonly string[], seal: Seal): Work<ReadonlyMap<string, Label>> {
  const rows = yield* findRows(root, digests);
  return new Map(rows.map((row) => [String(row["digest"]), readLabel(root, row, seal)]));
}

/**
 * A value that is known already keeps the lower of both labels. The insert takes the row, so that concurrent falls add
 * up; the rows are taken in order, so that two transactions cannot wait for each other.
 */
export function* recordLabels(
  root: string,
  values: readonly { readonly digest: string; readonly label: Label }[],
  seal: Seal,
): Work<void> {
  for (const { digest, label: given } of values.toSorted((left, right) => (left.digest < right.digest ? -1 : 1))) {
    const signed = (label: Label) => [JSON.stringify(label), seal.sign(PURPOSE, { root, digest, label })] as const;
    const row = yield* first(
      `INSERT INTO h_label (root, digest, label, seal) VALUES (?, ?, ?, ?)
       ON CONFLICT (root, digest) DO UPDATE SET label = h_label.label RETURNING *`,
      ...[root, digest, ...signed(given)],
    );
    const known = row === undefined ? BOTTOM : readLabel(root, row, seal);
    const label = meet(given, known);
    if (sameLabel(label, known)) continue;
    yield* all("UPDATE h_label SET label = ?, seal = ? WHERE root = ? AND digest = ?", ...signed(label), root, digest);
  }
}

function readLabel(root: string, row: Row, seal: Seal): Label {
  const label = labelColumn.parse(row["label"]);
  return seal.verify(PURPOSE, { root, digest: row["digest"], label }, row["seal"]) ? label : BOTTOM;
}
