// `bulkhead threads`: what ran, how it stands, and how far it may be believed.

import type { Command } from "commander";
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
  const { minTrust } = await import("../../trust/index.js");
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
        trust: { ...floor, minTrust: minTrust(floor) },
        created: new Date(createdAt).toISOString(),
        updated: new Date(updatedAt).toISOString(),
      });
    }
    if (json) return terminal.out(JSON.stringify(listing, null, 2));
    if (listing.length === 0) return terminal.out(`Nothing ran yet. Next:\n  ${terminal.program} run "…"`);
    const rows = listing.map(({ thread, status, trust, updated, task }) => [
      thread,
      status,
      `${barsOf(trust)} ${trust.minTrust}`,
      updated.slice(0, 16).replace("T", " "),
      cut(task ?? "", 60),
    ]);
    for (const line of table([["THREAD", "STATUS", "TRUST", "UPDATED (UTC)", "TASK"], ...rows])) terminal.out(line);
    terminal.out(`Next:\n  ${terminal.program} show THREAD`);
  });
}
