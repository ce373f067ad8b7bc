// Vectors as a store keeps them: `float32` blobs under the name of the embedder that made them.

import type { Embeddings } from "@langchain/core/embeddings";

/** An embedder that names its vectors. Vectors of two names are never compared. */
export type NamedEmbeddings = Embeddings & {
  /** For example `minilm-l6-v2@fp16`. */
  readonly id: string;
  /** Length of a vector. */
  readonly dimensions: number;
};

/** The vector as bytes, four for each number. */
export const toBlob = (vector: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(vector).buffer);

/** Cosine similarity, -1 to 1; 0 when either has no length. */
export function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let dot = 0;
  let leftSquared = 0;
  let rightSquared = 0;
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index] ?? 0, right[index] ?? 0];
    dot += a * b;
    leftSquared += a * a;
    rightSquared += b * b;
  }
  return leftSquared === 0 || rightSquared === 0 ? 0 : dot / Math.sqrt(leftSquared * rightSquared);
}
