// Measures how often a cache for similar questions would give out the answer to another question, by least similarity,
// with the guards and without them. Needs no model but the embedding.

import { type Embed, factsOf, type Mismatch, mismatchOf } from "../../../capacity/index.js";
import type { PairKind, QuestionPair } from "./pairs.js";

/** A pair, measured. */
export interface MeasuredPair extends QuestionPair {
  /** Cosine of the two questions. */
  readonly score: number;
  /** The guard that tells them apart, when one does. */
  readonly mismatch?: Mismatch;
}

/** How a cache does at one least similarity. Shares are of 1. */
export interface ThresholdRow {
  readonly minScore: number;
  readonly guards: boolean;
  /** Of the pairs with the same answer, how many are found. */
  readonly hits: number;
  /** Of the near misses, how many are taken for the same. */
  readonly falseHits: number;
  /** Of all hits, how many are false, with as many near misses as there are in the pairs. */
  readonly wrongOfHits: number;
  /** How many near misses are taken for the same, by kind. */
  readonly falseByKind: Readonly<Partial<Record<PairKind, number>>>;
}

/** Embeds both questions of each pair and asks the guards. */
export async function measurePairs(pairs: readonly QuestionPair[], embed: Embed): Promise<readonly MeasuredPair[]> {
  const vectors = await embed(pairs.flatMap(({ left, right }) => [left, right]));
  return pairs.map((pair, index) => {
    const mismatch = mismatchOf(factsOf(pair.left), factsOf(pair.right));
    const score = cosine(vectors[2 * index] ?? [], vectors[2 * index + 1] ?? []);
    return { ...pair, score, ...(mismatch === undefined ? {} : { mismatch }) };
  });
}

/** One row without the guards and one with them, for each least similarity. */
export function thresholdTable(
  pairs: readonly MeasuredPair[],
  minScores: readonly number[] = [0.65, 0.75, 0.85, 0.9, 0.95],
): readonly ThresholdRow[] {
  const same = pairs.filter(({ kind }) => kind === "same");
  const others = pairs.filter(({ kind }) => kind !== "same");
  return minScores.flatMap((minScore) =>
    [false, true].map((guards) => {
      const taken = ({ score, mismatch }: MeasuredPair): boolean =>
        score >= minScore && !(guards && mismatch !== undefined);
      const found = same.filter(taken).length;
      const wrong = others.filter(taken);
      const falseByKind: Partial<Record<PairKind, number>> = {};
      for (const { kind } of wrong) falseByKind[kind] = (falseByKind[kind] ?? 0) + 1;
      return {
        minScore,
        guards,
        hits: found / same.length,
        falseHits: wrong.length / others.length,
        wrongOfHits: wrong.length / Math.max(1, wrong.length + found),
        falseByKind,
      };
    }),
  );
}

/** The table in Markdown, as docs/cache.md has it. */
export function tableInWords(rows: readonly ThresholdRow[]): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const lines = rows.map(
    ({ minScore, guards, hits, falseHits, wrongOfHits }) =>
      `| ${minScore.toFixed(2)} | ${guards ? "on" : "off"} | ${percent(hits)} | ${percent(falseHits)} | ${percent(wrongOfHits)} |`,
  );
  return [
    "| least similarity | guards | found | false hits | wrong of all hits |",
    "|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

function cosine(one: readonly number[], other: readonly number[]): number {
  const dot = one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
  return dot / (Math.hypot(...one) * Math.hypot(...other) || 1);
}
