// The lease that keeps two runs off one thread, and two workers off one effect. It renews itself; when its holder is gone
// it is free at once if that can be seen from here (same host, no such process), else when it runs out.

import { z } from "zod";
import { all, type Database, first, type Work } from "../database/database.js";
import { JournalError, type LeaseHolder, ThreadBusyError } from "../errors.js";
import { integer, readRow } from "./rows.js";
import type { Lease } from "./types.js";

/** How long a lease holds without renewal, in milliseconds. */
export const LEASE_MS = 30_000;

/** How often it is renewed, in milliseconds. */
const RENEW_MS = 10_000;

/** Calls `tick` every `ms` milliseconds until the function it returns is called. Must not keep the process alive. */
export type Ticker = (ms: number, tick: () => void) => () => void;

/** The machine's timer. */
export const systemTicker: Ticker = (ms, tick) => {
  const timer = setInterval(tick, ms).unref();
  return () => clearInterval(timer);
};

/** Whether a process of this host is alive. A process we may not signal is. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const holderSchema = z.object({
  token: z.string(),
  owner: z.string(),
  pid: integer,
  host: z.string(),
  since: integer,
  until: integer,
});

/** A lease as it is stored. The token makes it ours: an owner's name can come twice. */
export interface LeaseClaim extends LeaseHolder {
  readonly token: string;
}

function* findHolder(thread: string): Work<LeaseClaim | undefined> {
  const row = yield* first("SELECT * FROM h_lease WHERE thread = ?", thread);
  return row && readRow(holderSchema, row, `the lease of thread ${thread}`);
}

const isOver = (held: LeaseClaim, claim: LeaseClaim): boolean =>
  held.until <= claim.since || (held.host === claim.host && !isAlive(held.pid));

/** Takes the thread, from a holder that is gone if need be. Returns the holder in the way, or `undefined`. */
function* takeLease(thread: string, claim: LeaseClaim): Work<LeaseHolder | undefined> {
  const { token, owner, pid, host, since, until } = claim;
  for (;;) {
    const held = yield* findHolder(thread);
    if (held !== undefined && !isOver(held, claim)) return held;
    // Only the holder that was seen is removed. If another process was quicker the insert yields, and we look again.
    if (held !== undefined) yield* all("DELETE FROM h_lease WHERE thread = ? AND token = ?", thread, held.token);
    const taken = yield* first(
      `INSERT INTO h_lease (thread, token, owner, pid, host, since, until) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (thread) DO NOTHING RETURNING thread`,
      ...[thread, token, owner, pid, host, since, until],
    );
    if (taken !== undefined) return undefined;
  }
}

const takenOver = (thread: string, holder: LeaseHolder | undefined): Error =>
  holder === undefined
    ? new JournalError(
        "JOURNAL_LOCKED",
        `the lease of thread ${thread}`,
        `the lease of thread ${thread} ran out and another run has had the thread since. Resume it to go on from where it stands now.`,
      )
    : new ThreadBusyError(thread, holder);

/** What a lease needs from the outside. */
export interface LeasePorts {
  readonly database: () => Promise<Database>;
  readonly now: () => number;
  readonly every: Ticker;
}

/**
 * Takes the thread (or whatever else `thread` names) and keeps it until released, or returns who has it. A renewal that
 * fails is tried again at the next tick; the lease counts as lost when somebody else has it or when it ran out unrenewed.
 */
export async function takeAndKeep(thread: string, claim: LeaseClaim, ports: LeasePorts): Promise<Lease | LeaseHolder> {
  const { now, every } = ports;
  const database = await ports.database();
  const inTheWay = await database.transaction(takeLease(thread, claim));
  if (inTheWay !== undefined) return inTheWay;

  const lost = new AbortController();
  let until = claim.until;
  let released = false;
  const lose = (reason: unknown) => {
    stop();
    lost.abort(reason);
  };
  const renew = async (): Promise<void> => {
    const next = now() + LEASE_MS;
    const extend = first(
      "UPDATE h_lease SET until = ? WHERE thread = ? AND token = ? RETURNING until",
      ...[next, thread, claim.token],
    );
    try {
      if ((await database.transaction(extend)) !== undefined) until = next;
      else if (!released) lose(takenOver(thread, await database.read(findHolder(thread))));
    } catch (error) {
      if (now() >= until) lose(error); // Until then it is still ours, and the next renewal may succeed.
    }
  };
  const stop = every(RENEW_MS, () => void renew());
  return {
    lost: lost.signal,
    async release() {
      released = true;
      stop();
      await database.transaction(all("DELETE FROM h_lease WHERE thread = ? AND token = ?", thread, claim.token));
    },
  };
}
