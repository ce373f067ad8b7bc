// The port between "may this request leave?" and whatever decides it.

import type { Priority } from "./fair-queue.js";
import type { Remaining } from "./headroom.js";

/** Why a request waits: its turn at the pace of the quota, a pause the provider asked for, or a free slot. */
export type WaitReason = "pace" | "pause" | "in-flight";

/** An expected wait. `waitMs` is an estimate. */
export interface Wait {
  readonly waitMs: number;
  readonly reason: WaitReason;
}

/** One request that wants to leave. */
export interface Admittance {
  /** The run it belongs to. Runs are served in turn. */
  readonly key: string;
  /** Estimated tokens, prompt and answer together. 0 when the quota counts none. */
  readonly tokens: number;
  /** Default `interactive`. */
  readonly priority?: Priority;
  /** Takes the request out of the queue at once. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch: refuse as soon as it is clear that the request cannot leave before. */
  readonly deadlineAt?: number;
  /** How many milliseconds of pause it may sit out. Default: no limit. Waiting for its turn does not count. */
  readonly maxPauseMs?: number;
  /** It was sent before and refused for rate: it goes to the head of its run. */
  readonly returned?: boolean;
  /** Called at most once, as soon as a wait of more than a quarter of a second is expected or has passed. */
  readonly onWait?: (wait: Wait) => void;
}

/** Leave to send one request. Hold it to the last byte of the answer. */
export interface Slot {
  /** Milliseconds it took to get. */
  readonly waitedMs: number;
  /** Of those, how many were a pause. */
  readonly pausedMs: number;
  /** Gives it back. A second call does nothing. */
  release(): void;
}

/** How a limiter stands. */
export interface LimiterStatus {
  readonly inFlight: number;
  readonly queued: number;
  /** Requests that have left since the beginning. */
  readonly admitted: number;
  /** Requests that were refused because too many wait. */
  readonly shed: number;
  /** Requests that could not leave within their limits. */
  readonly timedOut: number;
  /** The share of the quota that is used now, more than 0, at most 1. */
  readonly share: number;
  /** Milliseconds between two starts of this process while requests wait. */
  readonly gapMs: number;
  /** In milliseconds since the epoch. Not after now: there is no pause. */
  readonly pausedUntil: number;
  /** The fleet that shares the quota: whether it can be asked, and how many processes were seen in it. */
  readonly fleet?: { readonly available: boolean; readonly processes: number };
}

/** Lets requests leave at the pace of a quota. */
export interface Limiter {
  /**
   * Waits for leave to send one request. Takes nothing while it waits.
   *
   * @throws the signal's reason when it aborts; `CapacityWaitError` when the wait would pass a limit of `admittance`.
   */
  acquire(admittance: Admittance): Promise<Slot>;
  /** Lets nothing leave for `ms` milliseconds from now. Pauses do not add up: the later end counts. */
  pause(ms: number): void;
  /** When the pause ends, in milliseconds since the epoch. Not after now: there is none. */
  readonly pausedUntil: number;
  /** A 429 was answered: less is used from now on. */
  refused(): void;
  /** Something else was answered, and what its headers said. */
  answered(said: Remaining | undefined): void;
  /** Charges tokens beyond an estimate, or gives some back. */
  correct(tokens: number): void;
  /** What a request that came now, of a run that has none waiting, would wait for at most. No side effects. */
  forecast(): Wait;
  readonly status: LimiterStatus;
  /** Lets go of the fleet. Waiting requests stay where they are. */
  close(): Promise<void>;
}
