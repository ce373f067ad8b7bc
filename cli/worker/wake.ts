// A decision wakes the run that waits for it, when there is a queue. It is a courtesy: the workers look for themselves, so
// that a decision from Studio, from the API or from a machine without Redis counts as well, and nothing here can fail one.

import type { Settings } from "../../models/index.js";
import { explain } from "../exit.js";
import type { Terminal } from "../terminal.js";
import { RunQueue } from "./run-queue.js";
import { LONGEST_LOOK_MS } from "./step.js";

/** Wakes the thread if it sleeps in the configured queue. Returns whether a worker goes on with it. Never throws. */
export async function wakeInQueue(
  thread: string,
  { redis, queue }: Pick<Settings, "redis" | "queue">,
  terminal: Pick<Terminal, "err">,
): Promise<boolean> {
  if (redis === undefined) return false;
  let opened: RunQueue | undefined;
  try {
    opened = await RunQueue.open({ redis, queue });
    return await opened.wake(thread);
  } catch (error) {
    const seconds = LONGEST_LOOK_MS / 1_000;
    terminal.err(`The queue could not be told (${explain(error).message}). Its workers look within ${seconds} s.`);
    return false;
  } finally {
    await opened?.close().catch(() => undefined);
  }
}
