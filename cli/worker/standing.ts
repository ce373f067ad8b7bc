// How a run stands in the queue, in the words of the house and not in BullMQ's: where it is in its life, who has it,
// until when it sleeps. Pure, so that every state can be tested without a server.

import type { Priority } from "../../capacity/index.js";
import { failureOf, priorityOf, type QueuedResult, readQueuedRun, runResult } from "./queued-run.js";
import type { QueueState } from "./states.js";

/** A run in the queue. Times in ms since the epoch. */
export interface Standing {
  readonly thread: string;
  readonly graph: string;
  readonly state: QueueState;
  readonly priority: Priority;
  /** When it was put in. */
  readonly submitted: number;
  /** Of a running one: since when its worker has it. Of a done or failed one: when it ended. */
  readonly since?: number;
  /** Of a running one, `HOST:PID`. */
  readonly worker?: string;
  /** When a sleeping one is looked at again. */
  readonly until?: number;
  /** How a done one ended. */
  readonly status?: QueuedResult["status"];
  /** Why it sleeps or failed. */
  readonly message?: string;
  /** How often a worker that had it died. */
  readonly takenOver: number;
}

/** The part of a BullMQ job that is looked at. */
export interface JobFacts {
  readonly data: unknown;
  readonly priority?: number;
  readonly timestamp: number;
  readonly processedOn?: number | null | undefined;
  readonly finishedOn?: number | null | undefined;
  readonly processedBy?: string | null | undefined;
  readonly failedReason?: string | null | undefined;
  readonly returnvalue?: unknown;
  readonly stalledCounter?: number;
}

const present = <Value>(name: string, value: Value | null | undefined): Record<string, Value> =>
  value === undefined || value === null ? {} : { [name]: value };

/** Says how a job stands. `where` is BullMQ's own name of the list that it is in. */
export function standingOf(job: JobFacts, where: string): Standing {
  const { thread, graph, sleep } = readQueuedRun(job.data);
  const base = {
    thread,
    graph,
    priority: priorityOf(job.priority),
    submitted: job.timestamp,
    takenOver: job.stalledCounter ?? 0,
  };
  switch (where) {
    case "active":
      return {
        ...base,
        state: "running",
        ...present("since", job.processedOn),
        ...present("worker", job.processedBy),
      };
    case "completed": {
      const read = runResult.safeParse(job.returnvalue);
      const { status, message } = read.data ?? { message: "how it ended cannot be read here; the journal knows" };
      return {
        ...{ ...base, state: "done" },
        ...present("status", status),
        ...present("since", job.finishedOn),
        ...present("message", message),
      };
    }
    case "failed":
      return {
        ...base,
        state: "failed",
        ...present("since", job.finishedOn),
        ...(typeof job.failedReason === "string" ? { message: failureOf(job.failedReason) } : {}),
      };
    case "delayed": {
      if (sleep === undefined) return { ...base, state: "queued" };
      const state = sleep.why === "parked" || sleep.why === "waiting" ? sleep.why : "queued";
      return { ...base, state, until: sleep.until, ...present("message", sleep.message) };
    }
    default:
      return { ...base, state: "queued" };
  }
}

/** How many there are of each state. */
export function countStates(standings: readonly Pick<Standing, "state">[]): Record<QueueState, number> {
  const counts: Record<QueueState, number> = { running: 0, queued: 0, waiting: 0, parked: 0, failed: 0, done: 0 };
  for (const { state } of standings) counts[state] += 1;
  return counts;
}

/** How a run stands, in a line. */
export function describeStanding({ state, worker, until, message, status }: Standing): string {
  const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
  const why = message === undefined ? "" : `: ${message}`;
  switch (state) {
    case "running":
      return worker === undefined ? "running" : `running on ${worker}`;
    case "parked":
      return `parked${end}${why}`;
    case "queued":
      return `queued${end}${why}`;
    case "done":
      return status ?? `done${why}`;
    case "failed":
      return `failed${why}`;
    case "waiting":
      return "waiting for a person";
  }
}
