// `bulkhead run`: its options, and nothing else. The run itself is in `../run/`.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { BudgetLimits } from "../../capacity/budget-limits.js";
import { ADMISSION_POLICIES, type AdmissionPolicy } from "../../capacity/types.js";
import { budget, collect, command, quotaOption, wholeNumber, withDatabase } from "../options.js";
import type { ApproveMode } from "../run/approvals.js";
import type { Terminal } from "../terminal.js";

/** The options of `run` as commander hands them over. */
export interface RunOptions {
  readonly graph?: string;
  readonly file?: string;
  readonly thread?: string;
  readonly resume?: boolean;
  readonly workspace?: string;
  readonly db?: string;
  readonly approve: ApproveMode;
  readonly onLowTrust?: "ask" | "rewind";
  readonly fault?: readonly string[];
  readonly seed?: string;
  readonly quota?: string;
  readonly admission?: AdmissionPolicy;
  readonly budget?: BudgetLimits;
  readonly json?: boolean;
}

const EXIT_CODES = `
Exit codes:
  0 finished, 1 failed, 2 usage, 3 waiting for approval, 4 blocked by the gate,
  5 parked for capacity, 7 its budget is spent, 130 interrupted`;

const notEmpty = (value: string): string => {
  if (value.trim() !== "") return value;
  throw new InvalidArgumentError("It is empty.");
};

/** The command. @param finish Takes the exit code. */
export const runCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withDatabase(
    command("run", "run a graph on a task", [
      'bulkhead run "Ticket 1042 asks us to delete the account of Harbor Bakery. Do it."',
      'bulkhead run --fault outage:offline-large "Handle ticket 1077."',
      "bulkhead run --thread ID --resume          # after an approval, a crash, a park or Ctrl-C",
      'bulkhead run --thread ID "And the other one?"',
      "echo 'How many tickets are open?' | bulkhead run --json",
    ]),
  )
    .argument("[task]", "what to do; also from --file, or piped in")
    .option("--file <path>", "read the task from a file", notEmpty)
    .option("--graph <name>", "which graph of langgraph.json (default: agent)")
    .option("--thread <id>", "continue this thread", notEmpty)
    .option("--resume", "go on where the thread of --thread stands")
    .option("--workspace <dir>", "folder of the customer records (default: workspace in the project)", notEmpty)
    .addOption(
      new Option("--approve <how>", "answer the gate: ask in a terminal, yes or no to everything")
        .choices(["ask", "yes", "no"])
        .default("ask"),
    )
    .addOption(
      new Option("--on-low-trust <how>", "ask a person, or first go back and run again without a fallback")
        .choices(["ask", "rewind"])
        .default("ask"),
    )
    .option(
      "--budget <limits>",
      "what it may use, with its subagents: calls=50,tokens=200000,usd=1.50,time=10m",
      budget,
    )
    .addOption(quotaOption())
    .addOption(
      new Option(
        "--admission <policy>",
        "wait for the primary, or take a fallback (default: BULKHEAD_ADMISSION, else auto)",
      ).choices(ADMISSION_POLICIES),
    )
    .option("--fault <spec>", "a fault of the offline provider, repeatable: outage:offline-large", collect)
    .option("--seed <number>", "seed of the offline provider", wholeNumber)
    .option("--json", "print one JSON event per line, the result last")
    .addHelpText("after", EXIT_CODES)
    .action(async (task: string | undefined, options: RunOptions) => {
      const { readAsked } = await import("../run/asked.js");
      const asked = await readAsked(task, options, terminal);
      const { runTask } = await import("../run/run.js");
      finish(await runTask(asked, options, terminal));
    });
