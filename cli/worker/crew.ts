// One worker's runs: takes a job of the queue, has it worked on, and moves it to where it belongs, in BullMQ's terms.

import type { Job } from "bullmq";
import type { WorkerLog } from "./log.js";
import { priorityOf, type QueuedRun, readQueuedRun } from "./queued-run.js";
import type { QueuePackages } from "./redis.js";
import type { Step } from "./step.js";
import { type Workbench, workOn } from "./work.js";

/** Works on jobs and keeps the count of those under way. */
export class Crew {
  private readonly atWork = new Set<string>();

  constructor(
    private readonly packages: Pick<QueuePackages, "bullmq">,
    private readonly bench: Omit<Workbench, "onBegin" | "priority">,
    private readonly log: Pick<WorkerLog, "tell">,
  ) {}

  /** How many runs are under way. */
  get size(): number {
    return this.atWork.size;
  }

  /** BullMQ's processor: what it returns is the result of the job, and two of its errors mean that the job has moved. */
  async take(job: Job, token: string): Promise<unknown> {
    const { UnrecoverableError } = this.packages.bullmq;
    const begun = this.bench.clock.now();
    let queued: QueuedRun;
    try {
      queued = readQueuedRun(job.data);
    } catch (error) {
      throw new UnrecoverableError((error as Error).message);
    }
    const { thread } = queued;
    this.atWork.add(thread);
    try {
      const onBegin = async (run: string, kept: QueuedRun) => {
        this.log.tell({ type: "start", thread, run });
        queued = kept;
        await job.updateData(kept).catch(() => undefined); // The task stays in Redis a little longer then.
      };
      const step = await workOn(queued, { ...this.bench, priority: priorityOf(job.priority), onBegin });
      return await this.move(step, queued, job, token, begun);
    } finally {
      this.atWork.delete(thread);
    }
  }

  private async move(step: Step, queued: QueuedRun, job: Job, token: string, begun: number): Promise<unknown> {
    const { DelayedError, UnrecoverableError, WaitingError } = this.packages.bullmq;
    const { thread } = queued;
    switch (step.to) {
      case "done":
        this.log.tell({ type: "end", thread, status: step.result.status, ms: this.bench.clock.now() - begun });
        return step.result;
      case "failed":
        throw new UnrecoverableError(step.message);
      case "back":
        await this.moving(() => job.moveToWait(token));
        this.log.tell({ type: "returned", thread });
        throw new WaitingError();
      case "sleep": {
        const { why, until, message, looks } = step.sleep;
        await this.moving(async () => {
          await job.updateData({ ...queued, sleep: step.sleep });
          await job.moveToDelayed(until, token);
        });
        if (why === "parked") this.log.tell({ type: "parked", thread, until, message });
        else if (why !== "waiting") this.log.tell({ type: "postponed", thread, until, message });
        else if (looks === 1) this.log.tell({ type: "waiting", thread });
        throw new DelayedError();
      }
    }
  }

  /** A job that cannot be moved is another worker's by now, or will be: the thread's lease decides who works on it. */
  private async moving(move: () => Promise<unknown>): Promise<void> {
    try {
      await move();
    } catch (error) {
      this.log.tell({ type: "trouble", message: (error as Error).message });
    }
  }
}
