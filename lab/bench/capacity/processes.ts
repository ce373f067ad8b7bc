// Runs the jobs of a row, each in a process of its own: all of them begin at once, and none is left when this is over.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Circumstances, CrowdCall, FromWorker, Job, ToWorker } from "./job.js";

/** What {@link runJobs} takes. */
export interface JobsOptions {
  readonly jobs: readonly Job[];
  readonly circumstances: Circumstances;
  /** When it aborts, the processes are told to stop, and killed when they do not. What they told until then counts. */
  readonly signal: AbortSignal;
  /** Called when all are ready, before they are told to go. */
  readonly onGo: () => Promise<void>;
  readonly onCalls: (calls: readonly CrowdCall[]) => void;
}

/** How all jobs together ended; `lateMs` is that of the latest process. */
export type JobsFound = Omit<Extract<FromWorker, { kind: "done" }>, "kind">;

/** This file's ending: the workers are run as it is, from the sources or compiled. */
const WORKER = fileURLToPath(new URL(`./worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url));

/** How long a process that was told to stop, or to go, may take, in real ms. */
const STOP_MS = 5_000;

/** Runs them. Rejects when a process fails, or dies before it is done. */
export async function runJobs({ jobs, circumstances, signal, onGo, onCalls }: JobsOptions): Promise<JobsFound> {
  const workers = jobs.map(() => new Worker(signal, onCalls));
  try {
    for (const [index, job] of jobs.entries()) workers[index]?.send({ kind: "prepare", job, circumstances });
    await Promise.all(workers.map(({ ready }) => ready));
    await onGo();
    for (const worker of workers) worker.send({ kind: "go" });
    const found = await Promise.all(workers.map(({ done }) => done));
    const failures: Record<string, number> = {};
    for (const [name, count] of found.flatMap((each) => Object.entries(each.failures))) {
      failures[name] = (failures[name] ?? 0) + count;
    }
    return {
      finished: found.reduce((sum, { finished }) => sum + finished, 0),
      failures,
      lateMs: Math.max(...found.map(({ lateMs }) => lateMs)),
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

/** One process. */
class Worker {
  /** Resolves when it can begin, and when it was stopped before. */
  readonly ready: Promise<void>;
  /** Resolves when it is done; for one that was stopped and did not say so, with nothing. */
  readonly done: Promise<JobsFound>;
  readonly #child: ChildProcess;
  readonly #gone: Promise<string>;
  readonly #signal: AbortSignal;
  #killer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal, onCalls: JobsOptions["onCalls"]) {
    // Nothing of the environment: a key or a tracer there would make the rows differ.
    const child = fork(WORKER, { serialization: "advanced", env: {} });
    this.#child = child;
    this.#signal = signal;
    this.#gone = new Promise((resolve) => child.once("exit", (code, by) => resolve(String(by ?? code))));
    let beReady = (): void => {};
    let beDone = (_found: JobsFound): void => {};
    let fail = (_error: Error): void => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.ready = Promise.race([failed, new Promise<void>((resolve) => (beReady = resolve))]);
    this.done = Promise.race([failed, new Promise<JobsFound>((resolve) => (beDone = resolve))]);
    // Whoever awaits the one hears of it; the other must not be called unhandled.
    this.ready.catch(() => undefined);
    this.done.catch(() => undefined);
    child.on("error", fail);
    child.on("message", (message: FromWorker) => {
      if (message.kind === "ready") beReady();
      else if (message.kind === "calls") onCalls(message.calls);
      else if (message.kind === "done") beDone(message);
      else fail(new Error(`a worker of bench capacity failed: ${message.message}`));
    });
    void this.#gone.then((how) => {
      if (!signal.aborted) return fail(new Error(`a worker of bench capacity ended: ${how}`));
      beReady();
      beDone({ finished: 0, failures: {}, lateMs: 0 });
    });
    signal.addEventListener("abort", this.#stop, { once: true });
    if (signal.aborted) this.#stop();
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message);
  }

  /** Sees it off. */
  async end(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#stop);
    if (this.#child.connected) this.#child.disconnect();
    this.#killLater();
    await this.#gone;
    clearTimeout(this.#killer);
  }

  readonly #stop = (): void => {
    this.send({ kind: "stop" });
    this.#killLater();
  };

  #killLater(): void {
    this.#killer ??= setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
  }
}
