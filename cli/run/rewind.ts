// What `bulkhead rewind` and `run --on-low-trust rewind` do: derive a new thread from the last good checkpoint of a
// stopped one, and run it on.

import { randomUUID } from "node:crypto";
import { openCheckpointer } from "../../checkpoints/index.js";
import { rewindThread } from "../../graphs/index.js";
import { parseFault } from "../../models/index.js";
import type { RunOptions } from "../commands/run.js";
import { configure, loadGraph, requireProject } from "../project.js";
import { startTracing } from "../telemetry.js";
import type { Terminal } from "../terminal.js";
import { describeLabel } from "../text.js";
import { type Ended, type Opened, runOnce } from "./once.js";
import { chooseTarget } from "./target.js";

/** The options of `rewind` as commander hands them over. */
export type RewindOptions = Pick<RunOptions, "graph" | "db" | "json" | "approve" | "fault">;

/** Rewinds and runs. @throws RewindError when there is nothing to go back to; nothing was changed then. */
export async function rewindTask(thread: string, options: RewindOptions, terminal: Terminal): Promise<number> {
  const project = requireProject(terminal.cwd);
  for (const fault of options.fault ?? []) parseFault(fault);
  const settings = await configure(terminal, project, options);
  const { graph, workspace = settings.workspace } = await chooseTarget(
    project,
    { ...options, thread, resume: true },
    settings,
    terminal,
  );
  terminal.env["BULKHEAD_WORKSPACE"] = workspace;
  const loaded = await loadGraph(project, graph);
  const { saver, close } = await openCheckpointer(settings.database);
  const stopTracing = await startTracing(loaded.harness.journal, settings, terminal);
  try {
    return (await rewindAndRun(thread, workspace, { options, terminal, loaded, saver, settings })).code;
  } finally {
    await stopTracing();
    await close();
    await loaded.harness.close();
  }
}

/** Goes back from a stopped thread and runs on in a new one. @throws RewindError */
export async function rewindAndRun(thread: string, workspace: string, opened: Opened): Promise<Ended> {
  const { options, terminal, loaded, saver } = opened;
  const { graph, harness } = loaded;
  graph.checkpointer = saver;
  const to = `thread-${randomUUID()}`;
  const { step, floor } = await rewindThread({ graph, harness, saver, thread, to, run: randomUUID() });
  if (!options.json) {
    terminal.err(terminal.errStyle.dim(`rewound ${thread} to step ${step}: trust ${describeLabel(floor)}`));
  }
  return runOnce({ thread: to, mode: "resume", workspace }, undefined, opened);
}
