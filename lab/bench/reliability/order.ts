// What a cell of the benchmark tells its child process to do, and what that tells back: JSON both ways, one line each.

import { z } from "zod";

/** Who is compared. */
export const HARNESSES = ["create-agent", "deep-agent", "bulkhead"] as const;
/** A harness. */
export type HarnessName = (typeof HARNESSES)[number];

const quota = z.object({ requestsPerMinute: z.number(), inFlight: z.number() });

/** The order of a child process. */
export const order = z.object({
  harness: z.enum(HARNESSES),
  /** The provider's address, with `/v1`. */
  baseUrl: z.string(),
  /** How many times as fast as the machine's the clock runs, and when it began: milliseconds since the epoch. */
  scale: z.number(),
  epoch: z.number(),
  /** When the first process was ready. Unset for that one itself: starting up is no part of what is measured. */
  origin: z.number().optional(),
  primary: quota,
  fallback: quota,
  /** Where this cell's workspaces and databases are. */
  folder: z.string(),
  /** A workspace that was made and not changed. */
  seed: z.string(),
  /** The tasks that are not done yet. `at`: when to start, in the clock's milliseconds after `origin`. */
  jobs: z.array(z.object({ index: z.number(), at: z.number(), resume: z.boolean() })),
  /** Kill -9 this process right after so many effects. 0: do not. */
  killAfter: z.number(),
  /** How long the operator takes to answer, in the clock's milliseconds. */
  operatorMs: z.number(),
});
/** See {@link order}. */
export type Order = z.output<typeof order>;
/** A task to run, or to go on with. */
export type Job = Order["jobs"][number];

/** What a child process tells. */
export const report = z.discriminatedUnion("kind", [
  /** The first tasks begin now. */
  z.object({ kind: z.literal("ready"), at: z.number() }),
  z.object({ kind: z.literal("started"), index: z.number() }),
  z.object({ kind: z.literal("asked"), index: z.number() }),
  z.object({
    kind: z.literal("ended"),
    index: z.number(),
    /** The run came to an answer. */
    finished: z.boolean(),
    answer: z.string(),
    /** Why it did not. */
    error: z.string().optional(),
  }),
  z.object({
    kind: z.literal("used"),
    processorMs: z.number(),
    memoryBytes: z.number(),
    /** How late its timers came, 99th percentile, in the clock's milliseconds. */
    lateMs: z.number(),
  }),
]);
/** See {@link report}. */
export type Report = z.output<typeof report>;
