// `bulkhead replay THREAD`: its options, and nothing else. What it does is in `../replay/`.

import { type Command, Option } from "commander";
import { UsageError } from "../exit.js";
import { command, wholeNumber, withDatabase, withJson } from "../options.js";
import type { Terminal } from "../terminal.js";

/** The ways to run a record again. */
const REPLAY_MODES = ["strict", "verify", "policy", "regress", "branch"] as const;

/** The options as commander hands them over. */
export interface ReplayOptions {
  readonly mode: (typeof REPLAY_MODES)[number];
  readonly policy?: string;
  readonly from?: string;
  readonly graph?: string;
  readonly db?: string;
  readonly json?: boolean;
  readonly approve: "ask" | "yes" | "no";
}

const HELP = `
Modes:
  strict   every answer comes from the record; says where the code does something else (default)
  verify   strict, and: is the record what was written, do the verdicts follow, are the checkpoints the saved ones
  policy   what would the policy in --policy have decided; nothing is run
  regress  the model is asked again, tools answer from the record; nothing is done
  branch   goes on live from the checkpoint of step --from, in a new thread, through the gate

Exit codes: 0 identical, 6 different; branch: as of run.`;

/** The command. @param finish Takes the exit code. */
export const replayCommand = (terminal: Terminal, finish: (code: number) => void): Command =>
  withJson(
    withDatabase(
      command("replay", "run a thread again from its record, and say where it differs", [
        "bulkhead replay THREAD",
        "bulkhead replay THREAD --mode policy --policy strict",
        "bulkhead replay THREAD --mode branch --from 12",
      ]),
    ),
  )
    .argument("<thread>", "the thread, as `bulkhead threads` lists it")
    .addOption(
      new Option("--mode <mode>", "what is live, and what is from the record").choices(REPLAY_MODES).default("strict"),
    )
    .option("--policy <policy>", "for the mode policy: balanced, strict, or the path of a .json or .yaml file")
    .addOption(
      new Option(
        "--from <step>",
        "for the mode branch: the step to go on from, as `bulkhead inspect` shows it",
      ).argParser(wholeNumber),
    )
    .option("--graph <name>", "which graph of langgraph.json (default: the one that ran)")
    .addOption(
      new Option("--approve <how>", "for the mode branch: answer the gate")
        .choices(["ask", "yes", "no"])
        .default("ask"),
    )
    .addHelpText("after", HELP)
    .action(async (thread: string, options: ReplayOptions) => {
      requireFitting(options);
      const { replayTask } = await import("../replay/replay.js");
      finish(await replayTask(thread, options, terminal));
    });

function requireFitting({ mode, policy, from }: ReplayOptions): void {
  if ((mode === "policy") !== (policy !== undefined)) {
    throw new UsageError(
      "--policy and --mode policy belong together: bulkhead replay THREAD --mode policy --policy strict",
    );
  }
  if ((mode === "branch") !== (from !== undefined)) {
    throw new UsageError("--from and --mode branch belong together: bulkhead replay THREAD --mode branch --from 12");
  }
}
