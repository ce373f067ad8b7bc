// For the commands that need the journal and nothing else: opens it without loading a graph, and closes it again.

import { redactUrl } from "../checkpoints/database/target.js";
import { ThreadBusyError } from "../checkpoints/errors.js";
import type { Journal, RecordedEvent, RunStatus, ThreadRecord } from "../checkpoints/index.js";
import { openJournal } from "../checkpoints/journal/journal.js";
import type { Settings } from "../models/index.js";
import { CommandError } from "./exit.js";
import { configure, findProject, type Project } from "./project.js";
import type { Terminal } from "./terminal.js";

/** The journal, and where it was found. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly settings: Settings;
  readonly project: Project | undefined;
}

/** Calls `use` with the journal of `--db`, of the project around the working directory, or of the environment. */
export async function withJournal<Result>(
  terminal: Terminal,
  { db }: { readonly db?: string },
  use: (opened: OpenedJournal) => Promise<Result>,
): Promise<Result> {
  const project = findProject(terminal.cwd);
  const settings = await configure(terminal, project, { db });
  const journal = openJournal(settings.database, { keyFile: settings.keyFile, secrets: settings.secrets });
  try {
    return await use({ journal, settings, project });
  } finally {
    await journal.close();
  }
}

/** The thread's record. @throws CommandError when the journal does not know it. */
export async function requireThread(
  { journal, settings }: OpenedJournal,
  thread: string,
  { program }: Terminal,
): Promise<ThreadRecord> {
  const record = await journal.thread(thread);
  if (record !== undefined) return record;
  throw new CommandError(
    `there is no thread ${thread} in ${redactUrl(settings.database)}. List them: ${program} threads`,
  );
}

/** The last erasure of a thread, as the record tells it. */
export interface ToldErasure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** When, by whom and why a thread was last erased. Its status is from before that, unless it went on. */
export function erasureOf(events: readonly RecordedEvent[]): ToldErasure | undefined {
  const told = events.findLast(({ event }) => event.kind === "thread.erased");
  if (told?.event.kind !== "thread.erased") return undefined;
  return { at: told.at, by: told.event.by, reason: told.event.reason };
}

/** The status of a thread as it is: one that was killed still says `running`, but nobody has it. */
export async function statusOf(journal: Journal, { thread, status }: ThreadRecord): Promise<RunStatus> {
  if (status !== "running") return status;
  try {
    await (await journal.lease(thread, "bulkhead: looking whether it runs")).release();
    return "interrupted";
  } catch (error) {
    if (ThreadBusyError.isInstance(error)) return "running";
    throw error;
  }
}
