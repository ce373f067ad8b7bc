// What the queue keeps of a run: as little as a worker needs to find it. The state of the run itself is in the
// checkpoint and the journal; what stands here is a pointer to it, and what is read back is checked.

import { z } from "zod";
import { BUDGET_DIMENSIONS } from "../../capacity/budget-limits.js";
import type { Priority } from "../../capacity/index.js";

/** Why a run that is not finished is not being worked on, beside being in line. */
const sleep = z.object({
  /**
   * `parked`: there is no capacity. `waiting`: a person has to decide. `busy`: another run has the thread. `database`: the
   * journal could not be reached.
   */
  why: z.enum(["parked", "waiting", "busy", "database"]),
  /** When it is looked at again, in ms since the epoch. */
  until: z.number(),
  /** For a person; never what a user or a model wrote. */
  message: z.string().optional(),
  /** How often it was looked at in vain. */
  looks: z.number().int().min(0),
});

/** Why a run sleeps, and until when. */
export type Sleep = z.infer<typeof sleep>;

const queuedRun = z.object({
  thread: z.string().min(1),
  graph: z.string().min(1),
  /** What the user wants. Taken out as soon as the journal has it. */
  task: z.string().optional(),
  /** The folder that the tools worked on. Unset until the run has begun. */
  workspace: z.string().optional(),
  /** Limits of its own, as `submit --budget` gave them. What the run had before is in the journal. */
  budget: z.partialRecord(z.enum(BUDGET_DIMENSIONS), z.number().positive()).optional(),
  sleep: sleep.optional(),
});

/** The data of a job. */
export type QueuedRun = z.infer<typeof queuedRun>;

/** Reads the data of a job. @throws Error when it is none of ours. */
export function readQueuedRun(data: unknown): QueuedRun {
  const parsed = queuedRun.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(
    `a job of this queue is not a run (${issue?.path.join(".") ?? "data"}: ${issue?.message ?? "unknown"}). Is another program using this queue? Choose a name of your own with BULKHEAD_QUEUE.`,
  );
}

/** What a finished job says. */
export const runResult = z.object({
  status: z.enum(["finished", "blocked", "spent", "waiting"]),
  message: z.string().optional(),
});

/** How a run ended, as far as the queue knows. */
export type QueuedResult = z.infer<typeof runResult>;

/** How often a run is taken over from workers that died before it counts as their cause and fails. */
export const MOST_TAKEOVERS = 10;

/** Why a job failed. BullMQ's own words are for the one case in which no worker of ours came to say something. */
export const failureOf = (reason: string): string =>
  reason === "job stalled more than allowable limit"
    ? `${MOST_TAKEOVERS + 1} workers died while they had it; it may be what kills them`
    : reason;

/** Every interactive run comes before every batch run. BullMQ serves 0 before everything else, and then from low to high. */
export const PRIORITIES: Readonly<Record<Priority, number>> = { interactive: 0, batch: 10 };

/** The priority that a job was given. */
export const priorityOf = (value: number | undefined): Priority =>
  (value ?? 0) === PRIORITIES.interactive ? "interactive" : "batch";

/** The id of a thread's job. BullMQ takes neither colons nor plain numbers, so those are written differently. */
export const jobIdOf = (thread: string): string => {
  const id = encodeURIComponent(thread);
  return /^[\d-]+$/.test(id) ? `=${id}` : id;
};

/** The thread of a job's id. */
export const threadOf = (jobId: string): string => decodeURIComponent(jobId.replace(/^=/, ""));
