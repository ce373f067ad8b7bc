// Does a provider answer the same question the same way? Sends identical requests through the quota and counts what came
// back. Re-running is no evidence where it does not; a recording is. Source: trust-replay.md, section 3.3.

import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { type GuardedChatModel, obtainedOf } from "../capacity/index.js";

/** What {@link sampleAnswers} takes. */
export interface Sampling {
  readonly model: GuardedChatModel;
  readonly prompt: string;
  /** How many identical requests. */
  readonly n: number;
  /** How many of them are under way at once; the quota paces them besides. Default 16. */
  readonly concurrency?: number;
  /** Ends the sampling. What was answered by then is kept. */
  readonly signal: AbortSignal;
  /** Called after each answer or failure, with how many there are. */
  readonly onAnswer?: (answered: number) => void;
}

/** What came back, in the order of arrival. */
export interface Samples {
  readonly answers: readonly BaseMessage[];
  /** Why requests failed, in words. */
  readonly failures: readonly string[];
}

/** Sends the requests to the primary model. Failures do not end it; the signal does. */
export async function sampleAnswers(sampling: Sampling): Promise<Samples> {
  const { model, prompt, n, concurrency = 16, signal, onAnswer } = sampling;
  const answers: BaseMessage[] = [];
  const failures: string[] = [];
  let sent = 0;
  const work = async (): Promise<void> => {
    while (sent < n && !signal.aborted) {
      sent += 1;
      try {
        answers.push(await model.invoke([new HumanMessage(prompt)], { signal, admission: "primary-only" }));
      } catch (error) {
        if (signal.aborted) return;
        failures.push(error instanceof Error ? error.message : String(error));
      }
      onAnswer?.(answers.length + failures.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, n) }, work));
  return { answers, failures };
}

/** Where the first answer and the first one that differs from it part. */
export interface Difference {
  /** Counted from 0; tokens where the provider gives log-probabilities, otherwise words. */
  readonly at: number;
  readonly unit: "token" | "word";
  readonly left: string;
  readonly right: string;
}

/** What the answers say about the provider. */
export interface Nondeterminism {
  readonly answers: number;
  readonly distinct: number;
  /** How often the most frequent answer came. */
  readonly mostFrequent: number;
  /** The earliest place at which any two answers part. Unset when all are the same. */
  readonly firstDifference: Difference | undefined;
  readonly fingerprints: readonly string[];
  readonly models: readonly string[];
  /** What that means for somebody who wants to reproduce a run. */
  readonly meaning: string;
}

/** Compares the answers. Pure. */
export function compareAnswers(answers: readonly BaseMessage[]): Nondeterminism {
  const counts = new Map<string, number>();
  for (const { text } of answers) counts.set(text, (counts.get(text) ?? 0) + 1);
  const firsts = [...counts.keys()].flatMap((text) => answers.find((answer) => answer.text === text) ?? []);
  const obtained = answers.flatMap((answer) => obtainedOf(answer) ?? []);
  const unique = (values: readonly (string | undefined)[]) => [
    ...new Set(values.filter((value) => value !== undefined)),
  ];
  const fingerprints = unique(obtained.map(({ systemFingerprint }) => systemFingerprint));
  return {
    answers: answers.length,
    distinct: counts.size,
    mostFrequent: Math.max(0, ...counts.values()),
    firstDifference: earliestDifference(firsts),
    fingerprints,
    models: unique(obtained.map(({ returnedModel }) => returnedModel)),
    meaning: meaningOf(answers.length, counts.size, fingerprints.length),
  };
}

function meaningOf(answers: number, distinct: number, fingerprints: number): string {
  if (answers < 2) return "Too few answers to compare.";
  if (distinct === 1) {
    return `All ${answers} answers are the same: this provider was deterministic for this prompt and this load. Another load may show otherwise; the recording does not depend on it.`;
  }
  const builds =
    fingerprints > 1
      ? "Several back-ends answered (their fingerprints differ)."
      : "One back-end answered differently: its batches differ.";
  return `Running again is no evidence here, not even at temperature 0. ${builds} To see what happened in a run, read or replay its recording.`;
}

/** The tokens of an answer, or its words where the provider gives no log-probabilities. */
function unitsOf({ response_metadata, text }: BaseMessage): {
  readonly unit: Difference["unit"];
  readonly units: readonly string[];
} {
  const content: unknown = (response_metadata as { logprobs?: { content?: unknown } } | undefined)?.logprobs?.content;
  if (Array.isArray(content) && content.length > 0) {
    return { unit: "token", units: content.map((each: { token?: unknown }) => String(each.token)) };
  }
  return { unit: "word", units: text.split(/(?<=\s)(?=\S)/) };
}

function earliestDifference([first, ...others]: readonly BaseMessage[]): Difference | undefined {
  if (first === undefined) return undefined;
  const own = unitsOf(first);
  return others
    .map((other): Difference => {
      const { units } = unitsOf(other);
      const at = own.units.findIndex((unit, index) => unit !== units[index]);
      const place = at === -1 ? own.units.length : at;
      return { at: place, unit: own.unit, left: own.units[place] ?? "", right: units[place] ?? "" };
    })
    .sort((left, right) => left.at - right.at)[0];
}
