// A process that does one job of the benchmark. It gets ready, waits until it is told to go, tells of its calls while they
// end, and goes when its parent does.

import { setMaxListeners } from "node:events";
import type { CrowdCall, FromWorker, ToWorker } from "./job.js";
import { watchLateness } from "./lateness.js";

/** How often it tells, in real ms. */
const TELL_MS = 250;

const stopping = new AbortController();
setMaxListeners(0, stopping.signal); // One for each call under way, on purpose.
let begun = false;
let go = (): void => {};
const going = new Promise<void>((resolve) => {
  go = resolve;
});

const tell = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};

async function work({ job, circumstances }: Extract<ToWorker, { kind: "prepare" }>): Promise<void> {
  const { openJob } = await import("./work.js");
  const { warmUp } = await import("../quota/caller.js");
  if (circumstances.warmUpUrl !== undefined) await warmUp(circumstances.warmUpUrl);
  let untold: CrowdCall[] = [];
  const tellCalls = (): void => {
    if (untold.length > 0) tell({ kind: "calls", calls: untold });
    untold = [];
  };
  const run = await openJob(job, { circumstances, signal: stopping.signal, tell: (call) => void untold.push(call) });
  tell({ kind: "ready" });
  await going;
  begun = true;
  const timer = setInterval(tellCalls, TELL_MS);
  const lateness = watchLateness();
  const outcome = await run();
  const lateMs = lateness();
  clearInterval(timer);
  tellCalls();
  tell({ kind: "done", lateMs, ...outcome });
}

process.on("message", (message: ToWorker) => {
  switch (message.kind) {
    case "prepare":
      work(message).catch((error: unknown) => tell({ kind: "failed", message: String(error) }));
      return;
    case "stop":
      if (!begun) process.exit(); // There is nothing to tell.
      return stopping.abort(new Error("stopped"));
    case "go":
      return go();
  }
});
// Ctrl-C reaches the whole group of processes; the parent decides what it means.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());
