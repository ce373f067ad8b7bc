// The port to a quota that several processes share. Redis is behind it; see redis-quota.ts.

import type { Headroom, Remaining } from "./headroom.js";
import type { WaitReason } from "./limiter.js";

/** The fleet's answer to one request. */
export type Leave =
  | {
      readonly granted: true;
      /** Milliseconds to hold the request back: its place in the pace of the fleet. */
      readonly startInMs: number;
    }
  | {
      readonly granted: false;
      /**
       * Milliseconds after which to ask again. Unset: when a slot is given back, which nobody can foresee. A process that
       * waits for the pace is kept its place until then.
       */
      readonly waitMs?: number;
      readonly reason: WaitReason;
    };

/** What a fleet knows of its quota. */
export interface Fleet {
  readonly headroom: Headroom;
  /** Processes that asked lately, this one among them. Minimum 1. */
  readonly processes: number;
}

/** One quota, used by all processes that name it. */
export interface SharedQuota {
  /** `false`: it cannot be asked now. It looks for itself whether it can be asked again. */
  readonly available: boolean;
  /** What it knew last. */
  readonly fleet: Fleet;
  /** Called when `available` or `fleet` changed. */
  onChange: (() => void) | undefined;
  /**
   * Takes leave for one request, all that it needs or nothing. The slot is held under `id` until {@link giveBack}, and
   * for as long as this process lives.
   *
   * @throws whatever the connection throws; then `available` is `false`.
   */
  take(id: string, tokens: number): Promise<Leave>;
  /** A slot that this process gave out by itself, because the fleet could not be asked. The fleet hears of it when it can. */
  hold(id: string): void;
  /** Gives the slot back. Never throws: a slot that is not given back runs out. */
  giveBack(id: string): void;
  /** Charges tokens beyond an estimate, or gives some back. */
  correct(tokens: number): void;
  /**
   * Takes one retry of a failed call from what the fleet may retry. `false`: that is spent.
   *
   * @throws whatever the connection throws; then `available` is `false`.
   */
  retry(): Promise<boolean>;
  /** Lets nobody in the fleet leave for `ms` milliseconds. */
  pause(ms: number): void;
  /** This process has found the route dead, for `forMs` milliseconds; with 0, alive. */
  broke(forMs: number, reason: string): void;
  /** A 429 was answered. */
  refused(): void;
  /** Something else was answered. */
  answered(wanted: boolean, said: Remaining | undefined): void;
  /** Gives back what it holds and disconnects. */
  close(): Promise<void>;
}
