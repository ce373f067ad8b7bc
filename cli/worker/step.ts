// What becomes of a run's job after a worker has worked on it, or has only looked at it. Pure: from how the run ended to
// where its job goes. The only reasons to work on a run again are here, and a failure is none of them.

import { JournalError, ThreadBusyError } from "../../checkpoints/errors.js";
import { StoreError } from "../../memory/errors.js";
import { explain } from "../exit.js";
import type { Outcome } from "../run/outcome.js";
import type { QueuedResult, Sleep } from "./queued-run.js";

/** Where a job goes. */
export type Step =
  | { readonly to: "done"; readonly result: QueuedResult }
  /** Out of the queue's hands until somebody puts it in again. */
  | { readonly to: "failed"; readonly message: string }
  /** To be looked at again when the sleep is over; it costs no memory until then. */
  | { readonly to: "sleep"; readonly sleep: Sleep }
  /** Back to the head of the line, for another worker: this one is stopping. */
  | { readonly to: "back" };

/** What {@link stepAfter} looks at beside the outcome. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How often the run was looked at in vain before. */
  readonly looks: number;
  /** The open approvals of the thread. */
  readonly pending: number;
}

/** A parked run that would be awake again at once sleeps this long, in ms: capacity that is short is not polled. */
const SHORTEST_PARK_MS = 1_000;

/** The first look whether a person has decided, in ms; every later one comes after twice the time. */
const FIRST_LOOK_MS = 1_000;

/** The longest time between two looks, in ms: an answer from Studio or the API is noticed after this. */
export const LONGEST_LOOK_MS = 15_000;

/** How long the journal is left alone after it could not be reached, in ms. */
const DATABASE_MS = 10_000;

/** How long a thread that another run has is left alone, in ms, unless its lease ends before. */
const BUSY_MS = 5_000;

/** The shortest sleep of all, in ms. */
const SHORTEST_MS = 250;

/** A run that waits for a person, until the next look. */
export const waitFor = ({ now, looks }: Pick<Surroundings, "now" | "looks">): Step => ({
  to: "sleep",
  sleep: {
    why: "waiting",
    until: now + Math.min(LONGEST_LOOK_MS, FIRST_LOOK_MS * 2 ** Math.min(looks, 10)),
    looks: looks + 1,
  },
});

/** Where a job goes after its run ended like this. */
export function stepAfter({ status, message, retryAt, error }: Outcome, around: Surroundings): Step {
  const told = message === undefined ? {} : { message };
  switch (status) {
    case "finished":
    case "blocked":
    case "spent":
      return { to: "done", result: { status } };
    case "interrupted":
      return { to: "back" };
    case "parked": {
      const until = Math.max(retryAt ?? 0, around.now + SHORTEST_PARK_MS);
      return { to: "sleep", sleep: { why: "parked", until, looks: 0, ...told } };
    }
    case "waiting":
      // A question of a node of the user's own is answered in Studio, and goes on there.
      return around.pending > 0 ? waitFor(around) : { to: "done", result: { status, ...told } };
    case "failed":
      return stepAfterError(error, around.now);
  }
}

/** Whether checkpoints, journal or memory could not be reached. The run itself has not failed then. */
const isAway = (error: unknown): boolean =>
  JournalError.isInstance(error)
    ? error.code === "JOURNAL_UNAVAILABLE" || error.code === "JOURNAL_LOCKED"
    : StoreError.isInstance(error) && error.code === "UNAVAILABLE";

/** Where a job goes after its run, or what was done around it, threw this. */
export function stepAfterError(error: unknown, now: number): Step {
  if (ThreadBusyError.isInstance(error)) {
    const { holder } = error;
    const until = Math.max(now + SHORTEST_MS, Math.min(holder.until, now + BUSY_MS));
    const message = `run ${holder.owner} has the thread (process ${holder.pid} on ${holder.host})`;
    return { to: "sleep", sleep: { why: "busy", until, looks: 0, message } };
  }
  if (isAway(error)) {
    return {
      to: "sleep",
      sleep: { why: "database", until: now + DATABASE_MS, looks: 0, message: "the database could not be used" },
    };
  }
  return { to: "failed", message: explain(error).message || "unknown error" };
}
