// The states of a run in the queue, by name. On their own, so that `--help` needs nothing else.

/**
 * `queued`: in line. `running`: a worker has it. `parked`: sleeps until there is capacity. `waiting`: for a person.
 * `done`: finished or blocked. `failed`: stopped for good, until somebody puts it in again.
 */
export type QueueState = "queued" | "running" | "parked" | "waiting" | "done" | "failed";

/** All states, in the order in which they are listed. */
export const QUEUE_STATES: readonly QueueState[] = ["running", "queued", "waiting", "parked", "failed", "done"];
