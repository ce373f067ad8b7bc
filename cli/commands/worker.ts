// `bulkhead worker`: its options, and nothing else. What it does is in `../worker/`.

import { type Command, InvalidArgumentError } from "commander";
import { collect, command, quotaOption, wholeNumber, withDatabase, withJson, withQueue } from "../options.js";
import type { ProjectFlags } from "../project.js";
import type { Terminal } from "../terminal.js";

interface WorkerFlags extends ProjectFlags {
  readonly redis?: string;
  readonly queue?: string;
  readonly json?: boolean;
  readonly concurrency: number;
  readonly drainTimeout: number;
  readonly takeover: number;
  readonly metrics?: number;
  readonly metricsHost: string;
}

const between =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };

const EXIT_CODES = `
On SIGTERM or Ctrl-C no more runs are taken, the step under way in each run comes to its end, and the runs go back to the
queue. A second signal stops at once.
Exit codes: 0 stopped and everything handed back, 1 failed, 2 usage, 130 stopped and something left for others to take over`;

/** The command. @param finish Takes the exit code. */
export const workerCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withJson(
    withQueue(
      withDatabase(
        command("worker", "run what is in the queue", [
          "bulkhead worker",
          "bulkhead worker --concurrency 16 --db postgres://USER:PASSWORD@HOST/DATABASE",
        ]),
      ),
    ),
  )
    .option("--concurrency <number>", "runs at once", between(1, 1_000), 8)
    .option(
      "--drain-timeout <seconds>",
      "longest time for the steps under way when asked to stop",
      between(1, 3_600),
      25,
    )
    .option(
      "--takeover <seconds>",
      "silence after which the runs of a dead worker are taken over",
      between(2, 3_600),
      20,
    )
    .option("--workspace <dir>", "folder of the customer records (default: workspace in the project)")
    .addOption(quotaOption())
    .option(
      "--metrics <port>",
      "serve /metrics for Prometheus and /healthz there (0: any free port)",
      between(0, 65_535),
    )
    .option("--metrics-host <address>", "address to serve them on", "127.0.0.1")
    .option("--fault <spec>", "a fault of the offline provider, repeatable: outage:offline-large", collect)
    .option("--seed <number>", "seed of the offline provider", wholeNumber)
    .addHelpText("after", EXIT_CODES)
    .action(async ({ drainTimeout, takeover, metrics: port, metricsHost: host, ...flags }: WorkerFlags) => {
      const { runWorker } = await import("../worker/worker.js");
      const times = { drainMs: drainTimeout * 1_000, takeoverMs: takeover * 1_000 };
      const metrics = port === undefined ? {} : { metrics: { port, host } };
      finish(await runWorker({ ...flags, ...times, ...metrics }, terminal));
    });
