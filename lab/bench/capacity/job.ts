// What the processes of the benchmark are told to do, and what they tell.

import type { Admission } from "../../../capacity/index.js";
import type { CallRecord } from "../quota/measure.js";

/** Tasks at once, and the calls of each, one after another. A task ends at its first failed call. */
export interface Crowd {
  readonly name: string;
  readonly tasks: number;
  readonly calls: number;
  /** Whether all of them belong to one run, as those of a fan-out do. Default: each is a run of its own. */
  readonly fanOut?: boolean;
}

/** Makes the calls of crowds. Each crowd begins when the calls of the one before it wait in the queue. */
export interface LoadJob {
  readonly kind: "load";
  readonly crowds: readonly Crowd[];
  readonly admission?: Admission;
}

/**
 * `width` tasks, each of which has `width` tasks of its own, `depth` levels deep. A task calls the model; one with tasks of
 * its own waits for them and calls the model again.
 */
export interface TreeJob {
  readonly kind: "tree";
  readonly width: number;
  readonly depth: number;
}

/** Equal calls at once that may be answered from a cache, which other processes share. */
export interface EqualJob {
  readonly kind: "equal";
  readonly calls: number;
  readonly cache:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "redis"; readonly url: string; readonly prefix: string };
  /** All processes tell their own answers by it. */
  readonly sealKey: string;
}

/** What a process is for. */
export type Job = LoadJob | TreeJob | EqualJob;

/** Where and when a job is done. */
export interface Circumstances {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string;
  /** A provider that counts for nothing: code gets compiled. Unset: it does not. */
  readonly warmUpUrl?: string;
  /** How many times as fast as the machine's time runs. */
  readonly scale: number;
  readonly seed: number;
  /** Variables for `bulkhead`, as in the environment. */
  readonly settings: Readonly<Record<string, string>>;
}

/** One call, and to which crowd it belonged. */
export interface CrowdCall extends CallRecord {
  readonly crowd: string;
}

/** How a job ended. */
export interface Outcome {
  /** Tasks whose calls were all answered. */
  readonly finished: number;
  /** Calls that failed, by the name of the error. */
  readonly failures: Readonly<Record<string, number>>;
}

/** What a process is told. It gets ready at once, and begins when it is told to go. */
export type ToWorker =
  | { readonly kind: "prepare"; readonly job: Job; readonly circumstances: Circumstances }
  | { readonly kind: "go" }
  | { readonly kind: "stop" };

/** What a process tells. `lateMs`: how late it came to its timers, 99th percentile, in real ms. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "calls"; readonly calls: readonly CrowdCall[] }
  | ({ readonly kind: "done"; readonly lateMs: number } & Outcome)
  | { readonly kind: "failed"; readonly message: string };
