// Options that several commands share, spelled once.

import { Command, InvalidArgumentError } from "commander";

const database = (value: string): string => {
  if (/^(sqlite:.+|postgres(ql)?:\/\/.+|memory:)$/.test(value)) return value;
  throw new InvalidArgumentError("Write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:.");
};

/** Reads a whole number, 0 or more, and keeps it as text. */
export const wholeNumber = (value: string): string => {
  if (/^\d{1,10}$/.test(value)) return value;
  throw new InvalidArgumentError("It is a whole number, 0 or more.");
};

/** Collects an option that may be given several times. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** A command with the options all of them have. `examples` are shown at the end of its help. */
export const command = (usage: string, description: string, examples: readonly string[]): Command =>
  new Command(usage)
    .description(description)
    .option("--verbose", "show the stack of an unexpected error")
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}`);

/** Adds `--db`. */
export const withDatabase = (of: Command): Command =>
  of.option("--db <url>", "database of threads (default: sqlite:.bulkhead/bulkhead.db in the project)", database);

/** Adds `--json`. */
export const withJson = (of: Command): Command => of.option("--json", "print JSON");
