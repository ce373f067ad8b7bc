// Options that several commands share, spelled once.

import { Command, InvalidArgumentError, Option } from "commander";
import { type BudgetLimits, parseBudget } from "../capacity/budget-limits.js";

const database = (value: string): string => {
  if (/^(sqlite:.+|postgres(ql)?:\/\/.+|memory:)$/.test(value)) return value;
  throw new InvalidArgumentError("Write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:.");
};

/** Reads a whole number, 0 or more, and keeps it as text. */
export const wholeNumber = (value: string): string => {
  if (/^\d{1,10}$/.test(value)) return value;
  throw new InvalidArgumentError("It is a whole number, 0 or more.");
};

/** Reads whole numbers from 1, with commas between. */
export const wholeNumbers = (value: string): readonly number[] =>
  value.split(",").map((text) => {
    if (/^[1-9]\d{0,6}$/.test(text.trim())) return Number(text);
    throw new InvalidArgumentError("Write whole numbers from 1, with commas between: 25,100,1000.");
  });

/** Reads the limits of a run. */
export const budget = (value: string): BudgetLimits => {
  try {
    return parseBudget(value);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
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

/** Reads the address of a Redis. */
export const redis = (value: string): string => {
  if (/^rediss?:\/\/.+/.test(value)) return value;
  throw new InvalidArgumentError("Write redis://HOST:PORT, or rediss:// for TLS.");
};

const queueName = (value: string): string => {
  if (/^[\w.-]{1,64}$/.test(value)) return value;
  throw new InvalidArgumentError("Write 1 to 64 letters, digits, dots, dashes or underscores.");
};

/** `--quota`. */
export const quotaOption = (): Option =>
  new Option(
    "--quota <url>",
    "Redis where the quotas are shared (default: BULKHEAD_QUOTA, else this process)",
  ).argParser(redis);

/** Adds `--redis` and `--queue`. */
export const withQueue = (of: Command): Command =>
  of
    .option("--redis <url>", "server of the queue (default: BULKHEAD_REDIS)", redis)
    .option("--queue <name>", "name of the queue (default: bulkhead)", queueName);

/** Adds `--json`. */
export const withJson = (of: Command): Command => of.option("--json", "print JSON");
