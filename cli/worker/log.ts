// What a worker says: one line for everything that happens to a run, for a person or as JSON.

import type { Terminal } from "../terminal.js";
import { cut, duration } from "../text.js";

/** What happened. Times in ms since the epoch, durations in ms. */
export type WorkerEvent =
  | {
      readonly type: "ready";
      readonly worker: string;
      readonly concurrency: number;
      readonly queue: string;
      /** Where its metrics are. */
      readonly metrics?: string;
    }
  | { readonly type: "start"; readonly thread: string; readonly run: string }
  | { readonly type: "parked"; readonly thread: string; readonly until: number; readonly message?: string | undefined }
  | { readonly type: "waiting"; readonly thread: string }
  | {
      readonly type: "postponed";
      readonly thread: string;
      readonly until: number;
      readonly message?: string | undefined;
    }
  | { readonly type: "end"; readonly thread: string; readonly status: string; readonly ms: number }
  | { readonly type: "failed"; readonly thread: string; readonly message: string }
  | { readonly type: "returned"; readonly thread: string }
  | { readonly type: "taken over"; readonly thread: string }
  | { readonly type: "draining"; readonly runs: number; readonly message: string }
  | { readonly type: "stopped"; readonly message: string }
  | { readonly type: "trouble"; readonly message: string };

/** The same trouble is told once in this time, in ms: a server that is away fails many times a second. */
const TROUBLE_MS = 10_000;

/** Prints events. */
export class WorkerLog {
  private readonly troubles = new Map<string, number>();

  constructor(
    private readonly terminal: Pick<Terminal, "out">,
    private readonly json: boolean,
    private readonly now: () => number,
  ) {}

  /** Prints one event. */
  tell(event: WorkerEvent): void {
    const at = this.now();
    if (event.type === "trouble" && !this.isNews(event.message, at)) return;
    this.terminal.out(this.json ? JSON.stringify({ at: new Date(at).toISOString(), ...event }) : lineOf(at, event));
  }

  private isNews(message: string, at: number): boolean {
    const last = this.troubles.get(message);
    if (last !== undefined && at - last < TROUBLE_MS) return false;
    if (this.troubles.size > 100) this.troubles.clear(); // Messages with ids in them must not pile up.
    this.troubles.set(message, at);
    return true;
  }
}

const lineOf = (at: number, event: WorkerEvent): string =>
  [clock(at), event.type.padEnd(10), "thread" in event ? event.thread : "", describe(event)]
    .filter((part) => part !== "")
    .join("  ");

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);

function describe(event: WorkerEvent): string {
  switch (event.type) {
    case "ready":
      return `${event.worker} takes up to ${event.concurrency} runs from ${event.queue}${event.metrics === undefined ? "" : `, metrics: ${event.metrics}`}`;
    case "parked":
    case "postponed":
      return `until ${clock(event.until)}${event.message === undefined ? "" : `: ${cut(event.message, 140)}`}`;
    case "waiting":
      return "for a person: bulkhead approvals";
    case "end":
      return `${event.status} after ${duration(event.ms)}`;
    case "returned":
      return "to the queue";
    case "taken over":
      return "from a worker that died";
    case "failed":
    case "draining":
    case "stopped":
    case "trouble":
      return cut(event.message, 300);
    default:
      return "";
  }
}
