// The graphs of a worker: loaded once at its start, so that one that cannot be loaded is said before a run is taken,
// and shared by all its runs, with one checkpointer.

import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { PoolStatus } from "../../capacity/index.js";
import { openCheckpointer } from "../../checkpoints/index.js";
import type { Settings } from "../../models/index.js";
import { CommandError } from "../exit.js";
import { type LoadedGraph, loadGraph, type Project } from "../project.js";
import { startTracing } from "../telemetry.js";
import type { Terminal } from "../terminal.js";

/** All graphs of a project, ready to run. */
export interface Graphs {
  readonly saver: BaseCheckpointSaver;
  /** The quotas that their calls leave under. */
  readonly pools: readonly { readonly status: PoolStatus }[];
  /** @throws CommandError when the project has no such graph. */
  of(name: string): LoadedGraph;
  close(): Promise<void>;
}

/** Loads them. @throws CommandError when one cannot be loaded, JournalError when the database cannot be used. */
export async function openGraphs(project: Project, settings: Settings, terminal: Terminal): Promise<Graphs> {
  const endings: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    const loaded = new Map<string, LoadedGraph>();
    for (const name of Object.keys(project.graphs)) {
      const graph = await loadGraph(project, name);
      endings.push(() => graph.harness.close());
      const { journal } = graph.harness;
      endings.push(await startTracing(journal, settings, terminal));
      await journal.thread("bulkhead worker: can the database be read?");
      loaded.set(name, graph);
    }
    const { saver, close: closeSaver } = await openCheckpointer(settings.database);
    endings.push(closeSaver);
    return {
      saver,
      pools: [...loaded.values()].flatMap(({ harness }) => harness.pools ?? []),
      close,
      of(name) {
        const graph = loaded.get(name);
        if (graph !== undefined) return graph;
        throw new CommandError(
          `this worker has no graph ${JSON.stringify(name)}; its langgraph.json has: ${[...loaded.keys()].join(", ")}. Deploy the project that has it, then: bulkhead submit --thread THREAD --resume`,
        );
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
