// A cache that also finds the answer to a question that is only like the one asked: opt-in, by embedding and behind
// guards that can only say no. What it gives out says how like the question was and which one it answers.

import type { CacheHit, CacheQuestion, KeepingCache, KeptAnswer } from "../cache.js";
import type { Clock } from "../clock.js";
import { factsOf, mismatchOf, type QuestionFacts } from "./same-question.js";

/** Vectors for texts, one each, in order. Any length; all of one model. */
export type Embed = (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;

/** The least cosine at which two questions that pass all guards are one, where none is set (docs/cache.md has the table). */
export const MIN_SCORE = 0.9;

/** What {@link similarCache} takes. */
export interface SimilarOptions {
  /** Where the answers are. Equal questions are found there without any of this. */
  readonly cache: KeepingCache;
  readonly embed: Embed;
  /** The least cosine of two questions. Default 0.9, more than 0, at most 1. */
  readonly minScore?: number;
  /** Questions that are remembered in this process. The oldest go first. Default 2000, minimum 1. */
  readonly maxQuestions?: number;
  /** The longest wait for vectors, in milliseconds. Default 2000. */
  readonly embedMs?: number;
  readonly clock: Clock;
}

interface Known {
  readonly key: string;
  readonly context: string;
  readonly vector: Float32Array;
  readonly facts: QuestionFacts;
}

/**
 * A cache whose calls with a `question` can also be answered by a similar one of the same context. The questions are
 * remembered in this process only; the answers are where `cache` has them. When the embedding fails a call is made.
 *
 * @throws RangeError
 */
export function similarCache(options: SimilarOptions): KeepingCache {
  const { cache, embed, minScore = MIN_SCORE, maxQuestions = 2000, embedMs = 2000, clock } = options;
  if (!(minScore > 0 && minScore <= 1)) throw new RangeError(`minScore is ${minScore} and must be above 0, up to 1`);
  if (!(maxQuestions >= 1)) throw new RangeError(`maxQuestions is ${maxQuestions} and must be at least 1`);
  const known = new Map<string, Known>(); // By key, the oldest first.

  const nearest = async (asked: Omit<Known, "key">): Promise<CacheHit | undefined> => {
    const candidates = [...known.values()]
      .filter(({ context }) => context === asked.context)
      .map(({ key, vector, facts }) => ({ key, facts, score: cosine(vector, asked.vector) }))
      .filter(({ score }) => score >= minScore)
      .sort((one, other) => other.score - one.score);
    for (const { key, facts, score } of candidates) {
      if (mismatchOf(facts, asked.facts) !== undefined) continue;
      const hit = await cache.peek(key);
      if (hit !== undefined) return { ...hit, similar: { score, key } };
      known.delete(key); // Its answer is gone.
    }
    return undefined;
  };

  const remember = (one: Known): void => {
    known.delete(one.key);
    known.set(one.key, one);
    for (const oldest of known.keys()) {
      if (known.size <= maxQuestions) return;
      known.delete(oldest);
    }
  };

  const vectorOf = async ({ text }: CacheQuestion, tell: Tell): Promise<Float32Array | undefined> => {
    const done = new AbortController();
    const late = async (): Promise<never> => {
      await clock.sleep(embedMs, done.signal);
      throw new Error(`the embedding took longer than ${embedMs} ms`);
    };
    try {
      const [vector] = await Promise.race([embed([text]), late()]);
      if (vector === undefined) throw new Error("the embedding gave no vector");
      return unit(vector);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await tell?.({ kind: "cache", state: "comparison-failed", reason });
      return undefined;
    } finally {
      done.abort();
    }
  };

  return {
    ...cache,
    async read(key, reading) {
      const { question, produce, tell } = reading;
      if (question === undefined) return cache.read(key, reading);
      let similar: CacheHit | undefined;
      const look = async (): Promise<KeptAnswer | undefined> => {
        const vector = await vectorOf(question, tell);
        if (vector === undefined) return produce();
        const asked = { context: question.context, vector, facts: factsOf(question.text) };
        similar = await nearest(asked);
        if (similar !== undefined) return undefined;
        const answer = await produce();
        if (answer !== undefined && question.fits(answer)) remember({ ...asked, key });
        return answer;
      };
      return (await cache.read(key, { ...reading, produce: look })) ?? similar;
    },
  };
}

type Tell = Parameters<KeepingCache["read"]>[1]["tell"];

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return Float32Array.from(vector, (value) => value / length);
}

function cosine(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] ?? 0) * (other[index] ?? 0);
  return sum;
}
