// What `bulkhead run` does with what it was asked for: opens the project's graph and database, runs one session, and tells
// how it ended. Returns the exit code.

import { openCheckpointer } from "../../checkpoints/index.js";
import { RewindError } from "../../graphs/index.js";
import type { RunOptions } from "../commands/run.js";
import { loadGraph } from "../project.js";
import { startTracing } from "../telemetry.js";
import type { Terminal } from "../terminal.js";
import type { Asked } from "./asked.js";
import { runOnce } from "./once.js";
import { rewindAndRun } from "./rewind.js";

/** How often `--on-low-trust rewind` goes back before a person is asked. */
const MAX_REWINDS = 2;

/** Runs what was asked for. Returns the exit code. */
export async function runTask(
  { project, settings, task, target, workspace }: Asked,
  options: RunOptions,
  terminal: Terminal,
): Promise<number> {
  const loaded = await loadGraph(project, target.graph);
  const { saver, close } = await openCheckpointer(settings.database);
  const stopTracing = await startTracing(loaded.harness.journal, settings, terminal);
  try {
    const opened = { options, terminal, loaded, saver, settings };
    const rewinds = options.onLowTrust === "rewind" ? MAX_REWINDS : 0;
    let ended = await runOnce({ ...target, workspace }, task, { ...opened, waits: rewinds === 0 });
    for (let done = 1; ended.canRewind && done <= rewinds; done += 1) {
      try {
        ended = await rewindAndRun(ended.thread, workspace, { ...opened, waits: done === rewinds });
      } catch (error) {
        if (!RewindError.isInstance(error)) throw error;
        terminal.err(error.message); // A person decides then; what to type was told.
        break;
      }
    }
    return ended.code;
  } finally {
    await stopTracing();
    await close();
    await loaded.harness.close();
  }
}
