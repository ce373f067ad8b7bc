// What `bulkhead rewind` does: derives a new thread from the last good checkpoint of a stopped one, and runs it on.

import { randomUUID } from "node:crypto";
import { openCheckpointer } from "../../checkpoints/index.js";
import { rewindThread } from "../../graphs/index.js";
import { parseFault } from "../../models/index.js";
import { requireThread, withJournal } from "../journal.js";
import { configure, graphName, loadGraph, requireProject } from "../project.js";
import type { Terminal } from "../terminal.js";
import { describeLabel } from "../text.js";
import type { ApproveMode } from "./approvals.js";
import { runOn } from "./run.js";

/** The options of `rewind` as commander hands them over. */
export interface RewindOptions {
  readonly graph?: string;
  readonly db?: string;
  readonly json?: boolean;
  readonly approve: ApproveMode;
  readonly fault?: readonly string[];
}

/** Rewinds and runs. @throws RewindError when there is nothing to go back to; nothing was changed then. */
export async function rewindTask(thread: string, options: RewindOptions, terminal: Terminal): Promise<number> {
  const project = requireProject(terminal.cwd);
  for (const fault of options.fault ?? []) parseFault(fault);
  const flags = options.db === undefined ? {} : { db: options.db };
  const origin = await withJournal(terminal, flags, async (opened) => {
    const { graph, task } = await requireThread(opened, thread, terminal);
    const starts = (await opened.journal.events({ thread })).flatMap(({ event }) =>
      event.kind === "run.start" ? event : [],
    );
    return { graph: graph in project.graphs ? graph : undefined, task, workspace: starts.at(-1)?.workspace };
  });
  const settings = await configure(terminal, project, options);
  const workspace = origin.workspace ?? settings.workspace;
  terminal.env["BULKHEAD_WORKSPACE"] = workspace;
  const loaded = await loadGraph(project, graphName(project, options.graph ?? origin.graph));
  const { saver, close } = await openCheckpointer(settings.database);
  try {
    const { graph, harness } = loaded;
    graph.checkpointer = saver;
    const to = `thread-${randomUUID()}`;
    const { step, floor } = await rewindThread({ graph, harness, saver, thread, to, run: randomUUID() });
    if (origin.task !== undefined) await harness.journal.updateThread(to, { task: origin.task });
    if (!options.json) {
      terminal.err(terminal.errStyle.dim(`rewound ${thread} to step ${step}: trust ${describeLabel(floor)}`));
    }
    const target = { thread: to, graph: loaded.name, mode: "resume" as const, workspace };
    return await runOn(target, undefined, { options, terminal, loaded, saver });
  } finally {
    await close();
    await loaded.harness.close();
  }
}
