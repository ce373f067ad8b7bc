// What to type next, as commands that can be pasted: the flags that name the database and the workspace are repeated.

import type { RunStatus } from "../../checkpoints/index.js";
import { SHORT } from "../effect.js";

/** Flags to repeat, each with a blank before it: those every command needs, and those only `run` has. */
export interface RepeatedFlags {
  readonly journal: string;
  readonly project: string;
}

/** What a run has left open. */
export interface Open {
  readonly thread: string;
  /** The ids of approvals that wait. */
  readonly approvals: readonly string[];
  /** Whether going back could mend what the gate stopped: a fallback, a stale answer or a retry lowered the trust. */
  readonly canRewind?: boolean;
  /** The keys of effects whose outcome nobody knows. */
  readonly inDoubt?: readonly string[];
  /** What to give it to go on, as `--budget` takes it. Set when it had a budget. */
  readonly more?: string | undefined;
}

/** The commands that go on from a run that ended like this, the most likely one first. */
export function nextCommands(
  status: Exclude<RunStatus, "running">,
  { thread, approvals, inDoubt = [], canRewind = false, more }: Open,
  program: string,
  flags: RepeatedFlags,
): string[] {
  const resolve = inDoubt.map(
    (key) =>
      `${program} effects resolve ${key.slice(0, SHORT)} committed|failed --note "what you found"${flags.journal}`,
  );
  return [...resolve, ...goOn()];

  function goOn(): string[] {
    const rewind = canRewind ? [`${program} rewind ${thread}${flags.journal}`] : [];
    const resume = `${program} run --thread ${thread} --resume${flags.journal}${flags.project}`;
    switch (status) {
      case "blocked":
        return [`${program} inspect ${thread} --why${flags.journal}`, ...rewind];
      case "finished":
        return [`${program} show ${thread}${flags.journal}`, ...rewind];
      case "waiting":
        return [...approvals.map((id) => `${program} approve ${id}${flags.journal}`), resume, ...rewind];
      case "spent":
        return [more === undefined ? resume : `${resume} --budget ${more}`];
      default:
        return [resume];
    }
  }
}
