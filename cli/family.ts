// Families of threads: a thread with all that was derived from it. They are erased together, or not at all: an effect
// that is erased protects no relative from doing it again.

import { type Journal, type Lease, openCheckpointer, type ThreadRecord } from "../checkpoints/index.js";
import { CommandError } from "./exit.js";
import type { OpenedJournal } from "./journal.js";
import { operator } from "./run/approvals.js";
import type { Terminal } from "./terminal.js";

/** A root and all its threads, itself among them. */
export interface Family {
  readonly root: string;
  readonly members: readonly ThreadRecord[];
}

/** All families, the most recently updated first. */
export async function familiesOf(journal: Journal): Promise<readonly Family[]> {
  const families = new Map<string, ThreadRecord[]>();
  for (const record of await journal.threads()) {
    const own = families.get(record.root);
    if (own === undefined) families.set(record.root, [record]);
    else own.push(record);
  }
  return [...families].map(([root, members]) => ({ root, members }));
}

/** An effect of the family of which nobody knows yet whether it happened. */
export const openEffect = async (journal: Journal, root: string) =>
  (await journal.effects({ root })).find(({ status }) => status === "dispatched" || status === "in_doubt");

/** How an erasure is said in the record, and to people. */
export interface Erased {
  readonly threads: readonly string[];
  /** Events that lost their bodies. */
  readonly events: number;
  readonly by: string;
}

/**
 * Takes the lease of each thread of the family, erases their checkpoints and then what was recorded of them.
 *
 * @throws ThreadBusyError when one of them runs, CommandError when an effect is open. Nothing was erased then.
 */
export async function eraseFamily(
  { journal, settings }: OpenedJournal,
  root: string,
  reason: string,
  { cwd, program }: Terminal,
  command: string,
): Promise<Erased> {
  const by = operator(`cli ${command}`);
  const leases = new Map<string, Lease>();
  try {
    const threads = await leaseAll(journal, root, leases, by);
    const open = await openEffect(journal, root);
    if (open !== undefined) {
      const { tool, key, thread, status } = open;
      throw new CommandError(
        `effect ${key.slice(0, 12)} (${tool}) of thread ${thread} is ${status.replace("_", " ")}: erased, nobody could find out any more whether it happened. Settle it first: ${program} effects`,
      );
    }
    const { saver, close } = await openCheckpointer(settings.database, { cwd });
    try {
      for (const thread of threads) await saver.deleteThread(thread);
    } finally {
      await close();
    }
    return { threads, events: await journal.erase(root, by, reason), by };
  } finally {
    for (const lease of leases.values()) await lease.release();
  }
}

/** A thread may be derived while others are being leased: until none is new, there may be more. */
async function leaseAll(journal: Journal, root: string, leases: Map<string, Lease>, by: string) {
  for (;;) {
    const family = (await familiesOf(journal)).find((each) => each.root === root)?.members ?? [];
    const fresh = family.map(({ thread }) => thread).filter((thread) => !leases.has(thread));
    if (fresh.length === 0) return [...leases.keys()];
    for (const thread of fresh.toSorted()) leases.set(thread, await journal.lease(thread, by));
  }
}
