// `bulkhead threads`: what ran, how it stands, and how far it may be believed.

import type { Command } from "commander";
import type { Journal } from "../../checkpoints/index.js";
import { command, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";

interface ThreadsOptions {
  readonly db?: string;
  readonly json?: boolean;
}

export const threadsCommand = (terminal: Terminal): Command =>
  withJson(withDatabase(command("threads", "list what ran", ["bulkhead threads", "bulkhead threads --json"]))).action(
    (options: ThreadsOptions) => list(options, terminal),
  );

async function list({ json = false, ...flags }: ThreadsOptions, terminal: Terminal): Promise<void> {
  const { withJournal, statusOf } = await import("../journal.js");
  const { minTrust } = await import("../../trust/label.js");
  const { barsOf, cut, table } = await import("../text.js");
  await withJournal(terminal, flags, async ({ journal }) => {
    const listing = [];
    for (const record of await journal.threads()) {
      const { thread, graph, task, floor, createdAt, updatedAt } = record;
      listing.push({
        thread,
        graph,
        status: await statusOf(journal, record),
        task: task ?? null,
        erased: task === undefined ? await erasedAt(thread, journal) : null,
        trust: { ...floor, minTrust: minTrust(floor) },
        created: new Date(createdAt).toISOString(),
        updated: new Date(updatedAt).toISOString(),
      });
    }
    if (json) return terminal.out(JSON.stringify(listing, null, 2));
    if (listing.length === 0) return terminal.out(`Nothing ran yet. Next:\n  ${terminal.program} run "…"`);
    const rows = listing.map(({ thread, status, trust, updated, task, erased }) => [
      thread,
      status,
      `${barsOf(trust)} ${trust.minTrust}`,
      updated.slice(0, 16).replace("T", " "),
      erased === null ? cut(task ?? "", 60) : `(erased on ${erased.slice(0, 10)})`,
    ]);
    for (const line of table([["THREAD", "STATUS", "TRUST", "UPDATED (UTC)", "TASK"], ...rows])) terminal.out(line);
    terminal.out(`Next:\n  ${terminal.program} show THREAD`);
  });
}

/** Erasing takes the task away. `null` for a thread that never had one. */
async function erasedAt(thread: string, journal: Journal): Promise<string | null> {
  const { erasureOf } = await import("../journal.js");
  const { JournalError } = await import("../../checkpoints/errors.js");
  try {
    const erased = erasureOf(await journal.events({ thread }));
    return erased === undefined ? null : new Date(erased.at).toISOString();
  } catch (error) {
    if (JournalError.isInstance(error)) return null; // A damaged thread is listed all the same; verify says more.
    throw error;
  }
}
