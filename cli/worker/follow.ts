// `submit --wait`: looks at a run in the queue until it is over or needs a person, and tells how it ended as `run` would.

import { setTimeout as sleep } from "node:timers/promises";
import { openCheckpointer, openJournal } from "../../checkpoints/index.js";
import type { Settings } from "../../models/index.js";
import { CommandError, EXIT, exitCodeOf } from "../exit.js";
import { describeRequest } from "../run/approvals.js";
import { nextCommands } from "../run/next.js";
import { answerOf } from "../run/outcome.js";
import { listingOf } from "../run/result.js";
import type { Terminal } from "../terminal.js";
import { databaseFlag } from "./flags.js";
import type { RunQueue } from "./run-queue.js";
import { describeStanding, type Standing } from "./standing.js";
import type { QueueState } from "./states.js";
import type { SubmitOptions } from "./submit.js";

/** Between two looks, in ms. */
const LOOK_MS = 300;

/** Where following ends: nothing more happens by itself. */
const ENDS: readonly QueueState[] = ["done", "failed", "waiting"];

/** What following needs. */
export interface Following {
  readonly queue: Pick<RunQueue, "find">;
  readonly settings: Settings;
  readonly options: Pick<SubmitOptions, "json" | "db">;
  readonly terminal: Terminal;
}

/** Follows a run to its end. Ctrl-C ends the looking and not the run. Returns the exit code that `run` would have. */
export async function followToEnd(first: Standing, following: Following): Promise<number> {
  const { queue, terminal } = following;
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  const say = (line: string) => {
    if (following.options.json !== true) terminal.err(line);
  };
  let told = "";
  try {
    for (let standing = first; ; standing = await lookAgain(standing.thread, queue, stop.signal)) {
      const line = describeStanding(standing);
      if (line !== told) say(line);
      told = line;
      if (ENDS.includes(standing.state)) return await tellEnd(standing, following);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    say("No longer looking. The run goes on.");
    return EXIT.interrupted;
  } finally {
    stopListening();
  }
}

async function lookAgain(thread: string, queue: Following["queue"], signal: AbortSignal): Promise<Standing> {
  await sleep(LOOK_MS, undefined, { signal });
  const standing = await queue.find(thread);
  if (standing !== undefined) return standing;
  throw new CommandError(`thread ${thread} is no longer in the queue: it was removed, or Redis was emptied.`);
}

/** What the journal and the last checkpoint say at the end. */
async function tellEnd({ thread, state, status: ended, message }: Standing, following: Following): Promise<number> {
  const { settings, options, terminal } = following;
  const status = state === "waiting" ? state : (ended ?? "failed"); // What does not say how it ended has not finished.
  const journal = openJournal(settings.database, { keyFile: settings.keyFile });
  const { saver, close } = await openCheckpointer(settings.database);
  try {
    const pending = await journal.approvals({ thread, status: "pending" });
    const checkpoint = await saver.getTuple({ configurable: { thread_id: thread } });
    const answer = answerOf(checkpoint?.checkpoint.channel_values) ?? null;
    const open = { thread, approvals: pending.map(({ id }) => id) };
    const flags = { journal: databaseFlag(options), project: "" };
    const typed = nextCommands(status, open, terminal.program, flags);
    const next = typed.map((command) => inQueue(command, status));
    if (options.json === true) {
      const told = message === undefined ? {} : { message };
      terminal.out(
        JSON.stringify({ type: "result", thread, status, answer, ...told, pending: pending.map(listingOf), next }),
      );
    } else {
      if (answer !== null && state === "done") terminal.out(`\n${answer}\n`);
      for (const request of pending) terminal.out(`\n${describeRequest(request, terminal.outStyle)}`);
      terminal.out(`${status} · ${thread}\nNext:\n${next.map((command) => `  ${command}`).join("\n")}`);
    }
    return exitCodeOf(status);
  } finally {
    await close();
    await journal.close();
  }
}

/** How a run goes on without a queue. */
const RESUME = / run (--thread \S+ --resume).*/;

/** A run of the queue goes on in the queue; one that waits does so by itself. */
const inQueue = (command: string, status: string): string =>
  status === "waiting" ? command.replace(RESUME, " queue") : command.replace(RESUME, " submit $1");
