// How a command ends: the exit codes of the whole program, the two errors commands throw themselves, and what any
// error looks like to the person at the terminal. One line, what to do, never a stack unless it was asked for.

import { CommanderError } from "commander";
import type { RunStatus } from "../checkpoints/index.js";

/** Exit codes, by how a run ended. 2 is a usage error. */
export const EXIT = {
  finished: 0,
  failed: 1,
  usage: 2,
  waiting: 3,
  blocked: 4,
  parked: 5,
  diverged: 6,
  spent: 7,
  interrupted: 130,
} as const;

/** The exit code of a run. */
export const exitCodeOf = (status: Exclude<RunStatus, "running">): number => EXIT[status];

/** The command was typed wrongly, or cannot do what was typed. Nothing was started. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}

/** The command is right and cannot be done. The message says what to do next. Exit code 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code = "COMMAND";
}

/** What is told about an error, and the exit code it leads to. `message` is empty when it was told already. */
export interface Explanation {
  readonly message: string;
  readonly exitCode: number;
  /** Whether the message is one of ours and says what to do next. */
  readonly known: boolean;
}

const USAGE_CODES: readonly string[] = ["USAGE", "SETTINGS", "FAULT", "PRICE_UNKNOWN"];

/** Every error class of the house is branded with a symbol, so that a project's own copy of the package is known too. */
const isBranded = (error: object): boolean =>
  Object.getOwnPropertySymbols(error).some((symbol) => symbol.description?.startsWith("bulkhead.") === true);

/** Explains anything that was thrown. */
export function explain(error: unknown): Explanation {
  if (error instanceof CommanderError) {
    return { message: "", exitCode: error.exitCode === 0 ? 0 : EXIT.usage, known: true };
  }
  if (!(error instanceof Error)) return { message: String(error), exitCode: EXIT.failed, known: false };
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && USAGE_CODES.includes(code)) {
    return { message: error.message, exitCode: EXIT.usage, known: true };
  }
  return { message: error.message, exitCode: EXIT.failed, known: isBranded(error) || code === "COMMAND" };
}
