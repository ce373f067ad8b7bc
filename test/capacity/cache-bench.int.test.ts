// The figures of docs/cache.md, measured again with the real embedding on the pairs that nothing was tuned on.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MIN_SCORE } from "../../capacity/index.js";
import { measurePairs, tableInWords, thresholdTable } from "../../lab/bench/semantic-cache/measure.js";
import { PAIRS } from "../../lab/bench/semantic-cache/pairs.js";
import { MiniLmEmbeddings } from "../../models/index.js";

test("the documentation has the table that is measured, and the default has no false hit in it", async () => {
  const embeddings = new MiniLmEmbeddings();
  const heldOut = PAIRS.filter((pair) => pair.heldOut);
  const measured = await measurePairs(heldOut, (texts) => embeddings.embedDocuments([...texts]));
  await embeddings.close();
  const rows = thresholdTable(measured);
  const documented = readFileSync(new URL("../../docs/cache.md", import.meta.url), "utf8");
  expect(documented).toContain(tableInWords(rows));
  const at = (guards: boolean) => rows.find((row) => row.minScore === MIN_SCORE && row.guards === guards);
  expect(at(true)?.falseHits).toBe(0);
  expect(at(true)?.hits).toBeGreaterThan(0.5);
  expect(at(false)?.falseHits).toBeGreaterThan(0.25);
}, 240_000);

test("the table counts what is found and what is taken for the same, with and without the guards", () => {
  const pair = { left: "", right: "", heldOut: true };
  const rows = thresholdTable(
    [
      { ...pair, kind: "same", score: 0.95 },
      { ...pair, kind: "same", score: 0.95, mismatch: "word added" },
      { ...pair, kind: "same", score: 0.8 },
      { ...pair, kind: "number", score: 0.95, mismatch: "numbers" },
      { ...pair, kind: "word", score: 0.95 },
    ],
    [0.9],
  );
  expect(rows).toEqual([
    { minScore: 0.9, guards: false, hits: 2 / 3, falseHits: 1, wrongOfHits: 0.5, falseByKind: { number: 1, word: 1 } },
    { minScore: 0.9, guards: true, hits: 1 / 3, falseHits: 0.5, wrongOfHits: 0.5, falseByKind: { word: 1 } },
  ]);
  expect(tableInWords(rows).split("\n")).toHaveLength(4);
});
