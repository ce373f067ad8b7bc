// Which thread a command runs on, with which graph, and where its tools work.

import { randomUUID } from "node:crypto";
import { redactUrl } from "../../checkpoints/database/target.js";
import { openJournal } from "../../checkpoints/journal/journal.js";
import type { Settings } from "../../models/index.js";
import type { RunOptions } from "../commands/run.js";
import { CommandError } from "../exit.js";
import { graphName, type Project } from "../project.js";
import type { Terminal } from "../terminal.js";

/** What was chosen. */
export interface Target {
  readonly thread: string;
  readonly graph: string;
  readonly mode: "start" | "more" | "resume";
  /** Where the thread worked before. Unset for a new thread. */
  readonly workspace?: string | undefined;
}

/** Which thread, on which graph, where. @throws CommandError when there is no such thread */
export async function chooseTarget(
  project: Project,
  { graph, thread, resume = false }: Pick<RunOptions, "graph" | "thread" | "resume">,
  { database, keyFile }: Settings,
  { program }: Terminal,
): Promise<Target> {
  if (thread === undefined)
    return { thread: `thread-${randomUUID()}`, graph: graphName(project, graph), mode: "start" };
  const journal = openJournal(database, { keyFile });
  try {
    const record = await journal.thread(thread);
    if (record === undefined) {
      throw new CommandError(`there is no thread ${thread} in ${redactUrl(database)}. List them: ${program} threads`);
    }
    const ran = record.graph in project.graphs ? record.graph : undefined;
    const starts = (await journal.events({ thread })).flatMap(({ event }) => (event.kind === "run.start" ? event : []));
    const workspace = starts.at(-1)?.workspace;
    return { thread, graph: graphName(project, graph ?? ran), mode: resume ? "resume" : "more", workspace };
  } finally {
    await journal.close();
  }
}
