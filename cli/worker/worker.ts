// The worker: takes runs from the queue, and puts each one where it belongs when it stops. Asked to stop, it takes no
// more, lets the superstep under way end, hands the runs back and is gone; killed, its runs are taken over by others.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { systemClock } from "../../capacity/clock.js";
import { redactUrl } from "../../checkpoints/index.js";
import { UsageError } from "../exit.js";
import { configure, type ProjectFlags, requireProject } from "../project.js";
import { Interruption } from "../run/interruption.js";
import type { Terminal } from "../terminal.js";
import { Crew } from "./crew.js";
import { untilStopped } from "./drain.js";
import { openGraphs } from "./graphs.js";
import { WorkerLog } from "./log.js";
import { type MetricsPlace, type MetricsServer, serveMetrics } from "./metrics.js";
import { RunTally } from "./metrics-tally.js";
import { failureOf, MOST_TAKEOVERS, threadOf } from "./queued-run.js";
import { connectRedis, loadQueuePackages, requireRedis } from "./redis.js";
import { PREFIX, QUEUE } from "./run-queue.js";

/** What a worker is started with. */
export interface WorkerOptions extends ProjectFlags {
  readonly redis?: string;
  readonly queue?: string;
  /** Runs at once. */
  readonly concurrency: number;
  /** How long a worker that is asked to stop lets its runs come to the end of their step, in ms. */
  readonly drainMs: number;
  /** How long after a worker was last heard of its runs are taken over, in ms. */
  readonly takeoverMs: number;
  /** Where its metrics are served. Unset: nowhere. */
  readonly metrics?: MetricsPlace;
  readonly json?: boolean;
}

/** Runs until asked to stop. Returns the exit code. @throws UsageError, CommandError before a run was taken */
export async function runWorker(options: WorkerOptions, terminal: Terminal): Promise<number> {
  const project = requireProject(terminal.cwd);
  const settings = await configure(terminal, project, options);
  if (settings.database === "memory:") {
    throw new UsageError(
      "a worker needs a database that others can reach. Set BULKHEAD_DB=postgres://… or sqlite:PATH.",
    );
  }
  const url = requireRedis(options.redis ?? settings.redis);
  const prefix = options.queue ?? settings.queue ?? PREFIX;
  const packages = await loadQueuePackages();
  const connection = await connectRedis(packages, url, { patient: true });
  try {
    const graphs = await openGraphs(project, settings, terminal);
    let served: MetricsServer | undefined;
    try {
      const log = new RunTally(new WorkerLog(terminal, options.json ?? false, () => systemClock.now()));
      const interruption = new Interruption(
        () => performance.now(),
        () => undefined,
      );
      const bench = { graphs, workspace: settings.workspace, settings, interruption, terminal, clock: systemClock };
      const name = `${hostname()}:${process.pid}`;
      const crew = new Crew(packages, { ...bench, ids: randomUUID }, log);
      const { concurrency } = options;
      const { pools } = graphs;
      const metrics = () => log.metrics({ atWork: crew.size, concurrency });
      served = options.metrics && (await serveMetrics(options.metrics, { pools, phase: () => log.phase, metrics }));
      const worker = new packages.bullmq.Worker(QUEUE, (job, token) => crew.take(job, token ?? ""), {
        ...{ connection, prefix, name, concurrency, autorun: false },
        lockDuration: options.takeoverMs,
        stalledInterval: Math.max(500, Math.round(options.takeoverMs / 3)),
        maxStalledCount: MOST_TAKEOVERS,
      });
      worker.on("error", ({ message }) => log.tell({ type: "trouble", message: redactUrl(message) }));
      worker.on("failed", (job, { message }) => {
        if (job !== undefined)
          log.tell({ type: "failed", thread: threadOf(job.id ?? ""), message: failureOf(message) });
      });
      worker.on("stalled", (id) => log.tell({ type: "taken over", thread: threadOf(id) }));
      await worker.waitUntilReady();
      const where = served === undefined ? {} : { metrics: served.address };
      log.tell({ type: "ready", worker: name, concurrency, queue: `${prefix} at ${redactUrl(url)}`, ...where });
      const { drainMs } = options;
      const stopping = { close: () => worker.close(), atWork: () => crew.size, interruption, log, terminal, drainMs };
      const stopped = untilStopped(stopping); // Listens before the first run is taken.
      worker.run().catch((error: Error) => log.tell({ type: "trouble", message: error.message }));
      return await stopped;
    } finally {
      await served?.close();
      await graphs.close();
    }
  } finally {
    connection.disconnect();
  }
}
