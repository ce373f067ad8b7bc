// Counts what a worker tells, on its way to the log: the runs by how they left the worker, and whether it is stopping.

import type { Metric } from "../../capacity/index.js";
import type { WorkerEvent, WorkerLog } from "./log.js";

/** Where a run can go when a worker lets go of it. `waiting`: for a person. `returned`: to the queue, unfinished. */
const OUTCOMES = ["finished", "blocked", "spent", "failed", "parked", "waiting", "postponed", "returned"] as const;

/** Where a worker is in its life. */
export type WorkerPhase = "starting" | "ready" | "draining";

/** A log that counts. */
export class RunTally implements Pick<WorkerLog, "tell"> {
  phase: WorkerPhase = "starting";
  private started = 0;
  private takenOver = 0;
  private readonly outcomes = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));

  constructor(private readonly log: Pick<WorkerLog, "tell">) {}

  tell(event: WorkerEvent): void {
    this.count(event);
    this.log.tell(event);
  }

  /** The metrics of the worker's runs. `atWork` and `concurrency` are numbers of runs. */
  metrics({ atWork, concurrency }: { readonly atWork: number; readonly concurrency: number }): readonly Metric[] {
    const metric = (type: Metric["type"], name: string, help: string, value: number): Metric => ({
      ...{ name: `bulkhead_worker_${name}`, help, type },
      samples: [{ value }],
    });
    return [
      metric("gauge", "ready", "Whether the worker takes runs", Number(this.phase === "ready")),
      metric("gauge", "runs", "Runs that the worker works on", atWork),
      metric("gauge", "runs_limit", "Runs that it works on at most", concurrency),
      metric("counter", "runs_started_total", "Runs that began or went on", this.started),
      {
        ...{ name: "bulkhead_worker_runs_total", help: "Runs that left the worker, by what became of them" },
        type: "counter",
        samples: [...this.outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
      },
      metric("counter", "runs_taken_over_total", "Runs that were found left by a dead worker", this.takenOver),
    ];
  }

  private count(event: WorkerEvent): void {
    switch (event.type) {
      case "ready":
      case "draining":
        this.phase = event.type;
        break;
      case "start":
        this.started += 1;
        break;
      case "taken over":
        this.takenOver += 1;
        break;
      case "end":
        this.outcomes.set(event.status, (this.outcomes.get(event.status) ?? 0) + 1);
        break;
      case "failed":
      case "parked":
      case "waiting":
      case "postponed":
      case "returned":
        this.outcomes.set(event.type, (this.outcomes.get(event.type) ?? 0) + 1);
        break;
      case "stopped":
      case "trouble":
    }
  }
}
